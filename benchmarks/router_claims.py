"""How often `promptkit route` would claim a gain where there is none: made-up questions that no feature can route.

    python benchmarks/router_claims.py [--simulations 400]

In "unrelated", whether a strategy is right hangs on nothing; in "difficulty", hard questions have low agreement, but
are as hard for every strategy. A claim is an interval of the gain above 0; 2.5 % of them or fewer should be there.
"""

import argparse

import numpy as np

from promptkit import SelfConsistency, ZeroShot
from promptkit.evaluation.routing.fitting import cross_validated
from promptkit.evaluation.routing.table import RoutingTable
from promptkit.strategies.router import Route, Router

STRATEGIES = (ZeroShot("direct"), ZeroShot(), SelfConsistency(ZeroShot(), 5))
NAMES = ("direct", "zero-shot", "vote")


def made_up(drawing: np.random.Generator, questions: int, *, difficulty: bool, shares: list[float]) -> RoutingTable:
    """Outcomes without anything to route by."""
    ease = drawing.normal(size=(questions, 1)) if difficulty else np.zeros((questions, 1))
    chance = 1 / (1 + np.exp(-(np.log(np.array(shares) / (1 - np.array(shares))) + 1.5 * ease)))
    vectors = drawing.normal(size=(questions, 8))
    return RoutingTable(
        texts=tuple(map(str, range(questions))),
        names=NAMES,
        strategies=STRATEGIES,
        right=drawing.random((questions, len(NAMES))) < chance,
        tokens=np.tile([5.0, 200.0, 1000.0], (questions, 1)),
        length=drawing.normal(8, 1, questions),
        agreement=np.clip(np.round((0.6 + 0.2 * ease[:, 0] + drawing.normal(0, 0.15, questions)) * 3) / 3, 1 / 3, 1),
        alike=vectors @ vectors.T,
        probe=SelfConsistency(ZeroShot(), 3),
        probe_tokens=np.zeros((questions, len(NAMES))),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=400)
    args = parser.parse_args()
    router = Router(STRATEGIES, tuple(Route(name) for name in NAMES))
    print("| outcomes | accuracies | questions | claims of a gain | mean gain, points |\n|---|---|---|---|---|")
    for difficulty in (False, True):
        for shares in ([0.6, 0.6, 0.6], [0.3, 0.6, 0.65]):
            for questions in (60, 200):
                drawing = np.random.default_rng(1)
                claims, gains = 0, 0.0
                for seed in range(args.simulations):
                    table = made_up(drawing, questions, difficulty=difficulty, shares=shares)
                    found = cross_validated(router, table, ("agreement", "length", "near"), 5, 4, seed)
                    claims += found.gain.ci95.low > 0
                    gains += found.gain.mean
                name = "difficulty" if difficulty else "unrelated"
                rates = " ".join(f"{share:.0%}" for share in shares)
                mean = f"{100 * gains / args.simulations:+.1f}"
                print(f"| {name} | {rates} | {questions} | {claims / args.simulations:.1%} | {mean} |", flush=True)


if __name__ == "__main__":
    main()
