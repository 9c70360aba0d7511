"""The tables of docs/results.md, made of run folders.

    python benchmarks/results_table.py runs/results/*/*

Prints one Markdown table a benchmark and model. The p-values hold each strategy against `zero-shot`, corrected for all
pairs of the table (Holm). Where most completions came from the store, the seconds say nothing and are left out.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

from promptkit.evaluation.presentation.verdict import judge, p_text
from promptkit.evaluation.runs import Run
from promptkit.evaluation.runs.folder import load_run
from promptkit.foreign_text import one_line
from promptkit.report.folders import run_folders

BASE = "zero-shot"
ORDER = ("direct", "zero-shot", "few-shot", "zero-shot-cot", "manual-cot", "auto-cot", "self-consistency", "tot")


def place(run: Run) -> tuple[int, str]:
    """Where a strategy stands in the table."""
    return next((i for i, name in enumerate(ORDER) if run.strategy.partition(":")[0] == name), len(ORDER)), run.strategy


def base_of(runs: list[Run]) -> int:
    """Which of the runs the others are held against."""
    return next((i for i, run in enumerate(runs) if run.strategy == BASE), 0)


def load_runs(folders: list[str]) -> list[Run]:
    """The runs that these folders are or hold; what else lies there (a report) is passed over."""
    return [load_run(run) for folder in folders for run in run_folders(Path(folder))]


def _cell(name: str) -> str:
    """A name that a file brought, for Markdown: on one line, nothing in it is markup or ends a cell."""
    return re.sub(r"([\\`*<>\[\]|&])", r"\\\1", one_line(name))


def table(runs: list[Run]) -> str:
    """Runs that asked the same questions, as a Markdown table."""
    runs = sorted(runs, key=place)
    base = base_of(runs)
    judged = judge(runs) if len(runs) > 1 else {}
    lines = [
        f"**{_cell(runs[0].benchmark)}, {runs[0].n} questions, {_cell(Path(runs[0].backend).name)}**",
        "",
        f"| strategy | right | 95 % interval | against {_cell(runs[base].strategy)} | p "
        "| tokens generated a question | prompt tokens a question | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for i, run in enumerate(runs):
        found = judged.get((base, i))
        gap = f"{found.comparison.delta * 100:+.1f}" if found else ""
        p = p_text(found.p_value) if found else ""
        low, high = run.ci95
        usage = run.usage
        seconds = f"{run.seconds:.0f}" if 2 * usage.cached_calls < usage.calls else "stored"
        lines.append(
            f"| {_cell(run.strategy)} | {run.accuracy * 100:.1f} % | {low * 100:.0f}–{high * 100:.0f} | {gap} | {p} | "
            f"{usage.completion_tokens / run.n:.0f} | {usage.prompt_tokens / run.n:.0f} | {seconds} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the tables of the folders given."""
    groups: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in load_runs(sys.argv[1:]):
        groups[run.benchmark, run.backend].append(run)
    print("\n\n".join(table(runs) for runs in groups.values()))


if __name__ == "__main__":
    main()
