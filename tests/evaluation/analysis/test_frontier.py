"""Accuracy against cost: what nothing beats, and from when on the dearer one pays."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.errors import ConfigError
from promptkit.evaluation import Run, compare
from promptkit.evaluation.analysis.frontier import Cost, frontier
from tests.made_runs import run

DIRECT = run("direct", "-" * 30 + "+" * 10, tokens=4, prompt=50, seconds=2)
GOOD = run("zero-shot", "-" * 10 + "+" * 30, tokens=200, prompt=60, seconds=80)
WASTED = run("zero-shot-cot", "-" * 12 + "+" * 28, tokens=300, prompt=70, seconds=120)
BEST = run("self-consistency", "+" * 2 + "-" * 9 + "+" * 29, tokens=3000, prompt=60, seconds=900)


def test_what_is_beaten_is_not_on_the_frontier() -> None:
    points = frontier([BEST, WASTED, GOOD, DIRECT])
    assert [point.run.strategy for point in points] == ["direct", "zero-shot", "zero-shot-cot", "self-consistency"]
    assert [point.cost for point in points] == [4, 200, 300, 3000]
    assert [point.on_frontier for point in points] == [True, True, False, True]
    assert points[0].break_even is None


def test_the_break_even_is_the_extra_cost_of_a_right_answer_more() -> None:
    _, good, wasted, best = frontier([DIRECT, GOOD, WASTED, BEST])
    assert good.break_even is not None
    found = compare(DIRECT, GOOD)
    assert good.break_even.worth == pytest.approx(196 / 0.5)
    assert good.break_even.worth_ci95 == pytest.approx((196 / found.ci95.high, 196 / found.ci95.low))
    assert good.break_even.p_value == found.p_value
    assert wasted.break_even is not None
    assert wasted.break_even.against is GOOD
    assert wasted.break_even.worth == inf, "it is dearer and worse"
    assert best.break_even is not None
    assert best.break_even.against is GOOD, "what is beaten is no price to compare with"
    assert best.break_even.worth == pytest.approx(2800 / 0.025)
    assert best.break_even.worth_ci95.high == inf, "a gain that is not shown may never pay"


@pytest.mark.parametrize(("cost", "spent"), [("prompt tokens", 60), ("seconds", 2), ("tokens", 200)])
def test_costs_are_a_questions(cost: Cost, spent: float) -> None:
    (point,) = frontier([GOOD], cost)
    assert point.cost == spent


def test_money_is_what_the_price_says_and_may_be_unknown() -> None:
    prices = {"direct": 0.4, "zero-shot": None, "self-consistency": 40.0}
    points = frontier([GOOD, BEST, DIRECT], "money", lambda one: prices[one.strategy])
    assert [(point.run.strategy, point.cost) for point in points] == [
        ("direct", 0.01),
        ("self-consistency", 1.0),
        ("zero-shot", None),
    ]
    assert not points[-1].on_frontier
    assert points[-1].break_even is None
    with pytest.raises(ConfigError, match="need prices"):
        frontier([GOOD], "money")


def test_seconds_are_unknown_where_a_store_answered() -> None:
    first, *others = GOOD.samples
    cached = first.model_copy(update={"usage": first.usage.model_copy(update={"cached_calls": 1})})
    made = replace(GOOD, samples=(cached, *others))
    assert frontier([made], "seconds")[0].cost is None
    assert frontier([made], "tokens")[0].cost == 200


def test_equal_points_are_both_on_the_frontier() -> None:
    points = frontier([GOOD, replace(GOOD, strategy="again")])
    assert [point.on_frontier for point in points] == [True, True]
    assert [point.break_even for point in points] == [None, None]


def made(drawn: list[tuple[str, int]]) -> list[Run]:
    return [run(f"s{place}", answers, tokens=tokens) for place, (answers, tokens) in enumerate(drawn)]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 12).flatmap(
        lambda n: st.lists(
            st.tuples(st.text("+-", min_size=n, max_size=n), st.sampled_from([0, 4, 9, 100])), max_size=5
        )
    )
)
def test_the_frontier_rises_and_every_other_point_lies_below_it(drawn: list[tuple[str, int]]) -> None:
    points = frontier(made(drawn))
    assert [point.cost for point in points] == sorted(tokens for _, tokens in drawn)
    best = [(point.cost or 0.0, point.accuracy) for point in points if point.on_frontier]
    assert best == sorted(best)
    assert len({cost for cost, _ in best}) == len({accuracy for _, accuracy in best})
    for point in points:
        if not point.on_frontier:
            mine = (point.cost or 0.0, point.accuracy)
            assert any(cost <= mine[0] and right >= mine[1] and (cost, right) != mine for cost, right in best)
        if point.break_even:
            low, high = point.break_even.worth_ci95
            assert 0 < low <= point.break_even.worth <= high
