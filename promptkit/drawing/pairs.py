"""Two strategies question by question: which ones the second fixed and which it broke."""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

from promptkit.drawing.chart import Chart

Change: TypeAlias = Literal["fixed", "broken", "both", "neither"]
"""Right only now, right only before, right with both, with none."""
_WIDTH = 250


def pairs(changes: Sequence[Change], title: str, name: str = "pairs") -> Chart:
    """Draw a small square a question, in the order given.

    Args:
        changes: one a question; at least one.
        title: who is compared with whom.
        name: of the chart's file.
    """
    columns = max(10, math.ceil(math.sqrt(len(changes) * 3)))
    step = min(16.0, _WIDTH / columns)
    side = step - (2 if step > 8 else 1)
    cells: list[str] = []
    for place, change in enumerate(changes):
        x, y = place % columns * step, place // columns * step
        inset = 0.5 if change == "neither" else 0.0
        size = side - 2 * inset
        cells.append(
            f'<rect class="{change}" x="{x + inset:.4g}" y="{y + inset:.4g}" width="{size:.3g}" height="{size:.3g}"/>'
        )
    height = math.ceil(len(changes) / columns) * step
    counts = ", ".join(f"{changes.count(one)} {one}" for one in ("fixed", "broken", "both", "neither"))
    return Chart(name, f"{title}: {counts}", _WIDTH, math.ceil(height), ("<g>", *cells, "</g>"))
