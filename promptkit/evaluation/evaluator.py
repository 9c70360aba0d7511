"""Running strategies on benchmarks: one stream of work a backend, scored and written as it goes."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

from promptkit.backends import default
from promptkit.backends.base import Answer, Backend, Take
from promptkit.errors import BackendError, ConfigError
from promptkit.evaluation.benchmarks import Benchmark, load
from promptkit.evaluation.pools import pool_for, preparation_notes
from promptkit.evaluation.rundir import RunWriter, environment
from promptkit.evaluation.runs import Run, Sample, score
from promptkit.flow import Flow
from promptkit.scheduler import OnCall, run_flows
from promptkit.strategies import PRESETS, Strategy, resolve
from promptkit.strategies.base import common_backend, prepared
from promptkit.strategies.demonstrations import SETS
from promptkit.strategies.pool import Pool
from promptkit.strategies.selectors import Selector
from promptkit.types import Completion, Request, Result, Usage

T = TypeVar("T")
Strategies: TypeAlias = Strategy | str | Path | Sequence[Strategy | str | Path] | Mapping[str, Strategy]
Benchmarks: TypeAlias = str | Path | Benchmark | Sequence[str | Path | Benchmark]
Backends: TypeAlias = Backend | Sequence[Backend] | Mapping[str, Callable[[], Backend]]
Named: TypeAlias = list[tuple[list[tuple[str, Strategy]], Benchmark]]
"""For each benchmark its strategies, with the names to show."""


@dataclass
class Progress:
    """How far an evaluation is; one object, updated in place."""

    total: int
    """Questions, counted once a strategy, benchmark and backend."""
    done: int = 0
    correct: int = 0
    completion_tokens: int = 0
    """Generated now; cached ones are not counted."""
    started: float = field(default_factory=time.perf_counter)
    finished_runs: list[Run] = field(default_factory=list[Run])
    """Runs whose last question is there, in the order in which they ended."""

    @property
    def seconds(self) -> float:
        """Since the evaluation began."""
        return time.perf_counter() - self.started

    @property
    def tokens_per_second(self) -> float:
        """Generated tokens a second so far."""
        return self.completion_tokens / max(self.seconds, 1e-9)


@dataclass
class _Part:
    """One strategy on one benchmark, under way."""

    name: str
    strategy: Strategy
    benchmark: Benchmark
    writer: RunWriter | None
    samples: dict[int, Sample] = field(default_factory=dict[int, Sample])
    pool: Pool | None = None
    """For a strategy that needs one."""
    preparation: Usage = field(default_factory=Usage)
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    """What is known once it is prepared, for the manifest."""


def evaluate(
    strategies: Strategies,
    benchmark: Benchmarks,
    backend: Backends | None = None,
    *,
    limit: int | None = None,
    seed: int = 0,
    run_dir: str | Path | None = None,
    window: int = 256,
    pool: str | Path | Benchmark | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Run]:
    """Score strategies on benchmarks.

    All strategies and benchmarks of one backend are one stream of requests, so that the backend always has work.

    Args:
        strategies: strategies, preset names or YAML files; or a mapping from the names to show to strategies.
        benchmark: one or several, by name, file or `Benchmark`.
        backend: one or several; or a mapping from names (for folders) to functions that make them: each is then made
            when its turn comes and closed before the next one is made. Unset, the embedded model.
        limit: only the first so many questions of each benchmark.
        seed: of all sampling.
        run_dir: folder to write; each run gets a folder of its own in it. Unset, nothing is written.
        window: questions that may be under way at a time.
        pool: where strategies that need worked questions take them from; see `pool_for`.
        on_progress: called after every call and every question.

    Returns:
        One run per strategy, benchmark and backend; strategies vary fastest.

    Raises:
        ConfigError: something makes no sense; nothing was called.
        BackendError: the backend cannot go on at all. Single failed calls fail their question only.
    """
    benchmarks = [item if isinstance(item, Benchmark) else load(item) for item in _listed(benchmark)]
    benchmarks = [item.limited(limit) for item in benchmarks]
    named = check(strategies, benchmarks)
    pools = {item.name: pool_for(item, pool) for pairs, item in named if any(s.needs_pool() for _, s in pairs)}
    backends = _backends(_default_backend(named) if backend is None else backend)
    total = len(backends) * sum(len(strategy) * len(item.examples) for strategy, item in named)
    progress = Progress(total)
    folders = _folders(named, backends, run_dir)
    # All folders are looked at before the first one is touched.
    writers = {
        (source, name, item.name): RunWriter(
            folders[source, name, item.name], _manifest(name, strategy, item, made, seed)
        )
        for source, made in backends.items()
        for pairs, item in named
        for name, strategy in pairs
        if folders
    }
    runs: list[Run] = []
    for source, made in backends.items():
        with ExitStack() as stack:
            current = made if isinstance(made, Backend) else stack.enter_context(closing(made()))
            _differ("backend", [*{run.backend for run in runs}, current.name], "give different ones")
            parts = [
                _Part(name, strategy, item, writers.get((source, name, item.name)), pool=pools.get(item.name))
                for pairs, item in named
                for name, strategy in pairs
            ]
            written = [part.writer for part in parts if part.writer]
            for writer in written:
                writer.ran_on(current.identity())
            for writer in written:
                stack.enter_context(writer)
            runs += _run_parts(parts, current, seed, window, progress, on_progress)
    return runs


def check(strategies: Strategies, benchmarks: Sequence[Benchmark]) -> Named:
    """The strategies of each benchmark with their names, as far as they can be checked without a model.

    Each strategy goes as far as its first request, which makes it render its template.

    Raises:
        ConfigError: a strategy or benchmark makes no sense, or is there twice.
    """
    if not benchmarks:
        raise ConfigError("no benchmark given")
    _differ("benchmark", [item.name for item in benchmarks], "give different ones, or rename one of the files")
    named = [(_named(strategies, item), item) for item in benchmarks]
    for pairs, item in named:
        for _, strategy in pairs:
            if strategy.needs_pool():
                continue
            with suppress(_AskedError):
                for outcome in run_flows([strategy.steps(item.examples[0].question)], _Nobody()):
                    if outcome.error is not None:
                        raise outcome.error
    return named


class _AskedError(Exception):
    pass


class _Nobody(Backend):
    """Ends the run as soon as something is asked."""

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        take(1)
        raise _AskedError


def _run_parts(
    parts: list[_Part],
    backend: Backend,
    seed: int,
    window: int,
    progress: Progress,
    on_progress: Callable[[Progress], None] | None,
) -> list[Run]:
    """Run all parts as one stream of flows."""
    places = [(part, place) for part in parts for place in range(len(part.benchmark.examples))]
    clock = _Clock()

    def flows() -> Iterator[Flow[Result]]:
        for part, place in places:
            yield part.strategy.steps(part.benchmark.examples[place].question)

    def on_call(request: Request, answer: Answer) -> None:
        clock.note(request, answer)
        if isinstance(answer, Completion) and not answer.cached:
            progress.completion_tokens += answer.completion_tokens
        if on_progress:
            on_progress(progress)

    _prepare(parts, backend, seed, on_call)
    for outcome in run_flows(flows(), backend, window, seed=seed, on_call=on_call):
        if outcome.error is not None and not isinstance(outcome.error, BackendError):
            raise outcome.error  # a fault of the strategy, not a failure of a call
        part, place = places[outcome.index]
        sample = score(part.benchmark.examples[place], outcome, part.benchmark.scorer)
        part.samples[place] = sample
        if part.writer:
            part.writer.add(sample)
        progress.done += 1
        progress.correct += sample.status == "correct"
        if len(part.samples) == len(part.benchmark.examples):
            progress.finished_runs.append(_run(part, backend, 0.0))
        if on_progress:
            on_progress(progress)

    seconds = clock.shares([[call.request.key for s in part.samples.values() for call in s.calls] for part in parts])
    runs = [_run(part, backend, share) for part, share in zip(parts, seconds, strict=True)]
    for part, run in zip(parts, runs, strict=True):
        if part.writer:
            part.writer.finish(run)
    return runs


def _prepare(parts: list[_Part], backend: Backend, seed: int, on_call: OnCall) -> None:
    """Make the strategies ready that need a pool."""
    needy = [part for part in parts if part.strategy.needs_pool()]
    pairs = [(part.strategy, cast("Pool", part.pool).counted_by(backend.count_tokens)) for part in needy]
    for part, ready in zip(needy, prepared(pairs, backend, seed, on_call), strict=True):
        part.strategy = ready.strategy
        part.preparation = ready.usage
        part.notes = preparation_notes(ready.strategy, cast("Pool", part.pool))
        if part.writer:
            part.writer.note(**part.notes)


def _run(part: _Part, backend: Backend, seconds: float) -> Run:
    samples = tuple(part.samples[place] for place in sorted(part.samples))
    folder, manifest = (part.writer.folder, part.writer.manifest) if part.writer else (None, part.notes)
    return Run(part.name, part.benchmark.name, backend.name, samples, seconds, folder, manifest, part.preparation)


class _Clock:
    """Shares the wall-clock time among strategies that ran side by side."""

    def __init__(self) -> None:
        self.spans: dict[str, tuple[float, float]] = {}

    def note(self, request: Request, answer: Answer) -> None:
        """A call has ended now."""
        if isinstance(answer, Completion) and not answer.cached:
            now = time.perf_counter()
            self.spans[request.key] = (now - answer.seconds, now)

    def shares(self, keys: list[list[str]]) -> list[float]:
        """Seconds of each list of request keys: at each moment, its part of the calls under way."""
        owner: dict[str, int] = {}
        for number, part in enumerate(keys):
            for key in part:
                owner.setdefault(key, number)  # a call that two strategies share was paid for by the first
        events = [(start, 1, owner[key]) for key, (start, _) in self.spans.items() if key in owner]
        events += [(end, -1, owner[key]) for key, (_, end) in self.spans.items() if key in owner]
        seconds = [0.0] * len(keys)
        active = [0] * len(keys)
        before = 0.0
        for moment, change, number in sorted(events):
            if running := sum(active):
                for place, count in enumerate(active):
                    seconds[place] += (moment - before) * count / running
            active[number] += change
            before = moment
        return seconds


def label(strategy: Strategy) -> str:
    """A short name for tables: the preset's, else the tag and the fields that differ from their defaults."""
    if name := next((name for name, preset in _presets() if preset == strategy), None):
        return name
    shown: list[str] = []
    for name, information in type(strategy).model_fields.items():
        value = getattr(strategy, name)
        if name == "backend" or value == information.get_default(call_default_factory=True):
            continue
        if isinstance(value, Strategy):
            shown.append(label(value))
        elif isinstance(value, str | int | float):
            shown.append(f"{name}={value}")
        elif isinstance(value, Selector):
            shown.append(str(value))
        else:
            shown.append(name)
    return f"{strategy.tag}({', '.join(shown)})" if shown else strategy.tag


@cache
def _presets() -> list[tuple[str, Strategy]]:
    """All presets, those with demonstrations for every kind of answer that has some."""
    return [(name, make(kind)) for name, (_, make) in PRESETS.items() for kind in SETS]


def _named(strategies: Strategies, benchmark: Benchmark) -> list[tuple[str, Strategy]]:
    named: list[tuple[str, Strategy]] = []
    if isinstance(strategies, Mapping):
        named = list(strategies.items())
    else:
        for item in _listed(strategies):
            strategy = item if isinstance(item, Strategy) else resolve(str(item), benchmark.kind)
            named.append((label(item) if isinstance(item, Strategy) else _name(str(item)), strategy))
    if not named:
        raise ConfigError("no strategy given")
    _differ("strategy", [name for name, _ in named], "give different ones, or a mapping with names")
    return named


def _differ(what: str, names: list[str], hint: str) -> None:
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"{what} {min(twice)!r} is given twice", hint=hint)


def _name(given: str) -> str:
    is_file = given.partition(":")[0] not in PRESETS
    return Path(given).stem if is_file and given.endswith((".yaml", ".yml")) else given


def _listed(value: T | Sequence[T]) -> list[T]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(cast("Sequence[T]", value))
    return [cast("T", value)]


def _backends(given: Backends) -> dict[str, Backend | Callable[[], Backend]]:
    """Backends by name, or what makes them."""
    if not given and not isinstance(given, Backend):
        raise ConfigError("no backend given", hint="leave it out for the embedded model")
    if isinstance(given, Mapping):
        return {**given}
    listed = _listed(given)
    _differ("backend", [backend.name for backend in listed], "give different ones, or change their `name`")
    return {backend.name: backend for backend in listed}


def _default_backend(named: Named) -> Backend:
    """The backend that the strategies carry, else the embedded model."""
    strategies = (strategy for pairs, _ in named for _, strategy in pairs)
    return common_backend(strategies, "the strategies", hint="pass backend= to evaluate()") or default()


def _folders(named: Named, backends: Iterable[str], run_dir: str | Path | None) -> dict[tuple[str, str, str], Path]:
    """A folder for each run, named by what varies."""
    if run_dir is None:
        return {}
    backends = list(backends)
    folders: dict[tuple[str, str, str], Path] = {}
    for backend in backends:
        for pairs, benchmark in named:
            for name, _ in pairs:
                parts = [name]
                parts += [benchmark.name] if len(named) > 1 else []
                parts += [backend] if len(backends) > 1 else []
                slug = "--".join(re.sub(r"[^A-Za-z0-9._=-]+", "-", part).strip("-.") or "run" for part in parts)
                folders[backend, name, benchmark.name] = Path(run_dir) / slug
    if len(set(folders.values())) < len(folders):
        raise ConfigError("two runs would share a folder", hint="give strategies and backends names that differ")
    return folders


def _manifest(
    name: str, strategy: Strategy, benchmark: Benchmark, backend: Backend | Callable[[], Backend], seed: int
) -> dict[str, Any]:
    return {
        "strategy": name,
        "strategy_definition": strategy.model_dump(mode="json"),
        "templates": strategy.templates(),
        "benchmark": {
            "name": benchmark.name,
            "kind": benchmark.kind,
            "source": benchmark.source,
            "sha256": benchmark.sha256,
            "questions": len(benchmark.examples),
            "notes": list(benchmark.notes),
        },
        "backend": backend.identity() if isinstance(backend, Backend) else None,
        "seed": seed,
        **environment(),
    }
