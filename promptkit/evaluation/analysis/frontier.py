"""Accuracy against cost: which strategies nothing beats at their price, and from when on the dearer one pays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, TypeAlias

from promptkit.errors import ConfigError
from promptkit.evaluation.analysis.comparison import compare
from promptkit.evaluation.runs import Run
from promptkit.evaluation.statistics import Interval

Cost: TypeAlias = Literal["tokens", "prompt tokens", "seconds", "money"]
"""Generated tokens, tokens read, share of the wall clock, or what `price` says."""
Price: TypeAlias = Callable[[Run], float | None]
"""What a whole run costs in money, or `None` where prices are not known."""


@dataclass(frozen=True)
class BreakEven:
    """From when on a dearer strategy pays against a cheaper one."""

    against: Run
    extra_cost: float
    """More a question."""
    gain: float
    """More right answers a question; what the dearer one loses is negative."""
    gain_ci95: Interval
    """Of the paired difference."""
    p_value: float
    """Of the exact McNemar test of that difference, by itself."""
    worth: float
    """The dearer one pays where one right answer more is worth at least so much, in units of the cost: extra cost by
    gain. Infinite where it gains nothing."""
    worth_ci95: Interval
    """`worth` at both ends of `gain_ci95`. Infinite above where a gain is not shown: it may never pay."""


@dataclass(frozen=True)
class CostPoint:
    """A run as a point of accuracy against cost."""

    run: Run
    cost: float | None
    """A question; `None` where it is not known."""
    accuracy: float
    ci95: Interval
    on_frontier: bool
    """Whether no other run is more accurate at the same cost or less, nor as accurate at less cost."""
    break_even: BreakEven | None
    """Against the next cheaper run of the frontier; `None` for the cheapest and where the cost is not known."""


def frontier(runs: Sequence[Run], cost: Cost = "tokens", price: Price | None = None) -> tuple[CostPoint, ...]:
    """Place runs by cost and accuracy, and say which are worth it.

    The frontier is of the accuracies as measured: a point on it need not be shown to be better than a cheaper one,
    which is what `break_even.worth_ci95` tells. Costs count as known exactly. The ratio is the incremental
    cost-effectiveness ratio of health economics (Drummond et al. 2015, Methods for the Economic Evaluation of Health
    Care Programmes, chapter 4).

    Args:
        runs: that asked the same questions.
        cost: in what to count. Tokens from a store count, since the strategy needs them; seconds are not known for a
            run of which calls came from a store.
        price: for "money", what a run costs.

    Returns:
        A point a run, by rising cost; those of unknown cost last.

    Raises:
        ConfigError: the runs have not asked the same questions, or "money" is asked for without `price`.
    """
    if cost == "money" and price is None:
        raise ConfigError("costs in money need prices", hint="pass price=, a function from a run to its price")
    spent = [_cost(run, cost, price) for run in runs]
    known = {place: one for place, one in enumerate(spent) if one is not None}
    best = {place for place in known if not _beaten(place, runs, known)}
    points: list[CostPoint] = []
    for place in sorted(known, key=lambda one: (known[one], runs[one].accuracy)):
        cheaper = [one for one in best if known[one] < known[place]]
        base = max(cheaper, key=lambda one: known[one], default=None)
        against = None if base is None else _break_even(runs[base], runs[place], known[place] - known[base])
        points.append(
            CostPoint(runs[place], known[place], runs[place].accuracy, runs[place].ci95, place in best, against)
        )
    unknown = [run for run, one in zip(runs, spent, strict=True) if one is None]
    return (*points, *(CostPoint(run, None, run.accuracy, run.ci95, False, None) for run in unknown))


def _beaten(place: int, runs: Sequence[Run], costs: dict[int, float]) -> bool:
    """Whether another run is as cheap and as accurate, and better in one of the two."""
    mine = (-costs[place], runs[place].accuracy)
    others = [(-costs[other], runs[other].accuracy) for other in costs]
    return any(other != mine and other[0] >= mine[0] and other[1] >= mine[1] for other in others)


def _break_even(cheap: Run, dear: Run, extra: float) -> BreakEven:
    found = compare(cheap, dear)

    def worth(gain: float) -> float:
        return extra / gain if gain > 0 else inf

    low, high = found.ci95
    limits = Interval(worth(high), worth(low))
    return BreakEven(cheap, extra, found.delta, found.ci95, found.p_value, worth(found.delta), limits)


def _cost(run: Run, cost: Cost, price: Price | None) -> float | None:
    """What a question costs."""
    usage = run.usage
    match cost:
        case "tokens":
            spent: float | None = usage.completion_tokens
        case "prompt tokens":
            spent = usage.prompt_tokens
        case "seconds":
            spent = None if usage.cached_calls else run.seconds
        case "money":
            spent = price(run) if price else None
    return None if spent is None or not run.n else spent / run.n
