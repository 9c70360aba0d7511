"""What an evaluation is given: strategies, benchmarks and backends in the forms that people write them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

from promptkit.backends.base import Answer, Backend, Take
from promptkit.errors import BackendError, ConfigError
from promptkit.evaluation.benchmarks import Benchmark, load
from promptkit.evaluation.running.naming import label
from promptkit.scheduler import run_flows
from promptkit.strategies import PRESETS, Strategy, resolve
from promptkit.types import Question, Request

T = TypeVar("T")
Strategies: TypeAlias = Strategy | str | Path | Sequence[Strategy | str | Path] | Mapping[str, Strategy]
Benchmarks: TypeAlias = str | Path | Benchmark | Sequence[str | Path | Benchmark]
Backends: TypeAlias = Backend | Sequence[Backend] | Mapping[str, Callable[[], Backend]]
Named: TypeAlias = list[tuple[list[tuple[str, Strategy]], Benchmark]]
"""For each benchmark its strategies, with the names to show."""


def benchmarks_of(given: Benchmarks, limit: int | None = None) -> list[Benchmark]:
    """The benchmarks, read where only their names are given.

    Raises:
        BenchmarkError: one cannot be read.
        ConfigError: the limit leaves no questions.
    """
    loaded = [item if isinstance(item, Benchmark) else load(item) for item in _listed(given)]
    return [item.limited(limit) for item in loaded]


def backends_of(given: Backends) -> dict[str, Backend | Callable[[], Backend]]:
    """Backends by name, or what makes them.

    Raises:
        ConfigError: there is none, or two have the same name.
    """
    if not given and not isinstance(given, Backend):
        raise ConfigError("no backend given", hint="leave it out for the embedded model")
    if isinstance(given, Mapping):
        return {**given}
    listed = _listed(given)
    all_differ("backend", [backend.name for backend in listed], "give different ones, or change their `name`")
    return {backend.name: backend for backend in listed}


def check(strategies: Strategies, benchmarks: Sequence[Benchmark]) -> Named:
    """The strategies of each benchmark with their names, as far as they can be checked without a model.

    Each strategy goes as far as its first request, which makes it render its template.

    Raises:
        ConfigError: a strategy or benchmark makes no sense, or is there twice.
    """
    if not benchmarks:
        raise ConfigError("no benchmark given", hint="give a name, a file or a Benchmark")
    all_differ("benchmark", [item.name for item in benchmarks], "give different ones, or rename one of the files")
    named = [(_named(strategies, item), item) for item in benchmarks]
    for pairs, item in named:
        for _, strategy in pairs:
            if not strategy.needs_pool():
                first_requests(strategy, [item.examples[0].question])
    return named


def all_differ(what: str, names: Sequence[str], hint: str) -> None:
    """Raise a `ConfigError` where one of the names is there twice."""
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"{what} {min(twice)!r} is given twice", hint=hint)


def first_requests(strategy: Strategy, questions: Sequence[Question], seed: int = 0) -> list[Request]:
    """The requests that need no completion before them, each once; what a template lacks is raised."""
    noting = _Noting()
    with suppress(_AskedError):
        flows = (strategy.steps(question) for question in questions)
        for outcome in run_flows(flows, noting, window=len(questions), seed=seed):
            if outcome.error is not None and not isinstance(outcome.error, BackendError):
                raise outcome.error
    return noting.requests


class _AskedError(Exception):
    pass


@dataclass
class _Noting(Backend):
    """Takes down what is asked first, and answers nothing."""

    requests: list[Request] = field(default_factory=list[Request])

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        while groups := take(2**31):
            self.requests += [request for group in groups for request in group.requests]
        raise _AskedError
        yield


def _named(strategies: Strategies, benchmark: Benchmark) -> list[tuple[str, Strategy]]:
    named: list[tuple[str, Strategy]] = []
    if isinstance(strategies, Mapping):
        named = list(strategies.items())
    else:
        for item in _listed(strategies):
            strategy = item if isinstance(item, Strategy) else resolve(str(item), benchmark.kind)
            named.append((label(item) if isinstance(item, Strategy) else _name(str(item)), strategy))
    if not named:
        raise ConfigError("no strategy given", hint="give a preset, a YAML file or a Strategy")
    all_differ("strategy", [name for name, _ in named], "give different ones, or a mapping with names")
    return named


def _name(given: str) -> str:
    is_file = given.partition(":")[0] not in PRESETS
    return Path(given).stem if is_file and given.endswith((".yaml", ".yml")) else given


def _listed(value: T | Sequence[T]) -> list[T]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(cast("Sequence[T]", value))
    return [cast("T", value)]
