"""Suites: strategies × benchmarks × backends × seeds, written down in a YAML file.

strategies: [direct, zero-shot, zero-shot-cot]
benchmarks:
  - multiarith-style
  - {benchmark: mine.csv, question: prompt, answer: gold, kind: number}
backends: [default]
seeds: [0, 1, 2]
limit: 50
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias, cast

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from promptkit import paths
from promptkit.backends.base import Backend
from promptkit.budget import Budget, Meter
from promptkit.errors import ConfigError
from promptkit.evaluation.benchmarks import Benchmark, load
from promptkit.evaluation.running.evaluator import Progress, evaluate
from promptkit.evaluation.runs import Run
from promptkit.strategies import Strategy
from promptkit.strategies.yaml_files import read_yaml
from promptkit.types import Kind

_Path: TypeAlias = tuple[str | int, ...]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SuiteBenchmark(_Settings):
    """A benchmark of a suite; the fields are the options of the command line."""

    benchmark: str
    question: str | None = None
    answer: str | None = None
    kind: Kind | None = None
    limit: int | None = Field(default=None, ge=1)


class Suite(_Settings):
    """What to run. A run is made of every strategy on every benchmark with every backend and seed."""

    strategies: Annotated[tuple[str | SerializeAsAny[Strategy], ...], Field(min_length=1)]
    """Presets, files, or the definition itself (`{strategy: cot, max_tokens: 200}`); the first is the base."""
    benchmarks: Annotated[tuple[SuiteBenchmark, ...], Field(min_length=1)]
    """Names or files as text, or with columns, kind and limit of their own."""
    backends: Annotated[tuple[str, ...], Field(min_length=1)] = ("default",)
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    """Of the sampling. Questions that are made up and choices that are shuffled follow the first one, so that all runs
    have the same questions."""
    limit: int | None = Field(default=None, ge=1)
    """Only the first so many questions of each benchmark that has no limit of its own."""
    pool: str | None = None
    """Where demonstrations come from, as `--pool`."""

    @field_validator("strategies", "benchmarks", "backends", "seeds", mode="before")
    @classmethod
    def _one_or_several(cls, given: Any, field: ValidationInfo) -> Any:
        items = cast("list[Any]", given) if isinstance(given, list | tuple) else [given]
        if field.field_name == "benchmarks":
            return [{"benchmark": item} if isinstance(item, str) else item for item in items]
        for item in items if field.field_name == "strategies" else ():
            if not isinstance(item, str | Strategy) and not (isinstance(item, dict) and "strategy" in item):
                raise ValueError(f"{item!r} is no strategy: give a name, a file or a mapping with the key `strategy`")
        return items

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        for what, several in (("seed", self.seeds), ("backend", self.backends)):
            if twice := [one for one in several if several.count(one) > 1]:
                raise ValueError(f"the {what} {twice[0]} is there twice")
        return self

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """A suite from its file. Files that it names are looked for as on the command line, from the working folder.

        Raises:
            ConfigError: the file cannot be read, or a field is unknown or makes no sense; the line is named.
        """
        data = read_yaml(path, "suite file")
        if not isinstance(data, dict):
            raise ConfigError(
                f"{path} holds no suite", hint=f"it needs the keys strategies and benchmarks; fields: {_FIELDS}"
            )
        try:
            with paths.working_folder_only():
                return cls.model_validate(data)
        except ValidationError as error:
            raise ConfigError(f"{path}, {_problem(error, Path(path))}") from error
        except ConfigError as error:  # of a strategy in it
            raise ConfigError(f"{path}: {error.message}", hint=error.hint) from error

    def load(self, limit: int | None = None) -> list[Benchmark]:
        """Its benchmarks, in order, each read once for all seeds.

        Args:
            limit: in place of all limits in the file.

        Raises:
            BenchmarkError: one cannot be had.
        """
        return [
            load(
                item.benchmark,
                question=item.question,
                answer=item.answer,
                kind=item.kind,
                limit=next((one for one in (limit, item.limit, self.limit) if one is not None), None),
                seed=self.seeds[0],
            )
            for item in self.benchmarks
        ]


_FIELDS = ", ".join(Suite.model_fields)


def evaluate_seeds(
    strategies: Sequence[Strategy | str],
    benchmarks: Sequence[Benchmark],
    backends: Mapping[str, Callable[[], Backend]],
    seeds: Sequence[int],
    *,
    folders: Mapping[int, Path],
    pool: str | None = None,
    budget: Budget | Meter | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Run]:
    """`evaluate` with several seeds. Each backend is made once, used for all seeds, and closed before the next.

    Args:
        strategies: as of `evaluate`.
        benchmarks: loaded.
        backends: what makes each, by name.
        seeds: of the sampling; those of one strategy, benchmark and backend tell the noise of sampling.
        folders: the folder of each seed's runs.
        pool: as of `evaluate`.
        budget: what may be spent on all seeds and backends together.
        on_progress: called with a new `Progress` for every seed and backend.

    Returns:
        One run per strategy, benchmark, seed and backend; strategies vary fastest, backends slowest.

    Raises:
        ConfigError: something makes no sense.
        BackendError: a backend cannot go on at all.
    """
    if len(seeds) == 1:
        (seed,) = seeds
        return evaluate(
            strategies,
            benchmarks,
            backends,
            seed=seed,
            run_dir=folders[seed],
            pool=pool,
            budget=budget,
            on_progress=on_progress,
        )
    runs: list[Run] = []
    meter = budget if isinstance(budget, Meter) else Meter(budget)
    for name, make in backends.items():
        with closing(make()) as backend:
            for seed in seeds:
                part = paths.file_name(name, "") if len(backends) > 1 else ""
                runs += evaluate(
                    strategies,
                    benchmarks,
                    backend,
                    seed=seed,
                    run_dir=folders[seed] / part,
                    pool=pool,
                    budget=meter,
                    on_progress=on_progress,
                )
    return runs


def _problem(error: ValidationError, path: Path) -> str:
    """The first problem of a file, with its line and, for a mistyped field, the one that was meant."""
    # A mistyped field first: what it stands for would be reported as missing.
    found = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    # Where a text or a mapping may stand, pydantic names the choice besides the place in the file.
    place = tuple(part for part in found["loc"] if isinstance(part, int) or (part.isidentifier() and part != "str"))
    message = found["msg"].removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        fields = SuiteBenchmark.model_fields if place[0] == "benchmarks" else Suite.model_fields
        near = difflib.get_close_matches(str(place[-1]), fields, 1)
        message = f"unknown field {place[-1]!r}; " + (
            f"did you mean {near[0]}?" if near else f"use {', '.join(fields)}"
        )
    elif found["type"] == "missing":
        message = "is missing"
    message = _PLAINER.get(found["type"], message)
    where = ".".join(map(str, place))
    return f"line {_line(path, place)}: {where}{': ' if where else ''}{message}"


_PLAINER = {
    "too_short": "give at least one",
    "model_type": "give a name, a file or a mapping with the key `benchmark`",
    "int_parsing": "give whole numbers",
}


def _line(path: Path, place: _Path) -> int:
    """The line of a file in which a field stands, or that of what should hold it."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    line = node.start_mark.line if node else 0
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == str(part)]
            if not pairs:
                break
            line, node = pairs[0][0].start_mark.line, pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line
    return line + 1
