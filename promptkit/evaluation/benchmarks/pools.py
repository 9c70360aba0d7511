"""Where demonstrations come from in an evaluation: a training set, never the questions that are asked."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from promptkit.errors import BenchmarkError
from promptkit.evaluation.benchmarks.benchmark import Benchmark, load
from promptkit.evaluation.benchmarks.catalogue import entry_of
from promptkit.strategies.base import Strategy
from promptkit.strategies.pool import Pool, packaged_pool
from promptkit.strategies.selection import wrong_demonstrations
from promptkit.types import Demonstration, Example, PoolItem, answer_text

FROM_TEST = "test"
"""What to give as the pool for the published, leaking way of Auto-CoT."""


def pool_for(benchmark: Benchmark, given: str | Path | Benchmark | None = None) -> Pool:
    """The pool for a benchmark, without whatever nearly equals one of its questions.

    Args:
        benchmark: what is asked.
        given: the pool's file, name or benchmark; "test" takes the questions of the test itself, as the published
            Auto-CoT does: that leaks. Unset, it is the published training split, else the packaged questions of the
            kind.

    Raises:
        ConfigError: there is no pool, or its answers are of another kind or have other labels.
    """
    if given == FROM_TEST:
        return Pool(tuple(_items(benchmark.examples)), f"the test set {benchmark.name}", leaks=True)
    pool = _given(benchmark, given) if given is not None else _own(benchmark)
    _check_labels(pool, benchmark)
    return pool.without(example.question.text for example in benchmark.examples)


def pool_of(benchmark: Benchmark) -> Pool:
    """All questions of a benchmark as a pool."""
    entry = entry_of(benchmark.name)
    source = benchmark.name if entry and entry.packaged else benchmark.source
    return Pool(tuple(_items(benchmark.examples)), source)


def preparation_notes(strategy: Strategy, pool: Pool) -> dict[str, Any]:
    """What a manifest says of a prepared strategy: itself, its pool, and demonstrations that show a wrong answer."""
    wrong = wrong_demonstrations(_demonstrations(strategy), pool)
    return {
        "prepared": strategy.model_dump(mode="json"),
        "pool": {"source": pool.source, "questions": len(pool.items), "leaks": pool.leaks},
        "wrong_demonstrations": [demo.id for demo in wrong],
    }


def _demonstrations(strategy: Strategy) -> tuple[Demonstration, ...]:
    own: object = getattr(strategy, "demos", ())
    shown = cast("tuple[Demonstration, ...]", own) if isinstance(own, tuple) else ()
    return shown + tuple(demo for inner in strategy.inner_strategies() for demo in _demonstrations(inner))


def _given(benchmark: Benchmark, given: str | Path | Benchmark) -> Pool:
    source = given if isinstance(given, Benchmark) else load(given)
    if source.kind != benchmark.kind:
        raise BenchmarkError(
            f"the pool {source.name} has answers of kind {source.kind}, and {benchmark.name} of kind {benchmark.kind}",
            hint="give a pool of the same kind",
        )
    return pool_of(source)


def _own(benchmark: Benchmark) -> Pool:
    entry = entry_of(benchmark.name)
    if entry and entry.train and entry.hub and benchmark.source.startswith(entry.hub.repository):
        return _given(benchmark, entry.train)
    return packaged_pool(benchmark.kind, without=benchmark.name)


def _check_labels(pool: Pool, benchmark: Benchmark) -> None:
    labels = benchmark.examples[0].question.labels
    if odd := [item.answer for item in pool.items if labels and item.answer and item.answer not in labels]:
        raise BenchmarkError(
            f"the pool {pool.source} answers {odd[0]!r}, which is none of the labels {', '.join(labels)}",
            hint="give a pool with these labels: pool= or --pool FILE",
        )


def _items(examples: Iterable[Example]) -> Iterable[PoolItem]:
    for example in examples:
        yield PoolItem(question=example.question, answer=answer_text(example.gold), rationale=example.rationale)
