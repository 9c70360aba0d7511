"""Models and readers that the tests of trees share."""

from collections.abc import Callable

from promptkit import FakeBackend, Result
from promptkit.errors import BackendError
from promptkit.strategies.tree import (
    Node,
    Reasoning,
    Thought,
)
from promptkit.types import Completion, Request

Answer = Callable[[Request], str | Completion | BackendError]
WORTH = Reasoning.worth


def node(number: int, value: float) -> Node:
    return Node(number, None, Thought(str(number)), f"{number}\n", 1, value=value)


def steps_of(request: Request) -> list[str]:
    """The steps that a prompt of the problem "reasoning" shows."""
    if len(request.messages) > 1:  # the model's own lines, to be gone on with
        return request.messages[1].content.splitlines()
    lines = [line for line in request.messages[-1].content.splitlines() if line.startswith("Step ")]
    return [line.partition(": ")[2] for line in lines]


def world(next_steps: dict[str, list[str]], verdicts: dict[str, str]) -> FakeBackend:
    """A model that goes on from the last step as a table says, sample by sample, and judges by the last step."""

    def answer(request: Request) -> str:
        last = (steps_of(request) or [""])[-1]
        if request.purpose == "value":
            return verdicts.get(last, "impossible")
        return next_steps[last][request.sample[0] % len(next_steps[last])]

    return FakeBackend(answer)


def developed(result: Result) -> list[str]:
    """The thoughts whose states were developed further, in that order."""
    found = [entry for entry in result.details["tree"]["nodes"] if entry["order"] is not None]
    return [entry["thought"] for entry in sorted(found, key=lambda entry: entry["order"])]


STEPS = {
    "": ["12 eggs", "13 eggs", "11 eggs"],
    "12 eggs": ["12 - 5 = 7", "12 + 5 = 17", "The answer is 8."],
    "13 eggs": ["The answer is 9.", "The answer is 9.", "13"],
    "12 - 5 = 7": ["The answer is 7."] * 3,
}
VERDICTS = {"12 eggs": "sure", "13 eggs": "likely", "12 - 5 = 7": "sure", "The answer is 9.": "likely",
            "The answer is 7.": "sure"}  # fmt: skip
