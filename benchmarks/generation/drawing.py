"""The medians of what `make bench` kept, as a bar chart.

    python -m benchmarks.generation.drawing PICTURE.svg OUTPUT.json …

Run from the checkout's root.
"""

import json
import statistics
import sys
from html import escape
from pathlib import Path
from typing import Any

WIDTH, LABEL, BAR = 720, 250, 22
COLOURS = ("#2a6fb0", "#9aa5b1", "#c3a86b", "#8fb08c", "#b58db6", "#c98b7b")


def bars(groups: dict[str, dict[str, float]], unit: str) -> str:
    """One block of bars a group, on one scale; a name has one colour everywhere."""
    names = list(dict.fromkeys(name for rows in groups.values() for name in rows))
    most = max((value for rows in groups.values() for value in rows.values()), default=1.0)
    parts: list[str] = []
    y = 10
    for title, rows in groups.items():
        parts.append(f'<text x="0" y="{y + 15}" font-weight="bold">{escape(title)} ({escape(unit)})</text>')
        y += 24
        for name, value in rows.items():
            width = (WIDTH - LABEL - 60) * value / most
            colour = COLOURS[names.index(name) % len(COLOURS)]
            parts.append(f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect x="{LABEL}" y="{y + 2}" width="{width:.1f}" height="{BAR - 5}" fill="{colour}"/>')
            parts.append(f'<text x="{LABEL + width + 6:.1f}" y="{y + 15}">{value:.0f}</text>')
            y += BAR
        y += 14
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="13">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{y}" fill="white"/>', *parts, "</svg>\n"])


def draw(picture: Path, outputs: list[Path]) -> None:
    """Write the picture of what these runs reached."""
    groups: dict[str, dict[str, float]] = {}
    for output in outputs:
        kept: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(output.read_text(encoding="utf-8"))
        for title, rows in kept.items():
            groups[title] = {
                name: statistics.median(lap["tokens"] / lap["seconds"] for lap in laps) for name, laps in rows.items()
            }
    picture.write_text(bars(groups, "tokens a second"), encoding="utf-8")


if __name__ == "__main__":
    draw(Path(sys.argv[1]), [Path(output) for output in sys.argv[2:]])
