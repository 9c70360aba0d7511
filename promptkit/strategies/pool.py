"""The pool: worked questions that demonstrations may be taken from, never those that are asked."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from promptkit.errors import ConfigError
from promptkit.paths import packaged
from promptkit.strategies.near_duplicates import NearDuplicates
from promptkit.types import Demonstration, Kind, PoolItem, Question

PACKAGED: dict[Kind, tuple[str, ...]] = {
    "number": ("gsm8k-style", "multiarith-style"),
    "yesno": ("pools/yesno",),
    "choice": ("pools/choice",),
    "date": ("pools/date",),
    "text": ("pools/text",),
    "label": ("sentiment-train",),
}
"""The packaged question sets of each kind of answer that can serve as a pool, the best first."""


def _words(text: str) -> int:
    return len(text.split())


@dataclass(frozen=True)
class Pool:
    """Questions of one kind of answer, with their right answers where those are known."""

    items: tuple[PoolItem, ...]
    source: str
    """Where they come from: a packaged set, or the file."""
    leaks: bool = False
    """Whether they are the very questions of the test, as in the published Auto-CoT; results must say so."""
    count_tokens: Callable[[str], int] = _words
    """Tokens of a text in the model's own count, for budgets of demonstrations."""

    @property
    def kind(self) -> Kind:
        """What sort of answer its questions have."""
        return self.items[0].question.kind

    def demonstrations(self) -> tuple[Demonstration, ...]:
        """All items whose answer is known, as demonstrations."""
        return tuple(item.demonstration() for item in self.items if item.answer)

    def without(self, questions: Iterable[str]) -> "Pool":
        """The same pool without the items that nearly equal one of these questions.

        Raises:
            ConfigError: nothing is left.
        """
        found = NearDuplicates(item.question.text for item in self.items)
        same = {place for question in questions for place in found.of(question)}
        left = tuple(item for place, item in enumerate(self.items) if place not in same)
        if not left:
            raise ConfigError(f"every question of the pool {self.source} is asked too", hint="give another pool")
        return replace(self, items=left)

    def counted_by(self, count_tokens: Callable[[str], int]) -> "Pool":
        """The same pool for a model with its own count of tokens."""
        return replace(self, count_tokens=count_tokens)


def packaged_pool(kind: Kind, without: str = "") -> Pool:
    """The packaged pool of a kind of answer.

    Args:
        kind: of the answers.
        without: name of the set that is being asked, which must not be its own pool.

    Raises:
        ConfigError: there is none.
    """
    name = next((name for name in PACKAGED.get(kind, ()) if name != without), None)
    if name is None:
        known = ", ".join(PACKAGED)
        raise ConfigError(
            f"there is no packaged pool of questions with answers of kind {kind!r}",
            hint=f"give one with pool= or --pool (packaged are pools for: {known})",
        )
    found = sorted((packaged("evals")).glob(f"{name}.json*"))
    items = tuple(_items(found[0].read_text(encoding="utf-8"), kind, name))
    return Pool(items, name)


def _items(text: str, kind: Kind, name: str) -> Iterator[PoolItem]:
    """The questions of a packaged file: a JSON list, or one object a line."""
    rows: list[dict[str, Any]] = (
        json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    )
    labels = tuple(sorted({row["answer"] for row in rows})) if kind == "label" else ()
    for place, row in enumerate(rows):
        if "sQuestion" in row:
            answer, rationale = f"{row['lSolutions'][0]:g}", ""
        else:
            rationale, _, answer = str(row["answer"]).rpartition("####")
        question = Question(
            text=row.get("sQuestion") or row["question"],
            kind=kind,
            labels=labels,
            choices=tuple(row.get("choices", ())),
            id=f"{name}-{place}",
        )
        rationale = re.sub(r"<<[^<>]*>>", "", rationale).strip()  # GSM8K's calculator annotations
        yield PoolItem(question=question, answer=answer.strip(), rationale=rationale)
