"""What the exact McNemar test can find: the smallest difference with given questions, and the questions for one.

All shares and differences are fractions (0.05 is five points).
"""

from collections.abc import Callable
from functools import lru_cache
from math import ceil, sqrt
from statistics import NormalDist
from typing import Any, cast

import numpy as np
import scipy.special as _untyped  # pyright: ignore[reportMissingTypeStubs]

from promptkit.evaluation.statistics.intervals import normal_quantile

_special = cast("Any", _untyped)  # scipy has no type stubs
_MANY_QUESTIONS = 100_000
"""From here on the exact power takes long, and the normal approximation is as good."""


def minimum_detectable_effect(n: int, discordant_share: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest |delta| that the exact McNemar test on `n` pairs finds with probability `power`.

    The number of discordant pairs is binomial (`n`, `discordant_share`) and, given it, the number of fixed ones is
    binomial with (1 + delta/discordant_share)/2; the power is that of the exact test over both (Duffy 1984,
    Biometrics 40:1005), not its normal approximation, which promises too much for few pairs.

    A difference is never larger than the discordant share. Where even delta = `discordant_share` is found too
    seldom, the answer is the smallest difference that is found when the share grows with it, all pairs discordant in
    one direction; so the result exceeds `discordant_share` then, and says that nothing within it can be found.
    1.0 also where no difference can be found (fewer than 6 pairs at `alpha` 0.05).

    Raises:
        ValueError: an argument is outside its range.
    """
    _check_design(discordant_share, power, alpha)
    if n < 1:
        raise ValueError("a test needs at least one pair")
    return first_where(lambda delta: _power(n, delta, max(discordant_share, delta), alpha) >= power, 0.0, 1.0)


def questions_needed(delta: float, discordant_share: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """How many questions the exact McNemar test needs to find a difference `delta` with probability `power`.

    Power by `minimum_detectable_effect`'s model; above 100,000 questions by its normal approximation (Connor 1987,
    Biometrics 43:207), which is a little below it. It grows with the questions in small waves, as a whole number of
    pairs is needed to reject; the answer has enough power and one question less has not.

    Raises:
        ValueError: `delta` is 0 or larger than `discordant_share`, or another argument is outside its range.
    """
    _check_design(discordant_share, power, alpha)
    delta = abs(delta)
    if not 0 < delta <= discordant_share:
        raise ValueError(
            f"a difference of {delta:g} is impossible when {discordant_share:g} of the pairs are discordant"
        )
    # The normal approximation is a little below the truth: start there, then bisect.
    z_alpha, z_power = normal_quantile(1 - alpha), NormalDist().inv_cdf(power)
    guess = z_alpha * sqrt(discordant_share) + z_power * sqrt(discordant_share - delta * delta)
    too_few, enough = 0, max(1, ceil((guess / delta) ** 2))
    if enough > _MANY_QUESTIONS:
        return enough
    while _power(enough, delta, discordant_share, alpha) < power:
        too_few, enough = enough, ceil(enough * 1.25) + 1
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if _power(middle, delta, discordant_share, alpha) < power:
            too_few = middle
        else:
            enough = middle
    return enough


def _power(n: int, delta: float, share: float, alpha: float) -> float:
    """Probability that the exact test on `n` pairs rejects, over the number of discordant pairs."""
    spread = 10 * sqrt(n * share * (1 - share)) + 10  # standard deviations; what lies beyond weighs nothing
    pairs = np.arange(max(0, int(n * share - spread)), min(n, ceil(n * share + spread)) + 1)
    weights = _at_most(pairs, n, share) - _at_most(pairs - 1, n, share)
    critical = _critical(int(pairs[0]), int(pairs[-1]), alpha)
    to_b = min(1.0, (1 + delta / share) / 2)
    return float(np.sum(weights * (_at_most(critical, pairs, to_b) + _at_most(critical, pairs, 1 - to_b))))


@lru_cache(maxsize=64)
def _critical(first: int, last: int, alpha: float) -> Any:
    """For each number of discordant pairs: the test rejects when at most so many of them lie on one side."""
    pairs = np.arange(first, last + 1)
    below: Any = np.nan_to_num(np.floor(_special.bdtrik(alpha / 2, pairs, 0.5)))
    return cast("Any", np.where(2 * _at_most(below, pairs, 0.5) < alpha, below, below - 1))


def _at_most(count: Any, n: Any, share: float) -> Any:
    """Probability of at most `count` of `n`, element by element; 0 for a negative count."""
    return np.where(np.asarray(count) < 0, 0.0, _special.bdtr(np.maximum(count, 0), n, share))


def first_where(condition: Callable[[float], bool], low: float, high: float) -> float:
    """Where `condition` becomes true between `low` and `high`; `high` when it does not."""
    for _ in range(50):
        middle = (low + high) / 2
        if condition(middle):
            high = middle
        else:
            low = middle
    return high


def _check_design(discordant_share: float, power: float, alpha: float) -> None:
    if not 0 <= discordant_share <= 1:
        raise ValueError(f"a share of pairs lies between 0 and 1, not {discordant_share:g}")
    if not (0 < alpha < 1 and alpha < power < 1):
        raise ValueError(f"alpha {alpha:g} and power {power:g} must lie between 0 and 1, and power above alpha")
