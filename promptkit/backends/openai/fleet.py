"""Servers used together: who gets the next request, and what is tried again where."""

import random
import threading
import time
from collections import deque
from dataclasses import dataclass

from promptkit.backends.base import Answer, Group
from promptkit.backends.openai.failures import Failure
from promptkit.backends.openai.server import Attempt, Reply, Server
from promptkit.errors import BackendError, BackendTimeoutError
from promptkit.types import Completion, Request

_FIRST_TRIES = 2
"""Retries to reach servers none of which has ever answered: the address may be wrong."""


@dataclass(frozen=True)
class Patience:
    """How long a request is tried."""

    retries: int
    """Attempts after the first."""
    seconds: float
    """From its first attempt to the beginning of its last."""
    backoff: float
    """Seconds before the first retry; doubled each time, and a random share of at most a half taken off."""
    longest: float = 60.0
    """Seconds between two attempts at most."""

    def delay(self, attempt: int) -> float:
        """Seconds before attempt number `attempt` (1 is the first retry)."""
        return min(self.longest, self.backoff * 2 ** (attempt - 1)) * random.uniform(0.5, 1)


@dataclass(frozen=True)
class Settled:
    """What became of a group: answers, and requests that have to be asked for one by one."""

    answers: list[tuple[Request, Answer]]
    rest: tuple[Request, ...] = ()


class RunOverError(Exception):
    """No other request can succeed either."""

    def __init__(self, error: BackendError) -> None:
        super().__init__()
        self.error = error


class Fleet:
    """Servers that share the work of one run, used by many threads."""

    def __init__(self, servers: list[Server], patience: Patience) -> None:
        self.servers = servers
        self.notes: deque[str] = deque()
        """What the user should know, not yet told."""
        self._patience = patience
        self._changed = threading.Condition()

    @property
    def room(self) -> int:
        """Requests that may be under way or waiting for their turn."""
        with self._changed:
            return max(1, sum(int(server.throttle.limit) for server in self.servers if not server.out))

    @property
    def several(self) -> bool:
        """Whether some server may take several samples at once."""
        return any(server.dialect.several is not False for server in self.servers)

    def wake(self) -> None:
        """Let threads that wait for their turn look whether the run is over."""
        with self._changed:
            self._changed.notify_all()

    def settle(self, group: Group, stopped: threading.Event) -> Settled:
        """Ask for a group until there is an answer or patience ends.

        Raises:
            RunOverError: nothing else can succeed either, or `stopped` is set.
        """
        started = time.monotonic()
        deadline = started + self._patience.seconds
        last: BackendError = BackendTimeoutError(
            f"no server had room for {self._patience.seconds:g} s", hint="lower concurrency or raise max_seconds"
        )
        attempt = 0
        while (server := self._take_turn(deadline, stopped)) is not None:
            samples = len(group.requests) if self._may_try_several(server, group) else 1
            begun = time.monotonic()
            outcome, sent = server.ask(group.first, samples)
            reworded = self._note(server, outcome, sent, samples, begun)
            if isinstance(outcome, Reply):
                taken = time.monotonic() - started
                found = [one.model_copy(update={"seconds": taken}) for one in outcome.completions]
                return Settled(list(zip(group.requests, found, strict=False)), group.requests[len(found) :])
            if reworded:
                continue
            if outcome.what == "filtered":
                refused = Completion(text=outcome.error.message, finish_reason="content_filter")
                return Settled([(request, refused) for request in group.requests])
            last = outcome.error
            attempt += 1
            if self._final(outcome, attempt):
                break
            delay = max(self._patience.delay(attempt), outcome.retry_after)
            if time.monotonic() + delay > deadline:
                break
            if not self._other_free(server):
                stopped.wait(delay)
        if stopped.is_set():
            raise RunOverError(last)
        return Settled([(request, last) for request in group.requests])

    def _final(self, failure: Failure, attempt: int) -> bool:
        """Whether the last attempt is the last one.

        Raises:
            RunOverError: nothing else can succeed either.
        """
        known = any(server.answered for server in self.servers)
        if failure.what == "hopeless" or (failure.what == "missing" and not known):
            raise RunOverError(failure.error)
        over = attempt > (self._patience.retries if known else min(_FIRST_TRIES, self._patience.retries))
        if failure.what == "unreachable" and over and all(server.out for server in self.servers):
            raise RunOverError(failure.error)
        return failure.what in ("refused", "missing") or attempt > self._patience.retries

    def _take_turn(self, deadline: float, stopped: threading.Event) -> Server | None:
        """A server that takes a request now, the least busy one; `None` when the time is over first."""
        with self._changed:
            while not stopped.is_set():
                now = time.monotonic()
                waits = [(server.throttle.wait(now), server.throttle.running, server) for server in self.servers]
                free = [(running / server.throttle.limit, server) for wait, running, server in waits if wait <= 0]
                if free:
                    server = min(free, key=lambda pair: pair[0])[1]
                    server.throttle.begin(now)
                    return server
                if now >= deadline:
                    return None
                self._changed.wait(min(deadline - now, *(wait for wait, *_ in waits)))
        return None

    def _note(self, server: Server, outcome: Attempt, sent: dict[str, object], samples: int, begun: float) -> bool:
        """Take in how an attempt ended; true when the same request can be worded otherwise."""
        now = time.monotonic()
        reworded = False
        with self._changed:
            server.throttle.end()
            if samples > 1:
                server.trying_several = False
            if isinstance(outcome, Reply):
                if server.out and len(self.servers) > 1:
                    self.notes.append(f"{server.url} is back")
                server.succeeded(begun, now, outcome.wait)
                if samples > 1:
                    server.dialect.several = len(outcome.completions) == samples
            else:
                if server.failed(outcome, now) and len(self.servers) > 1:
                    self.notes.append(f"{outcome.error.message}: it is left out and tried again later")
                if outcome.what == "refused":
                    reworded, note = server.dialect.learn(outcome.error.message, outcome.param, sent)
                    if note:
                        self.notes.append(note)
            self._changed.notify()
        return reworded

    def _may_try_several(self, server: Server, group: Group) -> bool:
        """Whether to ask for all samples of the group at once. Only one request at a time finds out."""
        if len(group.requests) == 1 or server.dialect.several is not None:
            return bool(server.dialect.several)
        with self._changed:
            first, server.trying_several = not server.trying_several, True
            return first

    def _other_free(self, server: Server) -> bool:
        with self._changed:
            now = time.monotonic()
            return any(other.throttle.wait(now) <= 0 for other in self.servers if other is not server)
