"""Shares that grow with a number: what more samples buy."""

from collections.abc import Sequence
from dataclasses import dataclass

from promptkit.drawing.chart import Chart, Scale, axis_x, axis_y, dot, fitted, shares, text

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 520, 330, 52, 396, 18, 284
_LINE = 14


@dataclass(frozen=True)
class Curve:
    """A line through shares at 1, 2, 3, …"""

    label: str
    points: tuple[tuple[float, float, float], ...]
    """Share, and both ends of its interval."""
    thin: bool = False
    """Dashed and without its interval: what could be had, not what was."""


def curves(lines: Sequence[Curve], say: str, name: str = "votes") -> Chart:
    """Draw curves with their names at their ends.

    Args:
        lines: at least one, each with at least one point.
        say: what the horizontal axis counts.
        name: of the chart's file.
    """
    longest = max(len(line.points) for line in lines)
    x = Scale(1.0, float(max(longest, 2)), _LEFT + 8, _RIGHT, whole=True)
    lows = [share if line.thin else low for line in lines for share, low, _ in line.points]
    highs = [share if line.thin else high for line in lines for share, _, high in line.points]
    y = shares(lows, highs, _BOTTOM, _TOP)
    marks = [*axis_x(x, _BOTTOM, _TOP, say), *axis_y(y, _LEFT, _RIGHT)]
    for line in lines:
        at = [x(place) for place in range(1, len(line.points) + 1)]
        if not line.thin:
            upper = [f"{left:.1f},{y(high):.1f}" for left, (_, _, high) in zip(at, line.points, strict=True)]
            lower = [f"{left:.1f},{y(low):.1f}" for left, (_, low, _) in zip(at, line.points, strict=True)]
            marks.append(f'<path class="band" d="M{"L".join([*upper, *reversed(lower)])}Z"/>')
        way = "L".join(f"{left:.1f},{y(share):.1f}" for left, (share, _, _) in zip(at, line.points, strict=True))
        marks.append(f'<path class="{"thin" if line.thin else "way"}" d="M{way}"/>')
        if not line.thin:
            for place, (left, (share, low, high)) in enumerate(zip(at, line.points, strict=True), 1):
                said = (
                    f"{line.label} at {place}: {share * 100:.1f} %, 95 % interval {low * 100:.0f} to {high * 100:.0f}"
                )
                marks.append(dot(left, y(share), "best", said, 3))
    ends = sorted(((y(line.points[-1][0]), line) for line in lines), key=lambda end: end[0])
    floor = float(_TOP)
    for top, line in ends:
        floor = max(floor, top)
        said = f"{line.label} {line.points[-1][0] * 100:.1f} %"
        marks.append(text(_RIGHT + 10, floor + 4, fitted(said, _WIDTH - _RIGHT - 8), "soft" if line.thin else "strong"))
        floor += _LINE
    said = "; ".join(f"{one.label} {one.points[0][0] * 100:.1f} to {one.points[-1][0] * 100:.1f} %" for one in lines)
    return Chart(name, f"Accuracy by {say}: {said}", _WIDTH, _HEIGHT, tuple(marks))
