"""Scores of the single steps of a chain: which step goes wrong?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from promptkit.errors import ConfigError
from promptkit.evaluation.runs import Sample
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
