"""Benchmarks that score in part: mini crosswords and creative writing, from the file to the run."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from promptkit import FakeBackend, Result, TreeOfThoughts, ZeroShot, evaluate
from promptkit.errors import BenchmarkError
from promptkit.evaluation import load, load_run
from promptkit.evaluation.benchmarks.scorers import creative_writing
from promptkit.evaluation.presentation.table import print_runs
from promptkit.types import Example, Question
from tests.isolation import ROOT

DATA = ROOT.parent / "shared" / "data"
ROWS = ["STARE", "CANAL", "ABODE", "NESTS", "TREES"]


def crosswords(folder: Path) -> Path:
    path = folder / "mini.json"
    clues = [f"clue {number}" for number in range(10)]
    path.write_text(json.dumps([[clues, list("".join(ROWS))]]), encoding="utf-8")
    return path


class TestCrosswords:
    @pytest.mark.parametrize(
        ("reply", "status", "scores"),
        [
            ("\n".join(ROWS), "correct", {"letters": 1.0, "words": 1.0}),
            ("\n".join(["STORE", *ROWS[1:]]), "wrong", {"letters": 0.96, "words": 0.8}),
            ("\n".join(["S____"] + ["_____"] * 4), "wrong", {"letters": 0.04, "words": 0.0}),
            ("I cannot.", "unparsed", {}),
        ],
    )
    def test_letters_words_and_the_game(
        self, reply: str, status: str, scores: dict[str, float], tmp_path: Path
    ) -> None:
        (run,) = evaluate(ZeroShot(), load(crosswords(tmp_path)), FakeBackend(reply), run_dir=tmp_path / "runs")
        assert run.samples[0].status == status
        assert run.samples[0].scores == pytest.approx(scores)
        assert run.summary().get("scores", {}) == pytest.approx(scores)
        assert load_run(tmp_path / "runs" / "zero-shot") == run

    def test_the_tree_is_scored_where_squares_are_empty(self, tmp_path: Path) -> None:
        backend = FakeBackend(lambda request: "sure" if request.purpose == "value" else "h1. stare (certain)")
        (run,) = evaluate(TreeOfThoughts("crosswords"), load(crosswords(tmp_path)), backend)
        assert (run.samples[0].status, run.scores) == ("wrong", {"letters": 0.2, "words": 0.1})

    def test_questions_without_scores_count_as_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "two.json"
        boards = [[[f"{n} clue {place}" for place in range(10)], list("".join(ROWS))] for n in (1, 2)]
        path.write_text(json.dumps(boards))
        backend = FakeBackend(lambda request: "\n".join(ROWS) if "1 clue 3" in request.text else "no idea")
        (run,) = evaluate(ZeroShot(), load(path), backend)
        assert (run.accuracy, run.scores) == (0.5, {"letters": 0.5, "words": 0.5})

    def test_the_published_file(self) -> None:
        if not (DATA / "mini_crosswords.json").is_file():
            pytest.skip("the published file is not here")
        for spec in (str(DATA / "mini_crosswords.json"), f"mini_crosswords={DATA / 'mini_crosswords.json'}"):
            benchmark = load(spec)
            assert (benchmark.name, benchmark.kind, len(benchmark.examples)) == ("mini_crosswords", "grid", 20)
            assert (benchmark.licence, benchmark.notes) == ("MIT", ())
        assert benchmark.examples[0].gold == "agend motor artsy salle sleer"
        assert "\nv1. To heap\n" in benchmark.examples[0].question.text

    def test_the_terminal_shows_them(self, tmp_path: Path) -> None:
        reply = "\n".join(["STORE", *ROWS[1:]])
        written = io.StringIO()
        console = Console(file=written, width=200)
        print_runs(evaluate(ZeroShot(), load(crosswords(tmp_path)), FakeBackend(reply)), console)
        assert "zero-shot, right in part: letters 96.0 %, words 80.0 %." in written.getvalue()

    def test_a_board_of_another_size_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "mini.json"
        path.write_text(json.dumps([[["clue"] * 10, list("ABC")]]))
        with pytest.raises(BenchmarkError, match="row 1: needs 10 clues and 25 letters; there are 10 and 3"):
            load(path)


SENTENCES = "The cat slept. Nobody's home! A half sentence She left. Why not?"
"""The third has no full stop, as in the published file."""


class TestCreativeWriting:
    @pytest.mark.parametrize(
        ("passage", "right", "endings"),
        [
            ("X. The cat slept.\n\nNobody's home!\n\nBut a half sentence\n\nShe left. Why not?", True, 1.0),
            ("X. The cat slept.\n\nNobody’s home\n \nA half sentence.\n\nSo: She left. WHY NOT?", True, 1.0),
            ("X. The cat slept.\n\nNobody's home!\n\nA half sentence\n\nShe left.", False, 11 / 13),
            ("The cat slept.\n\nNobody's home!\n\nA half sentence She left. Why not?", False, 1.0),
            ("The cat slept.\n\nNobody's home!\n\nA half sentence\n\nOh.\n\nShe left. Why not?", False, 1.0),
            ("Something else.", False, 0.0),
        ],
    )
    def test_how_the_paragraphs_end(self, passage: str, right: bool, endings: float) -> None:
        example = Example(question=Question(text=SENTENCES, kind="text"), gold="-")
        scored = creative_writing(Result(text=passage), example)
        assert scored is not None
        assert (scored.right, scored.scores["endings"]) == (right, pytest.approx(endings))

    def test_nothing_is_no_passage(self) -> None:
        example = Example(question=Question(text=SENTENCES, kind="text"), gold="-")
        assert creative_writing(Result(text=" \n"), example) is None

    def test_from_the_file_to_the_tree(self, tmp_path: Path) -> None:
        path = tmp_path / "creative_writing.txt"
        path.write_text(f"{SENTENCES}\n\n{SENTENCES.replace('cat', 'dog')}\n", encoding="utf-8")
        benchmark = load(path)
        assert [one.question.kind for one in benchmark.examples] == ["text", "text"]
        ending = "\n\n".join(["The cat slept.", "Nobody's home!", "A half sentence", "She left. Why not?"])
        backend = FakeBackend(lambda request: "The best choice is 1" if request.purpose == "vote" else ending)
        (run,) = evaluate(TreeOfThoughts("creative-writing"), benchmark, backend)
        assert [sample.status for sample in run.samples] == ["correct", "wrong"]
        plan = backend.calls[0].text
        assert plan.count("must end in these sentences") == 1  # the tree's own words, not the benchmark's too

    def test_the_published_file(self) -> None:
        if not (DATA / "creative_writing.txt").is_file():
            pytest.skip("the published file is not here")
        for spec in (str(DATA / "creative_writing.txt"), f"creative_writing={DATA / 'creative_writing.txt'}"):
            benchmark = load(spec)
            assert (benchmark.name, len(benchmark.examples), benchmark.notes) == ("creative_writing", 100, ())

    def test_a_text_of_another_name_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("One line.\n")
        with pytest.raises(BenchmarkError, match="neither JSON, JSONL nor a table"):
            load(tmp_path / "notes.txt")
