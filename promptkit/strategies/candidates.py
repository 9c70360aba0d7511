"""Candidates: the questions of a pool that can become demonstrations, and taking the best of them that fit."""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from promptkit.errors import ConfigError
from promptkit.strategies.near_duplicates import nearly_equal
from promptkit.strategies.pool import Pool
from promptkit.types import Demonstration, PoolItem

Order: TypeAlias = Literal["selected", "nearest-last", "random"]
"""In which order demonstrations are shown: as they were selected, the other way round, or shuffled."""


@dataclass(frozen=True)
class Candidates:
    """Questions with all that a demonstration needs."""

    items: Sequence[PoolItem]
    tokens: Sequence[int]
    """What each one takes of a limit."""
    source: str
    """The pool."""

    @property
    def texts(self) -> list[str]:
        """The questions."""
        return [item.question.text for item in self.items]

    def best(self, ranking: Iterable[int], k: int, max_tokens: int | None) -> list[int]:
        """The first `k` places of a ranking that fit and differ.

        One that takes more tokens than are left, or that nearly equals one taken before, is passed over.
        """
        taken: list[int] = []
        left = math.inf if max_tokens is None else max_tokens
        for place in ranking:
            text = self.items[place].question.text
            if self.tokens[place] > left or any(nearly_equal(text, self.items[i].question.text) for i in taken):
                continue
            taken.append(place)
            left -= self.tokens[place]
            if len(taken) == k:
                break
        return taken

    def check(self, found: int, k: int, max_tokens: int | None) -> None:
        """Raise a `ConfigError` if too few were found; a limit of tokens excuses all but none."""
        if found == 0:
            raise ConfigError(f"no demonstration of {self.source} fits into {max_tokens} tokens", hint="allow more")
        if found < k and max_tokens is None:
            raise ConfigError(
                f"the pool {self.source} has only {found} different questions, and {k} are wanted",
                hint="lower k or give a larger pool",
            )

    def demonstrations(self, taken: Sequence[int], order: Order, seed: str) -> tuple[Demonstration, ...]:
        """Those at some places, in an order."""
        arranged = {"selected": taken, "nearest-last": taken[::-1], "random": shuffled(taken, seed)}[order]
        return tuple(self.items[place].demonstration() for place in arranged)


def candidates(pool: Pool, *, rationales: bool) -> Candidates:
    """The questions of a pool whose answer is known and, where they are to be shown, the rationale too.

    Raises:
        ConfigError: there are none.
    """
    items = [item for item in pool.items if item.answer and (item.rationale or not rationales)]
    if not items:
        lacking = "rationales" if any(item.answer for item in pool.items) else "answers"
        raise ConfigError(
            f"the questions of the pool {pool.source} have no {lacking}",
            hint="give a pool that has them, such as GSM8K's training split; or use FewShot, which shows none, "
            "or AutoCoT, which lets the model write them",
        )
    return Candidates(items, [pool.count_tokens(_shown(item, rationales)) for item in items], pool.source)


def shuffled(places: Iterable[int], seed: str) -> list[int]:
    """The places in an order that the seed decides."""
    found = list(places)
    random.Random(seed).shuffle(found)
    return found


def _shown(item: PoolItem, rationales: bool) -> str:
    """A demonstration as the text whose tokens are counted."""
    demo = item.demonstration()
    return f"Q: {demo.question}\nA: {f'{demo.rationale} ' if rationales else ''}The answer is {demo.answer}."
