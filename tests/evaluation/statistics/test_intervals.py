"""The interval of a share, against scipy."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from promptkit.evaluation.statistics import (
    wilson,
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
