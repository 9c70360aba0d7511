"""Comparing two runs question by question."""

import string
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from promptkit.errors import ConfigError
from promptkit.evaluation.runs import Run, Sample
from promptkit.evaluation.statistics import Interval, paired_difference, questions_needed
from promptkit.types import AnswerValue


@dataclass(frozen=True)
class Comparison:
    """How run `b` differs from run `a` on the same questions."""

    a: Run
    b: Run
    delta: float
    """Accuracy of `b` minus accuracy of `a`."""
    ci95: Interval
    p_value: float
    test: str
    n: int
    fixed: tuple[str, ...]
    """Ids of the questions that only `b` answers correctly."""
    broken: tuple[str, ...]
    """Ids of the questions that only `a` answers correctly."""
    minimum_detectable_effect: float
    """The smallest difference that a test on this many questions finds four times out of five."""

    @cached_property
    def questions_needed(self) -> int | None:
        """How many questions would show a difference of this size four times out of five; `None` for no difference."""
        discordant = (len(self.fixed) + len(self.broken)) / self.n
        return questions_needed(self.delta, discordant) if self.delta else None

    def reversed(self) -> "Comparison":
        """How `a` differs from `b`."""
        low, high = self.ci95
        return replace(
            self,
            a=self.b,
            b=self.a,
            delta=0.0 - self.delta,  # not -delta, which would print "no difference" as -0.0
            ci95=Interval(0.0 - high, 0.0 - low),
            fixed=self.broken,
            broken=self.fixed,
        )

    def summary(self) -> dict[str, Any]:
        """What `compare --json` prints."""
        return {
            "delta": self.delta,
            "ci95": list(self.ci95),
            "p_value": self.p_value,
            "test": self.test,
            "n": self.n,
            "fixed": list(self.fixed),
            "broken": list(self.broken),
            "minimum_detectable_effect": self.minimum_detectable_effect,
            "questions_needed": self.questions_needed,
        }


def compare(run_a: Run, run_b: Run) -> Comparison:
    """Compare two runs on the same questions: exact McNemar test and an interval of the paired difference.

    Raises:
        ConfigError: the runs have not asked the same questions.
    """
    samples_a = {sample.id: sample for sample in run_a.samples}
    samples_b = {sample.id: sample for sample in run_b.samples}
    if samples_a.keys() != samples_b.keys():
        only_a, only_b = len(samples_a.keys() - samples_b.keys()), len(samples_b.keys() - samples_a.keys())
        raise ConfigError(
            f"the runs have asked different questions: {only_a} only in the first, {only_b} only in the second",
            hint="compare runs of one benchmark with the same --limit",
        )
    if not samples_a:
        raise ConfigError("the runs hold no questions", hint="make them again")
    changed = [name for name, sample in samples_a.items() if sample.question != samples_b[name].question]
    if changed:
        raise ConfigError(
            f"{len(changed)} questions have the same id but another text, the first is {changed[0]!r}",
            hint="compare runs of the same benchmark file",
        )
    regraded = [name for name, sample in samples_a.items() if _gold(sample) != _gold(samples_b[name])]
    if regraded:
        raise ConfigError(
            f"{len(regraded)} questions have another right answer, the first is {regraded[0]!r}",
            hint="compare runs of the same benchmark file",
        )
    right_a = [sample.status == "correct" for sample in run_a.samples]
    right_b = [samples_b[sample.id].status == "correct" for sample in run_a.samples]
    difference = paired_difference(right_a, right_b)
    pairs = list(zip(run_a.samples, right_a, right_b, strict=True))
    return Comparison(
        a=run_a,
        b=run_b,
        delta=difference.delta,
        ci95=difference.ci95,
        p_value=difference.p_value,
        test=difference.test,
        n=difference.n,
        fixed=tuple(sample.id for sample, was, now in pairs if now and not was),
        broken=tuple(sample.id for sample, was, now in pairs if was and not now),
        minimum_detectable_effect=difference.minimum_detectable_effect,
    )


def _gold(sample: Sample) -> AnswerValue:
    """The right answer; of choices the text of it, as their order may differ from seed to seed."""
    if sample.choices:
        lettered = dict(zip(string.ascii_uppercase, sample.choices, strict=False))
        return lettered.get(str(sample.gold), sample.gold)
    return sample.gold
