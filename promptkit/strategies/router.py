"""Router: choose, question by question, which of several strategies answers it."""

from collections.abc import Sequence
from math import exp, log2
from typing import Any, ClassVar, Self

from pydantic import Field, PositiveInt, PrivateAttr, SerializeAsAny, model_validator

from promptkit.errors import BackendError, ConfigError
from promptkit.flow import Flow
from promptkit.strategies.base import Strategy
from promptkit.strategies.values import Value
from promptkit.types import Question, Result


class Route(Value):
    """What is known of one strategy: the chance that it is right, as a logistic function of a question's features.

    chance = 1 / (1 + exp(-(base + agreement·a + length·l + near·s))), with a, l and s as in `Router`.
    """

    name: str
    """What `Result.details["route"]` and `KnownQuestion.right` call it."""
    base: float = Field(default=0.0, allow_inf_nan=False)
    agreement: float = Field(default=0.0, allow_inf_nan=False)
    length: float = Field(default=0.0, allow_inf_nan=False)
    near: float = Field(default=0.0, allow_inf_nan=False)
    tokens: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """It generated so many a question in the run that the router was made from."""

    def chance(self, agreement: float, length: float, near: float) -> float:
        """How probable it is that the strategy is right, between 0 and 1."""
        logit = self.base + self.agreement * agreement + self.length * length + self.near * near
        return 1 / (1 + exp(-max(-50.0, min(50.0, logit))))


class KnownQuestion(Value):
    """A question of the run that the router was made from."""

    text: str
    right: tuple[str, ...] = ()
    """Names of the routes whose strategies answered it correctly."""


class Router(Strategy):
    """Answer each question with the strategy that is most probably right for it.

    It looks at three cheap features of a question:

    - agreement: the share of a few samples that gave the same answer (`probe`, a `SelfConsistency` over few samples);
    - length: log2 of its characters;
    - near: the share of the most similar known questions that a strategy answered correctly.

    `promptkit route` makes one from finished runs and says what it would have gained on questions it has not seen.
    Predicting correctness from known questions to choose among models is in Shnitzer et al. (2023), arXiv:2309.15789,
    and Hu et al. (2024), RouterBench, arXiv:2403.12031; here the choice is among strategies on one model.

    `details` of a result say which route was taken (`route`), the features, and each strategy's chance.

    Raises:
        ConfigError: routes and strategies do not fit together, or a feature is weighed without what measures it.
    """

    tag: ClassVar[str] = "router"

    strategies: tuple[SerializeAsAny[Strategy], ...] = Field(min_length=1)
    """What is chosen among."""
    routes: tuple[Route, ...]
    """One a strategy, in the same order. Of equal chances the first is taken."""
    probe: SerializeAsAny[Strategy] | None = None
    """Run on every question where agreement is weighed; its first samples are shared with a longer vote over the same
    strategy, so with a store they cost nothing twice."""
    worth: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Tokens that one right answer more may cost; unset, tokens do not matter."""
    known: tuple[KnownQuestion, ...] = ()
    """Questions of the runs that it was made from, where nearness is weighed."""
    neighbours: PositiveInt = 10
    """How many known questions are looked at."""
    embedder: str = "all-minilm-l6-v2"
    """What measures similarity: a name that `promptkit.embedding.embedder` knows."""

    _vectors: Any = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [route.name for route in self.routes]
        if len(names) != len(self.strategies) or len(set(names)) < len(names):
            raise ConfigError(f"{len(self.strategies)} strategies need as many routes with different names")
        if any(route.agreement for route in self.routes) and self.probe is None:
            raise ConfigError("a route weighs agreement, but there is no probe whose samples could agree")
        if any(route.near for route in self.routes) and not self.known:
            raise ConfigError("a route weighs near questions, but none is known")
        return self

    def steps(self, question: Question) -> Flow[Result]:
        """The probe where agreement counts, then the chosen strategy."""
        agreement = 0.0
        if self.probe is not None and any(route.agreement for route in self.routes):
            try:
                agreement = (yield from self.probe.steps(question)).agreement or 0.0
            except BackendError:
                agreement = 0.0  # as for samples that failed in the runs that it was made from
        length = length_of(question.text)
        near = self._near(question.text)
        chances = [route.chance(agreement, length, share) for route, share in zip(self.routes, near, strict=True)]
        place = best([self._value(*pair) for pair in zip(self.routes, chances, strict=True)])
        result = yield from self.strategies[place].steps(question)
        details: dict[str, Any] = {
            "route": self.routes[place].name,
            "agreement": round(agreement, 4),
            "length": round(length, 4),
            "chances": {route.name: round(chance, 4) for route, chance in zip(self.routes, chances, strict=True)},
        }
        return result.model_copy(update={"details": result.details | details})

    def _value(self, route: Route, chance: float) -> float:
        return chance - (route.tokens / self.worth if self.worth else 0.0)

    def _near(self, text: str) -> list[float]:
        """For each route the share of the nearest known questions that its strategy answered correctly."""
        if not any(route.near for route in self.routes):
            return [0.0] * len(self.routes)
        from promptkit.embedding import embedder  # inside, since it brings numpy, which few strategies need

        measure = embedder(self.embedder)
        if self._vectors is None or type(self._vectors[0]) is not type(measure):  # a plan makes do with words
            measure = measure.fit([one.text for one in self.known])
            self._vectors = (measure, measure.embed([one.text for one in self.known]))
        measure, vectors = self._vectors
        alike: list[float] = (vectors @ measure.embed([text])[0]).tolist()
        others = [place for place, one in enumerate(self.known) if one.text != text]  # nobody is a neighbour of himself
        nearest = sorted(others, key=lambda place: -alike[place])[: self.neighbours]
        found = [self.known[place] for place in nearest]
        return [sum(route.name in one.right for one in found) / max(1, len(found)) for route in self.routes]


def length_of(text: str) -> float:
    """The feature `length` of a question."""
    return log2(len(text))


def best(values: Sequence[float]) -> int:
    """The place of the greatest value, the first of several."""
    return max(range(len(values)), key=lambda place: values[place])
