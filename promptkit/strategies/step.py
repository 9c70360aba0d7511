"""A step of a chain: what is asked, how its text is read, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    Field,
    NonNegativeInt,
    PositiveInt,
    SerializationInfo,
    SerializeAsAny,
    ValidationError,
    field_serializer,
    model_validator,
)

from promptkit.errors import ConfigError, TemplateError
from promptkit.strategies.base import Strategy
from promptkit.strategies.parsers import Parser, parser_for
from promptkit.templates import Template, load
from promptkit.types import Data, Result, StopStrings

OF_QUESTION = ("question", "kind", "choices", "labels")
"""The variables that every step's template sees."""
OF_ITEM = ("item", "index")
"""Those that a step sees besides that runs over a list: the item and its place, from 0."""


class Step(Data):
    """A step of a `Chain`: a prompt or a whole strategy, and how its text becomes a value.

    Its template sees the question (`question`, `kind`, `choices`, `labels`) and the value of every earlier step by
    name; a step that was skipped is `none`.

    Raises:
        ConfigError: a setting makes no sense, or a template is missing or broken.
    """

    name: str
    """What templates, `over` and `Result.details` call it: a word of letters, digits and "_"."""
    template: str | None = None
    """Its prompt: name or file of a template."""
    prompt: str | None = None
    """The Jinja text itself, in place of a file. A strategy with neither is asked the question as it is."""
    strategy: SerializeAsAny[Strategy] | None = None
    """What answers the prompt, in place of one request: any strategy."""
    kind: Literal["number", "yesno", "date", "text", "set"] | None = None
    """What sort of answer the strategy is asked for; unset, that of the chain's question."""
    parse: str | None = None
    """How the text is read: "text", "number", "list", "set", "pairs", "json", or a name that `register_parser` made
    known. Unset, "text"; a strategy's value is then its answer."""
    model: type[BaseModel] | None = None
    """With `parse="json"`, the pydantic model that the value must fit. A chain that has one cannot be saved."""
    over: str | None = None
    """An earlier step that gives a list: this one is asked for every item, side by side, and gives a list too."""
    max_items: PositiveInt = 100
    """A longer list fails the question, so that a rambling model cannot run up the cost."""
    when: str | None = None
    """A Jinja expression; where it is false the step, or the item, is skipped: "pairs | length > 1"."""
    retries: NonNegativeInt = 2
    """How often it is asked again, and told what was wrong, where its text cannot be read."""
    max_tokens: PositiveInt | None = None
    """Limit of new tokens; unset, 300."""
    temperature: float | None = Field(default=None, ge=0)
    """Unset, that of the chain."""
    stop: StopStrings = ()
    """Texts that end a completion."""

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise ConfigError(f"step {fields.get('name', '')!r}: {where}: {problem['msg']}") from error

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if problem := self._problem():
            raise ConfigError(f"step {self.name!r}: {problem[0]}", hint=problem[1])
        return self

    def _problem(self) -> tuple[str, str] | None:
        """What is wrong with the settings, and what to do about it."""
        if self.name in (*OF_QUESTION, *OF_ITEM, "loop") or not _is_variable(self.name):
            taken = ", ".join((*OF_QUESTION, *OF_ITEM))
            return "templates could not read its value by this name", f"use one word; {taken} are taken"
        if self.template is not None and self.prompt is not None:
            return "it has both template= and prompt=", "keep one"
        if self.strategy is None:
            if self.template is None and self.prompt is None:
                return "it asks nothing", "give it template=, prompt= or strategy="
            if self.kind is not None:
                return "kind= is for the answer of a strategy", 'use parse=, for example parse="number"'
        elif self.kind is not None and self.strategy.needs_pool():
            reason = "its strategy takes demonstrations from a pool with the kind of answer of the chain's question"
            return f"{reason}, so it cannot be asked for a {self.kind}", "leave out kind=, or give it demonstrations"
        elif self.max_tokens is not None or self.temperature is not None or self.stop:
            return "max_tokens, temperature and stop are the strategy's own", "set them there"
        if self.model is not None and self.parse != "json":
            return "model= goes with the parser of JSON", 'add parse="json"'
        return None

    @field_serializer("model")
    def _name_of_model(self, model: type[BaseModel] | None, info: SerializationInfo) -> Any:
        if model is None or info.mode == "python":
            return model
        if info.context == "file":
            raise ValueError(f"step {self.name!r} holds the Python class {model.__name__}, which no file can")
        return f"{model.__module__}.{model.__qualname__}"

    # -- read once, when the chain is made --------------------------------------------------------

    def prompt_template(self) -> Template:
        """What it asks."""
        if self.template is not None:
            return load(self.template)
        return Template(f"{self.name} (a step)", "{{ question }}" if self.prompt is None else self.prompt)

    def condition(self) -> Template | None:
        """A template that says "yes" where the step is to run; `None` where it always does."""
        if self.when is None:
            return None
        return Template(f"when of {self.name}", "{% if " + self.when + " %}yes{% else %}no{% endif %}")

    def parser(self) -> Parser | None:
        """How its text is read; `None` where a strategy's answer is its value."""
        if self.parse is None and self.strategy is not None:
            return None
        return parser_for(self.parse or "text", self.model)

    def gives_list(self) -> bool:
        """Whether a later step can run over its value."""
        parser = self.parser()
        return self.over is not None or (parser.gives_list if parser else self.kind == "set")


@dataclass(frozen=True)
class StepRun:
    """What became of one step, or of one item of a step that runs over a list, once its text could be read."""

    input: str
    result: Result
    value: Any
    rejected: tuple[dict[str, str], ...]

    def shown(self) -> dict[str, Any]:
        """What `Result.details` says about it."""
        told = self.result.model_dump(mode="json", exclude={"text", "truncated"}, exclude_defaults=True)
        return {
            "input": self.input,
            "text": self.result.text,
            "value": self.value,
            "retries": len(self.rejected),
            **({"rejected": list(self.rejected)} if self.rejected else {}),
            **({"truncated": True} if self.result.truncated else {}),
            **({"result": told} if told else {}),
        }


def check_order(steps: Sequence[Step]) -> None:
    """Raise a `ConfigError` unless every step uses only what is there when its turn comes."""
    known: dict[str, Step] = {}
    for step in steps:
        where = f"step {step.name!r}"
        earlier = f"earlier steps: {', '.join(known) or 'none'}"
        if step.name in known:
            raise ConfigError(f"two steps have the name {step.name!r}", hint="give each its own")
        if step.over is not None and step.over not in known:
            raise ConfigError(f"{where} runs over {step.over!r}, which is no earlier step", hint=earlier)
        if step.over is not None and not known[step.over].gives_list():
            hint = 'read that step with parse="list", "set", "pairs" or "json"'
            raise ConfigError(f"{where} runs over {step.over!r}, which gives no list", hint=hint)
        condition = step.condition()
        used = step.prompt_template().variables | (condition.variables if condition else frozenset[str]())
        odd = sorted(used - {*OF_QUESTION, *known, *(OF_ITEM if step.over else ())})
        if odd and odd[0] in OF_ITEM:
            raise ConfigError(f"{where} uses {odd[0]!r}, but runs over no list", hint="give it over=")
        if odd:
            hint = f"templates see {', '.join(OF_QUESTION)}; {earlier}"
            raise ConfigError(f"{where} uses {odd[0]!r}, which is no earlier step", hint=hint)
        known[step.name] = step


def _is_variable(name: str) -> bool:
    try:
        return name.isidentifier() and Template("name", f"{{{{ {name} }}}}").variables == frozenset({name})
    except TemplateError:
        return False
