"""The interaction of strategy and model: whether what a strategy gains depends on the model that runs it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb, sqrt

from promptkit.errors import ConfigError
from promptkit.evaluation.analysis.comparison import Comparison, compare
from promptkit.evaluation.runs import Run
from promptkit.evaluation.statistics import Interval, holm
from promptkit.evaluation.statistics.intervals import normal_quantile

FAIR_BASELINE = "zero-shot"
"""What gains are counted against where it was run; else it is the first strategy."""
_PRIOR = 2.0
"""Imagined questions that keep an interval from shrinking to a point where few differ."""


@dataclass(frozen=True)
class Interaction:
    """How much more a strategy gains over the baseline on one model than on another, on the same questions."""

    less: Comparison
    """From the baseline to the strategy, on the model where it gains less."""
    more: Comparison
    """The same on the model where it gains more."""
    contrast: float
    """Gain of `more` minus gain of `less`: the mean, over questions, of the difference of the paired differences."""
    ci95: Interval
    """Of `contrast`, by `contrast_interval`."""
    p_value: float
    """By `sign_flip`, corrected for all strategies and pairs of models (Holm 1979)."""


def interactions(runs: Sequence[Run]) -> list[Interaction]:
    """Compare the gain of each strategy over the baseline between every two models.

    The baseline is "zero-shot" where every model ran it, else the first strategy that every model ran.

    Args:
        runs: of one benchmark, on the same questions; of several runs of one strategy on one backend, the first counts.

    Returns:
        One for each strategy and pair of models, the surest first; empty where one model or one strategy was run.

    Raises:
        ConfigError: the runs have not asked the same questions.
    """
    by_backend: dict[str, dict[str, Run]] = {}
    for run in runs:
        by_backend.setdefault(run.backend, {}).setdefault(run.strategy, run)
    names = dict.fromkeys(run.strategy for run in runs)
    common = [name for name in names if all(name in one for one in by_backend.values())]
    if len(by_backend) < 2 or len(common) < 2:
        return []
    base = FAIR_BASELINE if FAIR_BASELINE in common else common[0]
    found = [
        _interaction(*(compare(by_backend[backend][base], by_backend[backend][name]) for backend in pair))
        for name in common
        if name != base
        for pair in combinations(by_backend, 2)
    ]
    corrected = holm([one.p_value for one in found])
    surest = [replace(one, p_value=p) for one, p in zip(found, corrected, strict=True)]
    return sorted(surest, key=lambda one: one.p_value)


def sign_flip(differences: Sequence[int]) -> float:
    """Two-sided p-value that the differences' mean is 0: the exact sign-flip (randomisation) test.

    If the model makes no difference to the gain, a question's difference of differences is as likely to have either
    sign (Fisher 1935; Pitman 1937, JRSS Supplement 4:119). Of all 2^n ways to choose the signs, this counts those that
    give a sum as far from 0, exactly. Where differences are only -1, 0 and 1 it is the exact McNemar test. It stays
    right in large samples where the distribution is not symmetric (Romano 1990, JASA 85:686).

    Args:
        differences: of each question, from -2 to 2.

    Raises:
        ValueError: a difference is not among these.
    """
    sizes = _sizes(differences)
    ones, twos = sizes[1], sizes[2]
    distance = abs(sum(differences))
    at_least = [0] * (ones + 2)  # signs of the ones with `up` or more of them positive
    for up in range(ones, -1, -1):
        at_least[up] = at_least[up + 1] + comb(ones, up)
    ways = 0
    for up in range(twos + 1):
        rest = distance - 2 * (2 * up - twos)  # what the ones have to add at least: 2 * positive - ones >= rest
        positive = max(0, -((-rest - ones) // 2))
        if positive <= ones:
            ways += comb(twos, up) * at_least[positive]
    return 1.0 if distance == 0 else min(1.0, 2 * ways / 2 ** (ones + twos))


def contrast_interval(differences: Sequence[int], level: float = 0.95) -> Interval:
    """Interval of the mean of differences of differences, made to agree with `sign_flip`.

    A normal interval after adding two imagined questions, spread as if every answer were a coin's: so it does not
    shrink to a point where no question differs (as Agresti and Min 2005 do for a paired difference, Statistics in
    Medicine 24:729). Where the test does not reject, it is widened to reach 0, and where it does, cut there.

    Raises:
        ValueError: there are no differences, or one is not within -2 and 2.
    """
    if not differences:
        raise ValueError("there are no questions to compare")
    sizes = _sizes(differences)
    n, mean = len(differences), sum(differences) / len(differences)
    weight = n + _PRIOR
    middle = sum(differences) / weight
    variance = (sizes[1] + 4 * sizes[2] + _PRIOR) / weight - middle**2  # a coin's four answers have variance 1
    half = normal_quantile(level) * sqrt(variance / weight)
    low, high = max(-2.0, min(middle - half, mean)), min(2.0, max(middle + half, mean))
    if sign_flip(differences) >= 1 - level:
        return Interval(min(low, 0.0), max(high, 0.0))
    return Interval(max(low, 0.0), high) if mean > 0 else Interval(low, min(high, 0.0))


def _interaction(first: Comparison, second: Comparison) -> Interaction:
    less, more = sorted((first, second), key=lambda found: found.delta)
    if sorted(sample.id for sample in less.a.samples) != sorted(sample.id for sample in more.a.samples):
        raise ConfigError(
            "the models were asked different questions", hint="compare runs of one benchmark with the same --limit"
        )
    gained = dict.fromkeys(more.fixed, 1) | dict.fromkeys(more.broken, -1)
    lost = dict.fromkeys(less.fixed, 1) | dict.fromkeys(less.broken, -1)
    differences = [gained.get(sample.id, 0) - lost.get(sample.id, 0) for sample in more.a.samples]
    contrast = sum(differences) / len(differences)
    return Interaction(less, more, contrast, contrast_interval(differences), sign_flip(differences))


def _sizes(differences: Sequence[int]) -> Counter[int]:
    sizes = Counter(abs(one) for one in differences)
    if set(sizes) - {0, 1, 2}:
        raise ValueError("a difference of paired differences lies between -2 and 2")
    return sizes
