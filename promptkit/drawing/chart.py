"""What charts share: a surface with axes, and the two ways out of it: into a page, which colours it, or into a file."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from promptkit.drawing.shape import visible

COLORS = {
    "ink": "#1d1b18",
    "soft": "#68625a",
    "faint": "#dfdbd3",
    "paper": "#fffefb",
    "better": "#0a5c99",
    "worse": "#bf4a1b",
    "same": "#cfd8df",
    "neither": "#a9a39a",
}
"""By name, as files show them; a page sets custom properties of these names for its own light and dark."""
STYLE = """
.chart{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,"Liberation Sans",sans-serif}
.chart text{fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
.chart .soft{fill:var(--soft);font-size:11px}
.chart .strong{font-weight:650}
.chart .end{text-anchor:end}
.chart .mid{text-anchor:middle}
.chart .grid{stroke:var(--faint);fill:none}
.chart .line{stroke:var(--ink);stroke-width:1.5;fill:none}
.chart .way{stroke:var(--better);stroke-width:1.8;fill:none;stroke-linejoin:round}
.chart .thin{stroke:var(--soft);stroke-width:1.2;fill:none;stroke-dasharray:3 3}
.chart .band{fill:var(--better);opacity:.12}
.chart .dot{fill:var(--ink)}
.chart .best{fill:var(--better)}
.chart .hollow{fill:var(--paper);stroke:var(--ink);stroke-width:1.5}
.chart .best-line{stroke:var(--better);stroke-width:2.2;fill:none}
.chart .fixed{fill:var(--better)}
.chart .broken{fill:var(--worse)}
.chart .both{fill:var(--same)}
.chart .neither{fill:none;stroke:var(--neither)}
"""
_LETTER = 6.3
"""Mean width in pixels of a letter at 12 pixels; what is placed by it has room to spare."""


@dataclass(frozen=True)
class Chart:
    """A finished drawing."""

    name: str
    """What its file is called, without the ending."""
    title: str
    """What it shows, for those who cannot see it."""
    width: int
    height: int
    marks: tuple[str, ...]
    """SVG elements; foreign text in them is escaped already."""

    def inline(self) -> str:
        """As an element of an HTML page that holds `STYLE` and sets the colours."""
        return self._svg("")

    def file(self) -> str:
        """As an SVG document that needs nothing else."""
        style = STYLE
        for name, color in COLORS.items():
            style = style.replace(f"var(--{name})", color)
        paper = f'<rect width="{self.width}" height="{self.height}" fill="{COLORS["paper"]}"/>'
        return self._svg(f"<style>{style}</style>{paper}") + "\n"

    def _svg(self, head: str) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="{self.width}" '
            f'height="{self.height}" viewBox="0 0 {self.width} {self.height}"><title>{plain(self.title)}</title>'
            f"{head}{''.join(self.marks)}</svg>"
        )


@dataclass(frozen=True)
class Scale:
    """From values to pixels along one axis."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False
    """Whether only whole numbers lie on it."""

    def __call__(self, value: float) -> float:
        low, high, value = (math.log(x) if self.log else x for x in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start) if high > low else self.start

    def ticks(self, about: int = 5) -> list[float]:
        """Round values within it: steps of 1, 2 or 5 times a power of ten."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
            return [value for value in found if self.low <= value <= self.high]
        step = _round_step((self.high - self.low) / max(about, 1))
        step = max(step, 1.0) if self.whole else step
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(place * step, 10) for place in range(first, last + 1)]


def spanning(values: Sequence[float], start: float, end: float) -> Scale:
    """A scale that holds all values: from 0, or logarithmic where they lie far apart."""
    low, high = min(values), max(values)
    if low > 0 and high / low > 20:
        return Scale(low / 1.3, high * 1.3, start, end, log=True)
    return Scale(0.0, high * 1.08 if high > 0 else 1.0, start, end)


def shares(lows: Sequence[float], highs: Sequence[float], start: float, end: float) -> Scale:
    """A scale of shares in tens of points, the whole from 0 to 100 % unless all lie close together."""
    low = max(0.0, math.floor(min(lows) * 10) / 10)
    high = min(1.0, math.ceil(max(highs) * 10) / 10)
    return Scale(0.0, 1.0, start, end) if high - low > 0.6 or high <= low else Scale(low, high, start, end)


def axis_x(scale: Scale, bottom: float, top: float, say: str, *, percent: bool = False) -> Iterator[str]:
    """Grid lines with their values below, and what the axis is."""
    for value in scale.ticks():
        x = scale(value)
        yield f'<path class="grid" d="M{x:.1f},{top:g}V{bottom:g}"/>'
        yield text(x, bottom + 14, number(value * 100 if percent else value), "soft mid")
    yield text((scale.start + scale.end) / 2, bottom + 30, say, "soft mid")


def axis_y(scale: Scale, left: float, right: float) -> Iterator[str]:
    """Grid lines of shares with their percentages on the left."""
    for value in scale.ticks():
        y = scale(value)
        yield f'<path class="grid" d="M{left:g},{y:.1f}H{right:g}"/>'
        yield text(left - 6, y + 4, f"{value * 100:.0f} %", "soft end")


def text(x: float, y: float, said: str, kind: str = "") -> str:
    """A line of text; foreign text is made safe here."""
    marked = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{marked}>{plain(said)}</text>'


def dot(x: float, y: float, kind: str, title: str, radius: float = 4.5) -> str:
    """A dot that tells more when one points at it."""
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"><title>{plain(title)}</title></circle>'


def fitted(said: str, width: float) -> str:
    """A text cut to about so many pixels."""
    letters = max(3, int(width / _LETTER))
    return said if len(said) <= letters else f"{said[: letters - 1]}…"


def length(said: str) -> float:
    """About how many pixels a text takes."""
    return len(said) * _LETTER


def number(value: float) -> str:
    """A value of an axis: 1,500 and 0.05, without needless zeros."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def plain(said: str) -> str:
    """Foreign text for XML: escaped, on one line, control characters made visible."""
    return escape(visible(said))


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step)) if step > 0 else 1.0
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= step * 0.999)
