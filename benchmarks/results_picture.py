"""The picture of README: strategies by model, with intervals and tokens, drawn from run folders.

    python -m benchmarks.results_picture docs/pictures/results.svg multiarith runs/results/*/*

Takes the runs of one benchmark; models stand beside each other in the order in which their folders are given, and
strategies below each other in the order of `results_table.py`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.results_table import base_of, load_runs, place
from promptkit.drawing.chart import Chart, Scale, dot, number, text
from promptkit.evaluation.presentation.verdict import judge
from promptkit.evaluation.runs import Run

_LEFT, _PANEL, _GAP, _TOKENS, _TOP, _ROW = 136, 150, 30, 46, 44, 26
MODELS = {"smollm2-135m": "SmolLM2 135M", "qwen2.5-coder-0.5b": "Qwen2.5-Coder 0.5B", "qwen2.5-coder-1.5b": "… 1.5B"}
COLORS = {1: "best", 0: "dot", -1: "broken"}


def panels(models: dict[str, list[Run]], benchmark: str) -> Chart:
    """Accuracies with 95 % intervals, a panel a model.

    Blue is significantly more than the base (`zero-shot` where it is there), red significantly less (exact McNemar
    test, corrected by Holm).
    """
    names = [
        run.strategy
        for run in sorted({run.strategy: run for runs in models.values() for run in runs}.values(), key=place)
    ]
    base = next(runs[base_of(runs)].strategy for runs in models.values())
    bottom = _TOP + _ROW * len(names)
    marks = [
        text(_LEFT - 10, _TOP + _ROW * (row + 0.5) + 4, name.partition(":max_")[0], "end")
        for row, name in enumerate(names)
    ]
    for column, (model, runs) in enumerate(models.items()):
        left = _LEFT + column * (_PANEL + _TOKENS + _GAP)
        marks += _panel(model, runs, names, Scale(0.0, 1.0, left, left + _PANEL), bottom)
    width = _LEFT + len(models) * (_PANEL + _TOKENS + _GAP)
    marks += [
        text(_LEFT, bottom + 34, "% right, with 95 % interval; tokens generated a question", "soft"),
        text(_LEFT, bottom + 50, f"blue: shown to be more than {base}, red: less (exact McNemar test, Holm)", "soft"),
    ]
    said = "; ".join(
        f"{model}: " + ", ".join(f"{run.strategy} {run.accuracy * 100:.0f} %" for run in sorted(runs, key=place))
        for model, runs in models.items()
    )
    return Chart("results", f"Accuracy on {benchmark} by model and strategy. {said}", width, bottom + 60, tuple(marks))


def _panel(model: str, runs: list[Run], names: list[str], scale: Scale, bottom: float) -> Iterator[str]:
    """One model."""
    yield text(scale.start, 16, MODELS.get(model, model), "strong")
    yield text(scale.start, 32, f"{runs[0].n} questions", "soft")
    yield text(scale.end + _TOKENS + 4, 32, "tokens", "soft end")
    for value in (0.0, 0.5, 1.0):
        x = scale(value)
        yield f'<path class="grid" d="M{x:.1f},{_TOP:g}V{bottom:g}"/>'
        yield text(x, bottom + 14, f"{value * 100:.0f}", "soft mid")
    base, judged = base_of(runs), judge(runs)
    for index, run in enumerate(runs):
        y = _TOP + _ROW * (names.index(run.strategy) + 0.5)
        found = judged.get((base, index))
        sign = 0 if found is None or found.p_value >= 0.05 else (1 if found.comparison.delta > 0 else -1)
        low, high = run.ci95
        yield f'<path class="line" d="M{scale(low):.1f},{y:g}H{scale(high):.1f}"/>'
        yield dot(scale(run.accuracy), y, COLORS[sign], f"{run.strategy}: {run.count('correct')} of {run.n}")
        yield text(scale.end + _TOKENS + 4, y + 4, number(round(run.usage.completion_tokens / run.n)), "soft end")


def main() -> None:
    """Draw the folders given."""
    target, benchmark, *folders = sys.argv[1:]
    models: dict[str, list[Run]] = {}
    for run in load_runs(folders):
        if run.benchmark == benchmark:
            models.setdefault(Path(run.backend).name, []).append(run)
    Path(target).write_text(panels(models, benchmark).file())


if __name__ == "__main__":
    main()
