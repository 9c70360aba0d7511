"""Everything that a set of runs says, as plain data: what `eval --json` prints."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from promptkit.evaluation.analysis.frontier import CostPoint, frontier
from promptkit.evaluation.analysis.interaction import Interaction, interactions
from promptkit.evaluation.analysis.noise import NoiseFloor, noise_floors
from promptkit.evaluation.analysis.resampling import CurvePoint, vote_curve
from promptkit.evaluation.presentation.verdict import verdict
from promptkit.evaluation.runs import Run


def tables(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs that are compared with each other in one table: of one benchmark, backend and seed."""
    grouped: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        grouped.setdefault((run.benchmark, run.backend, run.manifest.get("seed")), []).append(run)
    return list(grouped.values())


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    """The runs, and what comparing them says.

    Returns:
        "runs", as `Run.summary`; "tables", for each benchmark, backend and seed the verdict, the frontier by generated
        tokens and maj@n and pass@n of runs that vote; "interactions" and "noise", over all of them. JSON values; what
        is infinite is `None`.

    Raises:
        ConfigError: runs of one benchmark have not asked the same questions.
    """
    benchmarks = dict.fromkeys(run.benchmark for run in runs)
    whole = [run for run in runs if not run.missing]
    by_benchmark = [[run for run in whole if run.benchmark == benchmark] for benchmark in benchmarks]
    return {
        "runs": [run.summary() for run in runs],
        "tables": [_table(group) for group in tables(runs)],
        "interactions": [_interaction(found) for these in by_benchmark for found in interactions(these)],
        "noise": [_noise(floor) for these in by_benchmark for floor in noise_floors(these)],
    }


def _table(runs: Sequence[Run]) -> dict[str, Any]:
    curves = {run.strategy: vote_curve(run) for run in runs if not run.missing}
    return {
        "benchmark": runs[0].benchmark,
        "backend": runs[0].backend,
        "verdict": verdict(runs),
        "frontier": [_point(point) for point in frontier([run for run in runs if not run.missing])],
        "curves": {name: [_sizes(point) for point in curve] for name, curve in curves.items() if curve},
    }


def _sizes(point: CurvePoint) -> dict[str, Any]:
    return {
        "n": point.n,
        "maj": point.majority,
        "maj_ci95": list(point.majority_ci95),
        "pass": point.pass_at,
        "pass_ci95": list(point.pass_ci95),
    }


def _point(point: CostPoint) -> dict[str, Any]:
    even = point.break_even
    return {
        "strategy": point.run.strategy,
        "tokens": point.cost,
        "accuracy": point.accuracy,
        "on_frontier": point.on_frontier,
        "break_even": even
        and {
            "against": even.against.strategy,
            "tokens": _finite(even.worth),
            "ci95": [_finite(limit) for limit in even.worth_ci95],
            "p_value": even.p_value,
        },
    }


def _interaction(found: Interaction) -> dict[str, Any]:
    return {
        "benchmark": found.more.a.benchmark,
        "strategy": found.more.b.strategy,
        "baseline": found.more.a.strategy,
        "gains": {one.a.backend: one.delta for one in (found.more, found.less)},
        "contrast": found.contrast,
        "ci95": list(found.ci95),
        "p_value": found.p_value,
    }


def _noise(floor: NoiseFloor) -> dict[str, Any]:
    first = floor.runs[0]
    return {
        "strategy": first.strategy,
        "benchmark": first.benchmark,
        "backend": first.backend,
        "seeds": len(floor.runs),
        "accuracy": floor.accuracy.mean,
        "ci95": list(floor.accuracy.ci95),
        "between_seeds": floor.between_seeds,
        "flip_rate": floor.flip_rate,
        "reach": floor.reach,
    }


def _finite(number: float) -> float | None:
    return number if isfinite(number) else None
