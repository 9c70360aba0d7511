"""`promptkit plan`: what it knows of local models, servers and models that are not here, and how it says so."""

import json
import time
from pathlib import Path

import pytest

from promptkit.cli.progress import Planning
from tests.command_line import CommandLine, Said

ASKED = ("--benchmark", "sums.jsonl", "--strategy", "zero-shot")


def known(said: Said) -> dict[str, object]:
    """The one plan of `--json`."""
    assert said.code == 0, said.err
    (backend,) = json.loads(said.out)["backends"]
    (found,) = backend["plans"]
    return {**found, "note": backend["note"]}


def cells(said: Said, strategy: str) -> list[str]:
    """The row of a strategy in the table."""
    assert said.code == 0, said.err
    (row,) = [line.split() for line in said.out.splitlines() if line.startswith(f"{strategy} ")]
    return row[1:]


def test_a_local_model_is_planned_to_the_token_and_known_better_after_a_run(
    promptkit: CommandLine, tiny_model: Path
) -> None:
    asked = (*ASKED, "--backend", f"hf:{tiny_model}")
    before = known(promptkit("plan", *asked, "--json"))
    assert (before["note"], before["stored"], before["seconds"], before["cost"]) == ("", None, None, [0, 0])
    said = promptkit("plan", *asked)
    assert cells(said, "zero-shot")[-2:] == ["local", "?"]
    assert "time: not known, as no run of this model is in runs/." in " ".join(said.out.split())
    (run,) = json.loads(promptkit("eval", *asked, "--json").out)["runs"]
    used = run["usage"]
    assert (before["first_calls"], before["first_prompt_tokens"]) == (used["calls"], used["prompt_tokens"])
    after = known(promptkit("plan", *asked, "--json"))
    assert after["stored"] == 2
    speed = used["completion_tokens"] / run["seconds"]
    assert after["seconds"] == pytest.approx([tokens / speed for tokens in after["completion_tokens"]], rel=0.01)  # type: ignore[attr-defined]
    assert "time: not known" not in " ".join(promptkit("plan", *asked).out.split())
    other = known(promptkit("plan", *asked, "--mode", "completion", "--no-cache", "--json"))
    assert (other["stored"], other["seconds"]) == (None, None)  # what was measured and stored is of chat


def test_a_model_that_is_not_here_is_guessed_and_the_plan_says_so(promptkit: CommandLine) -> None:
    found = known(promptkit("plan", *ASKED, "--backend", "hf:nobody/nothing", "--json"))
    assert str(found["note"]).startswith("Tokens are a guess, a quarter of the characters: ")
    assert "nobody/nothing" in str(found["note"])
    assert (found["calls"], found["cost"], found["stored"]) == ([2, 2], [0, 0], None)


def test_a_server_has_the_price_of_its_address_and_needs_no_key(promptkit: CommandLine) -> None:
    prices = pytest.importorskip("genai_prices", reason="list prices need the extra `prices`")
    asked = (*ASKED, "--backend", "openai:gpt-4o-mini")
    found = known(promptkit("plan", *asked, "--json"))
    assert str(found["note"]).endswith("a quarter of the characters: the tokenizer is the server's.")
    usage = prices.Usage(input_tokens=found["prompt_tokens"][1], output_tokens=found["completion_tokens"][1])  # type: ignore[index]
    listed = float(prices.calc_price(usage, model_ref="gpt-4o-mini").total_price)
    assert found["cost"][1] == pytest.approx(listed)  # type: ignore[index]
    own = promptkit("plan", *asked, "--base-url", "http://127.0.0.1:9/v1")
    assert cells(own, "zero-shot")[-2:] == ["unknown", "?"]


def test_numbers_are_written_as_people_write_them(promptkit: CommandLine) -> None:
    pytest.importorskip("genai_prices", reason="list prices need the extra `prices`")
    asked = ["--benchmark", "sums.jsonl", "--backend", "openai:gpt-4"]
    for limit in (40, 499_800, 5_000_000, 10**9):
        asked += ["--strategy", f"zero-shot:max_tokens={limit}"]
    said = promptkit("plan", *asked)
    new = [cells(said, f"zero-shot:max_tokens={limit}")[-3] for limit in (40, 499_800, 5_000_000, 10**9)]
    assert new == ["2–80", "2–1M", "2–10M", "2–2000M"]
    costs = [cells(said, f"zero-shot:max_tokens={limit}")[-2].split("–")[1] for limit in (499_800, 5_000_000)]
    assert costs == ["60", "600"]
    assert "e-" not in "".join(cells(said, "zero-shot:max_tokens=40"))


def test_a_suite_of_several_seeds_is_planned_once(promptkit: CommandLine) -> None:
    said = promptkit("plan", "--suite", "suite.yaml", "--backend", "default")
    assert said.code == 0, said.err
    assert "All of it for each of 2 seeds; what is greedy is asked once." in said.out
    assert len([line for line in said.out.splitlines() if line.startswith(("direct ", "zero-shot "))]) == 2
    assert json.loads(promptkit("plan", "--suite", "suite.yaml", "--json").out)["seeds"] == [0, 1]


def test_an_encoder_that_is_not_here_is_named_and_not_fetched(promptkit: CommandLine) -> None:
    pytest.importorskip("sentence_transformers", reason="sentence encoders need the extra `similarity`")
    asked = ("--benchmark", "multiarith-style", "--limit", "2", "--strategy", "few-shot:select=similar,k=2")
    said = promptkit("plan", *asked, "--backend", "openai:gpt-4o-mini")
    assert cells(said, "few-shot:select=similar,k=2")[0] == "2"
    assert "all-minilm-l6-v2 is not on this machine: a run fetches it." in " ".join(said.out.split())
    assert not said.err
    assert known(promptkit("plan", *asked, "--backend", "openai:gpt-4o-mini", "--json"))["to_fetch"] == [
        "all-minilm-l6-v2"
    ]


def test_what_takes_long_says_from_time_to_time_what_it_is_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Planning, "every", 0.01)
    shown = ""
    with Planning() as at:
        at("planning one\x1b[31m on two", 1, 4)
        while shown.count("\n") < 2:  # another line comes for as long as it takes
            time.sleep(0.01)
            shown += capsys.readouterr().err
    assert set(shown.splitlines()) == {"planning one on two: 25 % …"}
