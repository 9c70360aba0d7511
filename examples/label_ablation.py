"""The label ablation on the embedded model, with several draws of the demonstrations (Min et al., 2022).

    python examples/label_ablation.py

Prints a line an arm: how many answers were right with each draw, and on average.
"""

from collections import defaultdict

from promptkit import Backend, label_ablation
from promptkit.backends import default

SEEDS = (0, 1, 2)
QUESTIONS = 20
DEMONSTRATIONS = 4


def main(backend: Backend) -> None:
    """Run all arms once a seed."""
    right: dict[str, list[int]] = defaultdict(list)
    for seed in SEEDS:
        for run in label_ablation("sentiment", backend, k=DEMONSTRATIONS, limit=QUESTIONS, seed=seed):
            arm = run.strategy.partition(" (")[0]  # without how many labels are right, which differs from draw to draw
            right[arm].append(run.count("correct"))
    print(f"right of {QUESTIONS}, seeds {', '.join(map(str, SEEDS))}")
    for arm, counts in right.items():
        print(f"{arm:18}  {'  '.join(f'{count:3}' for count in counts)}   {sum(counts) / len(counts):5.1f} on average")


if __name__ == "__main__":
    main(default())
