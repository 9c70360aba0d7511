"""How often the intervals hold the truth, and how often the tests raise a false alarm: python benchmarks/coverage.py

Simulates runs whose truth is known, 4,000 for each line, and takes about a minute on one core.
"""

import numpy as np

from promptkit.evaluation.analysis.interaction import contrast_interval, sign_flip
from promptkit.evaluation.statistics import wilson
from promptkit.evaluation.statistics.clustered import weighted_clusters

RUNS = 4_000


def clustered() -> None:
    """Samples of questions whose chances of being answered rightly are a Beta's: `spread` small is all or nothing."""
    print("accuracy of N samples a question: coverage of the clustered interval, and of Wilson's of all samples")
    generator = np.random.default_rng(0)
    for questions, samples in [(20, 5), (60, 10), (200, 5), (1319, 10)]:
        for mean, spread in [(0.5, 0.3), (0.5, 5.0), (0.8, 1.0), (0.95, 1.0)]:
            chances = generator.beta(mean * spread, (1 - mean) * spread, size=(RUNS, questions))
            held = naive = 0
            for totals in generator.binomial(samples, chances).astype(float):
                low, high = weighted_clusters(totals.tolist(), [float(samples)] * questions).ci95
                held += low <= mean <= high
                low, high = wilson(int(totals.sum()), questions * samples)
                naive += low <= mean <= high
            print(
                f"{questions:5} × {samples:2}, mean {mean:.2f}, spread {spread}: {held / RUNS:.3f} {naive / RUNS:.3f}"
            )


def interaction() -> None:
    """Gains on two models, from the shares of fixed and broken questions on each."""
    print("interaction: coverage of the interval, and share of tests below 0.05")
    generator = np.random.default_rng(0)
    shares = [
        ((0.05, 0.05), (0.05, 0.05)),
        ((0.2, 0.2), (0.1, 0.1)),
        ((0.1, 0.1), (0.3, 0.05)),
        ((0.02, 0.1), (0.5, 0.02)),
    ]
    for questions in (20, 60, 200):
        for first, second in shares:
            gains = [
                generator.choice([1, -1, 0], p=[fixed, broken, 1 - fixed - broken], size=(RUNS, questions))
                for fixed, broken in (first, second)
            ]
            truth = (second[0] - second[1]) - (first[0] - first[1])
            held = found = 0
            for row in (gains[1] - gains[0]).tolist():
                low, high = contrast_interval(row)
                held += low - 1e-12 <= truth <= high + 1e-12
                found += sign_flip(row) < 0.05
            print(f"{questions:5}, fixed/broken {first} and {second}: {held / RUNS:.3f} {found / RUNS:.3f}")


if __name__ == "__main__":
    clustered()
    interaction()
