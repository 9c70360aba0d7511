"""A backend that remembers: every completion is on disk before any flow sees it."""

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from promptkit.backends.base import Answer, Backend, Group, Take
from promptkit.backends.store import Store
from promptkit.errors import ConfigError
from promptkit.types import Completion, Price, Request

_MOST_TOGETHER = 256
"""Completions that share a commit, at most."""


class CachedBackend(Backend):
    """Answers from a store what was asked before, and asks `inner` for the rest.

    The key of a completion is the identity of the inner backend and the whole request, its sample index included:
    five samples of a prompt are five entries, and asking for eight later generates three. Failures are not stored.
    Completions that the inner backend has ready at the same time are written together.

    Args:
        inner: where new requests go.
        path: the store, one SQLite file; made when it is not there. See `promptkit.backends.store`.

    Raises:
        ConfigError: the file cannot be opened or is no store; it is left as it is.
        BackendError: during a run, the store cannot be read or written; this ends the run.
    """

    remembers = True

    def __init__(self, inner: Backend, path: str | Path) -> None:
        if type(inner).identity is Backend.identity:
            raise ConfigError(
                f"{type(inner).__name__} does not say what decides its texts", hint="define identity(), the store's key"
            )
        self.inner = inner
        self.name = inner.name
        self._identity = json.dumps(inner.identity(), sort_keys=True)
        self._store = Store(path)

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        """Yield stored completions at once, and the inner backend's as they come."""
        found: deque[tuple[Request, Answer]] = deque()

        def take_missing(k: int) -> list[Group]:
            missing: list[Group] = []
            while k > 0 and (groups := take(k)):
                for group in groups:
                    stored = self._store.look_up(self._identity, group.requests)
                    found.extend((request, stored[request.key]) for request in group.requests if request.key in stored)
                    asked = tuple(request for request in group.requests if request.key not in stored)
                    if asked:
                        missing.append(Group(asked))
                        k -= len(asked)
            return missing

        while True:
            progress = False
            for answers in self._together(take_missing):
                progress = True
                yield from answers
                while found:
                    yield found.popleft()
            while found:
                progress = True
                yield found.popleft()
            if not progress:
                return

    def _together(self, take: Take) -> Iterator[list[tuple[Request, Answer]]]:
        """The inner backend's answers, those that are ready together in one list, stored before it is yielded."""
        ready: list[tuple[Request, Answer]] = []
        try:
            for answer in self.inner.serve(take):
                ready.append(answer)
                if len(ready) < _MOST_TOGETHER and self.inner.has_ready():
                    continue
                answers, ready = ready, []
                self._keep(answers)
                yield answers
        finally:
            self._keep(ready)  # paid for before the inner backend failed

    def identity(self) -> dict[str, Any]:
        """That of the inner backend: a cache changes no text."""
        return self.inner.identity()

    def recall(self, request: Request) -> Completion | None:
        """The stored completion of a request, if there is one."""
        return self._store.look_up(self._identity, (request,)).get(request.key)

    def price(self) -> Price | None:
        """That of the inner backend, for what is not stored."""
        return self.inner.price()

    def count_tokens(self, text: str) -> int:
        """As the inner backend counts."""
        return self.inner.count_tokens(text)

    def close(self) -> None:
        """Close the store and the inner backend."""
        self._store.close()
        self.inner.close()

    def _keep(self, answers: list[tuple[Request, Answer]]) -> None:
        completions = [(request, answer) for request, answer in answers if isinstance(answer, Completion)]
        if completions:
            self._store.keep(self._identity, completions)
