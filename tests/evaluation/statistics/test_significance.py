"""The test of discordant pairs and the correction for several tests, against scipy and statsmodels."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from promptkit.evaluation.statistics import (
    holm,
    mcnemar_exact,
)


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
