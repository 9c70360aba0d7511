"""Runs of two versions: old folders load, compare, and say where they come from."""

import json
from pathlib import Path

import pytest

from promptkit import FakeBackend, ZeroShot, compare, evaluate
from promptkit.evaluation import load_run, verdict
from promptkit.evaluation.presentation.provenance import notes
from promptkit.evaluation.rereading.rescoring import rescore
from tests.command_line import CommandLine

OLD = Path(__file__).parents[2] / "golden" / "written-by-0.1.0"
PEARS = """id,question,answer
pears-1,Rita has 4 pears and buys 3 more. How many pears has she?,7
pears-2,A crate holds 12 pears. How many do 5 crates hold?,60
pears-3,Tom has 9 pears and eats 2. How many are left?,7
pears-4,"A pear costs 2 coins. What do 1,000 pears cost?",2000
"""


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of the same questions by a version that is yet to come."""
    monkeypatch.setattr("promptkit.__version__", "9.0.0")
    (tmp_path / "pears.csv").write_text(PEARS, encoding="utf-8")
    backend = FakeBackend("The answer is 7.")
    evaluate({"zero-shot": ZeroShot()}, tmp_path / "pears.csv", backend, run_dir=tmp_path / "runs")
    return tmp_path / "runs" / "zero-shot"


@pytest.mark.parametrize("folder", sorted(OLD.iterdir()), ids=lambda folder: folder.name)
def test_old_folders_load(folder: Path) -> None:
    run = load_run(folder)
    assert run.n == 4 and run.manifest["versions"]["promptkit"] == "0.1.0"
    assert [sample.status for sample in run.samples].count("correct") == (2 if folder.name == "direct" else 4)
    assert all(sample.calls and sample.calls[0].completion for sample in run.samples)


def test_old_and_new_compare_and_say_so(new: Path) -> None:
    old = load_run(OLD / "zero-shot")
    found = compare(old, load_run(new))
    assert (found.n, found.broken) == (4, ("pears-2", "pears-4"))
    assert verdict([old, load_run(new)])
    (said,) = notes(old, load_run(new))
    assert "made by promptkit 0.1.0, the second by 9.0.0" in said
    assert notes(old, old) == []


def test_other_wordings_and_readings_are_told(new: Path) -> None:
    run = load_run(new)
    again = rescore(run, "strict", new.with_name("again"))
    assert "was read again by the extractor 'strict'" in notes(run, again)[-1]
    run.manifest["templates"] = {"zero-shot/plain": "other"}
    assert "different wordings of the same template: zero-shot/plain" in notes(load_run(new), run)[0]


def test_runs_that_were_not_written_say_nothing() -> None:
    from tests.evaluation.rereading.test_rescoring import bench

    (run,) = evaluate(ZeroShot(), bench(), FakeBackend("7"))
    assert notes(run, load_run(OLD / "zero-shot")) == []


def test_on_the_command_line(
    new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    promptkit = CommandLine(capsys, monkeypatch, tmp_path)
    assert "made by promptkit 0.1.0, the second by 9.0.0" in promptkit("compare", OLD / "zero-shot", new).out
    found = json.loads(promptkit("compare", OLD / "zero-shot", new, "--json").out)
    assert len(found["notes"]) == 1 and found["delta"] == -0.5
