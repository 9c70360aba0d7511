"""A backend: a person at the terminal answers, as a baseline for models. `--backend person:ann`"""

import sys
from collections.abc import Sequence

from promptkit import Backend, Completion, Request
from promptkit.backends.base import Answer
from promptkit.errors import BackendError


class Person(Backend):
    """Shows each prompt on standard error and reads a line from standard input."""

    def __init__(self, name: str) -> None:
        self.name = f"person {name}"

    def generate(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """One prompt after the other; no line means that the person has gone, which fails the call."""
        return [self._ask(request) for request in requests]

    def _ask(self, request: Request) -> Answer:
        asked = "\n\n".join(message.content for message in request.messages)
        print(f"\n{asked}\n> ", end="", file=sys.stderr, flush=True)
        said = sys.stdin.readline()
        return Completion(text=said.strip()) if said else BackendError(f"{self.name} gives no more answers")
