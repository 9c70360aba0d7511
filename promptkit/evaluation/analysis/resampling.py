"""What one pool of samples tells without further calls: the vote of fewer samples (maj@n), and pass@n.

A run of `SelfConsistency` holds, for each question, what became of its N samples. They are exchangeable: any n of
them are as good as the first n, so averaging over all subsets says what n samples would have done, with less noise than
the first n alone. Only counted votes are resampled: where votes were weighed, or chosen by likeness, there is no curve.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import Any, cast

import numpy as np

from promptkit.evaluation.runs import Run, Sample
from promptkit.evaluation.statistics import Interval
from promptkit.evaluation.statistics.clustered import weighted_clusters
from promptkit.types import AnswerValue


@dataclass(frozen=True)
class Pool:
    """The samples of one question, as far as counted votes go."""

    right: tuple[int, ...]
    """How many samples gave each right answer; more than one where several expressions are right."""
    wrong: tuple[int, ...]
    """How many samples gave each wrong answer."""
    silent: int
    """Samples without a vote: not read, cut off or failed."""

    @property
    def size(self) -> int:
        """All samples."""
        return sum(self.right) + sum(self.wrong) + self.silent


@dataclass(frozen=True)
class CurvePoint:
    """What `n` samples a question give, averaged over all subsets of that size."""

    n: int
    majority: float
    """maj@n: the chance that the vote of `n` samples is right. Ties go to the answer seen first, as in the strategy."""
    majority_ci95: Interval
    pass_at: float
    """pass@n: the chance that at least one of `n` samples is right, as an oracle would pick it."""
    pass_ci95: Interval

    @property
    def headroom(self) -> float:
        """What a perfect choice among the same samples would add to the vote."""
        return self.pass_at - self.majority


def vote_curve(run: Run) -> tuple[CurvePoint, ...]:
    """maj@n and pass@n for every n up to the number of samples, exactly and without bias.

    pass@n is the estimator of Chen et al. 2021 (arXiv:2107.03374). maj@n is the mean over all subsets of the samples
    and all orders in which they may come, computed exactly from the counts of each answer; nothing is drawn. Intervals
    are clustered by question (`clustered_mean`): samples of a question are no independent observations.

    Returns:
        The points by rising n; empty where no question has two votes to count: another strategy, one sample, weighed
        votes, or adaptive sampling, which draws more where answers disagree, so that its pools are no fair sample.
    """
    pools = pools_of(run)
    size = max((pool.size for pool in pools), default=0)
    points: list[CurvePoint] = []
    for n in range(1, size + 1):
        worth = size / n  # subsets of n that share no sample
        sizes = [worth] * len(pools)
        majority = weighted_clusters([worth * majority_at(n, pool) for pool in pools], sizes)
        passed = weighted_clusters([worth * pass_at(n, pool.size, sum(pool.right)) for pool in pools], sizes)
        points.append(CurvePoint(n, majority.mean, majority.ci95, passed.mean, passed.ci95))
    return tuple(points)


def pass_at(k: int, n: int, correct: int) -> float:
    """The chance that at least one of `k` samples is right, from `n` samples of which `correct` are (Chen et al. 2021).

    Raises:
        ValueError: `k` is not within 1 and `n`, or `correct` not within 0 and `n`.
    """
    if not (1 <= k <= n and 0 <= correct <= n):
        raise ValueError(f"pass@{k} of {n} samples with {correct} right makes no sense")
    return 1 - comb(n - correct, k) / comb(n, k)


def majority_at(n: int, pool: Pool) -> float:
    """The chance that the vote of `n` samples of a pool, drawn without replacement and in any order, is right.

    Of answers that tie, each is as likely to be seen first as the others, as they have as many samples each.

    Raises:
        ValueError: `n` is not within 1 and the size of the pool.
    """
    if not 1 <= n <= pool.size:
        raise ValueError(f"maj@{n} of {pool.size} samples makes no sense")
    answers = tuple(sorted(pool.right + pool.wrong))
    return sum(_elected(count, answers, pool.silent)[n] for count in pool.right)


def pools_of(run: Run) -> tuple[Pool, ...]:
    """The pool of each question; empty where they do not allow to resample a vote (see `vote_curve`)."""
    sizes = {len(sample.candidates) for sample in run.samples if sample.candidates}
    size = max(sizes, default=0)
    weighed = any(vote.weight is not None for sample in run.samples for vote in sample.votes)
    adaptive = any("saved_samples" in sample.details for sample in run.samples)
    voted = any(sample.votes for sample in run.samples)
    if size < 2 or len(sizes) > 1 or weighed or adaptive or not voted:
        return ()
    return tuple(_pool(sample, size) for sample in run.samples)


def _pool(sample: Sample, size: int) -> Pool:
    """The counts of one question; one that failed altogether has no candidates, and counts as `size` failures."""
    right: Counter[AnswerValue] = Counter()
    wrong: Counter[AnswerValue] = Counter()
    for candidate in sample.candidates:
        if candidate.votes and candidate.answer is not None:
            (right if candidate.status == "correct" else wrong)[candidate.answer] += 1
    silent = size - right.total() - wrong.total()
    return Pool(tuple(sorted(right.values())), tuple(sorted(wrong.values())), silent)


@lru_cache(maxsize=20_000)
def _elected(count: int, answers: tuple[int, ...], silent: int) -> tuple[float, ...]:
    """The chance that the answer that `count` samples gave is elected by n of them, for each n from 0 on.

    For each number of votes that elects it, count the subsets in which it has as many, no other answer has more, and
    some others tie with it: a product of polynomials, whose exponents are the samples taken and the answers that tie.

    Args:
        count: samples that gave the answer.
        answers: samples that gave each answer, this one included.
        silent: samples without a vote.
    """
    others = list(answers)
    others.remove(count)
    voters = sum(answers)
    size = voters + silent
    subsets: Any = np.zeros(size + 1)
    for top in range(1, count + 1):
        # (samples taken, answers that tie)
        ways: Any = np.zeros((voters + 1, 1 + sum(other >= top for other in others)))
        ways[top, 0] = comb(count, top)
        for other in others:
            ways = _with(ways, other, top)
        # Of those that tie, each may have been seen first.
        shares: Any = ways / cast("Any", np.arange(1, ways.shape[1] + 1))
        subsets += np.convolve(shares.sum(axis=1), [float(comb(silent, taken)) for taken in range(silent + 1)])
    return tuple(float(number) / comb(size, n) for n, number in enumerate(subsets))


def _with(ways: Any, count: int, top: int) -> Any:
    """The ways with one more answer, that `count` samples gave and that may have up to `top` votes."""
    longer: Any = np.zeros_like(ways)
    for votes in range(min(top, count) + 1):
        ties = int(votes == top)
        longer[votes:, ties:] += comb(count, votes) * ways[: len(ways) - votes, : ways.shape[1] - ties]
    return longer
