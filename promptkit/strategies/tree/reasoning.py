"""Word problems and other questions that are answered by reasoning, one step a thought."""

import re
from collections.abc import Mapping
from typing import ClassVar

from pydantic import PositiveInt

from promptkit.extract import extractor_for
from promptkit.strategies.tree.evaluate import Value
from promptkit.strategies.tree.generate import Sample
from promptkit.strategies.tree.problem import Problem
from promptkit.strategies.tree.search import BFS
from promptkit.types import Question, Result

_STEP_NUMBER = re.compile(r"(?i)\A[\s*#]*step\s+\d{1,3}\s*[:.)][\s*]*")


class Reasoning(Problem):
    """Any question with an answer that can be read: each thought is one step of the reasoning, one line.

    A state is finished when its last line gives the answer ("The answer is …"). At the last level the model is told
    that this step must give it. The defaults are small enough for a model of half a billion parameters: three samples
    a state, one judgement each, the best two of each level, five levels.
    """

    tag: ClassVar[str] = "reasoning"
    uses: ClassVar[tuple[str, ...]] = ("sample", "propose", "value", "vote")
    limits: ClassVar[Mapping[str, int]] = {"sample": 100, "value": 60, "vote": 200}
    stops: ClassVar[Mapping[str, tuple[str, ...]]] = {"sample": ("\n",)}

    depth: PositiveInt = 5

    def generator(self) -> Sample:
        """Three samples a state."""
        return Sample(3)

    def evaluator(self) -> Value:
        """One judgement a state, read generously."""
        return Value(1, exact=False)

    def search(self) -> BFS:
        """The best two of each level."""
        return BFS(width=2)

    def thought(self, question: Question, state: str, reply: str) -> str | None:  # noqa: ARG002
        """The first line that is not empty, without its number."""
        text = _STEP_NUMBER.sub("", reply).strip()
        return text.split("\n")[0].strip() or None

    def finished(self, question: Question, state: str) -> bool:
        """The last line is an answer."""
        lines = state.splitlines()
        return bool(lines) and extractor_for(question, "strict")(lines[-1]) is not None

    def result(self, question: Question, state: str) -> Result:
        """The answer of the last line, else the last value of the steps."""
        found = extractor_for(question, "lenient")(state)
        return Result(answer=found.value if found else None, text=state, extraction=found, rationale=state)
