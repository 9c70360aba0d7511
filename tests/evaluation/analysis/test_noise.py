"""What reseeding alone does, against simulation."""

import numpy as np
import pytest

from promptkit.evaluation import Run
from promptkit.evaluation.analysis.noise import difference_noise, noise_floors
from tests.made_runs import run


def seeded(chances: "np.ndarray[tuple[int], np.dtype[np.float64]]", seeds: range, name: str = "cot") -> list[Run]:
    """Runs whose questions are right with these chances, anew for each seed."""
    made: list[Run] = []
    for seed in seeds:
        drawn = np.random.default_rng(seed).random(len(chances)) < chances
        made.append(run(name, "".join("+" if right else "-" for right in drawn), seed=seed))
    return made


def test_flips_and_deviation_are_counted() -> None:
    (floor,) = noise_floors([run("cot", "++--", seed=0), run("cot", "+-+-", seed=1), run("cot", "++++", seed=2)])
    assert floor.flip_rate == pytest.approx((2 + 2 + 2) / 12)
    assert floor.between_seeds == pytest.approx(np.std([0.5, 0.5, 1.0], ddof=1))
    assert floor.expected == pytest.approx((0.5 / 8) ** 0.5)
    assert floor.reach == pytest.approx(1.959964 * 2**0.5 * floor.expected, abs=1e-6)
    assert floor.accuracy.mean == pytest.approx(8 / 12)


def test_the_expected_deviation_is_the_true_one() -> None:
    chances = np.random.default_rng(0).beta(0.5, 0.5, size=80)
    truth = np.sqrt(np.sum(chances * (1 - chances))) / 80
    (floor,) = noise_floors(seeded(chances, range(40)))
    assert floor.expected == pytest.approx(truth, rel=0.05)
    assert floor.between_seeds == pytest.approx(truth, rel=0.3)


def test_95_percent_of_pairs_of_seeds_are_within_reach() -> None:
    chances = np.random.default_rng(0).beta(0.5, 0.5, size=80)
    runs = seeded(chances, range(400))
    (floor,) = noise_floors(runs[:10])
    apart = [abs(a.accuracy - b.accuracy) for a, b in zip(runs[::2], runs[1::2], strict=True)]
    assert 0.9 <= np.mean(np.array(apart) < floor.reach) <= 0.99


def test_greedy_runs_have_no_noise() -> None:
    (floor,) = noise_floors([run("cot", "++-", seed=0), run("cot", "++-", seed=1)])
    assert (floor.flip_rate, floor.between_seeds, floor.reach) == (0.0, 0.0, 0.0)


def test_the_same_seed_twice_is_one_run_and_one_seed_says_nothing() -> None:
    assert noise_floors([run("cot", "++-", seed=0), run("cot", "++-", seed=0), run("direct", "+++", seed=0)]) == []


def test_the_noise_of_a_difference_is_that_of_both() -> None:
    chances = np.random.default_rng(0).beta(0.5, 0.5, size=80)
    runs = seeded(chances, range(30)) + seeded(chances * 0.8, range(100, 130), "direct")
    cot, direct = noise_floors(runs)
    found = difference_noise(direct, cot)
    assert found.mean == pytest.approx(cot.accuracy.mean - direct.accuracy.mean)
    assert found.expected == pytest.approx((cot.expected**2 + direct.expected**2) ** 0.5)
    assert found.between_seeds == pytest.approx(found.expected, rel=0.3)
