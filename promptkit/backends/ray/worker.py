"""What a Ray actor holds: a real backend, working in a thread of its own while the driver feeds and empties it.

Nothing here knows of Ray: it is a plain class, whose methods are called from several threads.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from promptkit import __version__
from promptkit.backends.base import Answer, Backend, Group
from promptkit.errors import BackendError, PromptkitError
from promptkit.types import Price


@dataclass(frozen=True)
class About:
    """What a backend says of itself once it is loaded."""

    name: str
    identity: dict[str, Any]
    price: Price | None


@dataclass(frozen=True)
class News:
    """What has happened at a worker since it was last asked."""

    answers: tuple[tuple[str, Answer], ...]
    """Keys of requests with their answers."""
    limit: int
    """How many requests, since it began, it could have taken in all: what exceeds those given to it is its room."""
    ended: BackendError | None = None
    """Why the backend cannot go on at all."""


class Worker:
    """A backend that is given groups of requests, and tells what came of them when it is asked.

    The backend pulls from here with `take` as it would from a scheduler, so that a rolling batch stays full.
    """

    def __init__(self) -> None:
        self._backend = Backend()
        self._changed = threading.Condition()
        self._waiting: deque[Group] = deque()
        self._counts: deque[tuple[str, Future[int]]] = deque()
        self._answers: list[tuple[str, Answer]] = []
        self._taken = self._under_way = 0
        self._limit = self._told = self._most = 0
        self._ended: BackendError | None = None

    def version(self) -> str:
        """Of promptkit here."""
        return __version__

    def start(self, make: Callable[[], Backend], folder: str) -> About | PromptkitError:
        """Make the backend and begin to serve; an error is returned, so that it comes back as what it is.

        `folder` is the driver's working folder: where this node has it too, relative paths mean the same here.
        """
        try:
            with suppress(OSError):
                os.chdir(folder)
            self._backend = make()
        except PromptkitError as error:
            return error
        threading.Thread(target=self._serve, name="promptkit-worker", daemon=True).start()
        return About(self._backend.name, self._backend.identity(), self._backend.price())

    def give(self, groups: Sequence[Group]) -> None:
        """Let it complete these, after what it was given before."""
        with self._changed:
            self._waiting.extend(groups)
            self._changed.notify_all()

    def news(self, groups: Sequence[Group] = ()) -> News:
        """Wait until there is something to tell; `groups` are given to it first, which saves a call of `give`."""
        if groups:
            self.give(groups)
        with self._changed:
            self._changed.wait_for(lambda: self._answers or self._limit > self._told or self._ended)
            answers, self._answers = tuple(self._answers), []
            self._told = self._limit
            return News(answers, self._limit, self._ended)

    def count_tokens(self, text: str) -> int:
        """As the backend counts. It is done in the backend's own thread: tokenizers do not like two."""
        found: Future[int] = Future()
        with self._changed:
            if self._ended:
                raise self._ended
            self._counts.append((text, found))
            self._changed.notify_all()
        return found.result()

    def _serve(self) -> None:
        try:
            while True:
                for request, answer in self._backend.serve(self._take):
                    with self._changed:
                        self._under_way -= 1
                        self._answers.append((request.key, answer))
                        self._changed.notify_all()
        except BackendError as error:
            self._end(error)
        except Exception as error:  # a backend of the user's own may raise anything
            reason = (str(error).splitlines() or [""])[0]
            self._end(BackendError(f"{self._backend.name} failed: {type(error).__name__}: {reason}"))

    def _end(self, error: BackendError) -> None:
        with self._changed:
            self._ended = error
            for _, waiting in self._counts:
                waiting.set_exception(error)
            self._changed.notify_all()

    def _take(self, k: int) -> list[Group]:
        """What the backend pulls from. With nothing under way it waits here rather than be told that all is done."""
        with self._changed:
            # A backend that takes one request after the other need not wait for the way to the driver and back.
            self._most = max(self._most, k)
            self._limit = self._taken + k + (self._most == 1)
            self._changed.notify_all()
            while True:
                while self._counts:
                    text, found = self._counts.popleft()
                    found.set_result(self._backend.count_tokens(text))
                if self._waiting or self._under_way:
                    break
                self._changed.wait()
            groups: list[Group] = []
            while k > 0 and self._waiting:
                requests = self._waiting.popleft().requests
                if requests[k:]:
                    self._waiting.appendleft(Group(requests[k:]))
                groups.append(Group(requests[:k]))
                k -= len(requests[:k])
            taken = sum(len(group.requests) for group in groups)
            self._taken += taken
            self._under_way += taken
            return groups
