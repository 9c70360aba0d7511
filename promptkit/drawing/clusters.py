"""The clusters of a pool of questions as a picture: one colour a cluster, the chosen demonstrations marked."""

from collections.abc import Sequence
from colorsys import hls_to_rgb
from html import escape
from textwrap import shorten

WIDTH, HEIGHT, LEGEND = 560, 480, 520
"""Of the plane, and the width of the legend beside it, in pixels."""
_MARGIN, _TOP, _ROW = 28, 56, 34


def clusters_svg(
    points: Sequence[tuple[float, float]],
    clusters: Sequence[Sequence[int]],
    chosen: Sequence[int | None],
    titles: Sequence[str],
    heading: str = "",
) -> str:
    """Draw clusters as a standalone SVG: no script, nothing loaded from elsewhere.

    Args:
        points: where each question lies.
        clusters: for each cluster, the places of its questions.
        chosen: for each cluster, the place of the question that became a demonstration, if one did.
        titles: each question's text, shown when one points at its dot; any text, escaped here.
        heading: above the picture.

    Returns:
        The SVG document.
    """
    where = _scaled(points)
    dots: list[str] = []
    marks: list[str] = []
    legend: list[str] = []
    for number, (members, picked) in enumerate(zip(clusters, chosen, strict=True)):
        color = _color(number, len(clusters))
        dots += [_dot(where[place], 4, color, "0.55", titles[place]) for place in members if place != picked]
        said = "no demonstration"
        if picked is not None:
            said = shorten(titles[picked], 64, placeholder=" …")
            marks += [_dot(where[picked], 9, color, "1", titles[picked], ring=True), _number(where[picked], number + 1)]
        legend.append(_entry(number, color, len(members), said))
    height = max(_TOP + HEIGHT, _TOP + _ROW * (len(clusters) + 1))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + LEGEND}" height="{height}" '
            f'viewBox="0 0 {WIDTH + LEGEND} {height}" font-family="system-ui, sans-serif" font-size="13">',
            f'<rect width="{WIDTH + LEGEND}" height="{height}" fill="#fff"/>',
            f'<text x="{_MARGIN}" y="34" font-size="16" font-weight="600" fill="#222">{_text(heading)}</text>',
            f'<rect x="8" y="{_TOP - 8}" width="{WIDTH - 16}" height="{HEIGHT}" fill="#f7f7f5" rx="6"/>',
            *dots,
            *marks,
            *legend,
            "</svg>",
            "",
        ]
    )


def _color(number: int, of: int) -> str:
    """One of `of` colours as far from each other as they can be."""
    parts = hls_to_rgb(number / of, 0.42, 0.6)
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _scaled(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points in pixels, each axis filling the plane."""
    axes = list(zip(*points, strict=True)) or [(), ()]
    spans = ((_MARGIN, WIDTH - _MARGIN), (_TOP + HEIGHT - _MARGIN, _TOP + _MARGIN))
    pixels: list[list[float]] = []
    for values, (start, end) in zip(axes, spans, strict=True):
        low, high = min(values, default=0.0), max(values, default=0.0)
        share = [(value - low) / (high - low) if high > low else 0.5 for value in values]
        pixels.append([start + part * (end - start) for part in share])
    return list(zip(*pixels, strict=True))


def _dot(at: tuple[float, float], radius: int, color: str, opacity: str, title: str, *, ring: bool = False) -> str:
    edge = ' stroke="#111" stroke-width="2"' if ring else ""
    return (
        f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius}" fill="{color}" fill-opacity="{opacity}"{edge}>'
        f"<title>{_text(title)}</title></circle>"
    )


def _number(at: tuple[float, float], number: int) -> str:
    return (
        f'<text x="{at[0]:.1f}" y="{at[1] + 4:.1f}" text-anchor="middle" font-size="11" font-weight="700" fill="#fff" '
        f'pointer-events="none">{number}</text>'
    )


def _entry(number: int, color: str, size: int, said: str) -> str:
    y = _TOP + 12 + _ROW * number
    questions = "1 question" if size == 1 else f"{size} questions"
    return (
        f'<circle cx="{WIDTH + 14}" cy="{y}" r="9" fill="{color}"/>'
        f'<text x="{WIDTH + 14}" y="{y + 4}" text-anchor="middle" font-size="11" font-weight="700" fill="#fff">'
        f"{number + 1}</text>"
        f'<text x="{WIDTH + 32}" y="{y - 1}" fill="#222">{_text(said)}</text>'
        f'<text x="{WIDTH + 32}" y="{y + 14}" font-size="11" fill="#777">{questions}</text>'
    )


def _text(text: str) -> str:
    """Foreign text for XML, which knows no control characters."""
    return escape("".join(char if char.isprintable() else " " for char in text))
