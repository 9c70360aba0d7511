"""The charts of a set of runs, and their files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from promptkit import paths
from promptkit.drawing.chart import Chart
from promptkit.drawing.curves import Curve, curves
from promptkit.drawing.forest import Estimate, forest
from promptkit.drawing.pairs import Change, pairs
from promptkit.drawing.scatter import Point, scatter
from promptkit.errors import ConfigError
from promptkit.evaluation.analysis.frontier import Cost, frontier
from promptkit.evaluation.analysis.resampling import vote_curve
from promptkit.evaluation.runs import Run

if TYPE_CHECKING:
    from promptkit.report.chapters import Across, Chapter

_COSTS: dict[Cost, str] = {
    "tokens": "generated tokens a question",
    "money": "US dollars a question",
    "seconds": "seconds a question",
}


def accuracy_chart(runs: Sequence[Run], called: Sequence[str], best: int | None, name: str = "accuracy") -> Chart:
    """Accuracies with intervals; `best` is the place of the run to mark."""
    return forest(
        [
            Estimate(label, run.accuracy, *run.ci95, f"{run.count('correct')} of {run.n} right", place == best)
            for place, (run, label) in enumerate(zip(runs, called, strict=True))
        ],
        name,
    )


def cost_charts(runs: Sequence[Run], called: Sequence[str]) -> tuple[Chart, ...]:
    """Accuracy against tokens and, where they are known of all runs, money and seconds; none for a single run."""
    names = {id(run): name for run, name in zip(runs, called, strict=True)}
    charts: list[Chart] = []
    for cost, said in _COSTS.items() if len(runs) > 1 else ():
        points = frontier(runs, cost, lambda run: run.cost)
        known = [
            Point(names[id(point.run)], point.cost, point.accuracy, *point.ci95, point.on_frontier)
            for point in points
            if point.cost is not None
        ]
        if len(known) == len(runs) and any(point.cost for point in known):
            charts.append(scatter(known, said, f"frontier-{cost}"))
    return tuple(charts)


def vote_chart(runs: Sequence[Run], called: Sequence[str]) -> Chart | None:
    """maj@k and pass@k of every run with several samples a question; `None` where there is none."""
    found = [(name, points) for run, name in zip(runs, called, strict=True) if (points := vote_curve(run))]
    lines: list[Curve] = []
    for name, points in found:
        prefix = f"{name}: " if len(found) > 1 else ""
        vote = tuple((one.majority, one.majority_ci95.low, one.majority_ci95.high) for one in points)
        lines.append(Curve(f"{prefix}vote", vote))
        oracle = tuple((one.pass_at, one.pass_ci95.low, one.pass_ci95.high) for one in points)
        lines.append(Curve(f"{prefix}any right", oracle, thin=True))
    return curves(lines, "samples a question") if lines else None


def pair_chart(before: Sequence[bool], after: Sequence[bool], name: str, baseline: str) -> Chart:
    """Each question: fixed, broken, right with both or with neither."""
    kinds: dict[tuple[bool, bool], Change] = {
        (False, True): "fixed",
        (True, False): "broken",
        (True, True): "both",
        (False, False): "neither",
    }
    changes: list[Change] = [kinds[was, now] for was, now in zip(before, after, strict=True)]
    return pairs(changes, f"{name} against {baseline}", f"pairs-{name}")


def save_figures(chapters: "Sequence[Chapter]", across: "Sequence[Across]", folder: str | Path) -> list[Path]:
    """Write every chart as SVG and PNG.

    Args:
        chapters: of the report.
        across: of the report.
        folder: is made where it is not there.

    Returns:
        The files.

    Raises:
        ConfigError: a file cannot be written, or resvg is not installed.
    """
    folder = Path(folder)
    png = _rasterizer()
    files: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for chapter in chapters:
            parts = [chapter.title] if len(chapters) > 1 else []
            for chart in chapter.charts:
                files += _save(chart, folder, [*parts, chart.name], png)
        for one in across:
            if one.chart:
                files += _save(one.chart, folder, [one.benchmark, one.chart.name], png)
    except OSError as error:
        raise ConfigError(f"cannot write the figures to {folder}: {error.strerror}", hint="choose another") from error
    return files


def _save(chart: Chart, folder: Path, parts: Sequence[str], png: Callable[[str], bytes]) -> list[Path]:
    stem = folder / "--".join(paths.file_name(part, "chart") for part in parts)
    vector, raster = (stem.with_name(f"{stem.name}{ending}") for ending in (".svg", ".png"))
    vector.write_text(chart.file(), encoding="utf-8")
    raster.write_bytes(png(chart.file()))
    return [vector, raster]


def _rasterizer() -> Callable[[str], bytes]:
    """A function from an SVG document to a PNG, twice as large for sharp print."""
    try:
        import resvg_py
    except ImportError as error:
        raise ConfigError("PNG figures need resvg", hint="pip install 'promptkit[figures]'") from error

    def render(picture: str) -> bytes:
        return bytes(resvg_py.svg_to_bytes(svg_string=picture, zoom=2))

    return render
