"""Intervals, tests and power for paired strategies, against scipy, statsmodels and exact enumeration."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, multinomial

from promptkit.evaluation.stats import (
    holm,
    mcnemar_exact,
    minimum_detectable_effect,
    paired_bootstrap,
    paired_difference,
    paired_interval,
    questions_needed,
    wilson,
)

tables = st.integers(1, 150).flatmap(
    lambda n: st.integers(0, n).flatmap(lambda fixed: st.tuples(st.just(fixed), st.integers(0, n - fixed), st.just(n)))
)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
@settings(deadline=None)
def test_wilson_is_scipys_and_contains_the_share(counts: tuple[int, int], level: float) -> None:
    correct, n = counts
    low, high = wilson(correct, n, level)
    reference = binomtest(correct, n).proportion_ci(level, method="wilson")
    assert (low, high) == pytest.approx((reference.low, reference.high), abs=1e-9)
    assert 0 <= low <= correct / n <= high <= 1


def test_wilson_without_questions_knows_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("correct", "n", "level"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)])
def test_wilson_refuses_nonsense(correct: int, n: int, level: float) -> None:
    with pytest.raises(ValueError, match=r"makes no sense|lies between"):
        wilson(correct, n, level)


@given(st.integers(0, 400), st.integers(0, 400))
@settings(deadline=None)
def test_mcnemar_is_the_binomial_test_and_symmetric(fixed: int, broken: int) -> None:
    p = mcnemar_exact(fixed, broken)
    assert 0 <= p <= 1
    assert p == mcnemar_exact(broken, fixed)
    if fixed + broken:
        assert p == pytest.approx(binomtest(fixed, fixed + broken).pvalue, rel=1e-9, abs=1e-12)


def test_mcnemar_is_that_of_statsmodels() -> None:
    tables_of = pytest.importorskip("statsmodels.stats.contingency_tables", reason="statsmodels is not installed")
    for fixed, broken in [(1, 7), (0, 6), (25, 11), (3, 3)]:
        assert mcnemar_exact(fixed, broken) == pytest.approx(
            tables_of.mcnemar([[50, broken], [fixed, 40]], exact=True).pvalue, abs=1e-9
        )


def test_mcnemar_refuses_negative_counts() -> None:
    with pytest.raises(ValueError, match="not negative"):
        mcnemar_exact(-1, 2)


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


@given(st.lists(st.floats(0, 1), max_size=12))
@settings(deadline=None)
def test_holm_keeps_the_order_and_only_raises(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(raw <= now <= 1 for raw, now in zip(p_values, corrected, strict=True))
    ranked = sorted(zip(p_values, corrected, strict=True))
    assert [now for _, now in ranked] == sorted(corrected)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None)
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="statsmodels is not installed")
    assert holm(p_values) == pytest.approx(list(multitest.multipletests(p_values, method="holm")[1]), abs=1e-9)


@pytest.mark.parametrize("p_values", [[1.5], [-0.1], [float("nan")]])
def test_holm_refuses_what_is_no_p_value(p_values: list[float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm(p_values)


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
