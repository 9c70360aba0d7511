"""What the exact McNemar test can find, against exact enumeration and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from promptkit.evaluation.statistics import (
    mcnemar_exact,
    minimum_detectable_effect,
    questions_needed,
)


def exact_power(n: int, delta: float, share: float, alpha: float) -> float:
    """Power by brute force, over the number of discordant pairs and of fixed ones."""
    return sum(
        binom.pmf(pairs, n, share) * binom.pmf(fixed, pairs, min(1.0, (1 + delta / share) / 2))
        for pairs in range(n + 1)
        for fixed in range(pairs + 1)
        if mcnemar_exact(fixed, pairs - fixed) < alpha
    )


@pytest.mark.parametrize(("n", "share"), [(30, 0.3), (40, 0.6), (35, 0.5)])
def test_the_detectable_effect_has_the_power_it_claims(n: int, share: float) -> None:
    delta = minimum_detectable_effect(n, share)
    assert 0 < delta <= share
    assert exact_power(n, delta, share, 0.05) == pytest.approx(0.8, abs=1e-9)


def test_the_detectable_effect_agrees_with_simulation() -> None:
    delta = minimum_detectable_effect(200, 0.2, power=0.9, alpha=0.01)
    drawn = np.random.default_rng(0).multinomial(200, [(0.2 + delta) / 2, (0.2 - delta) / 2, 0.8], size=4000)
    found = np.mean([mcnemar_exact(int(fixed), int(broken)) < 0.01 for fixed, broken, _ in drawn])
    assert found == pytest.approx(0.9, abs=0.02)


def test_a_share_too_small_for_any_difference_grows_with_it() -> None:
    without = minimum_detectable_effect(20, 0.0)
    assert without == minimum_detectable_effect(20, 0.1) > 0.1
    assert exact_power(20, without, without, 0.05) == pytest.approx(0.8, abs=1e-9)


def test_five_pairs_can_show_nothing() -> None:
    assert minimum_detectable_effect(5, 0.4) == 1.0
    assert minimum_detectable_effect(6, 0.4) < 1.0


@given(st.floats(0.02, 1), st.floats(0.15, 1), st.sampled_from([0.5, 0.8, 0.9]))
@settings(max_examples=40, deadline=None)
def test_questions_and_effect_are_each_others_inverse(share: float, ratio: float, power: float) -> None:
    delta = ratio * share
    n = questions_needed(delta, share, power)
    assert n == questions_needed(-delta, share, power)
    assert minimum_detectable_effect(n, share, power) <= delta + 1e-9
    assert n == 1 or minimum_detectable_effect(n - 1, share, power) > delta - 1e-9


def test_more_questions_find_less() -> None:
    effects = [minimum_detectable_effect(n, 0.2) for n in (50, 100, 300, 1319)]
    assert effects == sorted(effects, reverse=True)
    # Connor's normal approximation is what the exact computation comes to for many questions.
    needed = ((1.959964 * math.sqrt(0.2) + 0.841621 * math.sqrt(0.2 - 0.02**2)) / 0.02) ** 2
    assert questions_needed(0.02, 0.2) == pytest.approx(needed, rel=0.03)


def test_of_very_many_questions_the_normal_approximation_is_as_good() -> None:
    below, above = 0.004, 0.0037  # the exact power takes about 97,000 questions, the approximation begins at 100,000
    ratio = questions_needed(above, 0.2) / questions_needed(below, 0.2)
    assert ratio == pytest.approx((below / above) ** 2, rel=0.005)
    assert questions_needed(1 / 1319, 0.9) > 10_000_000


@pytest.mark.parametrize(
    ("delta", "share", "power", "alpha"),
    [(0.0, 0.2, 0.8, 0.05), (0.3, 0.2, 0.8, 0.05), (0.1, 1.2, 0.8, 0.05), (0.1, 0.2, 1.0, 0.05), (0.1, 0.2, 0.8, 0.0)],
)
def test_impossible_designs_are_refused(delta: float, share: float, power: float, alpha: float) -> None:
    with pytest.raises(ValueError, match=r"impossible|lies between|must lie"):
        questions_needed(delta, share, power, alpha)


def test_the_detectable_effect_needs_a_pair() -> None:
    with pytest.raises(ValueError, match="at least one pair"):
        minimum_detectable_effect(0, 0.2)
