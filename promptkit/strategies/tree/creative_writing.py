"""Creative writing: a passage of four paragraphs that end in four given sentences."""

import re
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, PositiveInt

from promptkit.strategies.tree.evaluate import Vote
from promptkit.strategies.tree.generate import Sample
from promptkit.strategies.tree.problem import Problem
from promptkit.strategies.tree.search import BFS
from promptkit.types import Question, Result

TASK = "Write a coherent passage of four short paragraphs. The paragraphs must end in these sentences, in this order:\n"
"""How a benchmark's question begins, for strategies that know nothing of the problem."""
_HEADING = re.compile(r"(?i)\A[\s*#_]*(?:plan|passage)[\s*_]*:[\s*_]*")


class CreativeWriting(Problem):
    """Creative writing as published (Yao et al., 2023): five plans are voted on, then five passages that follow the
    best of them; five votes each, temperature 1.

    The question is the sentences in which the paragraphs are to end. The answer is the passage.
    """

    tag: ClassVar[str] = "creative-writing"
    uses: ClassVar[tuple[str, ...]] = ("plan", "passage", "vote")
    limits: ClassVar[Mapping[str, int]] = {"plan": 300, "passage": 800, "vote": 300}

    depth: PositiveInt = 2
    temperature: float = Field(default=1.0, ge=0)

    def variables(self, question: Question, state: str, depth: int) -> dict[str, object]:
        """`question` is the sentences alone."""
        return super().variables(question, state, depth) | {"question": sentences(question)}

    def generator(self) -> Sample:
        """Five samples a level."""
        return Sample(5)

    def evaluator(self) -> Vote:
        """Five votes a level."""
        return Vote(5)

    def search(self) -> BFS:
        """The best one of each level."""
        return BFS(width=1)

    def stage(self, question: Question, state: str, purpose: str) -> str:  # noqa: ARG002
        """First the plan, then the passage."""
        return "passage" if state else "plan"

    def thought(self, question: Question, state: str, reply: str) -> str | None:  # noqa: ARG002
        """The reply without its heading; a plan ends where the model goes on to write the passage."""
        text = _HEADING.sub("", reply).strip()
        if not state:
            text = re.split(r"(?mi)^[\s*#_]*passage[\s*_]*:", text)[0].strip()
        return text or None

    def extend(self, state: str, thought: str) -> str:
        """Plan and passage with their headings."""
        return f"{state}\nPassage:\n{thought}\n" if state else f"Plan:\n{thought}\n"

    def finished(self, question: Question, state: str) -> bool:  # noqa: ARG002
        """With the passage all is written."""
        return "\nPassage:\n" in state

    def result(self, question: Question, state: str) -> Result:  # noqa: ARG002
        """The passage; the plan is its rationale."""
        plan, _, passage = state.partition("\nPassage:\n")
        return Result(answer=passage.strip() or None, text=passage.strip(), rationale=plan)


def sentences(question: Question) -> str:
    """The sentences in which the paragraphs are to end."""
    return question.text.removeprefix(TASK)
