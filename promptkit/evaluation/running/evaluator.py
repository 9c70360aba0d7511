"""Running strategies on benchmarks: one stream of work a backend, scored and written as it goes."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, cast

from promptkit.backends import default
from promptkit.backends.base import Answer, Backend
from promptkit.budget import Budget, Meter
from promptkit.errors import BackendError
from promptkit.evaluation.benchmarks import Benchmark
from promptkit.evaluation.benchmarks.pools import pool_for, preparation_notes
from promptkit.evaluation.benchmarks.scorers import by_gold
from promptkit.evaluation.running.clock import Clock
from promptkit.evaluation.running.inputs import (
    Backends,
    Benchmarks,
    Named,
    Strategies,
    all_differ,
    backends_of,
    benchmarks_of,
    check,
)
from promptkit.evaluation.running.naming import RunName, folders_of
from promptkit.evaluation.runs import Run, Sample, score
from promptkit.evaluation.runs.folder import RunWriter, environment
from promptkit.flow import Flow
from promptkit.scheduler import run_flows
from promptkit.strategies import Strategy
from promptkit.strategies.base import Prepared, common_backend, prepared_by
from promptkit.strategies.pool import Pool
from promptkit.types import Completion, Request, Usage


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
    prepared: Prepared | None = None
    """Where it needed one, once it is ready."""
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    """What is known once it is prepared, for the manifest."""

    def set_prepared(self, prepared: Prepared) -> None:
        """It can answer from now on."""
        self.prepared, self.strategy = prepared, prepared.strategy
        self.notes = preparation_notes(self.strategy, cast("Pool", self.pool))
        if self.writer:
            self.writer.note(**self.notes)

    def request_keys(self) -> list[str]:
        """Of all its answered calls."""
        calls = chain(self.prepared.trace if self.prepared else (), *(sample.calls for sample in self.samples.values()))
        return [call.request.key for call in calls]


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
    budget: Budget | Meter | None = None,
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
        budget: what may be spent on all of it; or a `Meter`, which others can stop and read.
        on_progress: called after every call and every question.

    Returns:
        One run per strategy, benchmark and backend; strategies vary fastest. Where the budget was used up, or somebody
        stopped the meter, runs lack questions (`missing`), and the same call goes on if the backend keeps completions.

    Raises:
        ConfigError: something makes no sense; nothing was called. A cost is limited, and the price is not known.
        BackendError: the backend cannot go on at all. Single failed calls fail their question only.
    """
    named = check(strategies, benchmarks_of(benchmark, limit))
    pools = {item.name: pool_for(item, pool) for pairs, item in named if any(s.needs_pool() for _, s in pairs)}
    backends = backends_of(_default_backend(named) if backend is None else backend)
    total = len(backends) * sum(len(strategy) * len(item.examples) for strategy, item in named)
    progress = Progress(total)
    meter = budget if isinstance(budget, Meter) else Meter(budget)
    writers = _writers(named, backends, seed, run_dir) if run_dir is not None else {}
    runs: list[Run] = []
    for source, made in backends.items():
        with ExitStack() as stack:
            current = made if isinstance(made, Backend) else stack.enter_context(closing(made()))
            all_differ("backend", [*{run.backend for run in runs}, current.name], "give different ones")
            parts = [
                _Part(name, strategy, item, writers.get(RunName(name, item.name, source)), pool=pools.get(item.name))
                for pairs, item in named
                for name, strategy in pairs
            ]
            written = [part.writer for part in parts if part.writer]
            meter.runs_on(current)
            for writer in written:
                writer.ran_on(current.identity())
            for writer in written:
                stack.enter_context(writer)
            runs += _run_parts(parts, current, seed, window, meter, progress, on_progress)
    return runs


def _run_parts(
    parts: list[_Part],
    backend: Backend,
    seed: int,
    window: int,
    meter: Meter,
    progress: Progress,
    on_progress: Callable[[Progress], None] | None,
) -> list[Run]:
    """Run all parts as one stream of flows."""
    clock = Clock()
    # Of each flow: whose it is, and the place of its question; none where it prepares the part.
    begun: list[tuple[_Part, int | None]] = []

    def on_call(request: Request, answer: Answer) -> None:
        clock.note(request, answer)
        if isinstance(answer, Completion) and not answer.cached:
            progress.completion_tokens += answer.completion_tokens
        if on_progress:
            on_progress(progress)

    flows = _flows(parts, backend, begun)
    for outcome in run_flows(flows, backend, window, seed=seed, on_call=on_call, meter=meter):
        part, place = begun[outcome.index]
        if place is None:
            part.set_prepared(prepared_by(outcome, part.strategy))
            continue
        if outcome.error is not None and not isinstance(outcome.error, BackendError):
            raise outcome.error  # a fault of the strategy, not a failure of a call
        sample = score(part.benchmark.examples[place], outcome, part.benchmark.scorer)
        part.samples[place] = sample
        if part.writer:
            part.writer.add(sample)
        progress.done += 1
        progress.correct += sample.status == "correct"
        if len(part.samples) == len(part.benchmark.examples):
            progress.finished_runs.append(_run(part, backend, 0.0, meter))
        if on_progress:
            on_progress(progress)

    seconds = clock.shares([part.request_keys() for part in parts])
    runs = [_run(part, backend, share, meter) for part, share in zip(parts, seconds, strict=True)]
    for part, run in zip(parts, runs, strict=True):
        if part.writer:
            part.writer.finish(run)
    return runs


def _flows(parts: list[_Part], backend: Backend, begun: list[tuple[_Part, int | None]]) -> Iterator[Flow[Any] | None]:
    """What prepares parts, then the questions of each part; those that are not ready yet last. `None` is to wait."""
    for part in parts:
        if part.strategy.needs_pool():
            begun.append((part, None))
            yield part.strategy.prepare(cast("Pool", part.pool).counted_by(backend.count_tokens))
    todo = list(parts)
    while todo:
        ready = next((place for place, part in enumerate(todo) if not part.strategy.needs_pool()), None)
        if ready is None:
            yield None
            continue
        part = todo.pop(ready)
        for place, example in enumerate(part.benchmark.examples):
            begun.append((part, place))
            yield part.strategy.steps(example.question)


def _run(part: _Part, backend: Backend, seconds: float, meter: Meter) -> Run:
    missing = len(part.benchmark.examples) - len(part.samples)
    return Run(
        strategy=part.name,
        benchmark=part.benchmark.name,
        backend=backend.name,
        samples=tuple(part.samples[place] for place in sorted(part.samples)),
        seconds=seconds,
        run_dir=part.writer.folder if part.writer else None,
        manifest=part.writer.manifest if part.writer else part.notes,
        preparation=part.prepared.usage if part.prepared else Usage(),
        missing=missing,
        stopped=meter.reason if missing else "",
        price=meter.price,
    )


def _default_backend(named: Named) -> Backend:
    """The backend that the strategies carry, else the embedded model."""
    strategies = (strategy for pairs, _ in named for _, strategy in pairs)
    return common_backend(strategies, "the strategies", hint="pass backend= to evaluate()") or default()


def _writers(
    named: Named, backends: dict[str, Backend | Callable[[], Backend]], seed: int, run_dir: str | Path
) -> dict[RunName, RunWriter]:
    """What writes each run. All folders are looked at before the first one is touched."""
    manifests = {
        RunName(name, item.name, source): _manifest(name, strategy, item, made, seed)
        for source, made in backends.items()
        for pairs, item in named
        for name, strategy in pairs
    }
    folders = folders_of(list(manifests), run_dir)
    return {run: RunWriter(folders[run], manifest) for run, manifest in manifests.items()}


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
            **({"scored_by": "rules of its own"} if benchmark.scorer is not by_gold else {}),
        },
        "backend": backend.identity() if isinstance(backend, Backend) else None,
        "seed": seed,
        **environment(),
    }
