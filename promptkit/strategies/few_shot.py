"""Few-shot: demonstrations of question and answer before the question."""

from typing import Any, ClassVar, Self

from pydantic import Field, PositiveInt, PrivateAttr, model_validator

from promptkit.errors import ConfigError
from promptkit.flow import Flow, ask
from promptkit.strategies.base import ExtractorName, read, request
from promptkit.strategies.demonstrations import Demonstrations, DemonstrationStrategy, names
from promptkit.templates import Template, load
from promptkit.types import Question, Result, StopStrings


class FewShot(DemonstrationStrategy):
    """Show demonstrations (question and answer, no reasoning), then ask (Brown et al., 2020).

    In chat mode each demonstration is a user turn and an assistant turn. `Result.details["demos"]` has the ids of those
    that were shown; one that nearly equals the question is left out.
    """

    tag: ClassVar[str] = "few-shot"

    demos: Demonstrations = ()
    """The demonstrations: a packaged set's name, a YAML file, the demonstrations themselves, or a selector that takes
    them from a pool (`Random`, `Balanced`, `Similar`, `Diverse`)."""
    template: str = "few-shot/plain"
    """Template name or file."""
    max_tokens: PositiveInt = 300
    """Limit of new tokens."""
    temperature: float | None = Field(default=None, ge=0)
    """Unset, a wrapper's, else the backend's own (greedy on local models); 0 is greedy in any case."""
    stop: StopStrings = ("\nQ:",)
    """Texts that end a completion; base models go on with a next question of their own."""
    extractor: ExtractorName = "lenient"
    """Name of the extractor: phrase, boxed, else the last value."""

    _template: Template = PrivateAttr()

    @model_validator(mode="after")
    def _demos_are_there(self) -> Self:
        if self.demos == ():
            raise ConfigError("FewShot needs demos", hint="give a set, a file or a selector; or use ZeroShot")
        return self

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the template."""
        self._template = load(self.template)

    def steps(self, question: Question) -> Flow[Result]:
        """One request, one answer."""
        demos = self.shown(question)
        prompt = self._template.render(
            question=question.text,
            kind=question.kind,
            choices=question.choices,
            labels=question.labels,
            demos=demos,
        )
        completion = yield from ask(
            request(prompt, purpose="answer", max_tokens=self.max_tokens, temperature=self.temperature, stop=self.stop)
        )
        return read(completion, question, self.extractor, details={"demos": names(demos)})
