"""Pools whose questions lie where a test says, and a model for them."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from promptkit import FakeBackend, Question
from promptkit.errors import BackendError
from promptkit.strategies.pool import Pool
from promptkit.types import Completion, PoolItem, Request

TOPICS = ("apples in baskets", "trains and stations", "painted fences")
Reply = Callable[[int], str | Completion | BackendError]


def item(place: int, answer: str = "") -> PoolItem:
    """Question `place`; those of one topic share its words."""
    words = " ".join(f"{TOPICS[place % 3].split()[0]}{place}x{word}" for word in range(5))
    text = f"Number {place} about {TOPICS[place % 3]}: {words}?"
    return PoolItem(question=Question(text=text, id=f"q{place}"), answer=answer)


class Placed:
    """Embeds question `place` where the test says: one row of coordinates a question."""

    def __init__(self, rows: Sequence[Sequence[float]]) -> None:
        self.rows = rows

    @classmethod
    def at(cls, rows: Sequence[Sequence[float]]) -> "Callable[[str], Placed]":
        def embedder(_name: str) -> Placed:
            return cls(rows)

        return embedder

    def fit(self, texts: Sequence[str]) -> "Placed":
        assert all(text.startswith("Q: ") and text.endswith("\nA:") for text in texts)
        return self

    def embed(self, texts: Sequence[str]) -> Any:
        return np.asarray([self.rows[_place(text)] for text in texts], dtype=np.float32)


def _place(text: str) -> int:
    return int(re.findall(r"Number (\d+) about", text)[-1])


LINE = [[100.0 * (place % 3) + place, 0.0] for place in range(9)]
"""Three clusters 0 3 6, 1 4 7, 2 5 8; their centres are 3, 4, 5."""


def pool(n: int = 9, answer: str = "7") -> Pool:
    return Pool(tuple(item(place, answer) for place in range(n)), "here")


def model(rationale: Reply = lambda place: f"It is {place} and more.\nSo it is 7.", answer: str = "7") -> FakeBackend:
    """Answers the second stage of zero-shot CoT with `answer`, and questions with demonstrations with 5."""

    def reply(request: Request) -> Any:
        if request.purpose == "answer":
            return answer if "Number" in request.text else "5"
        drawn = "A: Let's think" in request.text and "Number" in request.text
        return rationale(_place(request.text)) if drawn else "The answer is 5."

    return FakeBackend(reply)


def asked(backend: FakeBackend) -> list[int]:
    """The questions that a rationale was made for."""
    return [_place(call.text) for call in backend.calls if call.purpose == "rationale"]
