"""Two runs, question by question."""

from dataclasses import replace

import pytest

from promptkit import compare
from promptkit.errors import ConfigError
from promptkit.evaluation import Run
from promptkit.evaluation.statistics import questions_needed
from tests.made_runs import run


def changed(made: Run, **fields: object) -> Run:
    """The same run with the first question's fields changed."""
    first, *others = made.samples
    return replace(made, samples=(first.model_copy(update=fields), *others))


def test_fixed_and_broken_are_named() -> None:
    found = compare(run("a", "++--+"), run("b", "+-+?+"))
    assert found.fixed == ("multiarith-style-3",)
    assert found.broken == ("multiarith-style-2",)
    assert (found.delta, found.n, found.p_value) == (0.0, 5, 1.0)


def test_the_order_of_the_questions_does_not_matter() -> None:
    a, b = run("a", "++--+"), run("b", "+-+-+")
    assert compare(a, replace(b, samples=b.samples[::-1])).summary() == compare(a, b).summary()


def test_the_other_way_round_is_the_mirror_image() -> None:
    a, b = run("a", "++++----"), run("b", "+-------")
    there, back = compare(a, b), compare(b, a)
    assert (there.fixed, there.broken) == (back.broken, back.fixed)
    assert there.p_value == back.p_value
    assert there.ci95 == pytest.approx((-back.ci95.high, -back.ci95.low))


def test_summary_has_the_keys_of_the_contract() -> None:
    summary = compare(run("a", "+-"), run("b", "++")).summary()
    assert list(summary) == [
        *("delta", "ci95", "p_value", "test", "n", "fixed", "broken"),
        *("minimum_detectable_effect", "questions_needed"),
    ]
    assert summary["test"] == "exact McNemar"


@pytest.mark.parametrize(
    ("b", "message"),
    [
        (run("b", "+-+"), "different questions: 0 only in the first, 1 only in the second"),
        (changed(run("b", "+-"), question="Another?"), "1 questions have the same id but another text"),
        (changed(run("b", "+-"), gold="19"), "1 questions have another right answer"),
    ],
)
def test_runs_of_different_questions_are_refused(b: Run, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compare(run("a", "+-"), b)


def test_of_choices_shuffled_otherwise_the_text_counts() -> None:
    a = changed(run("a", "+-"), choices=("red", "blue"), gold="A")
    assert compare(a, changed(run("b", "+-"), choices=("blue", "red"), gold="B")).delta == 0
    with pytest.raises(ConfigError, match="another right answer"):
        compare(a, changed(run("b", "+-"), choices=("blue", "red"), gold="A"))


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(ConfigError, match="no questions"):
        compare(run("a", ""), run("b", ""))


def test_a_comparison_says_how_many_questions_would_show_its_difference() -> None:
    found = compare(run("a", "+" * 20 + "-" * 20), run("b", "-" + "+" * 22 + "-" * 17))
    assert found.delta == pytest.approx(0.05)
    assert found.questions_needed == questions_needed(0.05, 4 / 40)
    assert found.reversed().questions_needed == found.questions_needed
    assert compare(run("a", "+-"), run("b", "-+")).questions_needed is None
