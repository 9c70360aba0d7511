"""Two writers under one rubric: the paired difference of their points, which are no mere rights and wrongs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from promptkit.evaluation.stats import Interval

RESAMPLES = 9_999


@dataclass(frozen=True)
class PointsDifference:
    """How many points more the second writer got for a text, on the same texts."""

    n: int
    delta: float
    """Mean of second minus first, in points a text."""
    ci95: Interval
    """Bias-corrected bootstrap over the texts."""
    p_value: float
    """Of the paired permutation test, exact up to 13 texts that differ."""
    better: int
    """Texts for which the second got more points."""
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
    """Compare the points of two writers text by text.

    The p-value is that of the paired permutation test (signs of the differences flipped; Fisher, 1935), the interval
    the BCa bootstrap's (Efron, 1987), both by scipy. Where all differences are equal, the interval is a point.

    Args:
        a: points of the first writer, one a text.
        b: the same of the second, in the same order.
        seed: of both resamplings.

    Raises:
        ValueError: the two differ in length, or are empty.
    """
    import scipy.stats as untyped  # pyright: ignore[reportMissingTypeStubs]

    if len(a) != len(b) or not a:
        raise ValueError(f"{len(a)} texts cannot be paired with {len(b)}")
    stats = cast("Any", untyped)
    differences = np.asarray(b, dtype=float) - np.asarray(a, dtype=float)
    delta = float(differences.mean())
    # Texts of equal points change nothing under a flip of signs, and take the place of those that do.
    moved = differences[differences != 0]
    p_value = 1.0
    if len(moved):
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
