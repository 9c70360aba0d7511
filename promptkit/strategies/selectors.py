"""Selectors: how demonstrations are taken from a pool of worked questions.

FewShot(Similar(4))                    # the four nearest to each question
CoT(Balanced(8, seed=1, max_tokens=900))
"""

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field, PositiveInt, SerializerFunctionWrapHandler, model_serializer

from promptkit.embedding import MINILM, Embedder, Vectors, embedder
from promptkit.errors import ConfigError
from promptkit.strategies.candidates import Candidates, Order, candidates, shuffled
from promptkit.strategies.clustering import k_means
from promptkit.strategies.near_duplicates import NearDuplicates
from promptkit.strategies.pool import Pool
from promptkit.strategies.values import Value
from promptkit.types import Demonstration, Question


class Selector(Value):
    """Base of selectors. No two demonstrations that are selected nearly equal each other."""

    select: ClassVar[str] = ""
    """Its name in files."""

    k: PositiveInt = 8
    """How many demonstrations."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of whatever is drawn."""
    max_tokens: PositiveInt | None = Field(default=None, kw_only=True)
    """Limit of all demonstrations together, in the model's own count (`Pool.count_tokens`), without what the chat
    template adds. One that does not fit any more is passed over; there may then be fewer than `k`."""

    def __str__(self) -> str:
        """Its settings, as the command line takes them: "select=similar,k=4"."""
        shown = [f"select={self.select}", f"k={self.k}"]
        for name, field in type(self).model_fields.items():
            if name != "k" and (value := getattr(self, name)) != field.default:
                shown.append(f"{'demo_tokens' if name == 'max_tokens' else name}={value}")
        return ",".join(shown)

    @model_serializer(mode="wrap")
    def _with_name(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"select": self.select, **handler(self)}


class Fixed(Selector):
    """Base of selectors that show the same demonstrations whatever is asked."""

    order: Literal["selected", "random"] = Field(default="selected", kw_only=True)
    """In which order they are shown."""

    def choose(self, pool: Pool, *, rationales: bool = False) -> tuple[Demonstration, ...]:
        """The demonstrations.

        Args:
            pool: where they are taken from.
            rationales: whether only questions with a rationale will do.

        Raises:
            ConfigError: the pool has too few that will do, or none fits into `max_tokens`.
        """
        found = candidates(pool, rationales=rationales)
        taken = found.best(self._ranking(found), self.k, self.max_tokens)
        found.check(len(taken), self.k, self.max_tokens)
        return found.demonstrations(taken, self.order, str(self.seed))

    @abstractmethod
    def _ranking(self, found: Candidates) -> Iterable[int]:
        """The places of the candidates, the best first."""


class Random(Fixed):
    """Demonstrations drawn at random."""

    select: ClassVar[str] = "random"

    def _ranking(self, found: Candidates) -> Iterable[int]:
        return shuffled(range(len(found.items)), str(self.seed))


class Balanced(Fixed):
    """Demonstrations drawn at random from each answer in turn, so that a model does not take one for the usual one.

    With a limit of tokens, only questions that take no more than their share of it are drawn.
    """

    select: ClassVar[str] = "balanced"

    def _ranking(self, found: Candidates) -> Iterable[int]:
        share = math.inf if self.max_tokens is None else self.max_tokens / self.k
        answers: dict[str, list[int]] = {}
        for place in shuffled(range(len(found.items)), str(self.seed)):
            if found.tokens[place] <= share:
                answers.setdefault(found.items[place].answer.casefold(), []).append(place)
        return _in_turn(answers.values())


class Diverse(Fixed):
    """Demonstrations that cover the pool: of each of `k` clusters (k-means) the most central, the largest first."""

    select: ClassVar[str] = "diverse"

    embedder: str = MINILM
    """A name that `promptkit.embedding.embedder` knows."""

    def _ranking(self, found: Candidates) -> Iterable[int]:
        vectors = embedder(self.embedder).fit(found.texts).embed(found.texts)
        return _in_turn(sorted(k_means(vectors, self.k, self.seed), key=len, reverse=True))


class Similar(Selector):
    """The demonstrations nearest to the question (Liu et al., 2022), anew for every question."""

    select: ClassVar[str] = "similar"

    embedder: str = MINILM
    """A name that `promptkit.embedding.embedder` knows."""
    order: Order = Field(default="nearest-last", kw_only=True)
    """In which order they are shown; "selected" shows the nearest first."""

    def fitted(self, pool: Pool, *, rationales: bool = False) -> "Nearest":
        """The pool, embedded and ready to be asked for what is near.

        Args:
            pool: where the demonstrations are taken from.
            rationales: whether only questions with a rationale will do.

        Raises:
            ConfigError: the pool has too few that will do, or none fits into `max_tokens`.
        """
        found = candidates(pool, rationales=rationales)
        cheapest = sorted(range(len(found.items)), key=found.tokens.__getitem__)
        found.check(len(found.best(cheapest, self.k, self.max_tokens)), self.k, self.max_tokens)
        encoder = embedder(self.embedder).fit(found.texts)
        return Nearest(self, found, encoder, encoder.embed(found.texts), NearDuplicates(found.texts))


@dataclass(frozen=True, eq=False)
class Nearest:
    """What `Similar` makes of a pool."""

    selector: Similar
    found: Candidates
    encoder: Embedder
    vectors: Vectors
    duplicates: NearDuplicates

    def choose(self, question: Question) -> tuple[Demonstration, ...]:
        """The demonstrations for a question. None of them nearly equals it."""
        likeness = self.vectors @ self.encoder.embed([question.text])[0]
        same = set(self.duplicates.of(question.text))
        ranking = (place for place in map(int, (-likeness).argsort(kind="stable")) if place not in same)
        taken = self.found.best(ranking, self.selector.k, self.selector.max_tokens)
        return self.found.demonstrations(taken, self.selector.order, f"{self.selector.seed} {question.text}")


AnySelector: TypeAlias = Random | Balanced | Similar | Diverse
SELECTORS: dict[str, type[AnySelector]] = {one.select: one for one in (Random, Balanced, Similar, Diverse)}
"""By their names in files, `select: similar`."""


def selector(settings: Mapping[str, Any]) -> AnySelector:
    """The selector that a mapping says, such as `{"select": "similar", "k": 4}`.

    Raises:
        ConfigError: there is no such selector, or a setting makes no sense.
    """
    fields = dict(settings)
    name = str(fields.pop("select", None))
    if name not in SELECTORS:
        raise ConfigError(f"there is no selector {name!r}", hint=f"choose one of {', '.join(SELECTORS)}")
    if odd := fields.keys() - SELECTORS[name].model_fields.keys():
        known = ", ".join(SELECTORS[name].model_fields)
        raise ConfigError(f"the selector {name!r} has no setting {min(map(str, odd))!r}", hint=f"it has {known}")
    return SELECTORS[name](**fields)


def _in_turn(groups: Iterable[Iterable[int]]) -> list[int]:
    """The first of every group, then the second of every group, and so on."""
    return [place for places in zip_longest(*groups) for place in places if place is not None]
