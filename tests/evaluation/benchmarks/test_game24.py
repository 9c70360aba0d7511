"""The Game of 24 as a benchmark: own puzzles, the published file, and what counts as right."""

import subprocess
import sys
from pathlib import Path

import pytest

from promptkit import FakeBackend, SelfConsistency, TreeOfThoughts, ZeroShot, evaluate
from promptkit.errors import BenchmarkError
from promptkit.evaluation import load
from promptkit.extract.expression import hand
from promptkit.paths import packaged
from tests.isolation import ROOT

GENERATOR = ROOT / "benchmarks" / "make_game24.py"
PUBLIC = ROOT.parent / "shared" / "data" / "game24.csv"


def puzzles(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "24.csv"
    lines = [f"{rank},{row},4.4,99.2%" for rank, row in enumerate(rows, 1)]
    path.write_text("\n".join(["Rank,Puzzles,AMT (s),Solved rate", *lines]), encoding="utf-8")
    return path


def test_the_own_puzzles_are_different_and_none_is_a_published_one() -> None:
    rows = [hand(example.question.text) for example in load("game24-style").examples]
    assert len(rows) == len(set(rows)) == 60
    assert all(len(row) == 4 and max(row) > 13 for row in rows)  # the published ones are of cards, 1 to 13


def test_the_own_puzzles_can_be_made_again_and_all_be_solved(tmp_path: Path) -> None:
    if not GENERATOR.is_file():
        pytest.skip("the generator is part of the repository only")
    subprocess.run([sys.executable, str(GENERATOR), "--out", str(tmp_path)], check=True, capture_output=True)
    assert (tmp_path / "game24.csv").read_bytes() == (packaged("evals") / "game24.csv").read_bytes()


def test_the_published_file_loads_whole_and_its_split_is_reachable() -> None:
    if not PUBLIC.is_file():
        pytest.skip("the published file is not here")
    whole = load(f"game24={PUBLIC}")
    assert (len(whole.examples), whole.kind, whole.notes) == (1362, "expression", ())
    split = load(f"game24-test={PUBLIC}")
    assert (len(split.examples), split.notes) == (100, ())
    assert [one.question.text for one in split.examples] == [one.question.text for one in whole.examples[900:1000]]
    assert split.examples[0].question.id == "game24-test-900"


def test_a_question_says_the_task_in_words(tmp_path: Path) -> None:
    (example,) = load(f"game24={puzzles(tmp_path, '4 4 6 8')}").examples
    assert example.gold == "24"
    assert "4 4 6 8" in example.question.text and "24" in example.question.text
    assert hand(example.question.text) == (4, 4, 6, 8)


@pytest.mark.parametrize("row", ["4 4 x 8", "4", "4;4;6;8"])
def test_a_row_without_numbers_is_named(row: str, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"row 2: column 'Puzzles' holds"):
        load(f"game24={puzzles(tmp_path, '4 4 6 8', row)}")


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("Let me see: 4 + 8 = 12, 6 - 4 = 2. The answer is (4 + 8) * (6 - 4) = 24.", "correct"),
        ("Answer: (4 + 8) × (6 − 4)", "correct"),
        ("The answer is 4 * 6.", "wrong"),
        ("The answer is (4 + 8) * (6 - 4) + 0.", "wrong"),
        ("It cannot be done.", "unparsed"),
    ],
)
def test_what_counts_as_right(reply: str, status: str, tmp_path: Path) -> None:
    benchmark = load(f"game24={puzzles(tmp_path, '4 4 6 8')}")
    (run,) = evaluate(ZeroShot(), benchmark, FakeBackend(reply))
    assert run.samples[0].status == status


def test_votes_are_on_expressions_not_on_whether_they_are_right(tmp_path: Path) -> None:
    replies = ["The answer is 4*6.", "The answer is (4 + 8) * (6 - 4).", "The answer is (4 * 6)."]
    backend = FakeBackend(lambda request: replies[request.sample[0]])
    (run,) = evaluate(SelfConsistency(ZeroShot(), 3), load(f"game24={puzzles(tmp_path, '4 4 6 8')}"), backend)
    assert (run.samples[0].answer, run.samples[0].votes[0].count, run.samples[0].status) == ("4 * 6", 2, "wrong")


def test_the_tree_is_kept_with_the_run(tmp_path: Path) -> None:
    backend = FakeBackend(lambda request: "sure" if request.purpose == "value" else "Answer: (4 + 8) * (6 - 4) = 24")
    (run,) = evaluate(TreeOfThoughts("game24"), load(f"game24={puzzles(tmp_path, '4 4 6 8')}"), backend)
    assert run.samples[0].status == "correct"
    assert run.samples[0].details["tree"]["problem"] == "game24"
