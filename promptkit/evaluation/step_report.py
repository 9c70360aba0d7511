"""The steps of a chain over a whole run: which one goes wrong how often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from promptkit.errors import ConfigError
from promptkit.evaluation.rows import parse
from promptkit.evaluation.runs import Run
from promptkit.evaluation.step_scores import StepScore, score_steps


@dataclass(frozen=True)
class StepReport:
    """One step over all questions: means of `StepScore`; a question that failed scores 0."""

    step: str
    n: int
    exact: float
    """Share of the questions for which nothing was missing and nothing too much."""
    precision: float
    recall: float
    f1: float
    worst: tuple[str, ...]
    """Ids of the questions that are not exact, those with the lowest F1 first."""

    def summary(self) -> dict[str, Any]:
        """What `audit --json` prints of it."""
        return {**vars(self), "worst": list(self.worst)}


def step_reports(run: Run, golds: Mapping[str, Mapping[str, Any]]) -> list[StepReport]:
    """Score the steps of a chain in a run.

    Args:
        run: of a `Chain`.
        golds: id of a question → step → the right value, as `score_steps` takes it. Questions without are left out.

    Raises:
        ConfigError: no question of the run is among them, or there is no such step.
    """
    scores: dict[str, dict[str, StepScore]] = {}
    for sample in run.samples:
        if sample.id in golds:
            for step, found in score_steps(sample, golds[sample.id]).items():
                scores.setdefault(step, {})[sample.id] = found
    if not scores:
        raise ConfigError("none of the questions has right values for its steps", hint="check the ids in the file")
    return [_report(step, found) for step, found in scores.items()]


def load_step_golds(path: str | Path) -> dict[str, dict[str, Any]]:
    """Read JSONL with an `id` and a mapping `steps`, from names of steps to right values.

    Raises:
        ConfigError: the file cannot be read or holds something else.
    """
    path = Path(path)
    try:
        rows = parse(path.read_bytes(), str(path), path.suffix.lower())
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="check the path") from error
    golds: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, 1):
        if "id" not in row or not isinstance(row.get("steps"), dict):
            raise ConfigError(f"{path}: row {number} lacks `id` or `steps`", hint='write {"id": "…", "steps": {…}}')
        golds[str(row["id"])] = cast("dict[str, Any]", row["steps"])
    return golds


def _report(step: str, scores: Mapping[str, StepScore]) -> StepReport:
    def mean(of: Sequence[float]) -> float:
        return sum(of) / len(of)

    found = list(scores.values())
    missed = sorted((name for name in scores if not scores[name].exact), key=lambda name: scores[name].f1)
    return StepReport(
        step=step,
        n=len(found),
        exact=mean([float(score.exact) for score in found]),
        precision=mean([score.precision for score in found]),
        recall=mean([score.recall for score in found]),
        f1=mean([score.f1 for score in found]),
        worst=tuple(missed),
    )
