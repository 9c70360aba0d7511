"""Game of 24: combine four numbers to 24 with + - * / and parentheses."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import ClassVar

from promptkit.errors import ConfigError
from promptkit.extract import extractor_for
from promptkit.extract.expression import hand, parse, solves
from promptkit.strategies.tree.growth import Thought
from promptkit.strategies.tree.problem import Problem
from promptkit.templates import Prompt
from promptkit.types import Question, Result

TARGET = "24"
_STEP = re.compile(r"([^=]+)=\s*(\S+)\s*\(left: ([^()]*)\)\s*")


class Game24(Problem):
    """Game of 24 as published (Yao et al., 2023), which is also how it is searched unless the strategy says otherwise:
    lists of next steps, three judgements in a word, the best 5 states of each of 4 levels, temperature 0.7.

    The question holds the numbers: "4 5 6 10" or a text in which they stand in a row. A state is the lines so far,
    each ended by a line feed. Every line of a reply is a candidate, junk included. A state whose last line says that
    only 24 is left is asked for the whole expression; all others see nothing but the numbers left.
    """

    tag: ClassVar[str] = "game24"
    uses: ClassVar[tuple[str, ...]] = ("propose", "answer", "value", "value-answer")
    limits: ClassVar[Mapping[str, int]] = {"propose": 300, "answer": 100, "value": 200}
    stops: ClassVar[Mapping[str, tuple[str, ...]]] = dict.fromkeys(("propose", "answer", "value"), ("\nInput:",))

    check_answer: bool = True
    """The answer is the first of the final states that uses each number once and comes to 24, else the first of all.
    The rules of the game decide this, no known answer does; the published count of solved puzzles is the same.
    `False` takes the first."""
    legal_only: bool = False
    """Whether steps are dropped whose arithmetic is wrong, or whose numbers left are not what results."""

    def check(self, question: Question) -> None:
        """Refuse a question without numbers."""
        if not hand(question.text):
            raise ConfigError(f"no numbers to combine in {question.text[:60]!r}", hint="write them like: 4 5 6 10")

    def stage(self, question: Question, state: str, purpose: str) -> str:
        """Where only 24 is left, the expression is asked for."""
        return "answer" if self._left(question, state) == TARGET else purpose

    def variables(self, question: Question, state: str, depth: int) -> dict[str, object]:
        """`left`, the numbers left as the last line says them, and `numbers`, those of the puzzle."""
        more = {"left": self._left(question, state), "numbers": " ".join(map(str, hand(question.text)))}
        return super().variables(question, state, depth) | more

    def judgements(self, question: Question, state: str) -> tuple[Prompt, ...]:
        """The numbers left are judged, or the expression where the last line is no step."""
        line = _last(state)
        if "left: " in line:
            return (self.prompt("value", question, state),)
        return (self.prompt("value-answer", question, state, answer=line.lower().replace("answer: ", "")),)

    def thoughts(self, question: Question, state: str, replies: Sequence[str]) -> list[Thought]:  # noqa: ARG002
        """Every line, as it stands."""
        return [Thought(line) for reply in replies for line in reply.split("\n")]

    def value(self, question: Question, state: str, words: Sequence[tuple[str, ...]]) -> float:
        """The words' values; 0 for four lines without an answer."""
        if len(state.strip().split("\n")) == 4 and "answer" not in state.lower():
            return 0.0
        return super().value(question, state, words)

    def allows(self, question: Question, state: str) -> bool:
        """Whether the last step is legal, where only such steps may stay."""
        if not self.legal_only:
            return True
        before, _, line = state.removesuffix("\n").rpartition("\n")
        if self._left(question, before) == TARGET:
            return "answer" in line.lower()
        return _legal(self._left(question, before), line)

    def finished(self, question: Question, state: str) -> bool:
        """Four lines, the last of which gives an answer (a right one, where answers are checked)."""
        if len(state.strip().split("\n")) < 4:
            return False
        answer = self.result(question, state).answer
        return answer is not None and (not self.check_answer or solves(str(answer), question.text, TARGET))

    def result(self, question: Question, state: str) -> Result:
        """The expression in the last line; a step is none."""
        line = _last(state)
        read = extractor_for(question.model_copy(update={"kind": "expression"}))
        found = None if "left: " in line else read(line)
        steps = state.removesuffix(f"{line}\n")
        return Result(answer=found.value if found else None, text=line, extraction=found, rationale=steps)

    def choose(self, question: Question, results: Sequence[Result]) -> int:
        """The first that is right by the rules of the game, else the first."""
        right = (solves(str(result.answer), question.text, TARGET) for result in results)
        return next((place for place, good in enumerate(right) if good and self.check_answer), 0)

    def _left(self, question: Question, state: str) -> str:
        """The numbers left, as the last line says them; a line that says none is taken as it stands."""
        if not state:
            return " ".join(map(str, hand(question.text)))
        return _last(state).split("left: ")[-1].split(")")[0]


def _last(state: str) -> str:
    return state.strip().split("\n")[-1]


def _legal(left: str, line: str) -> bool:
    """Whether a line combines two of the numbers left and says rightly what results."""
    step = _STEP.fullmatch(line.strip())
    operation = parse(step[1]) if step else None
    before, after = _numbers(left), _numbers(step[3]) if step else None
    if not step or not operation or len(operation.numbers) != 2 or before is None or after is None:
        return False
    used, result = Counter(operation.numbers), operation.value
    return (
        result is not None
        and _numbers(step[2]) == Counter([result])
        and used <= before
        and after == before - used + Counter([result])
    )


def _numbers(text: str) -> Counter[Fraction] | None:
    found = [parse(word) for word in text.split()]
    values = [one.value for one in found if one and one.value is not None]
    return Counter(values) if len(values) == len(found) else None
