"""Mini crosswords: five words across and five down, from their clues."""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

from promptkit.errors import ConfigError
from promptkit.strategies.tree.evaluate import Value
from promptkit.strategies.tree.generate import Propose
from promptkit.strategies.tree.growth import Thought
from promptkit.strategies.tree.problem import Problem
from promptkit.strategies.tree.search import DFS
from promptkit.templates import Prompt
from promptkit.types import Question, Result

CONFIDENCE = {"certain": 1.0, "high": 0.5, "medium": 0.2, "low": 0.1}
"""What the model's own words for its confidence are worth, as published."""
PLACES = tuple(f"{direction}{number}" for direction in "hv" for number in range(1, 6))
"""The words' names: h1 to h5 across from the top, v1 to v5 down from the left."""
EMPTY = "_"
_CLUE = re.compile(r"(?m)^[ \t]*([hv][1-5])[.:][ \t]*(\S.*?)[ \t]*$")
_PROPOSAL = re.compile(r"([hv][1-5])\. ([a-zA-Z]{5}) \((certain|high|medium|low)\).*")


class CrosswordScore(NamedTuple):
    """How much of a crossword is right."""

    letters: float
    """Share of the 25 letters."""
    words: float
    """Share of the 10 words."""
    game: bool
    """Whether all is."""


class Crosswords(Problem):
    """5×5 crosswords as published (Yao et al., 2023), searched depth first with pruning, 100 states at most.

    The question holds ten clues, one a line: "h1. …" to "h5. …" across, "v1. …" to "v5. …" down. A thought is a word
    for a place ("h2. motor"). Proposals of several lists are added up by the confidence that the model gives them. A
    state is pruned when any word of which two letters or more are known is judged impossible. A word that changes a
    letter, or none at all, is rejected. The answer is the five rows in lower case.
    """

    tag: ClassVar[str] = "crosswords"
    uses: ClassVar[tuple[str, ...]] = ("propose", "value")
    worth: ClassVar[Mapping[str, float]] = {"sure": 1.0, "maybe": 1.0, "impossible": 0.0}
    limits: ClassVar[Mapping[str, int]] = {"propose": 300, "value": 150}

    depth: int = 10

    def generator(self) -> Propose:
        """Eight lists, as the authors drew."""
        return Propose(8)

    def evaluator(self) -> Value:
        """One judgement a word."""
        return Value(1)

    def search(self) -> DFS:
        """The published limits."""
        return DFS()

    def check(self, question: Question) -> None:
        """Refuse a question without the ten clues."""
        if missing := [place for place in PLACES if place not in clues(question)]:
            raise ConfigError(f"the crossword has no clue {missing[0]}", hint="write ten lines, h1. … to v5. …")

    def variables(self, question: Question, state: str, depth: int) -> dict[str, object]:
        """`board`, five lines; `filled` and `unfilled`, lines such as "h1. clue: mot__"."""
        board, asked = board_of(state), clues(question)
        lines = {place: f"{place}. {asked[place]}: {word(board, place)}" for place in PLACES}
        done = [place for place in PLACES if EMPTY not in word(board, place)]
        return super().variables(question, state, depth) | {
            "board": "\n".join(word(board, place) for place in PLACES[:5]),
            "filled": tuple(lines[place] for place in done),
            "unfilled": tuple(lines[place] for place in PLACES if place not in done),
        }

    def judgements(self, question: Question, state: str) -> tuple[Prompt, ...]:
        """One prompt for each word of which two letters or more are known."""
        board, asked = board_of(state), clues(question)
        known = [(asked[place], word(board, place)) for place in PLACES if word(board, place).count(EMPTY) < 4]
        return tuple(
            self.prompt("value", question, state, clue=clue, letters=" ".join(letters)) for clue, letters in known
        )

    def thoughts(self, question: Question, state: str, replies: Sequence[str]) -> list[Thought]:  # noqa: ARG002
        """The words proposed, the most confident first."""
        scores: dict[str, float] = {}
        for proposal in (_PROPOSAL.match(line) for reply in replies for line in reply.split("\n")):
            if proposal:
                text = f"{proposal[1]}. {proposal[2].lower()}"
                scores[text] = scores.get(text, 0.0) + CONFIDENCE[proposal[3]]
        ranked = sorted(scores, key=lambda text: -scores[text])
        return [Thought(text, scores[text]) for text in ranked]

    def value(self, question: Question, state: str, words: Sequence[tuple[str, ...]]) -> float:  # noqa: ARG002
        """0 where any word is judged impossible, else 1 and one more for each that is sure."""
        said = [one for several in words for one in several]
        return 0.0 if "impossible" in said else 1.0 + said.count("sure")

    def allows(self, question: Question, state: str) -> bool:  # noqa: ARG002
        """Whether the last word agrees with all letters before it, and adds one."""
        before, _, last = state.removesuffix("\n").rpartition("\n")
        board, (place, _, letters) = board_of(before), last.partition(". ")
        there = word(board, place)
        fits = all(old in (EMPTY, new) for old, new in zip(there, letters.upper(), strict=True))
        return fits and EMPTY in there

    def finished(self, question: Question, state: str) -> bool:  # noqa: ARG002
        """No empty square."""
        return EMPTY not in board_of(state)

    def result(self, question: Question, state: str) -> Result:  # noqa: ARG002
        """The five rows, also where squares are empty."""
        board = board_of(state)
        rows = [word(board, place) for place in PLACES[:5]]
        return Result(answer=" ".join(rows).lower(), text="\n".join(rows), rationale=state)


def clues(question: Question) -> dict[str, str]:
    """The clue of each place, as far as the question gives them."""
    return {match[1]: match[2] for match in _CLUE.finditer(question.text)}


def board_of(state: str) -> str:
    """The 25 squares, row by row; an empty one is "_"."""
    board = [EMPTY] * 25
    for line in state.splitlines():
        place, _, letters = line.partition(". ")
        board[_squares(place)] = letters.upper()
    return "".join(board)


def word(board: str, place: str) -> str:
    """The five letters at a place of a board."""
    return board[_squares(place)]


def score(answer: str, gold: str) -> CrosswordScore:
    """Hold a board against the right one. Both are 25 letters row by row; white space and case are ignored."""
    found, right = ("".join(board.split()).upper() for board in (answer, gold))
    if len(right) != 25:
        raise ConfigError(f"a board has 25 letters, not {len(right)}", hint="give the five rows")
    found = found[:25].ljust(25, EMPTY)
    letters = sum(a == b for a, b in zip(found, right, strict=True))
    words = sum(word(found, place) == word(right, place) for place in PLACES)
    return CrosswordScore(letters / 25, words / 10, found == right)


def _squares(place: str) -> slice:
    first = int(place[1]) - 1
    return slice(first * 5, first * 5 + 5) if place[0] == "h" else slice(first, 25, 5)
