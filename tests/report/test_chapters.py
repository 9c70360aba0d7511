"""What a report says of runs."""

from dataclasses import replace

from promptkit.evaluation import Run
from promptkit.report.chapters import chapters, models
from tests.made_runs import run

THREE = [run("direct", "+---"), run("zero-shot", "+++-"), run("zero-shot-cot", "++-+")]


def test_pairs_are_compared_with_the_bare_question_first() -> None:
    (chapter,) = chapters(THREE)
    assert chapter.called[chapter.baseline] == "zero-shot"
    assert [panel.name for panel in chapter.panels] == ["pairs-direct", "pairs-zero-shot-cot"]
    (alone,) = chapters([run("a", "+-"), run("b", "++")])
    assert alone.baseline == 0


def test_easy_questions_come_first_and_patterns_lie_together() -> None:
    (chapter,) = chapters(THREE)
    assert chapter.rights == ("1000", "1110", "1101")
    assert [name[-1] for name in chapter.order] == ["1", "2", "3", "4"]


def test_every_two_runs_are_compared_in_both_directions() -> None:
    (chapter,) = chapters(THREE)
    found = {(pair.before, pair.after): (pair.fixed, pair.broken) for pair in chapter.pairs}
    assert found == {(0, 1): (2, 0), (1, 0): (0, 2), (0, 2): (2, 0), (2, 0): (0, 2), (1, 2): (1, 1), (2, 1): (1, 1)}
    said = next(pair.said for pair in chapter.pairs if (pair.before, pair.after) == (1, 0))
    assert said.startswith("−50.0 points, 95\u00a0% interval −")


def test_the_table_is_that_of_the_terminal() -> None:
    (chapter,) = chapters(THREE)
    assert chapter.table.headings[:3] == ("strategy", "right %", "95 %")
    assert [row[:2] for row in chapter.table.rows] == [
        ("direct", "25.0"),
        ("zero-shot", "75.0"),
        ("zero-shot-cot", "75.0"),
    ]
    assert all(len(row) == len(chapter.table.headings) for row in chapter.table.rows)


def test_demonstrations_of_the_test_set_are_told() -> None:
    leaking = run("auto-cot", "++")
    leaking.manifest["pool"] = {"leaks": True}
    (chapter,) = chapters([leaking])
    assert "leaks" in chapter.warnings[0]


def test_runs_lie_together_by_backend_in_the_order_they_came() -> None:
    runs = [run("x", "+-", backend="b"), run("x", "++", backend="a"), run("y", "+-", backend="b")]
    assert [(chapter.title, chapter.called) for chapter in chapters(runs)] == [
        ("multiarith-style, b", ("x", "y")),
        ("multiarith-style, a", ("x",)),
    ]
    (across,) = models(runs)
    assert across.table is not None
    assert across.table.headings == ("strategy", "b", "a", "ahead", "p")
    assert across.table.rows[0][:4] == ("x", "50.0", "100.0", "50.0")


def test_seeds_get_a_chapter_each_and_their_noise_is_told() -> None:
    runs = [replace(run("x", "++-"), manifest={"seed": 1}), replace(run("x", "+-+"), manifest={"seed": 2})]
    assert [chapter.title for chapter in chapters(runs)] == [
        "multiarith-style, qwen2.5-coder-0.5b, seed 1",
        "multiarith-style, qwen2.5-coder-0.5b, seed 2",
    ]
    (across,) = models(runs)
    assert across.table is None
    assert "2 seeds" in across.findings[0]


def test_what_frontier_and_models_say_is_said() -> None:
    (chapter,) = chapters([run("direct", "+---" * 4, tokens=2), run("zero-shot", "+++-" * 4)])
    assert chapter.findings[0].startswith("Frontier, right by generated tokens a question: direct 25.0\u00a0% at 2,")
    runs = [run(name, "+-" * 4, backend=model) for model in "ab" for name in ("zero-shot", "cot")]
    assert "depend on the model" in models(runs)[0].findings[0]


def test_only_what_the_verdict_advises_is_marked() -> None:
    def best(*runs: Run) -> int | None:
        return chapters(runs)[0].table.best

    assert best(run("direct", "+---" * 16, tokens=2), run("zero-shot", "+++-" * 16)) == 1
    assert best(run("direct", "+-", tokens=2), run("zero-shot", "++")) is None
    assert best(run("direct", "--"), run("zero-shot", "--")) is None
    assert best(run("zero-shot", "++")) is None
