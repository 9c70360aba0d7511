"""Flows: generators that yield the requests they need next and receive the completions.

A strategy's author needs three words. `yield from ask(request)` asks one thing; `yield from other.steps(question)`
composes; `yield from gather(flows)` runs sub-flows side by side. The scheduler does the rest.

    Flow[T] = Generator[Ask | Fork, Any, T]
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from inspect import GEN_CREATED, getgeneratorstate
from types import GeneratorType
from typing import Any, TypeAlias, TypeVar, cast

from promptkit.types import Call, Completion, Request

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """Wait for the completion of one request."""

    request: Request


@dataclass(frozen=True, slots=True)
class Fork:
    """Run the flows side by side and wait for all their results, in order."""

    flows: "tuple[Flow[Any], ...]"


Flow: TypeAlias = Generator[Ask | Fork, Any, T]
"""A generator that yields what it waits for, receives the completion or the results, and returns a `T`."""


def ask(request: Request) -> Flow[Completion]:
    """Ask for one completion.

    Raises:
        BackendError: inside the flow, when the call failed for good; the flow may catch it and go on.
    """
    completion: Completion = yield Ask(request)
    return completion


def gather(flows: Iterable[Flow[T]]) -> Flow[list[T]]:
    """Run `flows` side by side and return their results in order.

    No child waits for a sibling before its own next step. A failure is raised inside the child it belongs to;
    if the child does not catch it, the other children are closed and it is raised here.
    """
    results: list[T] = yield Fork(tuple(flows))
    return results


def sampled(flow: Flow[T], index: int, temperature: float) -> Flow[T]:
    """The same flow as sample number `index` of several.

    Every request that passes through has `index` appended to its sample indices and, where its temperature is unset,
    gets `temperature`. A request with temperature 0 gives the same text for every sample, so it drops the
    index and is asked once for equal prompts.
    """

    def rewrite(step: Ask | Fork) -> Ask | Fork:
        if isinstance(step, Fork):
            return Fork(tuple(sampled(child, index, temperature) for child in step.flows))
        if not isinstance(cast(object, step), Ask):
            return step  # the scheduler tells the flow what is wrong with it
        request = step.request
        sampling = request.sampling
        if sampling.temperature is None:
            # `float`, since 1 and 1.0 are the same temperature and must have the same key
            sampling = sampling.model_copy(update={"temperature": float(temperature)})
        sample = () if sampling.temperature == 0 else (*request.sample, index)
        return Ask(request.replace(sampling=sampling, sample=sample))

    return (yield from _passing(flow, rewrite))


def recorded(flow: Flow[T], calls: list[Call]) -> Flow[T]:
    """The same flow, noting in `calls` each completion that it receives, with its request, as they come.

    What its branches receive is noted too; failures are not.
    """

    def follow(step: Ask | Fork) -> Ask | Fork:
        return Fork(tuple(recorded(child, calls) for child in step.flows)) if isinstance(step, Fork) else step

    def note(step: Ask | Fork, received: Any) -> None:
        if isinstance(step, Ask):
            calls.append(Call(request=step.request, completion=received))

    return (yield from _passing(flow, follow, note))


def _passing(
    flow: Flow[T], rewrite: Callable[[Ask | Fork], Ask | Fork], note: Callable[[Ask | Fork, Any], None] | None = None
) -> Flow[T]:
    """A flow whose steps are rewritten on their way out; `note` sees each and what came back for it."""
    check_new(flow)
    # Not `flow.send` in a plain loop: errors and `close` must reach the inner flow as well.
    try:
        step = next(flow)
        while True:
            try:
                received = yield rewrite(step)
            except GeneratorExit:
                flow.close()
                raise
            except BaseException as error:
                step = flow.throw(error)
            else:
                if note:
                    note(step, received)
                step = flow.send(received)
    except StopIteration as stop:
        return stop.value


def check_new(flow: object) -> None:
    """Raise a `TypeError` that says what to do, unless this is a flow that has not begun."""
    if isinstance(flow, GeneratorType):
        if getgeneratorstate(cast("Flow[Any]", flow)) != GEN_CREATED:
            raise TypeError("a flow was given twice: it runs only once, so call steps() anew for every branch")
    elif not isinstance(flow, Generator):
        raise TypeError(
            f"steps() must be a generator, but gave {type(flow).__name__}: "
            "write `yield from ask(...)` where it needs a completion, or `yield from ()` where it needs none"
        )
