"""The noise floor: how far runs that differ only in their seed lie apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt
from statistics import stdev

from promptkit.evaluation.analysis.comparison import compare
from promptkit.evaluation.runs import Run
from promptkit.evaluation.statistics.clustered import ClusteredMean, clustered_mean
from promptkit.evaluation.statistics.intervals import normal_quantile


@dataclass(frozen=True)
class NoiseFloor:
    """What reseeding alone does to a strategy on a benchmark with a backend."""

    runs: tuple[Run, ...]
    """Equal but for their seeds."""
    accuracy: ClusteredMean
    """Over all seeds, clustered by question."""
    between_seeds: float
    """Standard deviation of the runs' accuracies, as observed; of few seeds it is a rough figure."""
    flip_rate: float
    """Share of the questions that are right with one seed and not with another, over all pairs of seeds."""
    expected: float
    """Standard deviation of the accuracy that these flips make: sqrt(flip_rate / 2n) for n questions. It rests on every
    question's flips, not on a handful of accuracies, and takes questions to flip independently."""
    reach: float
    """95 % of all pairs of seeds differ by less: 1.96 sqrt(2) times `expected`."""


@dataclass(frozen=True)
class DifferenceNoise:
    """What reseeding alone does to the paired difference of two strategies."""

    mean: float
    """Accuracy of the second minus that of the first, over the seeds."""
    between_seeds: float
    """Standard deviation of the difference, as observed."""
    expected: float
    """The same from the flips of both, which are independent."""


def noise_floors(runs: Sequence[Run]) -> list[NoiseFloor]:
    """The noise floor of each strategy, benchmark and backend that was run with several seeds.

    Flips between seeds are the only noise here: which questions were asked is the same for all. It is a part of what an
    interval or a test of one run holds, not to be added to them.

    Args:
        runs: of any strategies; those equal but for the seed (`manifest["seed"]`) are taken together. Of runs with the
            same seed, the first counts.

    Raises:
        ConfigError: runs of one strategy and benchmark have asked different questions.
    """
    alike: dict[tuple[str, str, str], dict[object, Run]] = {}
    for place, run in enumerate(runs):
        seed = run.manifest.get("seed", f"run {place}")
        alike.setdefault((run.strategy, run.benchmark, run.backend), {}).setdefault(seed, run)
    return [_floor(tuple(seeds.values())) for seeds in alike.values() if len(seeds) > 1]


def difference_noise(first: NoiseFloor, second: NoiseFloor) -> DifferenceNoise:
    """How much the difference of two strategies that ran with the same seeds moves between the seeds.

    Raises:
        ValueError: they ran with different numbers of seeds.
    """
    deltas = [b.accuracy - a.accuracy for a, b in zip(first.runs, second.runs, strict=True)]
    return DifferenceNoise(sum(deltas) / len(deltas), stdev(deltas), sqrt(first.expected**2 + second.expected**2))


def _floor(runs: tuple[Run, ...]) -> NoiseFloor:
    for run in runs[1:]:
        compare(runs[0], run)  # refuses other questions
    right = [{sample.id: float(sample.status == "correct") for sample in run.samples} for run in runs]
    per_question = [sum(one[name] for one in right) for name in right[0]]
    pairs = comb(len(runs), 2)
    flips = sum(count * (len(runs) - count) for count in per_question) / (pairs * len(per_question))
    expected = sqrt(flips / 2 / runs[0].n)
    return NoiseFloor(
        runs=runs,
        accuracy=clustered_mean([[one[name] for one in right] for name in right[0]]),
        between_seeds=stdev(run.accuracy for run in runs),
        flip_rate=flips,
        expected=expected,
        reach=normal_quantile(0.95) * sqrt(2) * expected,
    )
