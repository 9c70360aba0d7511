"""`promptkit demos build`: a file of demonstrations, a picture, and what is said of the choice."""

import json
import shlex
import warnings
from pathlib import Path
from xml.etree import ElementTree

import pytest

from promptkit import CoT, FakeBackend
from promptkit.types import Request
from tests.command_line import CommandLine

pytest.importorskip("sklearn")


def reply(request: Request) -> str:
    """Too long a rationale about trains, a good one about all else; always seven."""
    if request.purpose == "answer":
        return "7"
    return "\n".join(["So."] * 9) if "train" in request.text else "Thus it is 7."


@pytest.fixture
def promptkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line in a folder with a pool of trains and apples; a fake model."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path / "cache"))

    monkeypatch.setattr("promptkit.backends.from_spec", lambda *_, **__: FakeBackend(reply))
    rows = [
        {"question": f"{start} {place} {what} and {place * place} more <b>?", "answer": str(6 + place % 2)}
        for place in range(8)
        for start, what in (("How many apples lie in", "red baskets"), ("When does the train leave", "stations"))
    ]
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return CommandLine(capsys, monkeypatch, folder)


BUILD = ["demos", "build", "--pool", "pool.jsonl", "-k", "2", "--embedder", "tf-idf", "-o", "mine.yaml"]


def test_it_writes_demonstrations_that_a_strategy_reads(promptkit: CommandLine) -> None:
    said = promptkit(*BUILD, "--picture", "clusters.svg")
    assert said.code == 0, said.err
    demos = CoT(demos=promptkit.folder / "mine.yaml").demos
    assert [(demo.answer, demo.rationale) for demo in demos] == [("7", "Thus it is 7.")]  # type: ignore[union-attr]
    assert "1 demonstrations from 16 questions" in said.out
    assert "rationale too long (8)" in said.out
    assert "of 1 show a wrong answer" in said.out
    assert "--max-lines" in said.out
    assert "mine.yaml and clusters.svg" in said.err
    picture = ElementTree.fromstring((promptkit.folder / "clusters.svg").read_text())
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}title"))) == 16


def test_longer_rationales_may_be_taken(promptkit: CommandLine) -> None:
    assert promptkit(*BUILD, "--max-lines", "9").code == 0
    demos = CoT(demos=promptkit.folder / "mine.yaml").demos
    assert len(demos) == 1 or {demo.answer for demo in demos} == {"7"}  # type: ignore[union-attr]


def test_json(promptkit: CommandLine) -> None:
    said = promptkit(*BUILD, "--json")
    assert said.code == 0, said.err
    summary = json.loads(said.out)
    assert (summary["questions"], len(summary["demos"]), summary["known"]) == (16, 1, 1)
    assert summary["refused"] == {"rationale too long": 8}
    assert summary["usage"]["calls"] == 2 * 9
    again = json.loads(promptkit(*BUILD, "--json", "--force").out)
    assert again["demos"] == summary["demos"]
    assert again["usage"]["cached_calls"] == again["usage"]["calls"]


def test_a_file_that_is_there_is_not_lost(promptkit: CommandLine) -> None:
    (promptkit.folder / "mine.yaml").write_text("edited by hand")
    said = promptkit(*BUILD)
    assert (said.code, (promptkit.folder / "mine.yaml").read_text()) == (2, "edited by hand")
    assert "--force" in said.err
    assert promptkit(*BUILD, "--force").code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--pool", "nothing.jsonl"], "nothing.jsonl"),
        (["--kind", "date"], "pool.jsonl"),
        (["-o", "no/such/folder.yaml"], "there is no folder"),
        (["-k", "0"], "k"),
        (["--kind", "poem"], "unknown kind 'poem'"),
    ],
)
def test_bad_input_is_one_line(promptkit: CommandLine, args: list[str], said: str) -> None:
    done = promptkit(*BUILD, *args)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_without_a_pool_it_takes_the_packaged_one(promptkit: CommandLine) -> None:
    said = promptkit("demos", "build", "--embedder", "tf-idf", "--max-pool", "30", "--json")
    assert said.code == 0, said.err
    summary = json.loads(said.out)
    assert (summary["pool"], summary["questions"]) == ("gsm8k-style", 30)
    assert (promptkit.folder / "demos.yaml").is_file()


def test_help_has_an_example_that_runs(promptkit: CommandLine) -> None:
    lines = promptkit("demos", "build", "--help").out.splitlines()
    (first, second) = [line.strip() for line in lines if line.startswith("    promptkit ")]
    assert promptkit(*shlex.split(first)[1:], "--embedder", "tf-idf").code == 0
    assert "manual-cot:demos=mine.yaml" in second


def test_a_budget_stops_it_and_the_same_command_goes_on(promptkit: CommandLine) -> None:
    said = promptkit(*BUILD, "--max-calls", "3")
    assert said.code == 3
    assert "no demonstrations were made: the budget of 3 calls is used up; spent now: 3 calls" in said.err
    assert not (promptkit.folder / "mine.yaml").exists()
    whole = json.loads(promptkit(*BUILD, "--json").out)
    assert whole["usage"]["cached_calls"] == 3
