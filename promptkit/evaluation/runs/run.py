"""A run: one strategy on one benchmark with one backend, question by question."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from pydantic import Field

from promptkit.evaluation.benchmarks.scorers import Scorer, by_gold
from promptkit.evaluation.statistics import Interval, wilson
from promptkit.scheduler import Outcome
from promptkit.types import AnswerValue, Call, Data, Example, Extraction, Kind, Price, Result, Usage, Vote

Status: TypeAlias = Literal["correct", "wrong", "unparsed", "truncated", "failed"]
"""What became of a question. Only "correct" counts; each other way of missing is reported apart."""


class CandidateAnswer(Data):
    """One of the samples, or final states, that a strategy chose its answer from. Its texts are in `Sample.calls`."""

    status: Status
    answer: AnswerValue | None = None

    @property
    def votes(self) -> bool:
        """Whether it has a vote: its answer was read, from a completion that was not cut off."""
        return self.status in ("correct", "wrong")


class Sample(Data):
    """One question of a run: what was asked, said, read and how it scored."""

    id: str
    question: str
    kind: Kind
    choices: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    gold: AnswerValue
    status: Status
    scores: dict[str, float] = Field(default_factory=dict[str, float])
    """Where an answer may be right in part: further scores by name, each between 0 and 1."""
    answer: AnswerValue | None = None
    extraction: Extraction | None = None
    text: str = ""
    """The completion that holds the answer."""
    rationale: str = ""
    votes: tuple[Vote, ...] = ()
    candidates: tuple[CandidateAnswer, ...] = ()
    """Of a strategy over several results: what became of each, in their order; those whose call failed come last."""
    details: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What else the strategy says: ids of demonstrations, samples saved, the tree."""
    calls: tuple[Call, ...] = ()
    usage: Usage = Usage()
    error: str | None = None


def score(example: Example, outcome: Outcome[Result], scorer: Scorer = by_gold) -> Sample:
    """Hold a strategy's outcome against the right answer, or against the rules of its benchmark.

    An answer whose completion was cut off counts as truncated, whatever could be read of it.
    """
    question = example.question
    found = outcome.value or Result()
    scored = _scored(outcome.value, example, scorer)
    return Sample(
        id=question.id,
        question=question.text,
        kind=question.kind,
        choices=question.choices,
        labels=question.labels,
        gold=example.gold,
        status=scored.status,
        scores=scored.scores,
        answer=found.answer,
        extraction=found.extraction,
        text=found.text,
        rationale=found.rationale,
        votes=found.votes,
        candidates=_candidates(found, example, scorer),
        details=found.details,
        calls=outcome.trace,
        usage=outcome.usage,
        error=str(outcome.error) if outcome.error is not None else None,
    )


def _candidates(result: Result, example: Example, scorer: Scorer) -> tuple[CandidateAnswer, ...]:
    read = [
        CandidateAnswer(status=_scored(one, example, scorer).status, answer=one.answer) for one in result.candidates
    ]
    failed = [CandidateAnswer(status="failed")] * result.details.get("failed_samples", 0)
    return (*read, *failed)


class _Scored(NamedTuple):
    status: Status
    scores: dict[str, float]


def _scored(result: Result | None, example: Example, scorer: Scorer) -> _Scored:
    if result is None:
        return _Scored("failed", {})
    if result.truncated:
        return _Scored("truncated", {})
    if (scored := scorer(result, example)) is None:
        return _Scored("unparsed", {})
    return _Scored("correct" if scored.right else "wrong", scored.scores)


@dataclass(frozen=True)
class Run:
    """One strategy's finished samples on a benchmark, in the benchmark's order.

    A run that was stopped has some of them; see `missing`.
    """

    strategy: str
    benchmark: str
    backend: str
    samples: tuple[Sample, ...]
    seconds: float
    """Wall-clock seconds. Where strategies ran side by side, its share: at each moment, its part of the calls that
    were under way."""
    run_dir: Path | None = None
    manifest: dict[str, Any] = field(default_factory=dict[str, Any])
    preparation: Usage = field(default_factory=Usage)
    """What making the strategy ready has cost, once for all questions (the rationales of Auto-CoT)."""
    missing: int = 0
    """Questions that were not finished, because the run was stopped. Which ones is no accident: short answers come
    first, so what is there does not stand for the whole."""
    stopped: str = ""
    """Why, where questions are missing."""
    price: Price | None = None
    """Of the backend's tokens; `None` where it is not known."""

    @property
    def n(self) -> int:
        """Questions finished."""
        return len(self.samples)

    def count(self, status: Status) -> int:
        """Questions with this status."""
        return Counter(sample.status for sample in self.samples)[status]

    @property
    def accuracy(self) -> float:
        """Correct answers per question asked, between 0 and 1. Failed, truncated and unparsed ones are not correct."""
        return self.count("correct") / self.n if self.n else 0.0

    @property
    def scores(self) -> dict[str, float]:
        """The mean of each further score over all questions asked; a question without it counts as 0."""
        names = dict.fromkeys(name for sample in self.samples for name in sample.scores)
        return {name: sum(sample.scores.get(name, 0.0) for sample in self.samples) / self.n for name in names}

    @property
    def ci95(self) -> Interval:
        """Wilson score interval of the accuracy, 95 %."""
        return wilson(self.count("correct"), self.n)

    @cached_property
    def usage(self) -> Usage:
        """Calls and tokens of all questions and of the preparation."""
        return sum((sample.usage for sample in self.samples), self.preparation)

    @property
    def cost(self) -> float | None:
        """US dollars that all its tokens cost, stored ones too; `None` where the price is not known."""
        usage = self.usage
        return self.price.of(usage.prompt_tokens, usage.completion_tokens) if self.price else None

    @property
    def paid(self) -> float | None:
        """US dollars of the tokens that did not come from the store."""
        usage = self.usage
        prompt = usage.prompt_tokens - usage.cached_prompt_tokens
        completion = usage.completion_tokens - usage.cached_completion_tokens
        return self.price.of(prompt, completion) if self.price else None

    def to_pandas(self) -> Any:
        """A data frame with a row a question; its columns are those of `promptkit.evaluation.exporting.rows`.

        Raises:
            ConfigError: pandas is not installed.
        """
        from promptkit.evaluation.exporting import to_pandas

        return to_pandas(self)

    def _repr_html_(self) -> str:
        """How notebooks show it."""
        from promptkit.report.notebook import run_html

        return run_html(self)

    def summary(self) -> dict[str, Any]:
        """What `eval --json` prints of it. A run with missing questions has no accuracy yet."""
        statuses: tuple[Status, ...] = ("correct", "wrong", "unparsed", "truncated", "failed")
        usage = self.usage
        return {
            "strategy": self.strategy,
            "benchmark": self.benchmark,
            "backend": self.backend,
            **({"seed": self.manifest["seed"]} if "seed" in self.manifest else {}),
            "n": self.n,
            "missing": self.missing,
            **({"stopped": self.stopped} if self.missing else {}),
            "accuracy": None if self.missing else self.accuracy,
            "ci95": None if self.missing else list(self.ci95),
            **({"scores": self.scores} if self.scores and not self.missing else {}),
            **{status: self.count(status) for status in statuses},
            "usage": {**usage.model_dump(), "cost": self.cost, "paid": self.paid},
            "seconds": round(self.seconds, 3),
            **({"preparation": self.preparation.model_dump()} if self.preparation.calls else {}),
            "run_dir": str(self.run_dir) if self.run_dir else None,
        }
