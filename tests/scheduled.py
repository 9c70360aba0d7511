"""Flows and answers that the tests of the scheduler share."""

from typing import Any

from promptkit.backends.base import Backend
from promptkit.errors import BackendError
from promptkit.flow import Flow, ask
from promptkit.scheduler import Outcome, run_flows
from promptkit.types import Request
from tests.scripted import Scripted, echo, prompt


def two(text: str) -> Flow[str]:
    yield from ask(prompt(f"{text}1"))
    return (yield from ask(prompt(f"{text}2"))).text


def run(*flows: Flow[Any], backend: Backend | None = None, **options: Any) -> list[Outcome[Any]]:
    """The outcomes in the order of the flows."""
    outcomes = list(run_flows(flows, backend or Scripted(), **options))
    assert sorted(outcome.index for outcome in outcomes) == list(range(len(flows)))
    return sorted(outcomes, key=lambda outcome: outcome.index)


def failing(*texts: str) -> Any:
    """Answers with an error where the text is one of these."""
    return lambda request: BackendError(f"no {request.text}") if request.text in texts else echo(request)


def last(flying: list[Request]) -> int:
    return len(flying) - 1
