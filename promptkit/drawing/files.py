"""A tree of thoughts as a standalone SVG or HTML file: no script, no font, nothing is fetched."""

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from promptkit.drawing.shape import Branch, shape, shown, visible
from promptkit.errors import ConfigError

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 250, 26, 46, 8, 16
_LETTERS = 30
"""Of a thought that a box has room for; the whole text is shown when the pointer rests on it."""

_STYLE = """
text{font:12px system-ui,sans-serif;fill:#1c2733}
rect{fill:#fff;stroke:#8a97a6;stroke-width:1}
path{fill:none;stroke:#b6c0cb;stroke-width:1.2}
.value{font-size:11px;fill:#52606d;text-anchor:end}
.grey rect{fill:#f4f5f7;stroke:#d3d8de;stroke-dasharray:3 3}
.grey text{fill:#8d97a3}
.grey.rejected text{text-decoration:line-through}
.way rect{fill:#e6f4ea;stroke:#1e7e34;stroke-width:2}
.way .value{fill:#1e7e34}
path.way{stroke:#1e7e34;stroke-width:2.4}
path.grey{stroke-dasharray:3 3}
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:14px system-ui,sans-serif;color:#1c2733;margin:1.5rem}}
div{{overflow:auto}} p{{color:#52606d}}</style>
</head><body><h1>{title}</h1>
<p>{summary}</p>
<p>Green: the path to the answer. Grey, dashed: given up by the search; struck through: refused by a check.
The number in a box is the value of its state. Let the pointer rest on a box to read all of it.</p>
<div>{picture}</div>
</body></html>
"""


def svg(tree: Mapping[str, Any]) -> str:
    """The picture of a tree, from the question on the left to the final states on the right.

    Args:
        tree: `Result.details["tree"]`.

    Raises:
        ConfigError: that is no recorded tree.
    """
    root = shape(tree)
    places = _places(root)
    lines: list[str] = []
    boxes: list[str] = []
    # What is given up is drawn first, so that the path to the answer lies on top.
    for branch in sorted(root.walk(), key=lambda one: (one.on_path, not one.greyed)):
        boxes.append(_box(branch, *places[branch]))
        lines += [_line(places[branch], places[child], child) for child in branch.children]
    lines.sort(key=lambda line: "way" in line)
    width = max(x for x, _ in places.values()) + _WIDTH + _MARGIN
    height = max(y for _, y in places.values()) + _HEIGHT + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img"><title>Tree of thoughts</title><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" style="fill:#fff;stroke:none"/>{"".join(lines)}{"".join(boxes)}</svg>\n'
    )


def html(tree: Mapping[str, Any]) -> str:
    """A page with the picture, what became of the nodes, and a legend.

    Raises:
        ConfigError: that is no recorded tree.
    """
    branches = list(shape(tree).walk())
    counts = {status: sum(branch.status == status for branch in branches) for status in _STATUSES}
    summary = f"{len(branches)} nodes: " + ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    title = f"Tree of thoughts: {escape(visible(str(tree.get('problem', ''))))}"
    return _PAGE.format(title=title, summary=summary, picture=svg(tree))


_STATUSES = ("kept", "pruned", "rejected", "solved", "open")


def save(tree: Mapping[str, Any], path: str | Path) -> None:
    """Write the picture; the file's ending says whether as SVG or HTML.

    Raises:
        ConfigError: the ending is another one, the file cannot be written, or that is no recorded tree.
    """
    draw = drawer(path)
    try:
        Path(path).write_text(draw(tree), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write the picture {path}: {error.strerror}", hint="check the folder") from error


def drawer(path: str | Path) -> Callable[[Mapping[str, Any]], str]:
    """The function that draws for a file of this name.

    Raises:
        ConfigError: there is none for its ending.
    """
    known = {".svg": svg, ".html": html, ".htm": html}
    ending = Path(path).suffix.lower()
    if ending not in known:
        raise ConfigError(f"no picture can be written to {path}", hint="end its name in .svg or .html")
    return known[ending]


def _places(root: Branch) -> dict[Branch, tuple[float, float]]:
    """Left upper corner of every box: leaves below each other, a parent beside the middle of its children."""
    depths = {root: 0}
    order = list(root.walk())
    for branch in order:
        depths |= dict.fromkeys(branch.children, depths[branch] + 1)
    heights: dict[Branch, float] = {}
    leaves = 0
    for branch in order:
        if not branch.children:
            heights[branch], leaves = float(_MARGIN + leaves * (_HEIGHT + _GAP_Y)), leaves + 1
    for branch in reversed(order):
        if branch.children:
            heights[branch] = (heights[branch.children[0]] + heights[branch.children[-1]]) / 2
    return {branch: (_MARGIN + depths[branch] * (_WIDTH + _GAP_X), heights[branch]) for branch in order}


def _kind(branch: Branch) -> str:
    return "way" if branch.on_path else f"grey {escape(branch.status)}" if branch.greyed else "kept"


def _box(branch: Branch, x: float, y: float) -> str:
    text = branch.thought or "(nothing)"
    short = text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"
    whole = f"{text} [{branch.status}]"
    return (
        f'<g class="{_kind(branch)}"><title>{escape(whole)}</title>'
        f'<rect x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="5"/>'
        f'<text x="{x + 8:g}" y="{y + 17:g}">{escape(short)}</text>'
        f'<text class="value" x="{x + _WIDTH - 8:g}" y="{y + 17:g}">{shown(branch.value)}</text></g>'
    )


def _line(start: tuple[float, float], end: tuple[float, float], child: Branch) -> str:
    x1, y1, x2, y2 = start[0] + _WIDTH, start[1] + _HEIGHT / 2, end[0], end[1] + _HEIGHT / 2
    middle = (x1 + x2) / 2
    return f'<path class="{_kind(child)}" d="M{x1:g},{y1:g} C{middle:g},{y1:g} {middle:g},{y2:g} {x2:g},{y2:g}"/>'
