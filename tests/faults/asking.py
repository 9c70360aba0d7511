"""Asking a backend for single completions, without a strategy between."""

from collections.abc import Iterator

from promptkit import OpenAIBackend
from promptkit.backends.base import Answer
from promptkit.flow import Flow, ask
from promptkit.scheduler import run_flows
from promptkit.types import Completion, Message, Request, Sampling


def backend(*urls: str, **options: object) -> OpenAIBackend:
    """A backend that does not wait long."""
    quick = {"backoff": 0.01, "retries": 3, "timeout": 5.0, "max_seconds": 20.0}
    return OpenAIBackend("m", base_url=list(urls), **{**quick, **options})  # type: ignore[arg-type]


def request(text: str = "What is 2 + 2?", sample: tuple[int, ...] = (), **sampling: object) -> Request:
    """A request for one completion."""
    return Request(messages=(Message(role="user", content=text),), sampling=Sampling(**sampling), sample=sample)  # type: ignore[arg-type]


def answers(where: OpenAIBackend, *requests: Request) -> list[Answer]:
    """What became of each request, in order; what ends the run is raised."""

    def one(wanted: Request) -> Flow[Completion]:
        return (yield from ask(wanted))

    def flows() -> Iterator[Flow[Completion]]:
        return (one(wanted) for wanted in requests)

    found: dict[int, Answer] = {}
    for outcome in run_flows(flows(), where):
        found[outcome.index] = outcome.value if outcome.value is not None else outcome.error  # type: ignore[assignment]
    return [found[place] for place in range(len(requests))]


def answer(where: OpenAIBackend, **options: object) -> Answer:
    """What became of one request."""
    return answers(where, request(**options))[0]  # type: ignore[arg-type]
