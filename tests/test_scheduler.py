"""The scheduler: order, grouping, seeds, failures, and mistakes of authors."""

from collections.abc import Iterator
from typing import Any

import pytest

from promptkit.backends.fake import FakeBackend
from promptkit.errors import BackendError, ConfigError, ContextOverflowError
from promptkit.flow import Flow, ask, gather, sampled
from promptkit.scheduler import run_flows
from promptkit.types import Completion, Usage
from tests.scheduled import failing, last, run, two
from tests.scripted import Scripted, one, prompt

# -- order ------------------------------------------------------------------------------------------


def test_results_and_their_places() -> None:
    assert [o.value for o in run(one("a"), one("b"), backend=Scripted(last))] == ["a||None", "b||None"]


def test_outcomes_come_as_flows_finish() -> None:
    outcomes = run_flows([one("slow"), one("fast")], Scripted(last))
    assert [outcome.index for outcome in outcomes] == [1, 0]


def test_no_branch_waits_for_its_slowest_sibling() -> None:
    backend = Scripted(last)
    (outcome,) = run(gather([two("a"), two("b")]), backend=backend)
    assert backend.asked == ["b1", "b2", "a1", "a2"]
    assert outcome.value == ["a2||None", "b2||None"]


def test_no_flow_waits_for_another() -> None:
    backend = Scripted(lambda flying: next(i for i, r in enumerate(flying) if r.text != "slow" or len(flying) == 1))
    outcomes = list(run_flows([one("slow"), two("b"), two("c")], backend))
    assert [outcome.index for outcome in outcomes] == [1, 2, 0]


def test_older_flows_are_served_first() -> None:
    backend = Scripted(room=1)
    run(two("a"), two("b"), two("c"), backend=backend)
    assert backend.asked == ["a1", "a2", "b1", "b2", "c1", "c2"]


def test_none_among_the_flows_waits_for_an_outcome() -> None:
    found: list[str | None] = []

    def flows() -> Iterator[Flow[str] | None]:
        yield one("first")
        yield one("second")
        while not found:
            yield None
        yield one(f"after {found[0]}")

    backend = Scripted(last)
    for outcome in run_flows(flows(), backend):
        found.append(outcome.value)
        assert outcome.index == {"second||None": 1, "first||None": 0}.get(outcome.value or "", 2)
    assert backend.asked == ["second", "after second||None", "first"]


def test_none_that_waits_for_nothing_ends_the_run() -> None:
    assert [outcome.value for outcome in run_flows(iter([one("a"), None, None]), Scripted())] == ["a||None"]


# -- grouping and asking once -----------------------------------------------------------------------


def test_samples_of_one_prompt_are_one_group_whichever_flow_they_come_from() -> None:
    backend = Scripted()
    voting = gather(sampled(one("q"), index, 0.7) for index in range(3))
    other = gather(sampled(one("q"), index, 0.7) for index in range(3, 5))
    run(voting, one("else"), other, backend=backend)
    assert [(g.first.text, len(g.requests)) for g in backend.groups] == [("q", 5), ("else", 1)]


def test_groups_are_cut_to_the_room_there_is() -> None:
    backend = Scripted(room=2)
    run(gather(sampled(one("q"), index, 0.7) for index in range(5)), backend=backend)
    assert sum(len(group.requests) for group in backend.groups) == 5
    assert max(len(group.requests) for group in backend.groups) == 2


def test_other_settings_are_another_group() -> None:
    backend = Scripted()
    run(one("q", 0.5), one("q", 0.6), one("q"), backend=backend)
    assert len(backend.groups) == 3


def test_equal_requests_are_asked_once_and_only_the_first_pays() -> None:
    backend = Scripted()
    first, second, third = run(one("q"), one("q"), one("other"), backend=backend)
    assert backend.asked == ["q", "other"]
    assert first.value == second.value == "q||None"
    assert first.usage == Usage(calls=1, prompt_tokens=3, completion_tokens=5)
    assert second.usage == Usage(
        calls=1,
        prompt_tokens=3,
        completion_tokens=5,
        cached_calls=1,
        cached_prompt_tokens=3,
        cached_completion_tokens=5,
    )
    assert third.usage.cached_calls == 0


def test_a_request_that_is_in_flight_is_not_asked_again() -> None:
    # "q" is still under way when the second flow comes to want it
    backend = Scripted(lambda flying: next(i for i, r in enumerate(flying) if r.text != "q" or len(flying) == 1))

    def later() -> Flow[str]:
        yield from ask(prompt("first"))
        return (yield from one("q"))

    outcomes = run(one("q"), later(), backend=backend)
    assert backend.asked == ["first", "q"]
    assert [outcome.usage.cached_calls for outcome in outcomes] == [0, 1]


def test_equal_failures_reach_every_flow_that_waits() -> None:
    backend = Scripted(answer=failing("q"))
    outcomes = run(one("q"), one("q"), backend=backend)
    assert backend.asked == ["q"]
    assert [str(outcome.error) for outcome in outcomes] == ["no q", "no q"]


def test_greedy_stages_of_several_samples_are_asked_once() -> None:
    backend = Scripted()

    def staged() -> Flow[str]:
        yield from ask(prompt("reason"))
        return (yield from one("answer", 0))

    (outcome,) = run(gather(sampled(staged(), index, 0.7) for index in range(3)), backend=backend)
    assert outcome.value == ["answer||0.0"] * 3
    assert backend.asked == ["reason"] * 3 + ["answer"]


def test_the_completion_has_an_id_that_a_later_request_can_name() -> None:
    def chained() -> Flow[tuple[str, str]]:
        first = yield from ask(prompt("a"))
        second = yield from ask(prompt("b"))
        return first.id, second.id

    (outcome,) = run(chained())
    assert outcome.value == (prompt("a").key, prompt("b").key)


def test_an_id_of_the_backend_is_kept() -> None:
    (outcome,) = run(ask(prompt("a")), backend=FakeBackend(lambda _: Completion(text="x", id="cmpl-1")))
    assert outcome.value.id == "cmpl-1"


# -- seeds ------------------------------------------------------------------------------------------


def seeds(seed: int | None, temperature: float | None = 0.7) -> list[int]:
    backend = Scripted()
    run(gather(sampled(one("q", temperature), index, 0.7) for index in range(4)), backend=backend, seed=seed)
    return [request.sample_seed for request in backend.calls]


def test_every_sample_has_its_own_seed_and_the_run_seed_decides_it() -> None:
    assert len({*seeds(0), *seeds(1)}) == 8
    assert seeds(1) == seeds(1)


def test_the_seed_of_a_sample_fits_in_31_bits() -> None:
    assert all(0 <= seed < 2**31 for seed in seeds(3))


@pytest.mark.parametrize("temperature", [None, 0])
def test_greedy_requests_have_no_seed(temperature: float | None) -> None:
    backend = Scripted()
    run(one("q", temperature), backend=backend, seed=7)
    assert [request.sampling.seed for request in backend.calls] == [None]


def test_a_seed_of_the_strategys_own_is_kept() -> None:
    backend = Scripted()
    request = prompt("q", 0.7)
    own = request.replace(sampling=request.sampling.model_copy(update={"seed": 99}))
    run(ask(own), ask(request), backend=backend, seed=7)
    assert [request.sampling.seed for request in backend.calls] == [99, 7]


# -- failures ---------------------------------------------------------------------------------------


def test_a_failure_is_raised_in_its_own_branch_alone() -> None:
    def careful(text: str) -> Flow[str]:
        try:
            return (yield from one(text))
        except BackendError as error:
            return f"caught: {error}"

    backend = Scripted(answer=failing("bad"))
    (outcome,) = run(gather([careful("a"), careful("bad"), careful("c")]), backend=backend)
    assert outcome.value == ["a||None", "caught: no bad", "c||None"]
    assert outcome.error is None


def test_a_flow_that_fails_does_not_touch_the_others() -> None:
    fine, bad, also = run(one("a"), one("bad"), two("c"), backend=Scripted(answer=failing("bad")))
    assert (fine.value, also.value) == ("a||None", "c2||None")
    assert bad.value is None
    assert str(bad.error) == "no bad"
    assert [call.error for call in bad.trace] == ["no bad"]


def test_a_parent_that_catches_goes_on() -> None:
    def parent() -> Flow[str]:
        try:
            yield from gather([one("bad"), one("b")])
        except BackendError:
            return "then " + (yield from one("again"))
        return "not reached"

    (outcome,) = run(parent(), backend=Scripted(answer=failing("bad")))
    assert outcome.value == "then again||None"


def test_siblings_of_a_failure_are_closed_and_what_they_waited_for_is_withdrawn() -> None:
    closed: list[str] = []

    def noting(text: str) -> Flow[str]:
        try:
            return (yield from one(text))
        finally:
            closed.append(text)

    backend = Scripted(answer=failing("bad"), room=1)
    (outcome,) = run(gather([noting("bad"), noting("b"), gather([noting("c"), noting("d")])]), backend=backend)
    assert str(outcome.error) == "no bad"
    assert sorted(closed) == ["b", "bad", "c", "d"]
    assert backend.asked == ["bad"]
    # what was never asked is no call
    assert [(call.request.text, call.error) for call in outcome.trace] == [("bad", "no bad")]
    assert outcome.usage.calls == 1


def test_a_withdrawn_request_is_still_asked_for_another_flow_that_wants_it() -> None:
    backend = Scripted(answer=failing("bad"), room=1)
    failed, fine = run(gather([one("bad"), one("both")]), one("both"), backend=backend)
    assert str(failed.error) == "no bad"
    assert fine.value == "both||None"
    assert fine.usage.cached_calls == 0


def test_a_withdrawn_request_may_be_asked_again() -> None:
    def parent() -> Flow[str]:
        try:
            yield from gather([one("bad"), one("b")])
        except BackendError:
            return (yield from one("b"))
        return "not reached"

    backend = Scripted(answer=failing("bad"), room=1)
    (outcome,) = run(parent(), backend=backend)
    assert outcome.value == "b||None"
    assert backend.asked == ["bad", "b"]


def test_an_answer_to_a_closed_branch_is_ignored() -> None:
    backend = Scripted(answer=failing("bad"))  # both are in flight when the first fails
    outcomes = run(gather([one("bad"), one("b")]), one("c"), backend=backend)
    assert str(outcomes[0].error) == "no bad"
    assert outcomes[1].value == "c||None"
    assert backend.asked == ["bad", "b", "c"]


def test_a_branch_that_fails_while_it_is_closed_fails_only_its_own_question() -> None:
    def stubborn() -> Flow[str]:
        try:
            return (yield from one("b"))
        finally:
            raise RuntimeError("cannot close")

    closed: list[str] = []

    def noting() -> Flow[str]:
        try:
            return (yield from one("c"))
        finally:
            closed.append("c")

    backend = Scripted(answer=failing("bad"), room=1)
    bad, fine = run(gather([one("bad"), stubborn(), noting()]), one("d"), backend=backend)
    assert str(bad.error) == "no bad"
    assert any("cannot close" in note for note in bad.error.__notes__)
    assert closed == ["c"]
    assert fine.value == "d||None"


def test_a_bug_in_a_flow_is_its_own_outcome() -> None:
    def buggy() -> Flow[str]:
        yield from ask(prompt("a"))
        return str(1 / 0)

    bug, fine = run(buggy(), one("b"))
    assert isinstance(bug.error, ZeroDivisionError)
    assert fine.value == "b||None"


def test_errors_keep_their_class() -> None:
    backend = FakeBackend(lambda _: ContextOverflowError("too long"))
    (outcome,) = run(one("a"), backend=backend)
    assert isinstance(outcome.error, ContextOverflowError)


# -- mistakes of authors ----------------------------------------------------------------------------


def forgetful() -> Any:
    return "42"


def yields(step: Any) -> Flow[Any]:
    yield step


@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: gather([f]), lambda f: sampled(f, 0, 0.5)])
def test_a_flow_that_forgot_to_yield(wrap: Any) -> None:
    (outcome,) = run(wrap(forgetful()))
    assert isinstance(outcome.error, TypeError)
    assert "must be a generator, but gave str" in str(outcome.error)


@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: gather([f]), lambda f: sampled(f, 0, 0.5)])
@pytest.mark.parametrize(
    ("step", "said"),
    [("text", "not str: use `ask`"), (one("a"), "write `yield from`, not `yield`"), (None, "not NoneType")],
)
def test_a_flow_that_yields_something_else(wrap: Any, step: Any, said: str) -> None:
    (outcome,) = run(wrap(yields(step)))
    assert isinstance(outcome.error, TypeError)
    assert said in str(outcome.error)


@pytest.mark.parametrize("wrap", [lambda f, _: f, lambda f, i: sampled(f, i, 0.5)])
def test_the_same_flow_given_twice(wrap: Any) -> None:
    flow = one("a")
    (outcome,) = run(gather(wrap(flow, index) for index in range(3)))
    assert isinstance(outcome.error, TypeError)
    assert "was given twice" in str(outcome.error)


def test_a_window_below_one() -> None:
    with pytest.raises(ConfigError, match="at least 1, not 0"):
        next(run_flows([one("a")], Scripted(), window=0))
