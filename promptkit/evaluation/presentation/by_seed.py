"""Runs of several seeds in the terminal: the comparison of the first seed, and how far the others are from it."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from promptkit.evaluation.analysis.noise import noise_floors
from promptkit.evaluation.presentation.findings import noise_sentences
from promptkit.evaluation.presentation.table import print_runs
from promptkit.evaluation.runs import Run
from promptkit.foreign_text import one_line


def print_seeds(runs: Sequence[Run], console: Console) -> None:
    """Print the runs of the first seed as `print_runs` does, then each strategy's accuracy with every seed.

    Args:
        runs: of written run folders, whose manifests hold their seeds.
        console: where to print.
    """
    seeds = list(dict.fromkeys(run.manifest["seed"] for run in runs))
    print_runs([run for run in runs if run.manifest["seed"] == seeds[0]], console)
    console.print(Text(f"\nright %, by seed (the comparison above is of seed {seeds[0]})", style="bold"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    several = {part: len({getattr(run, part) for run in runs}) > 1 for part in ("benchmark", "backend")}
    shown = ["strategy", *(part for part, varies in several.items() if varies)]
    for heading in shown:
        table.add_column(heading, overflow="fold")
    for heading in [*map(str, seeds), "mean", "spread"]:
        table.add_column(heading, justify="right", no_wrap=True)
    rows: dict[tuple[str, ...], dict[int, float]] = {}
    for run in runs:
        key = tuple(one_line(getattr(run, part)) for part in shown)
        rows.setdefault(key, {})[run.manifest["seed"]] = run.accuracy * 100
    for key, found in rows.items():
        scores = [found[seed] for seed in seeds]
        cells = [*scores, sum(scores) / len(scores), max(scores) - min(scores)]
        table.add_row(*map(Text, key), *(f"{cell:.1f}" for cell in cells))
    console.print(table)
    console.print(Text("spread: points between the best and the worst seed.", style="dim"))
    for sentence in noise_sentences(noise_floors(runs)):
        console.print(Text(one_line(sentence)))
