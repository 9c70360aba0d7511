"""A strategy: the question is shown twice."""

from importlib.resources import files
from typing import ClassVar

from pydantic import PositiveInt

from promptkit import Flow, Question, Result, Strategy, ask
from promptkit.strategies.base import read, request
from promptkit.templates import Template

# A template of the package's own is read as text, so that it is found wherever the package is installed.
_TEMPLATE = Template("re-reading", files(__package__).joinpath("re_reading.j2").read_text(encoding="utf-8"))


class ReReading(Strategy):
    """Show the question twice and ask for its answer (Xu et al., 2023, "Re-Reading Improves Reasoning")."""

    tag: ClassVar[str] = "re-reading"

    max_tokens: PositiveInt = 300

    def templates(self) -> dict[str, str]:
        """The hash of its template, for the manifest of a run."""
        return {_TEMPLATE.name: _TEMPLATE.hash}

    def steps(self, question: Question) -> Flow[Result]:
        """One request, one answer."""
        prompt = _TEMPLATE.render(question=question.text)
        completion = yield from ask(request(prompt, purpose="answer", max_tokens=self.max_tokens))
        return read(completion, question, "lenient")
