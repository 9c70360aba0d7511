"""Accuracies with their intervals below each other: a forest plot."""

from collections.abc import Sequence
from dataclasses import dataclass

from promptkit.drawing.chart import Chart, axis_x, dot, fitted, length, shares, text

_WIDTH, _RIGHT, _TOP, _ROW = 520, 448, 8, 30
_NARROW, _BROAD = 110, 236
"""Least and most room for the names."""


@dataclass(frozen=True)
class Estimate:
    """A share, how sure it is, and whose it is."""

    label: str
    share: float
    low: float
    high: float
    said: str
    """More about it, shown where one points: "48 of 64 questions"."""
    best: bool = False
    """Whether it is the one to look at."""


def forest(estimates: Sequence[Estimate], name: str = "accuracy") -> Chart:
    """Draw shares with their intervals, one row each, on one scale.

    Args:
        estimates: from top to bottom; at least one.
        name: of the chart's file.
    """
    bottom = _TOP + _ROW * len(estimates)
    left = min(_BROAD, max(_NARROW, *(length(one.label) * 1.2 + 22 for one in estimates)))
    scale = shares([one.low for one in estimates], [one.high for one in estimates], left, _RIGHT)
    marks = list(axis_x(scale, bottom, _TOP, "% right, with 95 % interval", percent=True))
    for place, one in enumerate(estimates):
        y = _TOP + _ROW * (place + 0.5)
        line, mark, word = ("best-line", "best", "strong") if one.best else ("line", "dot", "")
        marks += [
            text(left - 14, y + 4, fitted(one.label, (left - 22) / 1.2 + 1), f"end {word}".strip()),
            f'<path class="{line}" d="M{scale(one.low):.1f},{y:g}H{scale(one.high):.1f}"/>',
            dot(scale(one.share), y, mark, f"{one.label}: {one.said}"),
            text(_WIDTH - 6, y + 4, f"{one.share * 100:.1f} %", f"end {word}".strip()),
        ]
    said = "; ".join(f"{one.label} {one.share * 100:.1f} %, {one.said}" for one in estimates)
    return Chart(name, f"Accuracy with 95 % intervals: {said}", _WIDTH, bottom + 40, tuple(marks))
