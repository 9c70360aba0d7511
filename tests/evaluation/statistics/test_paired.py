"""Paired differences and their intervals: published values, agreement with the test, and exact coverage."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multinomial

from promptkit.evaluation.statistics import (
    mcnemar_exact,
    paired_difference,
    paired_interval,
)
from promptkit.evaluation.statistics.paired import paired_bootstrap

tables = st.integers(1, 150).flatmap(
    lambda n: st.integers(0, n).flatmap(lambda fixed: st.tuples(st.just(fixed), st.integers(0, n - fixed), st.just(n)))
)


def test_a_comparison_counts_what_was_fixed_and_broken() -> None:
    a = [True, True, False, False, False, True]
    b = [True, False, True, True, False, True]
    found = paired_difference(a, b, seed=3)
    assert (found.n, found.fixed, found.broken, found.test) == (6, 2, 1, "exact McNemar")
    assert found.delta == pytest.approx(1 / 6)
    assert found.p_value == 1.0
    assert found.ci95 == paired_interval(2, 1, 6)
    assert found.bootstrap == paired_bootstrap(2, 1, 6, seed=3)
    assert found == paired_difference(a, b, seed=3)


@pytest.mark.parametrize(("a", "b"), [([True], []), ([], [])])
def test_a_comparison_needs_pairs(a: list[bool], b: list[bool]) -> None:
    with pytest.raises(ValueError, match=r"cannot be paired|no questions"):
        paired_difference(a, b)


def test_the_interval_is_tangos_published_one() -> None:
    # Bentur et al. 2009 as computed by Fagerland, Lydersen & Laake 2014: 21 pairs, 1 and 7 discordant.
    low, high = paired_interval(1, 7, 21)
    assert low == pytest.approx(-0.517, abs=5e-4)
    assert high == 0.0, "Tango's own -0.026 is widened, since the exact test does not reject (p = 0.07)"


@given(tables)
@settings(deadline=None)
def test_the_interval_contains_the_difference_and_mirrors_a_swap(table: tuple[int, int, int]) -> None:
    fixed, broken, n = table
    low, high = paired_interval(fixed, broken, n)
    assert -1 <= low <= (fixed - broken) / n <= high <= 1
    swapped = paired_interval(broken, fixed, n)
    assert (low, high) == pytest.approx((-swapped.high, -swapped.low), abs=1e-12)


@given(tables, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
@settings(deadline=None)
def test_interval_and_p_value_say_the_same(table: tuple[int, int, int], level: float) -> None:
    fixed, broken, n = table
    low, high = paired_interval(fixed, broken, n, level)
    assert (low > 0 or high < 0) == (mcnemar_exact(fixed, broken) < 1 - level)


def test_equal_answers_do_not_look_certain() -> None:
    low, high = paired_interval(0, 0, 20)
    assert -0.17 < low < -0.15
    assert 0.15 < high < 0.17
    assert paired_bootstrap(0, 0, 20) == (0.0, 0.0)


@pytest.mark.parametrize("n", [20, 60])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.4, 0.9])
def test_the_interval_covers_the_truth(n: int, share: float) -> None:
    outcomes = [(fixed, broken) for fixed in range(n + 1) for broken in range(n + 1 - fixed)]
    for ratio in (0.0, 0.5, 1.0):
        delta = ratio * share
        chances = [(share + delta) / 2, (share - delta) / 2, 1 - share]
        weights = multinomial.pmf([(f, b, n - f - b) for f, b in outcomes], n, chances)
        covered = 0.0
        for (fixed, broken), weight in zip(outcomes, weights, strict=True):
            if weight > 1e-6:
                low, high = paired_interval(fixed, broken, n)
                covered += weight * (low - 1e-9 <= delta <= high + 1e-9)
        assert covered >= 0.93, f"delta {delta}"


@pytest.mark.parametrize(("fixed", "broken", "n"), [(-1, 0, 5), (3, 3, 5), (0, 0, 0)])
def test_impossible_counts_are_refused(fixed: int, broken: int, n: int) -> None:
    with pytest.raises(ValueError, match=r"make no sense|no questions"):
        paired_interval(fixed, broken, n)
    with pytest.raises(ValueError, match=r"make no sense|no questions"):
        paired_bootstrap(fixed, broken, n)


def test_the_bootstrap_is_seeded_and_near_the_normal_interval() -> None:
    first = paired_bootstrap(60, 20, 400, seed=1)
    assert first == paired_bootstrap(60, 20, 400, seed=1)
    assert len({paired_bootstrap(60, 20, 400, resamples=50, seed=seed) for seed in range(5)}) > 1
    error = 1.96 * math.sqrt(80 - 40**2 / 400) / 400
    assert first == pytest.approx((0.1 - error, 0.1 + error), abs=0.005)
    with pytest.raises(ValueError, match="at least one resample"):
        paired_bootstrap(1, 2, 3, resamples=0)
