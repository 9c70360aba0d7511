"""A backend that answers from a function, for tests of your own strategies."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Any, TypeAlias, cast

from promptkit.backends.base import Answer, Backend, Group, Take
from promptkit.errors import AuthError, BackendError, ConfigError
from promptkit.types import LOCAL, Completion, Price, Request

AnswerFunction: TypeAlias = Callable[[Request], str | Completion | BackendError]


class FakeBackend(Backend):
    """Answers every request from `answers` and records it in `calls`.

    Args:
        answers: a function of the request that returns a text, a `Completion` or a `BackendError` (returned or
            raised: that one call fails; a raised `AuthError` ends the run); or a text for all; or a list of texts,
            given in turn.
        batch_size: how many requests are pulled at a time. 1 keeps the order in which strategies ask.

    >>> from promptkit import FakeBackend, ZeroShot
    >>> ZeroShot().run("What is 2 + 2?", backend=FakeBackend("The answer is 4.")).answer
    '4'
    """

    name = "fake"

    def __init__(self, answers: AnswerFunction | str | Sequence[str] = "", *, batch_size: int = 1) -> None:
        if callable(answers):
            self._answer: AnswerFunction = answers
        elif not answers and not isinstance(answers, str):
            raise ConfigError("a FakeBackend needs at least one text to answer with")
        else:
            texts = cycle([answers] if isinstance(answers, str) else answers)
            self._answer = lambda _: next(texts)
        self.batch_size = batch_size
        self.calls: list[Request] = []
        """Every request that was served, in order."""
        self.groups: list[int] = []
        """How many samples each pulled group had, in order."""

    def generate(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """Answer the requests, one after the other."""
        return [self._complete(request) for request in requests]

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        """Serve like any simple backend, and note the groups."""

        def noting(k: int) -> list[Group]:
            groups = take(k)
            self.groups.extend(len(group.requests) for group in groups)
            return groups

        return super().serve(noting)

    def identity(self) -> dict[str, Any]:
        """Its name: give fakes that answer differently different names before they share a store."""
        return {"backend": "fake", "name": self.name}

    def price(self) -> Price:
        """Nothing."""
        return LOCAL

    def _complete(self, request: Request) -> Answer:
        self.calls.append(request)
        try:
            answer = self._answer(request)
        except AuthError:
            raise
        except BackendError as error:
            return error
        if isinstance(answer, Completion | BackendError):
            return answer
        if not isinstance(cast(object, answer), str):
            name = type(answer).__name__
            raise TypeError(f"the answers of a FakeBackend must give a str, a Completion or a BackendError, not {name}")
        return Completion(
            text=answer,
            prompt_tokens=self.count_tokens(request.text),
            completion_tokens=self.count_tokens(answer),
            rendered=request.text,
        )
