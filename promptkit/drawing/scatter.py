"""Accuracy against cost, with the line of those that nothing beats at their price."""

from collections.abc import Sequence
from dataclasses import dataclass

from promptkit.drawing.chart import Chart, axis_x, axis_y, dot, fitted, length, shares, spanning, text

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 520, 330, 52, 496, 18, 284
_LINE = 14
"""Height of a label."""


@dataclass(frozen=True)
class Point:
    """One strategy."""

    label: str
    cost: float
    share: float
    low: float
    high: float
    on_frontier: bool


def scatter(points: Sequence[Point], cost: str, name: str = "frontier") -> Chart:
    """Draw points with their intervals; filled ones are on the frontier, whose steps are drawn through them.

    Args:
        points: at least one.
        cost: what the horizontal axis is.
        name: of the chart's file.
    """
    x = spanning([point.cost for point in points], _LEFT, _RIGHT)
    y = shares([point.low for point in points], [point.high for point in points], _BOTTOM, _TOP)
    marks = [*axis_x(x, _BOTTOM, _TOP, cost + (", log scale" if x.log else "")), *axis_y(y, _LEFT, _RIGHT)]
    best = sorted((point for point in points if point.on_frontier), key=lambda point: (point.cost, point.share))
    if best:
        way = f"M{x(best[0].cost):.1f},{y(best[0].share):.1f}"
        way += "".join(f"H{x(point.cost):.1f}V{y(point.share):.1f}" for point in best[1:])
        marks.append(f'<path class="way" d="{way}H{_RIGHT}"/>')
    for point in points:
        at = x(point.cost)
        marks.append(f'<path class="thin" d="M{at:.1f},{y(point.low):.1f}V{y(point.high):.1f}"/>')
    for point in points:
        said = f"{point.label}: {point.share * 100:.1f} % at {point.cost:.4g} {cost}"
        marks.append(dot(x(point.cost), y(point.share), "best" if point.on_frontier else "hollow", said, 5))
    boxes = [(x(point.cost) - 7, y(point.share) - 7, x(point.cost) + 7, y(point.share) + 7) for point in points]
    for point in sorted(points, key=lambda point: -point.share):
        said = fitted(point.label, 170)
        left, top = _free(said, x(point.cost), y(point.share), boxes)
        boxes.append((left, top, left + length(said), top + _LINE))
        marks.append(text(left, top + 11, said, "strong" if point.on_frontier else ""))
    named = ", ".join(point.label for point in best)
    return Chart(name, f"Accuracy against {cost}. On the frontier: {named}", _WIDTH, _HEIGHT, tuple(marks))


def _free(said: str, x: float, y: float, boxes: Sequence[tuple[float, float, float, float]]) -> tuple[float, float]:
    """Left upper corner of a label near its point that covers no other label or point, where there is such a place."""
    wide = length(said)
    places = [
        (left, y - 7 + shift)
        for shift in (-12, 0, 12, -24, 24, -36, 36, -48, 48)
        for left in (x + 9, x - 9 - wide)
        if left >= _LEFT - 20 and left + wide <= _WIDTH - 2 and _TOP - 12 <= y - 7 + shift <= _BOTTOM - _LINE
    ]
    for left, top in places:
        if not any(
            left < right and left + wide > start and top < low and top + _LINE > high
            for start, high, right, low in boxes
        ):
            return left, top
    return places[0] if places else (max(_LEFT, min(x, _WIDTH - wide)), y - 20)
