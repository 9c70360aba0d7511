"""Texts judged: running a judge on them, its points criterion by criterion, and its agreement with code and people."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from promptkit.backends.base import Backend
from promptkit.budget import Meter
from promptkit.errors import BudgetError
from promptkit.evaluation.judging.agreement import Agreement, agreement
from promptkit.evaluation.judging.judge import Item, Judge, Judgement, Verdict
from promptkit.evaluation.judging.pairwise import PairJudge, PairVerdict, Preference
from promptkit.evaluation.judging.rubric import Criterion, Rubric
from promptkit.evaluation.statistics.paired_points import PointsDifference, points_difference
from promptkit.scheduler import Outcome, run_flows
from promptkit.types import Usage

OnJudged: TypeAlias = Callable[[int, int], None]
"""Told how many texts are judged, of how many."""


@dataclass(frozen=True)
class Judged:
    """One set of texts under one judge."""

    source: str
    """Whose texts they are: the strategy of a run, or the name of a file."""
    judge: str
    """The backend that judged, and how it was asked."""
    rubric: Rubric
    items: tuple[Item, ...]
    judgements: tuple[Judgement, ...]
    """One an item, in their order."""
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0

    def verdicts(self, criterion: str) -> list[Verdict]:
        """What was said by one criterion, one a text."""
        return [next(v for v in one.verdicts if v.criterion == criterion) for one in self.judgements]

    def values(self, criterion: str) -> dict[str, str]:
        """Id → the judge's verdict, where it was read."""
        pairs = zip(self.judgements, self.verdicts(criterion), strict=True)
        return {judgement.id: verdict.value for judgement, verdict in pairs if verdict.value is not None}

    def checked(self, criterion: str) -> dict[str, str]:
        """Id → what code said, where the rubric has it check this criterion."""
        pairs = zip(self.judgements, self.verdicts(criterion), strict=True)
        return {judgement.id: verdict.checked for judgement, verdict in pairs if verdict.checked is not None}

    def labels(self, criterion: str) -> dict[str, str]:
        """Id → what people said, where they did."""
        return {item.id: item.labels[criterion] for item in self.items if criterion in item.labels}

    @cached_property
    def scores(self) -> tuple["CriterionScore", ...]:
        """One a criterion, in the order of the rubric."""
        return tuple(_score(self, criterion) for criterion in self.rubric.criteria)

    @property
    def points(self) -> float:
        """The sum of all points; verdicts that were not read give none."""
        return sum(judgement.points for judgement in self.judgements)

    @property
    def unread_points(self) -> float:
        """What the verdicts that were not read could have given."""
        return sum(score.unread_points for score in self.scores)

    @property
    def maximum(self) -> float:
        """Points of perfect texts."""
        return self.rubric.maximum * len(self.judgements)

    def summary(self) -> dict[str, Any]:
        """What `judge --json` prints of it."""
        return {
            "source": self.source,
            "judge": self.judge,
            "rubric": self.rubric.name,
            "n": len(self.judgements),
            "points": self.points,
            "unread_points": self.unread_points,
            "maximum": self.maximum,
            "criteria": [score.summary() for score in self.scores],
            "usage": self.usage.model_dump(include={"calls", "prompt_tokens", "completion_tokens", "cached_calls"}),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class CriterionScore:
    """One criterion over all texts."""

    criterion: Criterion
    points: float
    counts: Mapping[str, int]
    """Verdict of the judge → texts; those that were not read by the reason: unread, cut, failed."""
    unread_points: float
    """What the verdicts that were not read, and that would have counted, could have given."""
    with_code: Agreement | None
    """Judge and code; `None` where code checks nothing."""
    with_people: Agreement | None
    """Judge and labels; `None` where there are none."""

    def summary(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "criterion": self.criterion.name,
            "points": self.points,
            "verdicts": dict(self.counts),
            "counted": "check" if self.criterion.check and self.criterion.counts == "check" else "judge",
            "with_code": self.with_code.summary() if self.with_code else None,
            "with_labels": self.with_people.summary() if self.with_people else None,
        }


def _score(judged: Judged, criterion: Criterion) -> CriterionScore:
    verdicts = judged.verdicts(criterion.name)
    counts = Counter(verdict.value or verdict.reading for verdict in verdicts)
    labels = judged.labels(criterion.name)
    given, code = judged.values(criterion.name), judged.checked(criterion.name)
    return CriterionScore(
        criterion=criterion,
        points=sum(verdict.points or 0.0 for verdict in verdicts),
        counts={name: counts[name] for name in (*criterion.values, "unread", "cut", "failed") if counts[name]},
        unread_points=criterion.points * sum(verdict.points is None for verdict in verdicts),
        with_code=compare_verdicts(given, code, criterion) if code else None,
        with_people=compare_verdicts(given, labels, criterion) if labels else None,
    )


def compare_verdicts(one: Mapping[str, str], other: Mapping[str, str], criterion: Criterion) -> Agreement:
    """Agreement of two judges by one criterion: Cohen's kappa, of a scale with quadratic weights."""
    weights = "none" if criterion.scale is None else "quadratic"
    return agreement(one, other, criterion.values, weights=weights)


def judge_texts(
    judge: Judge,
    items: Sequence[Item],
    backend: Backend,
    *,
    source: str = "texts",
    seed: int = 0,
    on_judged: OnJudged | None = None,
    meter: Meter | None = None,
) -> Judged:
    """Judge texts by a rubric, all criteria of all texts in one stream of requests.

    Args:
        judge: rubric and strategy.
        items: the texts, with ids that differ.
        backend: the judge's model.
        source: whose texts they are, for tables.
        seed: of all sampling.
        on_judged: told after every text.
        meter: says how much may be asked.

    Raises:
        BudgetError: the meter stopped it before every text was judged.
        BackendError: the backend cannot go on at all. Single failed calls fail their verdict only.
    """
    began = time.perf_counter()
    judgements, usage = _run([judge.steps(item) for item in items], backend, seed, on_judged, meter)
    return Judged(
        source=source,
        judge=backend.name,
        rubric=judge.rubric,
        items=tuple(items),
        judgements=tuple(judgements),
        usage=usage,
        seconds=time.perf_counter() - began,
    )


def judge_pairs(
    judge: PairJudge,
    found: Sequence[tuple[Item, Item]],
    backend: Backend,
    *,
    seed: int = 0,
    on_judged: OnJudged | None = None,
    meter: Meter | None = None,
) -> Preference:
    """Judge pairs of texts (see `pairwise.pairs`), each in both orders.

    Raises:
        BudgetError: the meter stopped it before every pair was judged.
        BackendError: the backend cannot go on at all.
    """
    verdicts: list[PairVerdict] = _run([judge.steps(pair) for pair in found], backend, seed, on_judged, meter)[0]
    return Preference(tuple(verdicts))


def compare_points(a: Judged, b: Judged, *, seed: int = 0) -> PointsDifference | None:
    """The paired difference of two writers' points, over the texts of which every verdict that counts was read.

    `None` where there is no such text that both have written.
    """
    points = {judgement.id: judgement.points for judgement in a.judgements if judgement.complete}
    both = [one for one in b.judgements if one.complete and one.id in points]
    if not both:
        return None
    return points_difference([points[one.id] for one in both], [one.points for one in both], seed=seed)


def _run(
    flows: list[Any], backend: Backend, seed: int, on_judged: OnJudged | None, meter: Meter | None
) -> tuple[list[Any], Usage]:
    done: dict[int, Any] = {}
    usage = Usage()
    outcome: Outcome[Any]
    if meter:
        meter.runs_on(backend)
    for outcome in run_flows(flows, backend, seed=seed, meter=meter):
        if outcome.error is not None:
            raise outcome.error
        done[outcome.index] = outcome.value
        usage += outcome.usage
        if on_judged:
            on_judged(len(done), len(flows))
    if meter and len(done) < len(flows):
        raise BudgetError(f"{len(done)} of {len(flows)} were judged: {meter.reason}")
    return [done[place] for place in sorted(done)], usage


def all_failed(judged: Judged) -> str | None:
    """The first error where every call failed."""
    verdicts = [verdict for judgement in judged.judgements for verdict in judgement.verdicts]
    return verdicts[0].text if verdicts and all(verdict.reading == "failed" for verdict in verdicts) else None
