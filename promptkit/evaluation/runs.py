"""A run: one strategy on one benchmark with one backend, question by question."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import Field

from promptkit.evaluation.stats import Interval, wilson
from promptkit.extract import same
from promptkit.extract.expression import solves
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


def score(example: Example, outcome: Outcome[Result]) -> Sample:
    """Hold a strategy's outcome against the right answer.

    An answer whose completion was cut off counts as truncated, whatever could be read of it.
    """
    result = outcome.value
    if result is None:
        status: Status = "failed"
    elif result.truncated:
        status = "truncated"
    elif result.answer is None:
        status = "unparsed"
    else:
        status = "correct" if _right(result.answer, example) else "wrong"
    question = example.question
    found = result or Result()
    return Sample(
        id=question.id,
        question=question.text,
        kind=question.kind,
        choices=question.choices,
        gold=example.gold,
        status=status,
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


def _right(answer: AnswerValue, example: Example) -> bool:
    """Whether an answer is the gold one; an expression, whether it uses the question's numbers and makes the gold."""
    if example.question.kind == "expression":
        return solves(str(answer), example.question.text, str(example.gold))
    return same(answer, example.gold)


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
            "n": self.n,
            "accuracy": self.accuracy,
            "ci95": list(self.ci95),
            **{status: self.count(status) for status in statuses},
            "usage": usage.model_dump(
                include={"calls", "prompt_tokens", "completion_tokens", "cached_calls"}
                | ({"uncounted_calls"} if usage.uncounted_calls else set())
            ),
            "seconds": round(self.seconds, 3),
            **({"preparation": self.preparation.model_dump()} if self.preparation.calls else {}),
            "run_dir": str(self.run_dir) if self.run_dir else None,
        }
