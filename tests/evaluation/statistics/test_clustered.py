"""Clustered means against statsmodels, and the coverage of their intervals by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.evaluation.statistics import wilson
from promptkit.evaluation.statistics.clustered import clustered_mean, weighted_clusters

clusters = st.lists(st.lists(st.sampled_from([0.0, 1.0, 0.5]), min_size=1, max_size=6), min_size=2, max_size=12)


@settings(max_examples=40, deadline=None)
@given(clusters)
def test_the_standard_error_is_that_of_statsmodels(made: list[list[float]]) -> None:
    regression = pytest.importorskip("statsmodels.regression.linear_model", reason="statsmodels is not installed")
    values = np.array([value for cluster in made for value in cluster])
    groups = np.array([place for place, cluster in enumerate(made) for _ in cluster])
    found = clustered_mean(made)
    fitted = regression.OLS(values, np.ones(len(values)))
    if len(values) == len(made):  # its correction for one observation a cluster is the same, but it warns
        groups = np.arange(len(made))
    reference = fitted.fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert found.mean == pytest.approx(reference.params[0], abs=1e-9)
    assert found.standard_error == pytest.approx(reference.bse[0], abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(clusters)
def test_the_interval_holds_the_mean_and_stays_a_share(made: list[list[float]]) -> None:
    found = clustered_mean(made)
    assert 0 <= found.ci95.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.ci95.high <= 1
    assert 0 < found.effective <= found.observations


def test_samples_that_are_all_the_same_add_nothing() -> None:
    alone = clustered_mean([[1.0], [0.0], [1.0], [1.0]])
    repeated = clustered_mean([[1.0] * 9, [0.0] * 9, [1.0] * 9, [1.0] * 9])
    assert repeated.ci95 == pytest.approx(alone.ci95)
    assert repeated.standard_error == pytest.approx(alone.standard_error)


def test_of_many_questions_asked_once_it_is_wilsons() -> None:
    made = clustered_mean([[1.0]] * 700 + [[0.0]] * 300)
    assert made.ci95 == pytest.approx(wilson(700, 1000), abs=1e-3)


def test_certainty_is_not_claimed_where_all_are_right() -> None:
    made = clustered_mean([[1.0] * 10] * 20)
    assert made.ci95.high == 1.0
    assert made.ci95.low == pytest.approx(wilson(20, 20).low, abs=0.03)
    assert clustered_mean([[1.0, 1.0]]).ci95 == (0.0, 1.0), "one question says nothing of others"


def covered(questions: int, samples: int, spread: float, mean: float, times: int = 400) -> float:
    """Share of simulated pools whose interval holds the true mean; the questions' chances are a Beta's."""
    generator = np.random.default_rng(questions * 1000 + samples)
    chances = generator.beta(mean * spread, (1 - mean) * spread, size=(times, questions))
    drawn = generator.binomial(samples, chances)
    held = 0
    for totals in drawn:
        low, high = weighted_clusters([float(total) for total in totals], [float(samples)] * questions).ci95
        held += low <= mean <= high
    return held / times


@pytest.mark.parametrize(("questions", "samples"), [(20, 5), (60, 10), (200, 5)])
@pytest.mark.parametrize(("spread", "mean"), [(0.3, 0.5), (1.0, 0.8), (5.0, 0.9), (50.0, 0.5)])
def test_the_interval_covers_the_truth(questions: int, samples: int, spread: float, mean: float) -> None:
    assert covered(questions, samples, spread, mean) >= 0.91


def test_taking_samples_for_questions_would_not_cover() -> None:
    """The mistake that clustering avoids: 600 samples of 60 questions are not 600 questions."""
    generator = np.random.default_rng(1)
    drawn = generator.binomial(10, generator.beta(0.15, 0.15, size=(300, 60)))
    naive = [wilson(int(totals.sum()), 600) for totals in drawn]
    assert np.mean([low <= 0.5 <= high for low, high in naive]) < 0.6


@pytest.mark.parametrize("made", [[], [[1.0], []], [[2.0]], [[-0.5], [0.0]]])
def test_nonsense_is_refused(made: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"needs an observation|between 0 and 1"):
        clustered_mean(made)
