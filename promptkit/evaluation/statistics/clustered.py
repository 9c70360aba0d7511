"""Means over questions that were each answered several times: samples of one question are alike, and count as less."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, cast

import scipy.special as _untyped  # pyright: ignore[reportMissingTypeStubs]

from promptkit.evaluation.statistics.intervals import Interval, score_interval

_special = cast("Any", _untyped)  # scipy has no type stubs


@dataclass(frozen=True)
class ClusteredMean:
    """A mean whose observations come in clusters, here the samples of each question."""

    mean: float
    standard_error: float
    """Cluster-robust (Liang and Zeger 1986), with the factor G/(G - 1) for G clusters."""
    ci95: Interval
    clusters: int
    observations: int
    effective: float
    """How many independent observations would be as sure."""


def clustered_mean(clusters: Sequence[Sequence[float]], level: float = 0.95) -> ClusteredMean:
    """Mean and interval of shares that were observed several times a question.

    The standard error sums what each cluster deviates from the mean, so it holds however alike its observations are
    (Liang and Zeger 1986, Biometrika 73:13; for language models Miller 2024, arXiv:2411.00640). The interval is
    Wilson's for as many independent observations as give that standard error, with Student's t of G - 1 degrees of
    freedom in place of the normal quantile (Dean and Pagano 2015, Journal of Survey Statistics and Methodology 3:484;
    Korn and Graubard 1998, Survey Methodology 24:193), so it stays within 0 and 1. As many are never more than were
    observed; where all observations are 0, or all 1, each cluster counts as one.

    Args:
        clusters: the observations of each question, each between 0 and 1; none is empty.
        level: of the interval.

    Raises:
        ValueError: there is no observation, a cluster is empty, or a value is not within 0 and 1.
    """
    if not clusters or not all(clusters):
        raise ValueError("every cluster needs an observation")
    return weighted_clusters([sum(values) for values in clusters], [len(values) for values in clusters], level)


def weighted_clusters(totals: Sequence[float], sizes: Sequence[float], level: float = 0.95) -> ClusteredMean:
    """As `clustered_mean`, of each cluster's total and of how many observations it is worth."""
    if not all(-1e-9 <= total <= size + 1e-9 for total, size in zip(totals, sizes, strict=True)):
        raise ValueError("an observed share lies between 0 and 1")
    clusters, observations = len(totals), sum(sizes)
    mean = min(1.0, max(0.0, sum(totals) / observations))
    if clusters == 1:
        return ClusteredMean(mean, float("nan"), Interval(0.0, 1.0), 1, round(observations), 1.0)
    deviations = sum((total - mean * size) ** 2 for total, size in zip(totals, sizes, strict=True))
    error = sqrt(deviations * clusters / (clusters - 1)) / observations
    if not 1e-12 < mean < 1 - 1e-12:
        effective = float(clusters)
    else:
        effective = min(observations, mean * (1 - mean) / error**2) if error > 1e-12 else float(observations)
    quantile = float(_special.stdtrit(clusters - 1, (1 + level) / 2))
    interval = score_interval(mean, effective, quantile)
    return ClusteredMean(mean, error, interval, clusters, round(observations), effective)
