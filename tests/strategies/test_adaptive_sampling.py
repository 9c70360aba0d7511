"""`SelfConsistency(adaptive=…)`: it stops where the lead is clear, and changes no answer more often than it says."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit import FakeBackend, SelfConsistency, ZeroShot
from promptkit.errors import BackendError
from promptkit.strategies.voting import lead_probability
from promptkit.types import Request, Result


def answering(answers: str) -> FakeBackend:
    """Sample i answers with the i-th character; "-" cannot be read, "x" fails."""

    def answer(request: Request) -> str | BackendError:
        said = answers[request.sample[0]]
        return BackendError("busy") if said == "x" else "I do not know" if said == "-" else said

    return FakeBackend(answer, batch_size=64)


def adaptive(answers: str, threshold: float = 0.95) -> tuple[Result, FakeBackend]:
    backend = answering(answers)
    strategy = SelfConsistency(ZeroShot(), len(answers), adaptive=threshold)
    return strategy.run("?", backend=backend), backend


def one_at_a_time(answers: str, threshold: float) -> int:
    """How many samples are drawn when the stopping rule is looked at after each of them."""
    for done in range(len(answers)):
        if lead_probability(Counter(a for a in answers[:done] if a.isdigit())) >= threshold:
            return done
    return len(answers)


def test_four_equal_answers_are_enough() -> None:
    result, backend = adaptive("7777777777")
    assert (result.answer, len(backend.calls), backend.groups) == ("7", 4, [4])
    assert (result.details, result.agreement) == ({"saved_samples": 6}, 1.0)


def test_waves_are_as_large_as_may_be_needed() -> None:
    result, backend = adaptive("1211111333")
    assert backend.groups == [4, 3]
    assert (result.answer, result.details) == ("1", {"saved_samples": 3})


def test_an_open_race_takes_all_samples() -> None:
    result, backend = adaptive("1212121212")
    assert [request.sample for request in backend.calls] == [(i,) for i in range(10)]
    assert result.details == {"saved_samples": 0, "tie": ["1", "2"]}


def test_unread_and_failed_samples_do_not_vote_for_stopping() -> None:
    result, _ = adaptive("--x777-777777")
    assert (result.answer, len(result.trace)) == ("7", 8)
    assert result.details == {"failed_samples": 1, "saved_samples": 5}


def test_when_all_samples_fail_all_were_tried() -> None:
    with pytest.raises(BackendError, match="busy"):
        adaptive("xxxxx")


outputs = st.text("1123-x", min_size=1, max_size=40).filter(lambda answers: set(answers) != {"x"})
thresholds = st.floats(0.55, 0.999)


@settings(deadline=None)
@given(outputs, thresholds)
def test_it_draws_what_one_at_a_time_would_draw(answers: str, threshold: float) -> None:
    if set(answers[: one_at_a_time(answers, threshold)]) == {"x"}:
        return
    result, backend = adaptive(answers, threshold)
    number = one_at_a_time(answers, threshold)
    assert [request.sample for request in backend.calls] == [(i,) for i in range(number)]
    assert result.details["saved_samples"] == len(answers) - number


@settings(deadline=None)
@given(outputs, thresholds)
def test_it_never_stops_before_the_threshold_and_never_asks_more_than_n(answers: str, threshold: float) -> None:
    result, backend = adaptive(answers, threshold)
    assert len(backend.calls) <= len(answers)
    if len(backend.calls) < len(answers):
        assert lead_probability({v.value: v.count for v in result.votes}) >= threshold


@settings(deadline=None)
@given(outputs, thresholds)
def test_its_samples_are_the_first_ones_of_the_whole_vote(answers: str, threshold: float) -> None:
    part, _ = adaptive(answers, threshold)
    whole = SelfConsistency(ZeroShot(), len(answers)).run("?", backend=answering(answers))
    assert part.candidates == whole.candidates[: len(part.candidates)]


def test_a_lead_that_stopped_it_is_right_as_often_as_the_threshold_says() -> None:
    """Over models of all kinds: the share of one answer is uniform, as the posterior supposes. The seed is fixed."""
    stream = random.Random(0)
    stopped = right = as_the_whole_vote = 0
    for _ in range(500):
        share = stream.random()
        answers = "".join("1" if stream.random() < share else "2" for _ in range(40))
        result, _ = adaptive(answers)
        if result.details["saved_samples"]:
            stopped += 1
            right += result.answer == ("1" if share > 0.5 else "2")
            as_the_whole_vote += result.answer == Counter(answers).most_common(1)[0][0]
    assert stopped > 400
    assert right / stopped >= 0.95
    assert as_the_whole_vote / stopped >= 0.95


def test_waves_inside_waves() -> None:
    backend = FakeBackend("4", batch_size=64)
    strategy = SelfConsistency(SelfConsistency(ZeroShot(), 10, adaptive=0.9), 10, adaptive=0.9)
    result = strategy.run("?", backend=backend)
    assert sorted(request.sample for request in backend.calls) == [(i, j) for i in range(3) for j in range(3)]
    assert result.details == {"saved_samples": 7}
    assert [candidate.details for candidate in result.candidates] == [{"saved_samples": 7}] * 3
