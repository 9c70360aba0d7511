"""The paired difference of what is counted in points, such as marks of a judge, and not in rights and wrongs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from promptkit.evaluation.statistics.intervals import Interval

RESAMPLES = 9_999


@dataclass(frozen=True)
class PointsDifference:
    """How many points more the second got than the first, on the same texts or questions."""

    n: int
    delta: float
    """Mean of second minus first, in points each."""
    ci95: Interval
    """Bias-corrected bootstrap over the texts or questions."""
    p_value: float
    """Of the paired permutation test, exact where at most 13 differ."""
    better: int
    """For how many the second got more points."""
    worse: int

    def summary(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "n": self.n,
            "delta": self.delta,
            "ci95": list(self.ci95),
            "p_value": self.p_value,
            "test": "paired permutation",
            "better": self.better,
            "worse": self.worse,
        }


def points_difference(a: Sequence[float], b: Sequence[float], *, seed: int = 0) -> PointsDifference:
    """Compare points pair by pair.

    The p-value is that of the paired permutation test (signs of the differences flipped; Fisher, 1935), the interval
    the BCa bootstrap's (Efron, 1987), both by scipy. Where all differences are equal, the interval is a point.

    Args:
        a: points of the first, one a text or question.
        b: the same of the second, in the same order.
        seed: of both resamplings.

    Raises:
        ValueError: the two differ in length, or are empty.
    """
    import scipy.stats as untyped  # pyright: ignore[reportMissingTypeStubs]

    if len(a) != len(b) or not a:
        raise ValueError(f"{len(a)} points cannot be paired with {len(b)}")
    stats = cast("Any", untyped)
    differences = np.asarray(b, dtype=float) - np.asarray(a, dtype=float)
    delta = float(differences.mean())
    # Equal points change nothing under a flip of signs; without them more of the flips are told apart.
    moved = differences[differences != 0]
    p_value = 1.0  # as it is for a single one, whose flip is as large
    if len(moved) > 1:
        test = stats.permutation_test(
            (moved,), np.mean, permutation_type="samples", vectorized=True, n_resamples=RESAMPLES, rng=seed
        )
        p_value = float(test.pvalue)
    interval = Interval(delta, delta)
    if np.ptp(differences) > 0:
        drawn = stats.bootstrap((differences,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=seed)
        interval = Interval(*(float(limit) for limit in drawn.confidence_interval))
    return PointsDifference(
        n=len(differences),
        delta=delta,
        ci95=interval,
        p_value=min(1.0, p_value),
        better=int((differences > 0).sum()),
        worse=int((differences < 0).sum()),
    )
