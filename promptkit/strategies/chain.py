"""Prompt chaining: named steps, each of which sees what the earlier ones found."""

from typing import Any, ClassVar, Self, cast

from pydantic import Field, PrivateAttr, model_validator

from promptkit.errors import BackendError, ConfigError, TemplateError
from promptkit.extract.text import fold
from promptkit.flow import Flow, ask, gather
from promptkit.strategies.base import ExtractorName, Strategy, checked, read, request
from promptkit.strategies.parsers import Parser
from promptkit.strategies.pool import Pool
from promptkit.strategies.step import Step, StepRun, check_order
from promptkit.templates import Prompt, Template, load
from promptkit.types import AnswerValue, Completion, Question, Result


class Chain(Strategy):
    """Split a task into steps that build on each other (Wu et al., 2022, "AI Chains").

    A step's text is parsed into a value that later steps see by the step's name. A step may run over the list that an
    earlier one gave (a request an item, all side by side), be skipped by a condition, or be any strategy. A request
    holds only what its own template names: change one step, and with a store only that step and those that see its
    value are generated anew.

    A text that cannot be read is shown to the model with what is wrong with it, `Step.retries` times; then the question
    fails. `Result.details["steps"]` holds for every step its `value` and its `runs`: one, or one an item, each with
    `input` (the prompt), `text`, `value`, `retries` and, where there are such, `rejected` (texts that could not be
    read, with the reason), `truncated`, and `result` (what a strategy found); a skipped run is `None`.

    Raises:
        ConfigError: no steps, two of one name, or a step that uses what is not there when its turn comes.
    """

    tag: ClassVar[str] = "chain"

    links: tuple[Step, ...] = Field(min_length=1)
    """The steps, in order."""
    answer: str | None = None
    """The step that gives the answer; unset, the last one that was not skipped."""
    extractor: ExtractorName = "lenient"
    """How the answer is read from that step's text; "whole" takes all of it. The items of a list answer a question of
    kind "set", and the answer of a strategy stays what it is."""

    temperature: float | None = Field(default=None, ge=0)
    """Of the steps that name none; strategies have their own."""

    _prompts: dict[str, Template] = PrivateAttr(default_factory=dict[str, Template])
    _conditions: dict[str, Template] = PrivateAttr(default_factory=dict[str, Template])
    _parsers: dict[str, Parser] = PrivateAttr(default_factory=dict[str, Parser])
    _retry: Template = PrivateAttr()

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the templates and find the parsers."""
        self._retry = load("chain/retry")
        for link in self.links:
            self._prompts[link.name] = link.prompt_template()
            if condition := link.condition():
                self._conditions[link.name] = condition
            if parser := link.parser():
                self._parsers[link.name] = parser

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        check_order(self.links)
        names = [link.name for link in self.links]
        if self.answer is not None and self.answer not in names:
            raise ConfigError(f"there is no step {self.answer!r} to give the answer", hint=f"steps: {', '.join(names)}")
        return self

    def templates(self) -> dict[str, str]:
        """The template files of its steps and of their strategies; texts that stand in a step are part of its value."""
        files = [self._retry, *(self._prompts[link.name] for link in self.links if link.template is not None)]
        return super().templates() | {file.name: file.hash for file in files}

    def inner_strategies(self) -> list[Strategy]:
        """Those of its steps."""
        return [link.strategy for link in self.links if link.strategy is not None]

    def prepare(self, pool: Pool) -> "Flow[Strategy]":
        """The same chain with those steps prepared that need it."""
        links: list[Step] = []
        for link in self.links:
            if link.strategy is not None and link.strategy.needs_pool():
                link = link.model_copy(update={"strategy": (yield from link.strategy.prepare(pool))})
            links.append(link)
        return self.with_fields(links=tuple(links))

    def steps(self, question: Question) -> Flow[Result]:
        """One step after the other, and the items of each side by side."""
        asked = {name: getattr(question, name) for name in ("kind", "choices", "labels")}
        values: dict[str, Any] = {"question": question.text, **asked}
        runs: dict[str, list[StepRun | None]] = {}
        for link in self.links:
            if link.over is None:
                made = [(yield from self._run(link, values, question))]
                values[link.name] = made[0].value if made[0] else None
            else:
                items = _items(link, values)
                made = yield from gather(self._run(link, values | item, question) for item in items)
                values[link.name] = [run.value if run else None for run in made]
            runs[link.name] = made
        details = {
            name: {"value": values[name], "runs": [run.shown() if run else None for run in made]}
            for name, made in runs.items()
        }
        result = self._answer(question, values, runs)
        return result.model_copy(update={"details": result.details | {"steps": details}})

    def _run(self, link: Step, values: dict[str, Any], question: Question) -> Flow[StepRun | None]:
        """Ask until the text can be read; `None` where the step's condition is false."""
        condition = self._conditions.get(link.name)
        if condition and _text(_rendered(link, condition, values)) == "no":
            return None
        first = prompt = _rendered(link, self._prompts[link.name], values)
        rejected: list[dict[str, str]] = []
        parent: Completion | None = None
        while True:
            if link.strategy is None:
                temperature = self.temperature if link.temperature is None else link.temperature
                sampling = {"max_tokens": link.max_tokens or 300, "temperature": temperature, "stop": link.stop}
                parent = yield from ask(request(prompt, purpose=link.name, parent=parent, **sampling))
                result = Result(text=parent.text, truncated=parent.finish_reason == "length")
            else:
                result = checked((yield from link.strategy.steps(_question(link, prompt, question))), link.strategy)
            try:
                return StepRun(_text(first), result, self._value(link, result), tuple(rejected))
            except ValueError as error:
                reason = f"{error}{', and it was cut off by the token limit' if result.truncated else ''}"
                rejected.append({"text": result.text, "error": reason})
                if len(rejected) > link.retries:
                    message = f"step {link.name!r} could not be read in {len(rejected)} attempts: {reason}"
                    raise BackendError(message, hint="reword its prompt, or read it with another parser") from error
            parser = self._parsers.get(link.name)
            told = {"text": result.text, "error": reason, "expected": parser.expected if parser else "the answer"}
            said = {"turns": prompt.messages, "asked": prompt.text if prompt.text is not None else _text(prompt)}
            prompt = _rendered(link, self._retry, {**told, **said})

    def _value(self, link: Step, result: Result) -> Any:
        """What later steps see of a step. Raises `ValueError` where the text cannot be read."""
        parser = self._parsers.get(link.name)
        if parser is None and result.answer is None:
            raise ValueError("there is no answer in it")
        answer: Any = list(result.answer) if isinstance(result.answer, tuple) else result.answer
        value: Any = parser.parse(result.text) if parser else answer
        is_run_over = link.over is None and any(link.name == later.over for later in self.links)
        if is_run_over and not isinstance(cast(object, value), list):
            raise ValueError("it is no list")
        return value

    def _answer(self, question: Question, values: dict[str, Any], runs: dict[str, list[StepRun | None]]) -> Result:
        """The result that the answering step holds."""
        ran = [link for link in self.links if any(runs[link.name])]
        named = [link for link in self.links if link.name == self.answer]
        link = (named or ran or self.links)[-1]
        done = [run for run in runs[link.name] if run]
        if link.over is None and link.strategy is not None and link.kind in (None, question.kind) and done:
            return done[0].result
        text = "\n\n".join(run.result.text for run in done)
        cut = any(run.result.truncated for run in done)
        whole = read(Completion(text=text, finish_reason="length" if cut else "stop"), question, self.extractor)
        if question.kind != "set" or not isinstance(values[link.name], list):
            return whole
        return whole.model_copy(update={"answer": _as_set(values[link.name]), "extraction": None})


def _items(link: Step, values: dict[str, Any]) -> list[dict[str, Any]]:
    """The variables of each item that a step runs over; none where the step that was to give the list was skipped."""
    items: list[Any] = values[str(link.over)] or []
    if len(items) > link.max_items:
        message = f"step {link.over!r} gave {len(items)} items, and {link.name!r} takes at most {link.max_items}"
        raise BackendError(message, hint="ask for fewer, or raise its max_items")
    return [{"item": item, "index": index} for index, item in enumerate(items)]


def _rendered(link: Step, template: Template, values: dict[str, Any]) -> Prompt:
    try:
        return template.render(**values)
    except TemplateError as error:
        # A template may stumble over what the model wrote: that fails this question, not the whole run.
        raise BackendError(f"step {link.name!r} cannot be asked: {error.message}", hint=error.hint) from error


def _text(prompt: Prompt) -> str:
    return "\n\n".join(turn.content for turn in prompt.messages)


def _question(link: Step, prompt: Prompt, question: Question) -> Question:
    other: dict[str, Any] = {"kind": link.kind, "choices": (), "labels": ()} if link.kind else {}
    return question.model_copy(update={"text": _text(prompt), **other})


def _as_set(items: list[Any]) -> AnswerValue | None:
    given = (cast("list[Any]", item) if isinstance(item, list) else [item] for item in items if item is not None)
    texts = [" — ".join(map(str, item)) for item in given]
    return tuple(sorted({fold(text) for text in texts})) or None
