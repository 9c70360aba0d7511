"""What a backend is: something that pulls requests when it has room and yields completions as they finish."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from promptkit.errors import AuthError, BackendError
from promptkit.types import Completion, Price, Request


@dataclass(frozen=True, slots=True)
class Group:
    """Requests that are equal but for their sample index: one prompt, one or more samples of it."""

    requests: tuple[Request, ...]

    @property
    def first(self) -> Request:
        """Any of them, for what they share: the prompt and the sampling."""
        return self.requests[0]


class Take(Protocol):
    """How a backend pulls work: `take(k)` returns pending groups with at most `k` requests in all.

    An empty list says that nothing is pending at this moment; completions that are yielded may bring more.
    """

    def __call__(self, k: int, /) -> list[Group]: ...


Answer: TypeAlias = Completion | BackendError
"""What became of one request: a completion, or why there is none."""


class Backend:
    """Base of all backends. A simple one writes `generate`; one that can do better writes `serve`.

    A backend is used by one run at a time; it is called from one thread.
    """

    name: str = "backend"
    """Shown in tables: the model and how it is reached."""
    batch_size: int = 1
    """How many requests the inherited `serve` hands to `generate` at once."""
    remembers: bool = False
    """Whether it keeps completions beyond the run, so that a stopped run goes on from them."""

    def generate(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """Complete the requests; answers in the same order.

        A `BackendError` *returned* is the failure of that one request; one *raised* is the failure of all of them.
        """
        raise NotImplementedError(f"{type(self).__name__} must define generate() or serve()")

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        """Pull requests with `take` and yield each with its answer as soon as it is there, in any order.

        Returns when nothing is in flight and `take` has nothing more; the scheduler may call it again later.
        Anything raised here ends the whole run.
        """
        while groups := take(self.batch_size):
            requests = [request for group in groups for request in group.requests]
            try:
                answers = self.generate(requests)
            except AuthError:
                raise
            except BackendError as error:
                answers = [error] * len(requests)
            if len(answers) != len(requests):
                problem = f"{self.name} gave {len(answers)} answers to {len(requests)} requests"
                answers = [BackendError(problem, hint="this is a bug of the backend")] * len(requests)
            yield from zip(requests, answers, strict=True)

    def identity(self) -> dict[str, Any]:
        """What decides the text of a completion besides the request (model, revision, dtype, mode): JSON values.

        It is part of the key of stored completions and of a run's manifest. It holds no secret.
        """
        return {"backend": type(self).__name__, "name": self.name}

    def recall(self, request: Request) -> Completion | None:  # noqa: ARG002
        """The completion of a request where it is at hand at no cost; asked for when a run was stopped."""
        return None

    def price(self) -> Price | None:
        """What its tokens cost; `None` where that is not known."""
        return None

    def count_tokens(self, text: str) -> int:
        """Tokens in `text`, without special tokens; backends that have no tokenizer count white-space words."""
        return len(text.split())

    def close(self) -> None:
        """Free what the backend holds (weights, connections). It must not be used afterwards."""
