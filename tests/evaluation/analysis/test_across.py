"""Models against each other, strategy by strategy."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.errors import ConfigError
from promptkit.evaluation import Run, compare
from promptkit.evaluation.analysis.across import across
from tests.made_runs import run


def test_the_best_model_is_compared_with_the_next() -> None:
    runs = [
        run("cot", "+" * 20 + "-" * 20, backend="small"),
        run("direct", "-" * 40, backend="small"),
        run("cot", "+" * 40, backend="big"),
        run("cot", "+" * 30 + "-" * 10, backend="middle"),
    ]
    (row,) = across(runs)
    assert row.strategy == "cot"
    assert list(row.runs) == ["small", "big", "middle"]
    assert (row.lead.a.backend, row.lead.b.backend) == ("middle", "big")
    assert row.lead.delta == 0.25
    assert row.p_value > row.lead.p_value


def test_one_model_alone_is_compared_with_none() -> None:
    assert across([run("cot", "++"), run("direct", "--")]) == []


def test_other_questions_are_refused() -> None:
    with pytest.raises(ConfigError, match="different questions"):
        across([run("cot", "++", backend="a"), run("cot", "+++", backend="b")])


answers = st.integers(1, 30).flatmap(lambda n: st.lists(st.text("+-", min_size=n, max_size=n), min_size=4, max_size=6))


@settings(max_examples=60, deadline=None)
@given(answers, st.sampled_from([2, 3]))
def test_a_lead_is_never_negative_and_never_surer_than_its_own_test(marks: list[str], models: int) -> None:
    runs: list[Run] = [
        run(f"s{place // models}", mark, backend=f"m{place % models}") for place, mark in enumerate(marks)
    ]
    for row in across(runs):
        best = max(one.accuracy for one in row.runs.values())
        assert row.lead.delta >= 0
        assert row.lead.b.accuracy == best
        assert row.p_value >= row.lead.p_value == compare(row.lead.a, row.lead.b).p_value
