"""The steps of a chain against what each should have given, for one question and over a run: which one goes wrong?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from promptkit.errors import ConfigError
from promptkit.evaluation.benchmarks.rows import parse
from promptkit.evaluation.runs import Run, Sample
from promptkit.extract.text import fold
from promptkit.types import Result


@dataclass(frozen=True)
class StepScore:
    """How well the value of a step agrees with the right one, item by item where it is a list."""

    exact: bool
    """Whether nothing is missing and nothing is too much."""
    precision: float
    """Share of what was found that is right; 1 where nothing was found."""
    recall: float
    """Share of what is right that was found; 1 where nothing was to be found."""
    missing: tuple[Any, ...]
    """Right items that were not found."""
    extra: tuple[Any, ...]
    """Found items that are not right."""

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def score_steps(
    result: Result | Sample, golds: Mapping[str, Any], *, ordered_pairs: bool = False
) -> dict[str, StepScore]:
    """Score the steps of a chain's result against what they should have given.

    Lists are compared as sets, texts without regard to case, quotes and final punctuation. The value of a step that was
    skipped counts as an empty list; a question that failed has no steps, and scores 0.

    Args:
        result: of a `Chain`, or a sample of a run with one.
        golds: step name → the right value: a list (of texts, numbers, or pairs of texts) or a single value.
        ordered_pairs: whether ("Ann", "Bob") and ("Bob", "Ann") differ; otherwise the order inside a pair is ignored.

    Raises:
        ConfigError: the result has no such step.
    """
    steps = cast("dict[str, Any]", result.details.get("steps", {}))
    if odd := [name for name in golds if name not in steps and result.error is None]:
        raise ConfigError(f"the result has no step {odd[0]!r}", hint=f"its steps: {', '.join(steps) or 'none'}")
    return {
        name: _score(steps[name]["value"] if name in steps else None, gold, ordered_pairs, name in steps)
        for name, gold in golds.items()
    }


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
        ConfigError: the file cannot be read, holds something else, or has two rows with one id.
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
        if (name := str(row["id"])) in golds:
            raise ConfigError(f"{path}: the id {name!r} is there twice", hint="put all steps of a question in one row")
        golds[name] = cast("dict[str, Any]", row["steps"])
    return golds


def _score(found: Any, gold: Any, ordered: bool, there: bool) -> StepScore:
    right = {_key(item, ordered): item for item in _items(gold)}
    given = {_key(item, ordered): item for item in _items(found)}
    hits = len(right.keys() & given.keys())
    return StepScore(
        exact=there and right.keys() == given.keys(),
        precision=hits / len(given) if given else float(there),
        recall=hits / len(right) if right else float(there),
        missing=tuple(item for key, item in right.items() if key not in given),
        extra=tuple(item for key, item in given.items() if key not in right),
    )


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple | set | frozenset):
        return list(cast("list[Any]", value))
    return [] if value is None else [value]


def _key(item: Any, ordered: bool) -> object:
    """Equal for items that count as the same."""
    if isinstance(item, str):
        return fold(item)
    if isinstance(item, list | tuple):
        parts = [_key(part, ordered) for part in cast("list[Any]", item)]
        return tuple(parts if ordered or len(parts) != 2 else sorted(parts, key=repr))
    if isinstance(item, dict):
        return frozenset((name, _key(value, ordered)) for name, value in cast("dict[str, Any]", item).items())
    return item


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
