"""What counts as right, and how much of an answer is: by the gold, or by a benchmark's own rules."""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from promptkit.extract import same
from promptkit.extract.expression import solves
from promptkit.strategies.tree.creative_writing import sentences
from promptkit.strategies.tree.crosswords import score as crossword_score
from promptkit.types import Example, Result


class Scored(NamedTuple):
    """How good an answer is."""

    right: bool
    """What accuracy counts."""
    scores: dict[str, float] = {}  # noqa: RUF012 (a named tuple's default, never changed)
    """Further scores by name, each between 0 and 1, where an answer may be right in part."""


Scorer: TypeAlias = Callable[[Result, Example], Scored | None]
"""Scores a result that was not cut off; `None` where it holds no answer."""


def by_gold(result: Result, example: Example) -> Scored | None:
    """Whether an answer is the gold one; an expression, whether it uses the question's numbers and makes the gold."""
    if result.answer is None:
        return None
    if example.question.kind == "expression":
        return Scored(solves(str(result.answer), example.question.text, str(example.gold)))
    return Scored(same(result.answer, example.gold))


def crossword(result: Result, example: Example) -> Scored | None:
    """The published scores of a mini crossword (Yao et al., 2023): what share of letters and words is right.

    Boards with empty squares are scored too.
    """
    if result.answer is None:
        return None
    found = crossword_score(str(result.answer), str(example.gold))
    return Scored(found.game, {"letters": found.letters, "words": found.words})


def creative_writing(result: Result, example: Example) -> Scored | None:
    """Whether four paragraphs end in the given sentences, in their order; case and punctuation do not count.

    The score `endings` is the share of the sentences' words that stand where they should. How coherent a passage is,
    which the paper had judged by GPT-4 and by people, this does not say.
    """
    paragraphs = [words for part in re.split(r"\n\s*\n", result.text) if (words := _words(part))]
    if not paragraphs:
        return None
    wanted = _words(sentences(example.question))
    left, ended = wanted, 0
    for words in paragraphs:
        # Not every given sentence has a full stop, so where one ends is seen from what the paragraph ends in.
        longest = next((n for n in range(min(len(left), len(words)), 0, -1) if words[-n:] == left[:n]), 0)
        left, ended = left[longest:], ended + bool(longest)
    return Scored(ended == len(paragraphs) == 4 and not left, {"endings": 1 - len(left) / len(wanted)})


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
