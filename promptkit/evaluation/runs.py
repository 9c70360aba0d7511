"""A run: one strategy on one benchmark with one backend, question by question."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import Field

from promptkit.evaluation.scorers import Scorer, by_gold
from promptkit.evaluation.stats import Interval, wilson
from promptkit.scheduler import Outcome
from promptkit.types import AnswerValue, Call, Data, Example, Extraction, Kind, Result, Usage, Vote

Status: TypeAlias = Literal["correct", "wrong", "unparsed", "truncated", "failed"]
"""What became of a question. Only "correct" counts; each other way of missing is reported apart."""


class Sample(Data):
    """One question of a run: what was asked, said, read and how it scored."""

    id: str
    question: str
    kind: Kind
    choices: tuple[str, ...] = ()
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
    scored = None if outcome.value is None or found.truncated else scorer(found, example)
    if outcome.value is None:
        status: Status = "failed"
    elif found.truncated:
        status = "truncated"
    elif scored is None:
        status = "unparsed"
    else:
        status = "correct" if scored.right else "wrong"
    return Sample(
        id=question.id,
        question=question.text,
        kind=question.kind,
        choices=question.choices,
        gold=example.gold,
        status=status,
        scores=scored.scores if scored else {},
        answer=found.answer,
        extraction=found.extraction,
        text=found.text,
        rationale=found.rationale,
        votes=found.votes,
        details=found.details,
        calls=outcome.trace,
        usage=outcome.usage,
        error=str(outcome.error) if outcome.error is not None else None,
    )


@dataclass(frozen=True)
class Run:
    """One strategy's finished samples on a benchmark, in the benchmark's order."""

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

    @property
    def n(self) -> int:
        """Questions asked."""
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

    @property
    def usage(self) -> Usage:
        """Calls and tokens of all questions and of the preparation."""
        return sum((sample.usage for sample in self.samples), self.preparation)

    def summary(self) -> dict[str, Any]:
        """What `eval --json` prints of it."""
        statuses: tuple[Status, ...] = ("correct", "wrong", "unparsed", "truncated", "failed")
        usage = self.usage
        return {
            "strategy": self.strategy,
            "benchmark": self.benchmark,
            "backend": self.backend,
            **({"seed": self.manifest["seed"]} if "seed" in self.manifest else {}),
            "n": self.n,
            "accuracy": self.accuracy,
            "ci95": list(self.ci95),
            **({"scores": self.scores} if self.scores else {}),
            **{status: self.count(status) for status in statuses},
            "usage": usage.model_dump(include={"calls", "prompt_tokens", "completion_tokens", "cached_calls"}),
            "seconds": round(self.seconds, 3),
            **({"preparation": self.preparation.model_dump()} if self.preparation.calls else {}),
            "run_dir": str(self.run_dir) if self.run_dir else None,
        }
