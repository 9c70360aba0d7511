"""The extractor audit: what a run would score under other readings, and what of a gain is reasoning or formatting.

Every figure is made from stored texts. Two bounds stand around the score of a run: the strict reading credits only
what no reader could misread, the lenient one whatever a reader finds who knows the right answer. A gain between two
strategies that is left when both are read leniently is a gain of reasoning; what vanishes then was one of formatting:
answers that were there and were not read, misread, or cut off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from promptkit.evaluation.analysis.comparison import Comparison, compare
from promptkit.evaluation.rereading.readings import asked, by_name, changed, leniently, readable, strictly
from promptkit.evaluation.runs import Run, Sample, Status
from promptkit.evaluation.statistics.paired_points import PointsDifference, points_difference
from promptkit.extract import names, same


@dataclass(frozen=True)
class Audit:
    """One run under every reading."""

    run: Run
    readings: dict[str, Run]
    """Extractor → the run as it would have scored; those that cannot read this kind of answer are left out."""
    strict: Run
    """Only answers that are marked, stand alone, or follow at once where the prompt said "the answer is"."""
    lenient: Run
    """Whatever a reader finds who knows the right answer."""

    @cached_property
    def recovered(self) -> dict[Status, list[str]]:
        """What the run counts as not right and the lenient reading finds, by the run's status: ids of the questions."""
        found: dict[Status, list[str]] = {"wrong": [], "unparsed": [], "truncated": []}
        for old, new in zip(self.run.samples, self.lenient.samples, strict=True):
            if old.status in found and new.status == "correct":
                found[old.status].append(old.id)
        return found

    @cached_property
    def disagreements(self) -> list[str]:
        """Ids of the questions that readings dispute, those first that one of them gets right and the run does not.

        A question is in dispute where two readings found different answers. That one found none is no dispute, unless
        the run itself did.
        """
        disputed: dict[str, int] = {}
        for place, sample in enumerate(self.run.samples):
            read = [run.samples[place] for run in [*self.readings.values(), self.strict, self.lenient]]
            if sample.status != "correct" and any(one.status == "correct" for one in read):
                disputed[sample.id] = 0
            elif sample.answer is not None and any(_differs(sample, one) for one in read):
                disputed[sample.id] = 1
        return sorted(disputed, key=lambda name: disputed[name])

    def read(self, name: str) -> dict[str, Sample]:
        """One question under each reading: "run", the extractors, "low" and "high"."""
        runs = {"run": self.run, **self.readings, "low": self.strict, "high": self.lenient}
        return {reading: run.samples[self._places[name]] for reading, run in runs.items()}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {sample.id: place for place, sample in enumerate(self.run.samples)}

    def summary(self) -> dict[str, Any]:
        """What `audit --json` prints of it."""
        return {
            "strategy": self.run.strategy,
            "benchmark": self.run.benchmark,
            "backend": self.run.backend,
            "n": self.run.n,
            "run_dir": str(self.run.run_dir) if self.run.run_dir else None,
            "as_run": _scores(self.run),
            "readings": {
                name: {**_scores(read), "changed": sum(map(changed, self.run.samples, read.samples))}
                for name, read in self.readings.items()
            },
            "bounds": {"strict": _scores(self.strict), "lenient": _scores(self.lenient)},
            "recovered": self.recovered,
            "disagreements": [
                {
                    "id": name,
                    "readings": {
                        reading: {"status": sample.status, "answer": sample.answer}
                        for reading, sample in self.read(name).items()
                    },
                }
                for name in self.disagreements
            ],
        }


def audit(run: Run) -> Audit:
    """Read a run again in every way.

    Raises:
        ConfigError: the texts of samples that voted are not to be found in the run.
    """
    samples = asked(run)
    readings: dict[str, Run] = {}
    kinds = {one.question.kind: one.question for one in samples}.values()
    for name in names():
        if all(name in readable(question) for question in kinds):
            readings[name] = _with(run, [by_name(one, name) for one in samples])
    strict, lenient = [strictly(one) for one in samples], [leniently(one) for one in samples]
    return Audit(run, readings, _with(run, strict), _with(run, lenient))


@dataclass(frozen=True)
class Gain:
    """The gain of one strategy over another, taken apart."""

    as_run: Comparison
    """Under the extractors of the runs."""
    reasoning: Comparison
    """With both read leniently."""
    formatting: PointsDifference
    """What vanishes then: the gain as run minus the gain of reasoning, question by question."""

    def summary(self) -> dict[str, Any]:
        """What `audit --json` prints of it."""
        keys = ("delta", "ci95", "p_value")
        return {
            "a": self.as_run.a.strategy,
            "b": self.as_run.b.strategy,
            "benchmark": self.as_run.a.benchmark,
            "backend": self.as_run.a.backend,
            "as_run": {key: self.as_run.summary()[key] for key in keys},
            "reasoning": {key: self.reasoning.summary()[key] for key in keys},
            "formatting": {key: self.formatting.summary()[key] for key in keys},
        }


def gain(a: Audit, b: Audit, *, seed: int = 0) -> Gain:
    """Take apart what the run of `b` gains over that of `a`.

    Raises:
        ConfigError: the runs have not asked the same questions.
    """
    as_run, reasoning = compare(a.run, b.run), compare(a.lenient, b.lenient)
    gained = _gains(as_run)
    left = _gains(reasoning)
    ids = [sample.id for sample in a.run.samples]
    formatting = points_difference([left[name] for name in ids], [gained[name] for name in ids], seed=seed)
    return Gain(as_run, reasoning, formatting)


def audit_all(runs: Sequence[Run], seed: int = 0) -> tuple[list[Audit], list[Gain]]:
    """Audit runs, and take apart what each gains over the first one on the same questions and model."""
    audits = [audit(run) for run in runs]
    bases: dict[tuple[str, str], Audit] = {}
    gains: list[Gain] = []
    for one in audits:
        base = bases.setdefault((one.run.benchmark, one.run.backend), one)
        if base is not one:
            gains.append(gain(base, one, seed=seed))
    return audits, gains


def _differs(one: Sample, other: Sample) -> bool:
    return one.answer is not None and other.answer is not None and not same(one.answer, other.answer)


def _gains(comparison: Comparison) -> dict[str, int]:
    fixed, broken = set(comparison.fixed), set(comparison.broken)
    return {sample.id: (sample.id in fixed) - (sample.id in broken) for sample in comparison.a.samples}


def _with(run: Run, samples: Sequence[Sample]) -> Run:
    return replace(run, samples=tuple(samples))


def _scores(run: Run) -> dict[str, Any]:
    return {
        "correct": run.count("correct"),
        "accuracy": run.accuracy,
        "ci95": list(run.ci95),
        "unparsed": run.count("unparsed"),
        "truncated": run.count("truncated"),
    }
