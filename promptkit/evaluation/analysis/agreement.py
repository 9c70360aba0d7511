"""Agreement of samples as a measure of confidence: whether answers that more samples agree on are more often right."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from promptkit.evaluation.runs import Run, Sample
from promptkit.evaluation.statistics import Interval, wilson


@dataclass(frozen=True)
class AgreementBin:
    """Questions whose winning answer had a similar share of all samples."""

    low: float
    high: float
    """The share of the samples lies above `low` and up to `high`; that of the first bin may be 0."""
    questions: int
    agreement: float
    """Mean share of the winning answer."""
    accuracy: float
    ci95: Interval
    """Of `accuracy`, Wilson."""


@dataclass(frozen=True)
class Selective:
    """Answering only where enough samples agree (El-Yaniv and Wiener 2010, JMLR 11:1605)."""

    at_least: float
    """The share of all samples that the winning answer must have."""
    questions: int
    """How many are answered then."""
    answered: float
    """Their share of all questions."""
    accuracy: float
    """Of those that are answered."""
    ci95: Interval
    """Of `accuracy`, Wilson."""


@dataclass(frozen=True)
class Agreement:
    """How well the agreement of samples tells whether the answer is right."""

    bins: tuple[AgreementBin, ...]
    """Those that hold questions, by rising agreement."""
    ece: float
    """Expected calibration error: the mean distance of agreement and accuracy, over the bins (Guo et al. 2017)."""
    selective: tuple[Selective, ...]
    """By falling `at_least`: what answering fewer questions would gain."""


def agreement(run: Run, bins: int = 10) -> Agreement | None:
    """Hold the agreement of each question's samples against whether its answer is right.

    The calibration error is of the shares as they are, not of fitted probabilities, and noise makes it larger than
    it is (Kumar et al. 2019, arXiv:1909.10155): with few questions a bin, look at the bins' intervals.

    Args:
        run: of a strategy that votes, by number or weight. Unread samples count as not agreeing, failed ones are none;
            a question without any vote has agreement 0.
        bins: of equal width, between 0 and 1.

    Returns:
        `None` for a run without votes, or whose folder was written before candidates were noted.
    """
    if not any(sample.votes and sample.candidates for sample in run.samples):
        return None
    shares = [(_share(sample), sample.status == "correct") for sample in run.samples]
    filled: dict[int, list[tuple[float, bool]]] = {}
    for share, right in shares:
        # Rounded, so that 3 of 10 lies on the limit of its bin and not behind it.
        filled.setdefault(max(1, ceil(round(share * bins, 9))), []).append((share, right))
    found = tuple(_bin(number, bins, filled[number]) for number in sorted(filled))
    ece = sum(one.questions * abs(one.agreement - one.accuracy) for one in found) / len(shares)
    return Agreement(found, ece, _selective(shares))


def _share(sample: Sample) -> float:
    """As `Result.agreement`."""
    samples = sum(candidate.status != "failed" for candidate in sample.candidates)
    return sample.votes[0].count / samples if sample.votes else 0.0


def _bin(number: int, bins: int, held: Sequence[tuple[float, bool]]) -> AgreementBin:
    right, n = sum(right for _, right in held), len(held)
    mean = sum(share for share, _ in held) / n
    return AgreementBin((number - 1) / bins, number / bins, n, mean, right / n, wilson(right, n))


def _selective(shares: Sequence[tuple[float, bool]]) -> tuple[Selective, ...]:
    points: list[Selective] = []
    for at_least in sorted({share for share, _ in shares}, reverse=True):
        held = [right for share, right in shares if share >= at_least]
        right, n = sum(held), len(held)
        points.append(Selective(at_least, n, n / len(shares), right / n, wilson(right, n)))
    return tuple(points)
