"""Self-consistency: sample several answers and return the one that they agree on."""

from collections import Counter
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, PrivateAttr, SerializeAsAny, model_validator

from promptkit.errors import BackendError, ConfigError
from promptkit.flow import Flow, gather, recorded, sampled
from promptkit.strategies.base import Strategy, checked
from promptkit.strategies.voting import (
    Attempt,
    Likeness,
    answers,
    closest,
    embedded_likeness,
    overlap_likeness,
    path_probability,
    vote,
    votes_to_lead,
)
from promptkit.types import Call, Question, Result


class SelfConsistency(Strategy):
    """Sample `n` answers of `inner` and return the one that they agree on (Wang et al., 2022).

    Works over any strategy that leaves its temperature open. The published setting is
    `SelfConsistency(CoT(demos=…), n=40)`: answers that could not be read do not vote, and ties go to the answer seen
    first; `details["tie"]` then lists those that tied. Samples that were cut off or failed do not vote either;
    `details["failed_samples"]` counts the failed ones, and only when all have failed does the question fail.

    Sample i is the same whatever `n`, `vote` and `adaptive` are: going from 8 samples to 16 generates 8.

    Raises:
        ConfigError: all samples would be the same, or the settings contradict each other; when it runs, a weighted
            vote on a backend that gives no log-probabilities.
    """

    tag: ClassVar[str] = "self-consistency"

    inner: SerializeAsAny[Strategy]
    """What is sampled."""
    n: PositiveInt = 10
    """Samples a question, at most; the paper uses 40 and finds most of the gain by 10."""
    temperature: float = Field(default=0.7, ge=0)
    """Of the requests of `inner` that leave theirs open; the paper takes 0.5 to 0.7."""
    vote: Literal["majority", "weighted", "similarity", "overlap"] = "majority"
    """How the answer is chosen.

    - "majority": the most frequent.
    - "weighted": each vote counts as much as its sample is probable: the length-normalised probability of rationale and
      answer. Needs a backend that gives log-probabilities.
    - "similarity", "overlap": for free text, where hardly two answers are equal: the answer most like all others, by
      sentence embeddings or by character n-grams.
    """
    adaptive: float | None = Field(default=None, gt=0.5, lt=1)
    """Stop as soon as the leading answer is ahead of the runner-up with this probability (Aggarwal et al., 2023, take
    0.95); `n` is then the maximum, and `details["saved_samples"]` says how many were not needed."""
    embedder: str = "all-minilm-l6-v2"
    """What measures similarity: a name that `promptkit.embedding.embedder` knows."""

    _likeness: Likeness | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Find what measures likeness."""
        if self.vote == "similarity":
            self._likeness = embedded_likeness(self.embedder)
        elif self.vote == "overlap":
            self._likeness = overlap_likeness()

    @model_validator(mode="after")
    def _samples_can_differ(self) -> Self:
        if self.n > 1 and self.temperature == 0:
            raise ConfigError(
                f"{self.n} samples at temperature 0 are {self.n} times the same",
                hint="raise the temperature or use n=1",
            )
        if self.n > 1 and (fixed := _greedy(self.inner)):
            raise ConfigError(
                f"{type(fixed).__name__} has temperature 0, so all {self.n} samples would be the same",
                hint="leave its temperature unset",
            )
        return self

    @model_validator(mode="after")
    def _votes_make_sense(self) -> Self:
        if self.adaptive is not None and self.vote != "majority":
            raise ConfigError(
                f'adaptive sampling counts equal answers, which vote="{self.vote}" does not',
                hint='use vote="majority" or leave out adaptive',
            )
        if self.vote == "weighted" and _votes(self.inner):
            raise ConfigError(
                "the inner SelfConsistency returns the answer of many samples, which has no probability to weigh it by",
                hint='use vote="majority" outside, and "weighted" inside if you like',
            )
        return self

    def steps(self, question: Question) -> Flow[Result]:
        """All samples side by side, or wave by wave where sampling is adaptive; then the vote."""
        attempts: list[Attempt] = []
        weights: list[float] = []
        while wave := self._next(attempts):
            for attempt, weight in (yield from gather(self._attempt(question, index) for index in wave)):
                attempts.append(attempt)
                weights.append(weight)
        result = self._elect(attempts, weights)
        if self.adaptive is None:
            return result
        return result.model_copy(update={"details": result.details | {"saved_samples": self.n - len(attempts)}})

    def _next(self, attempts: list[Attempt]) -> range:
        """The samples to draw now.

        An adaptive wave is as large as it takes to end the sampling when all of it votes for the leader. Less would
        not do, so waves draw exactly the samples that one at a time would, and batches are as large as that allows.
        """
        done = len(attempts)
        if self.adaptive is None:
            return range(done, self.n)
        return range(done, min(self.n, done + votes_to_lead(Counter(answers(attempts)), self.adaptive)))

    def _attempt(self, question: Question, index: int) -> Flow[tuple[Attempt, float]]:
        """One sample and the weight of its vote."""
        calls: list[Call] = []
        flow = sampled(self.inner.steps(question), index, self.temperature)
        weighted = self.vote == "weighted"
        try:
            result = checked((yield from recorded(flow, calls) if weighted else flow), self.inner)
        except BackendError as error:
            return error, 0.0
        return result, path_probability(calls) if weighted else 1.0

    def _elect(self, attempts: list[Attempt], weights: list[float]) -> Result:
        if self._likeness is not None:
            return closest(attempts, self._likeness)
        return vote(attempts, weights if self.vote == "weighted" else None)


def _greedy(strategy: Strategy) -> Strategy | None:
    """The strategy among this one and its inner ones for which all samples would be the same, if it can be told.

    One with templates besides those of its inner ones asks something of its own, and may sample around greedy ones.
    """
    if getattr(strategy, "temperature", None) == 0:
        return strategy
    inner = strategy.inner_strategies()
    found = [_greedy(one) for one in inner]
    asks_itself = strategy.templates().keys() - {name for one in inner for name in one.templates()}
    return found[0] if found and all(found) and not asks_itself else None


def _votes(strategy: Strategy) -> bool:
    return isinstance(strategy, SelfConsistency) or any(_votes(inner) for inner in strategy.inner_strategies())
