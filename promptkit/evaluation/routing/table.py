"""What a router learns from: of each question, which strategies were right, what they cost, and its features."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np

from promptkit.errors import ConfigError
from promptkit.evaluation.analysis.comparison import compare
from promptkit.evaluation.analysis.resampling import pools_of
from promptkit.evaluation.runs import Run, Sample
from promptkit.strategies import SelfConsistency, Strategy
from promptkit.strategies.router import length_of

Feature: TypeAlias = Literal["agreement", "length", "near"]
SAMPLES = 3
"""Samples whose agreement is looked at."""
FEWEST = 20
"""Questions without which nothing can be learnt and held out."""


@dataclass(frozen=True)
class RoutingTable:
    """Finished runs as arrays: `[questions]`, `[questions, strategies]`. Strategies are in order of their tokens."""

    texts: tuple[str, ...]
    names: tuple[str, ...]
    strategies: tuple[Strategy, ...]
    right: Any
    """Whether each strategy answered each question correctly, bool."""
    tokens: Any
    """Generated tokens."""
    length: Any
    agreement: Any
    """Of the first samples of the probe; zeros without one."""
    alike: Any
    """Likeness of the questions, `[questions, questions]`; `None` where it is not looked at."""
    probe: SelfConsistency | None
    probe_tokens: Any
    """What the probe generates, `[questions, strategies]`: nothing beside the vote that shares its samples."""

    @property
    def questions(self) -> int:
        """How many there are."""
        return len(self.texts)


def features_of(names: Iterable[str] | None) -> tuple[Feature, ...] | None:
    """The features that a user names.

    Raises:
        ConfigError: there is none of a name.
    """
    if names is None:
        return None
    given = tuple(dict.fromkeys(name.strip() for name in names))
    known = get_args(Feature)
    if odd := [name for name in given if name not in known]:
        raise ConfigError(f"there is no feature {odd[0]!r}", hint=f"choose among {', '.join(known)}")
    return cast("tuple[Feature, ...]", given)


def routing_table(runs: Sequence[Run], features: Sequence[Feature] | None, embedder: str) -> RoutingTable:
    """Lay finished runs of several strategies on the same questions side by side.

    Args:
        runs: of one benchmark on one backend, or of several benchmarks that each strategy has run on.
        features: to look at; unset, all that the runs allow.
        embedder: what measures the likeness of questions.

    Raises:
        ConfigError: the runs do not belong together, are too few, or lack what a feature needs.
    """
    if len({run.backend for run in runs}) > 1:
        raise ConfigError("the runs are of several models", hint="give runs of one model")
    names, benchmarks = _sorted_names(runs), list(dict.fromkeys(run.benchmark for run in runs))
    if len(names) < 2:
        raise ConfigError("a router chooses among strategies: give runs of at least two")
    by_pair = {(run.strategy, run.benchmark): run for run in runs}
    if len(by_pair) < len(runs):
        raise ConfigError("a strategy is there twice on a benchmark", hint="give runs of one seed")
    columns: list[list[Sample]] = [[] for _ in names]
    for benchmark in benchmarks:
        missing = [name for name in names if (name, benchmark) not in by_pair]
        if missing:
            raise ConfigError(f"there is no run of {missing[0]} on {benchmark}", hint="run it too, or leave it out")
        first = by_pair[names[0], benchmark]
        for column, name in zip(columns, names, strict=True):
            run = by_pair[name, benchmark]
            compare(first, run)  # refuses other questions
            asked = {sample.id: sample for sample in run.samples}
            column.extend(asked[sample.id] for sample in first.samples)
    texts = tuple(sample.question for sample in columns[0])
    if len(texts) < FEWEST:
        raise ConfigError(f"{len(texts)} questions are too few to make a router", hint=f"take at least {FEWEST}")
    strategies = tuple(_definition([by_pair[name, benchmark] for benchmark in benchmarks]) for name in names)
    tokens: Any = np.array([[sample.usage.completion_tokens for sample in column] for column in columns]).T
    probing = _probe(runs, names, strategies) if features is None or "agreement" in features else None
    if probing is None and features and "agreement" in features:
        raise ConfigError(
            f"agreement needs a run of self-consistency with at least {SAMPLES} samples", hint="leave it out"
        )
    agreement, probe_tokens = np.zeros(len(texts)), np.zeros(tokens.shape)
    if probing is not None:
        place, size = probing
        agreement = np.array([_agreement(sample) for sample in columns[place]])
        probe_tokens[:] = tokens[:, [place]] * SAMPLES / size
        probe_tokens[:, place] = 0
    return RoutingTable(
        texts=texts,
        names=tuple(names),
        strategies=strategies,
        right=np.array([[sample.status == "correct" for sample in column] for column in columns]).T,
        tokens=tokens,
        length=np.array([length_of(text) for text in texts]),
        agreement=agreement,
        alike=_alike(texts, embedder) if features is None or "near" in features else None,
        probe=None if probing is None else _shortened(strategies[probing[0]]),
        probe_tokens=probe_tokens,
    )


def _sorted_names(runs: Sequence[Run]) -> list[str]:
    """Names of strategies, those that generate least first."""
    spent: dict[str, int] = {}
    for run in runs:
        spent[run.strategy] = spent.get(run.strategy, 0) + run.usage.completion_tokens
    return sorted(spent, key=lambda name: spent[name])


def _definition(runs: Sequence[Run]) -> Strategy:
    """The strategy that was run, as its manifests have it."""
    definitions = [run.manifest.get("strategy_definition") for run in runs]
    if definitions[0] is None:
        raise ConfigError(
            f"the run of {runs[0].strategy} does not say what it ran", hint="give folders that eval wrote"
        )
    if any(one != definitions[0] for one in definitions):
        raise ConfigError(
            f"{runs[0].strategy} is not the same on every benchmark", hint="make a router for each benchmark"
        )
    return Strategy.model_validate(definitions[0])


def _probe(runs: Sequence[Run], names: Sequence[str], strategies: Sequence[Strategy]) -> tuple[int, int] | None:
    """The vote whose first samples cost least: its place, and how many samples it has."""
    found: list[tuple[float, int, int]] = []
    for place, (name, strategy) in enumerate(zip(names, strategies, strict=True)):
        if not isinstance(strategy, SelfConsistency) or strategy.n < SAMPLES:
            continue
        mine = [run for run in runs if run.strategy == name]
        if all(pools_of(run) for run in mine):
            found.append((sum(run.usage.completion_tokens for run in mine) / strategy.n, place, strategy.n))
    return min(found)[1:] if found else None


def _shortened(strategy: Strategy) -> SelfConsistency:
    assert isinstance(strategy, SelfConsistency)
    return SelfConsistency(strategy.inner, SAMPLES, strategy.temperature)


def _agreement(sample: Sample) -> float:
    """As `Result.agreement` of the first samples alone."""
    first = [candidate for candidate in sample.candidates if candidate.status != "failed"][:SAMPLES]
    answers = [candidate.answer for candidate in first if candidate.votes]
    return max((answers.count(answer) for answer in answers), default=0) / max(1, len(first))


def _alike(texts: Sequence[str], embedder: str) -> Any:
    from promptkit.embedding import embedder as named

    vectors = named(embedder).fit(texts).embed(texts)
    return vectors @ vectors.T
