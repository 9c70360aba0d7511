"""What adaptive sampling would have saved: the stopping rule of `SelfConsistency`, replayed on samples at hand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from promptkit.evaluation.analysis.resampling import Pool, pools_of
from promptkit.evaluation.runs import Run
from promptkit.evaluation.statistics import Interval
from promptkit.evaluation.statistics.clustered import weighted_clusters
from promptkit.strategies.voting import lead_probability


@dataclass(frozen=True)
class Stopping:
    """What adaptive sampling with one threshold would have needed and given."""

    threshold: float
    """Of `SelfConsistency.adaptive`."""
    samples: float
    """Mean samples a question."""
    of: int
    """Samples a question without stopping."""
    tokens: float
    """Mean generated tokens a question, where each of its samples counts alike."""
    accuracy: float
    ci95: Interval
    """Of `accuracy`, over questions."""
    error: float
    """Standard error that drawing orders leaves in `accuracy`."""

    @property
    def saved(self) -> float:
        """Share of the samples that were not needed."""
        return 1 - self.samples / self.of


def adaptive_savings(
    run: Run, thresholds: Sequence[float] = (0.8, 0.9, 0.95, 0.99), *, orders: int = 200, seed: int = 0
) -> tuple[Stopping, ...]:
    """What `SelfConsistency(adaptive=threshold)` would have saved on the same samples, and its accuracy.

    The rule (Aggarwal et al. 2023, arXiv:2305.11860) is that of the strategy, `lead_probability`. When it stops depends
    on the order in which samples come; they are exchangeable, so this averages over random orders of each question's.

    Args:
        run: of `SelfConsistency` with counted votes that drew all its samples.
        thresholds: each above ½ and below 1.
        orders: drawn for each question.
        seed: of the orders.

    Returns:
        One for each threshold; empty where `vote_curve` is empty.

    Raises:
        ValueError: a threshold is not within its range, or `orders` is not positive.
    """
    if orders < 1 or not all(0.5 < threshold < 1 for threshold in thresholds):
        raise ValueError("thresholds lie above 0.5 and below 1, and at least one order is drawn")
    pools = pools_of(run)
    if not pools:
        return ()
    size = pools[0].size
    lead = _lead_table(size)
    generator = np.random.default_rng(seed)
    alike = Counter(pools)
    replayed = {pool: _Replay(pool, lead, generator, orders) for pool in alike}
    made: list[Stopping] = []
    for threshold in thresholds:
        used: dict[Pool, float] = {}
        right: dict[Pool, float] = {}
        noise = 0.0
        for pool, replay in replayed.items():
            samples, correct = replay.stopped(threshold)
            used[pool], right[pool] = float(samples.mean()), float(correct.mean())
            noise += alike[pool] ** 2 * float(correct.var()) / orders
        pairs = zip(run.samples, pools, strict=True)
        spent = sum(sample.usage.completion_tokens * used[pool] / size for sample, pool in pairs)
        scored = weighted_clusters([right[pool] for pool in pools], [1.0] * len(pools))
        made.append(
            Stopping(
                threshold=threshold,
                samples=sum(used[pool] for pool in pools) / len(pools),
                of=size,
                tokens=spent / len(pools),
                accuracy=scored.mean,
                ci95=scored.ci95,
                error=sqrt(noise) / len(pools),
            )
        )
    return tuple(made)


class _Replay:
    """One pool drawn in several orders: how sure the lead is after each sample, and whether the leader is right."""

    def __init__(self, pool: Pool, lead: Any, generator: np.random.Generator, orders: int) -> None:
        counts = (*pool.right, *pool.wrong)
        silent = len(counts)
        labels = np.repeat(np.arange(silent + 1), [*counts, pool.silent])
        drawn = generator.permuted(np.tile(labels, (orders, 1)), axis=1)  # (orders, samples)
        votes = np.cumsum(drawn[:, :, None] == np.arange(silent), axis=1)  # (orders, samples, answers)
        padded = np.concatenate([votes, np.zeros((*votes.shape[:2], 2), dtype=votes.dtype)], axis=2)
        leaders = np.sort(padded, axis=2)
        self._lead = lead[leaders[:, :, -1], leaders[:, :, -2]]
        # Ties go to the answer seen first: where it first stands decides, as less than one vote.
        seen = np.argmax(votes > 0, axis=1) + np.where(votes[:, -1] > 0, 0, pool.size)
        ranked = votes - seen[:, None, :] / (2 * pool.size + 1)
        self._right = (
            (np.argmax(ranked, axis=2) < len(pool.right)) & (leaders[:, :, -1] > 0)
            if counts
            else np.zeros(drawn.shape, dtype=bool)
        )

    def stopped(self, threshold: float) -> tuple[Any, Any]:
        """For each order: the samples drawn, and whether the answer is right."""
        sure = self._lead >= threshold
        sure[:, -1] = True
        last = np.argmax(sure, axis=1)
        return last + 1, self._right[np.arange(len(last)), last]


def _lead_table(size: int) -> Any:
    """`lead_probability` for each number of votes of the leader and the runner-up."""
    table = np.zeros((size + 1, size + 1))
    for first in range(size + 1):
        for second in range(min(first, size - first) + 1):
            table[first, second] = lead_probability({"a": first, "b": second})
    return table
