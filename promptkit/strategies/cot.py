"""Chain of thought: reasoning before the answer, by a trigger phrase or by demonstrations."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, PrivateAttr, model_validator

from promptkit.errors import ConfigError
from promptkit.flow import Flow, ask
from promptkit.strategies.base import ExtractorName, read, request
from promptkit.strategies.demonstrations import Demonstrations, DemonstrationStrategy, names
from promptkit.strategies.triggers import STEP_BY_STEP, answer_trigger
from promptkit.templates import Template, load
from promptkit.types import Question, Result, StopStrings


class CoT(DemonstrationStrategy):
    """Let the model reason before it answers.

    Without demonstrations this is zero-shot CoT (Kojima et al., 2022). Published form, `stages=2`: the trigger
    phrase draws out a rationale; a second request continues it with "Therefore, the answer … is" and reads the
    answer from that. In chat mode the second stage is user, assistant, user. Published limits: `max_tokens=128`,
    `answer_max_tokens=32`; the default of 300 suits chatty models. `stages=1` asks for rationale and answer at once.

    With demonstrations that hold rationales this is manual CoT (Wei et al., 2022), in one stage.
    `Result.details["demos"]` has the ids of those that were shown; one that nearly equals the question is left out.
    """

    tag: ClassVar[str] = "cot"
    with_rationales: ClassVar[bool] = True

    demos: Demonstrations = ()
    """Demonstrations with rationales: a packaged set's name, a YAML file, the demonstrations themselves, or a selector
    that takes them from a pool (`Random`, `Balanced`, `Similar`, `Diverse`) whose questions have rationales."""
    trigger: str = STEP_BY_STEP
    """What draws out the rationale; demonstrations take its place where there are some."""
    stages: Literal[1, 2] | None = None
    """Requests a question; unset, 2 without demonstrations and 1 with them."""
    template: str | None = None
    """Template of the (first) request; unset, the packaged one."""
    answer_template: str | None = None
    """Template of the second stage; unset, the packaged one."""
    max_tokens: PositiveInt = 300
    """Limit of the (first) request."""
    answer_max_tokens: PositiveInt = 32
    """Limit of the second stage."""
    temperature: float | None = Field(default=None, ge=0)
    """Of the rationale. The second stage is always greedy, as published."""
    stop: StopStrings = ("\nQ:",)
    """Texts that end a completion; base models go on with a next question of their own."""
    extractor: ExtractorName | None = None
    """Name of the extractor; unset, "answer" after a second stage (phrase, boxed, first), else "lenient"."""

    _template: Template = PrivateAttr()
    _answer_template: Template | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if self.demos and self.stages == 2:
            raise ConfigError("CoT with demonstrations has one stage", hint="leave out stages=2 or the demos")
        if self.answer_template is not None and (self.demos or self.stages == 1):
            raise ConfigError(
                "CoT asks in one stage here, so its answer_template would not be used",
                hint="leave out answer_template, or the demos and stages=1",
            )
        demos = self.demos if isinstance(self.demos, tuple) else ()
        if missing := [demo.id or demo.question[:40] for demo in demos if not demo.rationale.strip()]:
            raise ConfigError(
                f"demonstration {missing[0]!r} has no rationale",
                hint="chain of thought shows reasoning; or use FewShot",
            )
        return self

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the templates."""
        default = "cot/few-shot" if self.demos else "cot/one-stage" if self.stages == 1 else "cot/zero-shot"
        self._template = load(self.template or default)
        if not self.demos and self.stages != 1:
            self._answer_template = load(self.answer_template or "cot/answer")

    def steps(self, question: Question) -> Flow[Result]:
        """The rationale and, in two stages, the answer drawn from it."""
        demos = self.shown(question)
        variables = {
            "question": question.text,
            "kind": question.kind,
            "choices": question.choices,
            "labels": question.labels,
            "trigger": self.trigger,
            "demos": demos,
        }
        reasoning = yield from ask(
            request(
                self._template.render(**variables),
                purpose="rationale",
                max_tokens=self.max_tokens,
                temperature=self.temperature,
                stop=self.stop,
            )
        )
        if self._answer_template is None:
            details = {"demos": names(demos)} if demos else {}
            return read(reasoning, question, self.extractor or "lenient", rationale=reasoning.text, details=details)
        prompt = self._answer_template.render(
            **variables, rationale=reasoning.text, answer_trigger=answer_trigger(question, therefore=True)
        )
        answer = yield from ask(
            request(
                prompt,
                purpose="answer",
                parent=reasoning,
                max_tokens=self.answer_max_tokens,
                temperature=0,
                stop=self.stop,
            )
        )
        return read(answer, question, self.extractor or "answer", rationale=reasoning.text)
