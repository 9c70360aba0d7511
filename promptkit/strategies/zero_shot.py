"""Zero-shot: the question alone, or the question with the demand for the bare answer."""

from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveInt, PrivateAttr

from promptkit.flow import Flow, ask
from promptkit.strategies.base import ExtractorName, Strategy, read, request
from promptkit.strategies.triggers import answer_trigger
from promptkit.templates import Template, load
from promptkit.types import Question, Result, StopStrings


class ZeroShot(Strategy):
    """Ask the question without examples.

    `style="plain"` is the bare task: the model may reason as it likes, within the token limit that chain of thought
    has too, so that the two compare fairly. `style="direct"` demands the answer alone, which forbids reasoning; in
    completion mode it is the zero-shot baseline of Kojima et al. (2022): `Q: …`, `A: The answer (arabic numerals) is`,
    32 new tokens.
    """

    tag: ClassVar[str] = "zero-shot"

    style: Literal["plain", "direct"] = "plain"
    """What is asked for: "plain" lets the model reason, "direct" forbids it."""
    template: str | None = None
    """Template name or file; unset, the packaged one of the style."""
    max_tokens: PositiveInt | None = None
    """Limit of new tokens; unset, 300 for "plain" and 32 for "direct"."""
    temperature: float | None = Field(default=None, ge=0)
    """Unset, a wrapper's, else the backend's own (greedy on local models); 0 is greedy in any case."""
    stop: StopStrings = ("\nQ:",)
    """Texts that end a completion; base models go on with a next question of their own."""
    extractor: ExtractorName | None = None
    """Name of the extractor; unset, "lenient" for "plain" (phrase, boxed, last) and "answer" for "direct"."""

    _template: Template = PrivateAttr()

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the template."""
        self._template = load(self.template or f"zero-shot/{self.style}")

    def steps(self, question: Question) -> Flow[Result]:
        """One request, one answer."""
        direct = self.style == "direct"
        prompt = self._template.render(
            question=question.text,
            kind=question.kind,
            choices=question.choices,
            labels=question.labels,
            answer_trigger=answer_trigger(question),
        )
        completion = yield from ask(
            request(
                prompt,
                purpose="answer",
                max_tokens=self.max_tokens or (32 if direct else 300),
                temperature=self.temperature,
                stop=self.stop,
            )
        )
        return read(completion, question, self.extractor or ("answer" if direct else "lenient"))
