"""Agreement of samples as confidence: bins, calibration error, and answering only where it is high."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.evaluation.analysis.agreement import agreement
from tests.made_runs import run, voting_run

POOLS = ["++++", "++++", "+++a", "aaa+", "aab?", "!!!!", "????"]


def test_bins_hold_questions_of_similar_agreement() -> None:
    found = agreement(voting_run("self-consistency", POOLS), bins=4)
    assert found is not None
    assert [(one.low, one.high, one.questions, one.accuracy) for one in found.bins] == [
        (0.0, 0.25, 2, 0.0),
        (0.25, 0.5, 1, 0.0),
        (0.5, 0.75, 2, 0.5),
        (0.75, 1.0, 2, 1.0),
    ]
    assert found.ece == pytest.approx((0 + 1 * 0.5 + 2 * 0.25 + 0) / 7)


def test_answering_fewer_questions_is_surer_here() -> None:
    found = agreement(voting_run("self-consistency", POOLS))
    assert found is not None
    assert [(one.at_least, one.questions, one.accuracy) for one in found.selective] == [
        (1.0, 2, 1.0),
        (0.75, 4, 0.75),
        (0.5, 5, 0.6),
        (0.0, 7, pytest.approx(3 / 7)),
    ]
    assert found.selective[0].ci95.high == 1.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("+ab?<!", min_size=5, max_size=5), min_size=1, max_size=12), st.integers(1, 12))
def test_bins_part_the_questions(pools: list[str], bins: int) -> None:
    made = voting_run("self-consistency", pools)
    found = agreement(made, bins)
    if found is None:
        assert not any(set(pool) & set("+ab") for pool in pools)
        return
    assert sum(one.questions for one in found.bins) == len(pools)
    rounding = 1e-12  # of the mean of equal shares
    assert all(one.low < one.agreement <= one.high + rounding or one.agreement == one.low == 0 for one in found.bins)
    assert 0 <= found.ece <= 1
    assert found.selective[-1].answered == 1
    assert found.selective[-1].accuracy == pytest.approx(made.accuracy)


def test_a_run_without_votes_has_none() -> None:
    assert agreement(run("zero-shot", "++-")) is None
