"""What a strategy is: a frozen value with one method, `steps`, that says which requests answer a question.

To write one, subclass `Strategy`, give it a `tag` and fields, and write `steps` as a flow (see `promptkit.flow`).
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeAlias, cast

from pydantic import (
    AfterValidator,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticSerializationError

from promptkit import plugins
from promptkit.backends.base import Backend
from promptkit.errors import BackendError, ConfigError
from promptkit.extract import extractor_for
from promptkit.extract import is_name as is_extractor
from promptkit.extract import names as extractor_names
from promptkit.flow import Flow
from promptkit.paths import working_folder_only
from promptkit.scheduler import OnCall, Outcome, run_flows
from promptkit.strategies.pool import Pool, packaged_pool
from promptkit.strategies.values import Value, first_problem
from promptkit.strategies.yaml_files import read_yaml, write_yaml
from promptkit.templates import Prompt, Template
from promptkit.types import Call, Completion, Question, Request, Result, Sampling, Usage

_REGISTRY: "dict[str, type[Strategy]]" = {}


def _known(name: str) -> str:
    if not is_extractor(name):
        raise ValueError(f"there is no extractor {name!r}; choose one of {', '.join(extractor_names())}")
    return name


ExtractorName: TypeAlias = Annotated[str, AfterValidator(_known)]
"""Field type: the name of an extractor, checked when the strategy is made."""


class Strategy(Value):
    """Base of all strategies: an immutable value that compares, hashes, and goes to and from YAML.

    Positional arguments are the fields in their order: `SelfConsistency(CoT(), 5)`.

    Raises:
        ConfigError: an argument makes no sense, a template or demonstration file is missing or broken.
    """

    tag: ClassVar[str] = ""
    """Its name in files and on the command line."""

    backend: Backend | None = Field(default=None, exclude=True, repr=False, kw_only=True)
    """Where it runs unless `run` is told otherwise. No part of dump, equality or hash."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.tag:
            known = _REGISTRY.setdefault(cls.tag, cls)
            if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(f"two strategies have the tag {cls.tag!r}: {known.__qualname__} and {cls.__qualname__}")
            _REGISTRY[cls.tag] = cls

    # -- what a strategy defines ------------------------------------------------------------------

    def steps(self, question: Question) -> Flow[Result]:
        """The requests that answer `question`, and the result made of their completions. Does no I/O."""
        raise NotImplementedError(f"{type(self).__name__} must define steps()")

    def templates(self) -> dict[str, str]:
        """The template files it and its inner strategies use: name → hash of the source."""
        own = {
            value.name: value.hash
            for value in (self.__pydantic_private__ or {}).values()
            if isinstance(value, Template)
        }
        return own | {name: digest for inner in self.inner_strategies() for name, digest in inner.templates().items()}

    def inner_strategies(self) -> "list[Strategy]":
        """The strategies among its fields."""
        found: list[Strategy] = []
        for name in type(self).model_fields:
            value = getattr(self, name)
            candidates = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
            found += [item for item in candidates if isinstance(item, Strategy)]
        return found

    def needs_pool(self) -> bool:
        """Whether it must be prepared with a pool of worked questions before it can answer any."""
        return any(inner.needs_pool() for inner in self.inner_strategies())

    def prepare(self, pool: Pool) -> "Flow[Strategy]":
        """The strategy that answers the questions, made once a run (Auto-CoT, demonstrations from a training set).

        Wrappers inherit this: it prepares the inner strategies that need it. Does no I/O.
        """
        changed: dict[str, Any] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Strategy) and value.needs_pool():
                changed[name] = yield from value.prepare(pool)
            elif isinstance(value, tuple):
                items: list[object] = []
                for item in cast("tuple[object, ...]", value):
                    if isinstance(item, Strategy) and item.needs_pool():
                        item = yield from item.prepare(pool)
                    items.append(item)
                changed[name] = tuple(items)
        return self.with_fields(**changed)

    # -- running ----------------------------------------------------------------------------------

    def run(
        self, question: str | Question, *, backend: Backend | None = None, seed: int = 0, pool: Pool | None = None
    ) -> Result:
        """Answer one question.

        Args:
            question: a plain text asks for a number; other kinds of answers need a `Question`.
            backend: where to run; else the strategy's own backend, an inner strategy's, or the embedded model.
            seed: of all sampling; the same seed, question and batch give the same texts.
            pool: where a strategy that needs worked questions takes them from; else the packaged ones of the kind.

        Raises:
            BackendError: a call failed for good.
            ConfigError: the question is empty, or inner strategies have different backends.
        """
        (outcome,) = self._outcomes([_question(question)], backend, seed, pool)
        if outcome.error is not None:
            raise outcome.error
        return self._result(outcome)

    def run_many(
        self,
        questions: Iterable[str | Question],
        *,
        backend: Backend | None = None,
        seed: int = 0,
        pool: Pool | None = None,
    ) -> list[Result]:
        """Answer many questions in one stream, so that the backend always has work. Results come in order.

        A question whose calls failed has a result with `error` set, and does not stop the others.
        """
        if isinstance(questions, str):
            raise ConfigError("run_many takes several questions, not one text", hint="use run(), or put it into a list")
        results: dict[int, Result] = {}
        for outcome in self._outcomes([_question(question) for question in questions], backend, seed, pool):
            if outcome.error is not None and not isinstance(outcome.error, BackendError):
                raise outcome.error
            results[outcome.index] = self._result(outcome)
        return [results[index] for index in sorted(results)]

    async def arun(
        self, question: str | Question, *, backend: Backend | None = None, seed: int = 0, pool: Pool | None = None
    ) -> Result:
        """`run` in a thread, for callers that have an event loop."""
        return await asyncio.to_thread(self.run, question, backend=backend, seed=seed, pool=pool)

    def _outcomes(
        self, questions: list[Question], backend: Backend | None, seed: int, pool: Pool | None
    ) -> Iterator[Outcome[Result]]:
        chosen = self.chosen_backend(backend)
        ready = self
        if questions and self.needs_pool():
            pool = (pool or packaged_pool(questions[0].kind)).without(question.text for question in questions)
            ready = prepared(self, pool.counted_by(chosen.count_tokens), chosen, seed).strategy
        return run_flows((ready.steps(question) for question in questions), chosen, seed=seed)

    def _result(self, outcome: Outcome[Result]) -> Result:
        value = Result(error=str(outcome.error)) if outcome.error is not None else checked(outcome.value, self)
        return value.model_copy(update={"trace": outcome.trace, "usage": outcome.usage})

    def chosen_backend(self, given: Backend | None) -> Backend:
        """The backend given, else its own, else the embedded model."""
        chosen = given or self.own_backend()
        if chosen is None:
            from promptkit.backends import default

            chosen = default()
        return chosen

    def own_backend(self) -> Backend | None:
        """Its backend, else the one of its inner strategies."""
        if self.backend is not None:
            return self.backend
        return common_backend(self.inner_strategies(), "inner strategies", hint="pass backend= to run()")

    # -- values -----------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write it as YAML, so that `load` gives an equal strategy.

        Raises:
            ConfigError: it has no tag, holds something that no file can (a function), or the file cannot be written.
        """
        name = type(self).__name__
        if not self.tag:
            raise ConfigError(f"{name} cannot be saved: its class has no name in files", hint="give it a `tag`")
        try:
            data = self.model_dump(mode="json", context="file")
        except PydanticSerializationError as error:
            raise ConfigError(f"{name} cannot be saved: {error}", hint="use a name or a template instead") from error
        write_yaml(path, data, "strategy file")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a strategy from a YAML file.

        Templates and demonstrations that it names must be known by that name or lie below the working folder: a file
        from a stranger must not get others into a prompt.

        Raises:
            ConfigError: the file is missing, is no strategy of this class, or names files elsewhere.
        """
        data = read_yaml(path, "strategy file")
        if not isinstance(data, dict) or "strategy" not in data:
            raise ConfigError(
                f"{path} holds no strategy", hint="it needs a key `strategy`, for example `strategy: cot`"
            )
        try:
            with working_folder_only():
                return cls.model_validate(data)
        except ValidationError as error:
            raise ConfigError(f"{path}: {first_problem(error)}") from error
        except ConfigError as error:
            raise type(error)(f"{path}: {error.message}", hint=error.hint) from error

    @model_validator(mode="wrap")
    @classmethod
    def _by_tag(cls, data: Any, handler: Callable[[Any], Self]) -> Self:
        if not isinstance(data, dict) or "strategy" not in data:
            return handler(data)
        fields = dict(cast("dict[str, Any]", data))
        if odd := [key for key in fields if not isinstance(cast(object, key), str)]:
            raise ValueError(f"keys must be names of fields, not {odd[0]!r}")
        tag = fields.pop("strategy")
        wanted = registered(str(tag))
        if not issubclass(wanted, cls):
            raise ValueError(f"{tag!r} is no {cls.__name__}")
        return wanted(**fields) if wanted is not cls else handler(fields)

    @model_serializer(mode="wrap")
    def _with_tag(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        fields = handler(self)
        narrowed = info.include or info.exclude or info.exclude_unset or info.exclude_defaults or info.exclude_none
        if not narrowed and type(self).model_fields.keys() - fields.keys() - {"backend"}:
            # The field that holds it is annotated with a base class, whose fields alone pydantic would write.
            return type(self).__pydantic_serializer__.to_python(self, mode=info.mode, context=info.context)
        return {"strategy": self.tag, **fields}

    def _identity(self) -> tuple[object, ...]:
        return (type(self), *(getattr(self, name) for name in type(self).model_fields if name != "backend"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Strategy) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())


@dataclass(frozen=True)
class Prepared:
    """A strategy that is ready to answer, and what making it so has cost."""

    strategy: Strategy
    usage: Usage
    trace: tuple[Call, ...]


def prepared(strategy: Strategy, pool: Pool, backend: Backend, seed: int, on_call: OnCall | None = None) -> Prepared:
    """Prepare a strategy with its pool.

    Raises:
        PromptkitError: it cannot be prepared.
    """
    (outcome,) = run_flows([strategy.prepare(pool)], backend, seed=seed, on_call=on_call)
    return prepared_by(outcome, strategy)


def prepared_by(outcome: Outcome[Any], strategy: Strategy) -> Prepared:
    """What came of `strategy.prepare()`.

    Raises:
        PromptkitError: it cannot be prepared.
        TypeError: what it gave is no strategy that is ready.
    """
    if outcome.error is not None:
        raise outcome.error
    if not isinstance(outcome.value, Strategy) or outcome.value.needs_pool():
        raise TypeError(f"{type(strategy).__name__}.prepare() must return a strategy without a pool")
    return Prepared(outcome.value, outcome.usage, outcome.trace)


def request(prompt: Prompt, *, purpose: str = "", parent: Completion | None = None, **sampling: Any) -> Request:
    """A request for a rendered prompt; `sampling` are fields of `Sampling`."""
    return Request(
        messages=prompt.messages,
        prompt=prompt.text,
        sampling=Sampling(**sampling),
        purpose=purpose,
        parent=parent.id if parent else None,
    )


def read(completion: Completion, question: Question, extractor: str | None, **fields: Any) -> Result:
    """The result that a completion holds, as `extractor` reads it."""
    extraction = extractor_for(question, extractor)(completion.text)
    return Result(
        answer=extraction.value if extraction else None,
        text=completion.text,
        extraction=extraction,
        truncated=completion.finish_reason == "length",
        **fields,
    )


def checked(value: object, strategy: Strategy) -> Result:
    """What the steps of `strategy` returned; a `TypeError` that says so where it is no result."""
    if not isinstance(value, Result):
        raise TypeError(f"{type(strategy).__name__}.steps() must return a Result, not {type(value).__name__}")
    return value


def common_backend(strategies: Iterable[Strategy], whose: str, *, hint: str) -> Backend | None:
    """The one backend that strategies carry, if any does.

    Raises:
        ConfigError: they carry different ones.
    """
    found = {id(b): b for strategy in strategies if (b := strategy.own_backend()) is not None}
    if len(found) > 1:
        raise ConfigError(f"{whose} have different backends: {' and '.join(b.name for b in found.values())}", hint=hint)
    return next(iter(found.values()), None)


def registered(tag: str) -> type[Strategy]:
    """The strategy class with this tag, promptkit's own or a plugin's.

    Raises:
        ConfigError: there is none, or the plugin cannot be used.
    """
    if tag not in _REGISTRY and (plugin := plugins.find("strategies", tag)):
        brought = plugin.load()
        if not (isinstance(brought, type) and issubclass(brought, Strategy) and brought.tag == tag):
            raise plugin.refused(f"it is no subclass of Strategy with the tag {tag!r}")
    if tag not in _REGISTRY:
        known = sorted({*_REGISTRY, *plugins.names("strategies")})
        raise ConfigError(f"unknown strategy {tag!r}", hint=f"known: {', '.join(known)}")
    return _REGISTRY[tag]


def _question(question: str | Question) -> Question:
    if isinstance(question, Question):
        return question
    try:
        return Question(text=question)
    except ValidationError as error:
        raise ConfigError(first_problem(error)) from error
