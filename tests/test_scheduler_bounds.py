"""The scheduler: mistakes of backends, bounds, and what it records."""

from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import pytest

from promptkit.backends.base import Answer, Backend, Group, Take
from promptkit.backends.fake import FakeBackend
from promptkit.errors import AuthError, BackendError, RefusalError
from promptkit.flow import Flow, gather
from promptkit.scheduler import Outcome, run_flows
from promptkit.types import Completion, Request, Usage
from tests.scheduled import failing, last, run, two
from tests.scripted import Scripted, echo, one, prompt

# -- mistakes of backends ---------------------------------------------------------------------------


class Broken(Backend):
    """Serves as the test says."""

    name = "broken"

    def __init__(self, serve: Any) -> None:
        self.serve = serve


def requests(groups: list[Group]) -> list[Request]:
    return [request for group in groups for request in group.requests]


def test_a_backend_that_answers_nothing_fails_what_waits_and_the_trace_says_so() -> None:
    def silent(take: Take) -> Iterator[tuple[Request, Answer]]:
        take(10)
        yield from ()

    caught, bare = run(gather([one("a"), one("b")]), one("c"), backend=Broken(silent))
    for outcome in (caught, bare):
        assert isinstance(outcome.error, BackendError)
        assert "broken gave no answer" in str(outcome.error)
    assert [bool(call.error) for call in bare.trace] == [True]


def test_a_backend_that_forgets_one_request_fails_that_one_alone() -> None:
    def forgets(take: Take) -> Iterator[tuple[Request, Answer]]:
        for request in requests(take(10)):
            if request.text != "b":
                yield request, echo(request)

    a, b, c = run(one("a"), one("b"), one("c"), backend=Broken(forgets))
    assert (a.value, c.value) == ("a||None", "c||None")
    assert "gave no answer" in str(b.error)


@pytest.mark.parametrize("invented", [False, True])
def test_a_backend_that_answers_twice_or_unasked_ends_the_run(invented: bool) -> None:
    def twice(take: Take) -> Iterator[tuple[Request, Answer]]:
        for request in requests(take(10)):
            yield request, echo(request)
            yield prompt("never asked") if invented else request, echo(request)

    with pytest.raises(BackendError, match=r"a request that it did not have.*bug of the backend"):
        run(one("a"), one("b"), backend=Broken(twice))


def test_a_backend_that_answers_what_it_has_not_taken_ends_the_run() -> None:
    def early(take: Take) -> Iterator[tuple[Request, Answer]]:
        take(1)
        yield prompt("b"), echo(prompt("b"))

    with pytest.raises(BackendError, match="a request that it did not have"):
        run(one("a"), one("b"), backend=Broken(early))


def test_a_backend_that_answers_with_something_else_ends_the_run() -> None:
    class Texts(Backend):
        def generate(self, requests: Any) -> Any:
            return ["just text" for _ in requests]

    with pytest.raises(BackendError, match="gave str where a Completion"):
        run(one("a"), backend=Texts())


class Refusing(Scripted):
    """Raises in the middle of a run."""

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        for number, pair in enumerate(super().serve(take)):
            if number == 2:
                raise AuthError("the key was refused")
            yield pair


def test_what_the_backend_raises_ends_the_run_after_what_was_finished() -> None:
    closed: list[str] = []

    def noting(text: str) -> Flow[str]:
        try:
            return (yield from one(text))
        finally:
            closed.append(text)

    finished: list[Outcome[str]] = []
    outcomes = run_flows([noting(text) for text in "abcd"], Refusing())
    with pytest.raises(AuthError, match="the key was refused"):
        finished.extend(outcomes)
    assert [outcome.index for outcome in finished] == [0, 1]
    assert sorted(closed) == ["a", "b", "c", "d"]


def test_closing_the_run_early_closes_flows_and_backend() -> None:
    closed: list[str] = []

    def noting(text: str) -> Flow[list[str]]:
        def branch(part: str) -> Flow[str]:
            try:
                return (yield from one(f"{text}{part}"))
            finally:
                closed.append(f"{text}{part}")

        try:
            return (yield from gather([branch("1"), branch("2")]))
        finally:
            closed.append(text)

    backend = Scripted(room=2)
    outcomes = run_flows([noting("a"), noting("b")], backend)
    assert next(outcomes).index == 0  # type: ignore[union-attr]
    outcomes.close()  # type: ignore[attr-defined]
    assert closed == ["a1", "a2", "a", "b1", "b2", "b"]
    assert backend.closed


# -- bounds -----------------------------------------------------------------------------------------


def test_flows_are_pulled_lazily_and_the_window_bounds_those_under_way() -> None:
    pulled = 0
    under_way: set[int] = set()
    most = 0

    def noting(number: int) -> Flow[int]:
        nonlocal most
        under_way.add(number)
        most = max(most, len(under_way))
        yield from two(str(number))
        under_way.remove(number)
        return number

    def endless() -> Iterator[Flow[int]]:
        nonlocal pulled
        for number in count():
            pulled += 1
            yield noting(number)

    outcomes = run_flows(endless(), Scripted(last), window=5)
    assert len(list(islice(outcomes, 50))) == 50
    assert most == 5
    assert pulled <= 50 + 2 * 5


def test_an_endless_stream_of_flows_that_ask_nothing_is_pulled_lazily_too() -> None:
    pulled = 0

    def ready(number: int) -> Flow[int]:
        yield from ()
        return number

    def endless() -> Iterator[Flow[int]]:
        nonlocal pulled
        for number in range(10_000):
            pulled += 1
            yield ready(number)

    outcomes = run_flows(endless(), Scripted(), window=5)
    assert [outcome.value for outcome in islice(outcomes, 20)] == list(range(20))
    assert pulled <= 20 + 2 * 5


def test_no_flows() -> None:
    assert run() == []


def test_empty_gathers_in_a_long_loop() -> None:
    def loop() -> Flow[int]:
        total = 0
        for _ in range(10_000):
            total += len((yield from gather([])))
        return total + 1

    (outcome,) = run(loop())
    assert outcome.value == 1


def test_deep_trees_need_no_deep_stack() -> None:
    def deep(depth: int, text: str) -> Flow[Any]:
        return (yield from (gather([deep(depth - 1, text)]) if depth else one(text)))

    backend = Scripted(answer=failing("bad"), room=1)
    fine, failed, cut = run(deep(3000, "a"), deep(3000, "bad"), gather([one("bad"), deep(3000, "b")]), backend=backend)
    assert fine.error is None
    assert str(failed.error) == str(cut.error) == "no bad"
    assert "b" not in backend.asked


def test_ten_thousand_flows_have_exact_traces_and_usage() -> None:
    paid = 0

    def on_call(_: Request, answer: Answer) -> None:
        nonlocal paid
        assert isinstance(answer, Completion)
        paid += answer.completion_tokens

    def answer(request: Request) -> Completion:
        return Completion(text=request.text, prompt_tokens=1, completion_tokens=len(request.text))

    # Flows 2k and 2k + 1 ask the same.
    flows = (two(f"{number // 2}/") for number in range(10_000))
    backend = Scripted(answer=answer, room=64)
    total = Usage()
    seen: set[int] = set()
    for outcome in run_flows(flows, backend, window=128, on_call=on_call):
        seen.add(outcome.index)
        texts = [f"{outcome.index // 2}/{stage}" for stage in (1, 2)]
        assert [call.request.text for call in outcome.trace] == texts
        assert outcome.usage.completion_tokens == sum(map(len, texts))
        total += outcome.usage
    assert seen == set(range(10_000))
    assert (total.calls, total.prompt_tokens) == (20_000, 20_000)
    assert paid == total.completion_tokens - total.cached_completion_tokens
    assert total.cached_calls == 20_000 - len(backend.calls) > 0


def test_the_trace_has_all_calls_in_the_order_they_were_asked() -> None:
    (outcome,) = run(gather([two("a"), two("b")]), backend=Scripted(last))
    assert [call.request.text for call in outcome.trace] == ["a1", "b1", "b2", "a2"]
    assert [call.completion.text for call in outcome.trace if call.completion] == [
        "a1||None",
        "b1||None",
        "b2||None",
        "a2||None",
    ]


def test_each_answered_request_is_told_once() -> None:
    told: list[str] = []
    run(
        one("q"),
        one("q"),
        one("bad"),
        backend=Scripted(answer=failing("bad")),
        on_call=lambda r, _: told.append(r.text),
    )
    assert told == ["q", "bad"]


def test_a_refusal_is_kept_with_its_cost_and_raised_in_the_flow() -> None:
    refused = Completion(text="I would\nrather not.", finish_reason="content_filter", completion_tokens=4)
    (outcome,) = run(one("a"), backend=FakeBackend(lambda _: refused))
    assert isinstance(outcome.error, RefusalError)
    assert str(outcome.error) == "the model declined: I would rather not."
    assert outcome.usage.completion_tokens == 4
    (call,) = outcome.trace
    assert call.completion is not None and call.completion.text == refused.text


def test_calls_whose_tokens_nobody_counted_are_counted() -> None:
    (outcome,) = run(two("a"), backend=FakeBackend(lambda _: Completion(text="4", counted=False)))
    assert (outcome.usage.calls, outcome.usage.uncounted_calls) == (2, 2)
