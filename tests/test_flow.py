"""Flows by hand, without a scheduler: what is yielded, what comes back, what passes through `sampled`."""

from collections.abc import Generator
from typing import Any

import pytest

from promptkit.errors import BackendError
from promptkit.flow import Ask, Flow, Fork, ask, gather, recorded, sampled
from promptkit.types import Call, Completion, Request
from tests.scripted import echo, prompt


def drive(flow: Flow[Any]) -> tuple[list[Request], Any]:
    """Run a flow without forks to its end; what it asked and what it returned."""
    asked: list[Request] = []
    try:
        step = next(flow)
        while True:
            assert isinstance(step, Ask)
            asked.append(step.request)
            step = flow.send(echo(step.request))
    except StopIteration as stop:
        return asked, stop.value


def one(request: Request) -> Flow[str]:
    return (yield from ask(request)).text


def two(first: Request, second: Request) -> Flow[list[str]]:
    return [(yield from one(first)), (yield from one(second))]


def asked_by(flow: Flow[Any]) -> list[tuple[str, tuple[int, ...], float | None]]:
    return [(request.text, request.sample, request.sampling.temperature) for request in drive(flow)[0]]


def test_ask_yields_the_request_and_returns_its_completion() -> None:
    flow = ask(prompt("hello"))
    assert next(flow) == Ask(prompt("hello"))
    with pytest.raises(StopIteration) as stop:
        flow.send(Completion(text="hi"))
    assert stop.value.value == Completion(text="hi")


def test_flows_compose() -> None:
    asked, result = drive(two(prompt("a"), prompt("b")))
    assert [request.text for request in asked] == ["a", "b"]
    assert result == ["a||None", "b||None"]


def test_gather_yields_its_flows_at_once_and_returns_their_results() -> None:
    children = [one(prompt("a")), one(prompt("b"))]
    flow = gather(iter(children))
    assert next(flow) == Fork(tuple(children))
    with pytest.raises(StopIteration) as stop:
        flow.send(["x", "y"])
    assert stop.value.value == ["x", "y"]


def test_sampling_fills_an_unset_temperature_and_appends_the_index() -> None:
    assert asked_by(sampled(one(prompt("q")), 4, 0.7)) == [("q", (4,), 0.7)]


def test_sampling_keeps_a_temperature_that_was_set() -> None:
    assert asked_by(sampled(one(prompt("q", 0.2)), 4, 0.7)) == [("q", (4,), 0.2)]


def test_a_greedy_request_is_the_same_for_every_sample() -> None:
    assert asked_by(sampled(one(prompt("q", 0)), 4, 0.7)) == [("q", (), 0.0)]
    assert asked_by(sampled(one(prompt("q")), 4, 0)) == [("q", (), 0.0)]


def test_nested_sampling_keeps_every_index_and_the_inner_temperature() -> None:
    flow = sampled(sampled(two(prompt("a"), prompt("b", 0)), 1, 0.3), 5, 0.9)
    assert asked_by(flow) == [("a", (1, 5), 0.3), ("b", (), 0.0)]


def test_sampling_reaches_into_forks() -> None:
    flow = sampled(gather([one(prompt("a")), sampled(one(prompt("b")), 2, 0.4)]), 3, 0.7)
    fork = next(flow)
    assert isinstance(fork, Fork)
    assert [asked_by(child) for child in fork.flows] == [[("a", (3,), 0.7)], [("b", (2, 3), 0.4)]]


def test_a_whole_number_of_temperature_is_the_same_sample_as_its_float() -> None:
    (whole,), (exact,) = (drive(sampled(one(prompt("q")), 0, t))[0] for t in (1, 1.0))
    assert whole.key == exact.key
    assert type(whole.sampling.temperature) is float


def test_what_the_flow_returns_passes_through() -> None:
    assert drive(sampled(two(prompt("a"), prompt("b")), 0, 0.5))[1] == ["a|0|0.5", "b|0|0.5"]


def test_an_error_reaches_the_flow_inside_which_may_recover() -> None:
    def recovering() -> Flow[str]:
        try:
            yield from ask(prompt("a"))
        except BackendError as error:
            return f"recovered from {error}; " + (yield from one(prompt("b")))
        return "not reached"

    flow = sampled(recovering(), 7, 0.5)
    next(flow)
    step = flow.throw(BackendError("busy"))
    assert isinstance(step, Ask)
    assert (step.request.text, step.request.sample) == ("b", (7,))
    with pytest.raises(StopIteration) as stop:
        flow.send(Completion(text="fine"))
    assert stop.value.value == "recovered from busy; fine"


def test_an_error_that_is_not_caught_comes_out() -> None:
    flow = sampled(one(prompt("a")), 0, 0.5)
    next(flow)
    error = BackendError("busy")
    with pytest.raises(BackendError) as caught:
        flow.throw(error)
    assert caught.value is error


def test_closing_closes_the_flow_inside() -> None:
    closed: list[str] = []

    def careful() -> Flow[None]:
        try:
            yield from ask(prompt("a"))
        finally:
            closed.append("inner")

    inner = careful()  # held here, so that not the garbage collector closes it
    flow = sampled(sampled(inner, 0, 0.5), 1, 0.5)
    next(flow)
    flow.close()
    assert closed == ["inner"]


def test_sampling_a_flow_that_forgot_to_yield_says_so() -> None:
    def forgetful() -> str:
        return "42"

    flow = sampled(forgetful(), 0, 0.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"must be a generator, but gave str: write `yield from ask"):
        next(flow)


def test_sampling_passes_a_wrong_step_on_for_the_scheduler_to_complain() -> None:
    def wrong() -> Generator[Any, Any, None]:
        yield "text"

    assert next(sampled(wrong(), 0, 0.5)) == "text"


# -- recording --------------------------------------------------------------------------------------


def test_recording_notes_what_a_flow_received_with_what_it_asked() -> None:
    calls: list[Call] = []
    asked, result = drive(recorded(sampled(two(prompt("a"), prompt("b")), 0, 0.5), calls))
    assert result == ["a|0|0.5", "b|0|0.5"]
    assert [call.request for call in calls] == asked
    assert [call.completion and call.completion.text for call in calls] == result


def test_recording_reaches_into_forks() -> None:
    calls: list[Call] = []
    fork = next(recorded(gather([one(prompt("a")), one(prompt("b"))]), calls))
    assert isinstance(fork, Fork)
    assert [drive(child)[1] for child in fork.flows] == ["a||None", "b||None"]
    assert [call.request.text for call in calls] == ["a", "b"]


def test_recording_notes_no_failure_and_lets_the_flow_recover() -> None:
    def recovering() -> Flow[str]:
        try:
            return (yield from one(prompt("a")))
        except BackendError:
            return (yield from one(prompt("b")))

    calls: list[Call] = []
    flow = recorded(recovering(), calls)
    next(flow)
    flow.throw(BackendError("busy"))
    with pytest.raises(StopIteration) as stop:
        flow.send(Completion(text="fine"))
    assert (stop.value.value, [call.request.text for call in calls]) == ("fine", ["b"])
