"""`promptkit run`: one question, its answer, and what led to it."""

import json

import pytest

from promptkit import FakeBackend, backends
from promptkit.errors import BackendError
from tests.command_line import CommandLine

FROM_SPEC = backends.from_spec


def test_run(promptkit: CommandLine) -> None:
    said = promptkit("run", "zero-shot-cot", "What is 1+1?")
    assert (said.code, said.err) == (0, "")
    assert "answer: " in said.out.splitlines()[-1]


def test_run_shows_votes_ties_and_what_was_saved(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(settings: str, answers: str) -> list[str]:
        fake = FakeBackend(
            lambda request: {"-": "hm", "x": BackendError("busy")}.get(c := answers[request.sample[0]], c)
        )
        monkeypatch.setattr(backends, "from_spec", lambda *_, **__: fake)
        (promptkit.folder / "sc.yaml").write_text(
            f"{{strategy: self-consistency, inner: {{strategy: zero-shot}}, {settings}}}"
        )
        return promptkit("run", "sc.yaml", "How many?").out.splitlines()[1:]

    assert run("n: 6", "2-112x") == [
        "2 of 6: 2",
        "2 of 6: 1",
        "2 of 6 did not vote: unread, cut off or failed",
        "a tie of 2 answers: the one seen first is taken",
        "answer: 2",
    ]
    saved = ["4 of 4: 7", "stopped after 4 of 9 samples: the lead is clear", "answer: 7"]
    assert run("n: 9, adaptive: 0.95", "777777777") == saved
    assert run("n: 3, vote: overlap", "778")[:2] == ["2 of 3: 7 (weight 0.50)", "1 of 3: 8 (weight 0.00)"]
    assert run("n: 2", "--") == ["answer: none could be read"]


def test_run_shows_a_set_as_people_write_it(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "from_spec", lambda *_, **__: FakeBackend("The answers are red and blue."))
    said = promptkit("run", "zero-shot", "Which colours?", "--kind", "set")
    assert said.out.splitlines()[-1] == "answer: blue, red"


def test_run_json(promptkit: CommandLine) -> None:
    said = promptkit("run", "self-consistency:n=3", "What is 1+1?", "--json")
    result = json.loads(said.out)
    assert said.err == ""
    assert len(result["candidates"]) == 3
    assert result["usage"]["calls"] == len(result["trace"]) == 6


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--kind", "choice", "--choice", "red", "--choice", "blue"], "(B) blue"),
        (["--kind", "label", "--label", "warm", "--label", "cold"], "warm"),
    ],
)
def test_run_shows_choices_and_labels_to_the_model(promptkit: CommandLine, options: list[str], shown: str) -> None:
    said = promptkit("run", "zero-shot", "Which?", "--json", *options)
    assert shown in json.loads(said.out)["trace"][0]["completion"]["rendered"]


def test_the_default_model_is_announced_once(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "from_spec", FROM_SPEC)
    monkeypatch.setattr("promptkit.backends.hf_backend", lambda: lambda *_, **__: FakeBackend("The answer is 2."))
    backends._announce.cache_clear()  # pyright: ignore[reportPrivateUsage]
    said = promptkit("run", "zero-shot", "What is 1+1?")
    assert (said.code, said.err) == (0, "promptkit: using the embedded model qwen2.5-coder-0.5b\n")
    again = promptkit("eval", "--strategy", "zero-shot", "--limit", "1", "--run-dir", "r", "--no-cache", "--json")
    assert again.code == 0
    assert "embedded" not in again.err
    assert json.loads(again.out)["runs"][0]["backend"] == "fake"


def test_completion_mode(promptkit: CommandLine) -> None:
    said = promptkit("run", "zero-shot", "What is 1+1?", "--mode", "completion", "--json")
    assert json.loads(said.out)["trace"][0]["completion"]["rendered"] == "Q: What is 1+1?\nA:"
