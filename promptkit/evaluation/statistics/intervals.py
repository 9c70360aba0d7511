"""Confidence intervals of shares, which are fractions (0.05 is five points)."""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


def wilson(correct: int, n: int, level: float = 0.95) -> Interval:
    """Score interval of an accuracy (Wilson 1927).

    Without any question (`n=0`) nothing is known, and the interval is (0, 1).

    Raises:
        ValueError: `correct` is not within 0 and `n`, or `level` not between 0 and 1.
    """
    if not 0 <= correct <= n:
        raise ValueError(f"{correct} correct of {n} questions makes no sense")
    z = normal_quantile(level)
    if n == 0:
        return Interval(0.0, 1.0)
    return score_interval(correct / n, n, z)


def score_interval(share: float, n: float, z: float) -> Interval:
    """Wilson's interval of a share of `n` observations, not always whole, for a normal or other quantile `z`."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2) / (1 + z * z / n)
    low = 0.0 if share == 0 else middle - half
    high = 1.0 if share == 1 else middle + half
    return Interval(low, high)


def normal_quantile(level: float) -> float:
    """Half-width, in standard errors, of a two-sided interval."""
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not {level:g}")
    return NormalDist().inv_cdf((1 + level) / 2)
