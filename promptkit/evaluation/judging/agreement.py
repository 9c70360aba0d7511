"""How far two judges agree beyond chance: Cohen's kappa."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal, TypeAlias

import numpy as np

from promptkit.evaluation.statistics.intervals import Interval, normal_quantile

Weights: TypeAlias = Literal["none", "quadratic"]
"""Whether a disagreement counts the same, or the more the further apart the marks are."""

ENOUGH = 20
"""Texts from which on kappa has an interval: its variance is that of large samples."""


@dataclass(frozen=True)
class Agreement:
    """Two judges on the same texts."""

    n: int
    """Texts that both have judged."""
    share: float
    """Share on which they say the same."""
    kappa: float | None
    """1 for full agreement, 0 for what chance would give; `None` where both said one and the same thing of all texts
    or there are none, as chance alone agrees fully then."""
    ci95: Interval | None
    """By the large-sample variance, within −1 and 1; `None` for fewer than 20 texts, where it would be too narrow."""

    def summary(self) -> dict[str, Any]:
        """As JSON has it."""
        interval = None if self.ci95 is None else list(self.ci95)
        return {"n": self.n, "agree": self.share, "kappa": self.kappa, "ci95": interval}


def agreement(
    one: Mapping[str, str], other: Mapping[str, str], values: Sequence[str], *, weights: Weights = "none"
) -> Agreement:
    """Compare two judges on the texts that both have judged.

    Args:
        one: id → verdict.
        other: the same of the second judge.
        values: all possible verdicts; their order matters for quadratic weights.
        weights: "quadratic" for marks of a scale (Cohen, 1968).
    """
    both = [(one[name], other[name]) for name in one if name in other]
    places = {value: place for place, value in enumerate(values)}
    table = np.zeros((len(values), len(values)))
    for a, b in both:
        table[places[a], places[b]] += 1
    share = sum(a == b for a, b in both) / len(both) if both else 0.0
    kappa, interval = cohen_kappa(table, weights) or (None, None)
    if interval is not None:
        interval = Interval(max(-1.0, interval.low), min(1.0, interval.high)) if len(both) >= ENOUGH else None
    return Agreement(len(both), share, kappa, interval)


def cohen_kappa(table: Any, weights: Weights = "none", level: float = 0.95) -> tuple[float, Interval] | None:
    """Cohen's kappa of a square table of counts, with the interval of its large-sample variance.

    kappa = (p_o − p_e)/(1 − p_e), where p_o is the (weighted) agreement and p_e what the margins give by chance
    (Cohen, 1960 and 1968); the variance is that of Fleiss, Cohen and Everitt (1969), Psychological Bulletin 72:323.
    `None` where p_e is 1 or the table is empty.
    """
    counts = np.asarray(table, dtype=float)
    n, k = counts.sum(), len(counts)
    if not n:
        return None
    if weights == "none":
        weight = np.eye(k)
    else:
        distance = np.subtract.outer(np.arange(k), np.arange(k)) / max(1, k - 1)
        weight = 1 - distance**2
    shares = counts / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, chance = float((weight * shares).sum()), float(rows @ weight @ columns)
    if chance >= 1 - 1e-12:
        return None
    kappa = (observed - chance) / (1 - chance)
    margins = np.add.outer(weight @ columns, rows @ weight)
    spread = (shares * (weight * (1 - chance) - margins * (1 - observed)) ** 2).sum()
    variance = (spread - (observed * chance - 2 * chance + observed) ** 2) / (n * (1 - chance) ** 4)
    half = normal_quantile(level) * sqrt(max(0.0, float(variance)))
    return kappa, Interval(kappa - half, kappa + half)
