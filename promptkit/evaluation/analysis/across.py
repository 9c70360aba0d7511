"""The same strategies on several models: how far the best one is ahead, and whether that is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from promptkit.evaluation.analysis.comparison import Comparison, compare
from promptkit.evaluation.runs import Run
from promptkit.evaluation.statistics import holm


@dataclass(frozen=True)
class Row:
    """One strategy on every backend that ran it."""

    strategy: str
    runs: dict[str, Run]
    """By backend."""
    lead: Comparison
    """From the second most accurate run to the most accurate one."""
    p_value: float
    """Of the lead, corrected for every pair of backends of every strategy (Holm, 1979)."""


def across(runs: Sequence[Run]) -> list[Row]:
    """Compare each strategy between the backends that ran it to the end.

    Args:
        runs: of one benchmark, on the same questions; of several runs of one strategy on one backend, the first counts.

    Returns:
        A row for each strategy that ran on two backends or more, in the order of the runs.

    Raises:
        ConfigError: the runs have not asked the same questions.
    """
    by_strategy: dict[str, dict[str, Run]] = {}
    for run in runs:
        if not run.missing:
            by_strategy.setdefault(run.strategy, {}).setdefault(run.backend, run)
    several = {name: found for name, found in by_strategy.items() if len(found) > 1}
    pairs = [(name, a, b) for name, found in several.items() for a, b in combinations(found, 2)]
    compared = {(name, a, b): compare(several[name][a], several[name][b]) for name, a, b in pairs}
    corrected = dict(zip(compared, holm([found.p_value for found in compared.values()]), strict=True))
    rows: list[Row] = []
    for name, found in several.items():
        first, second, *_ = sorted(found, key=lambda backend: -found[backend].accuracy)
        pair = (name, second, first) if (name, second, first) in compared else (name, first, second)
        lead = compared[pair] if pair[1] == second else compared[pair].reversed()
        rows.append(Row(name, found, lead, corrected[pair]))
    return rows
