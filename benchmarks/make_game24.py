"""Write the packaged puzzles of the Game of 24, `evals/game24.csv`.

Run `python benchmarks/make_game24.py`. The same seed writes the same bytes. A puzzle is four numbers from 1 to 20, at
least one of them above 13: so none is among the published puzzles, which are played with cards. Each is solvable: all
ways to combine its numbers are tried, in exact fractions.
"""

import argparse
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

SEED = 2026
COUNT = 60
HIGHEST, HIGHEST_CARD = 20, 13


def solvable(numbers: tuple[Fraction, ...], target: int = 24) -> bool:
    """Whether + - * / can combine all numbers to the target."""
    if len(numbers) == 1:
        return numbers[0] == target
    return any(solvable((*rest, result), target) for a, b, rest in pairs(numbers) for result in results(a, b))


def pairs(numbers: tuple[Fraction, ...]) -> Iterator[tuple[Fraction, Fraction, tuple[Fraction, ...]]]:
    """Every ordered choice of two numbers, and those that are left."""
    for i, a in enumerate(numbers):
        for j, b in enumerate(numbers):
            if i != j:
                yield a, b, tuple(c for k, c in enumerate(numbers) if k not in (i, j))


def results(a: Fraction, b: Fraction) -> list[Fraction]:
    """What two numbers, in this order, can be combined to."""
    return [a + b, a - b, a * b, *([a / b] if b else [])]


def puzzles(count: int, seed: int) -> list[str]:
    """Different solvable puzzles, their numbers in ascending order."""
    rng = random.Random(seed)
    found: dict[tuple[int, ...], None] = {}
    while len(found) < count:
        numbers = tuple(sorted(rng.randint(1, HIGHEST) for _ in range(4)))
        if numbers[-1] > HIGHEST_CARD and solvable(tuple(map(Fraction, numbers))):
            found[numbers] = None
    return [" ".join(map(str, numbers)) for numbers in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "evals", help="folder to write to")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    lines = ["Puzzles", *puzzles(COUNT, arguments.seed)]
    (arguments.out / "game24.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{COUNT} puzzles of the Game of 24")


if __name__ == "__main__":
    main()
