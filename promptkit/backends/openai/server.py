"""One server: its HTTP client, how to speak to it, how much it takes, and whether it is well."""

import time
import weakref
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import httpx2
import openai

from promptkit.backends.openai.dialect import Dialect
from promptkit.backends.openai.failures import Failure, TooLargeError, explain, used_up
from promptkit.backends.openai.reply import read_reply
from promptkit.backends.openai.throttle import Throttle
from promptkit.errors import RateLimitError
from promptkit.types import Completion, Request

_MOST_BYTES = 16 * 2**20
_FAILURES_TO_LEAVE = 3
_SHORTEST_LEAVE = 0.5
_LONGEST_LEAVE = 60.0
_LONGEST_HINT = 60.0
"""Seconds that `x-ratelimit-*` headers of an answer may silence a server; a refusal may say more."""


@dataclass(frozen=True)
class Reply:
    """What an attempt brought."""

    completions: list[Completion]
    wait: float
    """Seconds in which the server takes no more, by its headers."""


Attempt: TypeAlias = Reply | Failure


class Server:
    """A server at one address.

    It is used by many threads: `ask` is for all of them at once, everything else is guarded by the fleet's lock.

    Args:
        url: the base URL.
        dialect: how requests are worded for it; it learns from refusals.
        key: sent as bearer token, to this address only; redirects are not followed.
        timeout: seconds for one attempt.
        most: requests under way at most.
    """

    def __init__(self, url: str, key: str, dialect: Dialect, *, timeout: float, most: int) -> None:
        self.url = url
        self.dialect = dialect
        self.throttle = Throttle(most)
        self.out = False
        """Whether it was taken out because it failed again and again."""
        self.answered = False
        """Whether it has ever answered."""
        self.trying_several = False
        """Whether a request is under way that finds out if it gives several samples at once."""
        self._failures = 0
        self._leave = _SHORTEST_LEAVE
        self._key = key
        self._timeout = timeout
        self._tls = httpx2.create_ssl_context()
        # A client for each request under way: one pool of connections for all is searched under a lock, every time.
        self._idle: deque[openai.OpenAI] = deque()
        self._clients: list[openai.OpenAI] = []
        self._closing = weakref.finalize(self, _close, self._clients)

    def ask(self, request: Request, samples: int) -> tuple[Attempt, dict[str, object]]:
        """Make one attempt; nothing is raised. Also returns the JSON that was sent."""
        sent = self.dialect.body(request, samples)
        path = "/chat/completions" if self.dialect.mode == "chat" else "/completions"
        client = self._one()
        try:
            response = client.post(path, body=sent, cast_to=httpx2.Response)
            found = read_reply(response.content, self.dialect.mode, request.sampling.stop, samples)
            return Reply(found, min(used_up(response.headers), _LONGEST_HINT)), sent
        except Exception as error:  # also what the SDK or a broken prompt may raise
            return explain(error, self.url, self._key), sent
        finally:
            self._idle.append(client)

    def succeeded(self, begun: float, now: float, wait: float) -> None:
        """An attempt that began at `begun` was answered as it should be."""
        self.throttle.accepted(begun, now)
        self.throttle.close(now + wait)
        self.answered, self.out, self._failures, self._leave = True, False, 0, _SHORTEST_LEAVE

    def failed(self, failure: Failure, now: float) -> bool:
        """Take in a failure; true when the server is taken out now."""
        if failure.what not in ("busy", "unreachable", "broken"):
            self.answered = self.answered or failure.what in ("refused", "filtered")
            return False
        if failure.what == "busy":
            self.throttle.refused(now, failure.retry_after)
        elif failure.retry_after:
            self.throttle.close(now + failure.retry_after)
        if isinstance(failure.error, RateLimitError):
            return False  # it is well, and says how much it takes
        self._failures += 1
        # Of "overloaded" a whole round, since all that is over its limit is refused at the same moment.
        enough = max(_FAILURES_TO_LEAVE, self.throttle.limit) if failure.what == "busy" else _FAILURES_TO_LEAVE
        if failure.what != "unreachable" and self._failures < enough:
            return False
        if self.out and self.throttle.running > 0:  # one of those that were under way when it fell
            return False
        first = not self.out
        self.out = True
        self.throttle.close(now + self._leave, probe=True)
        self._leave = min(_LONGEST_LEAVE, 2 * self._leave)
        return first

    def close(self) -> None:
        """Close its connections."""
        self._closing()

    def _one(self) -> openai.OpenAI:
        """A client that nobody uses: the one used last, whose connection is most likely still there."""
        try:
            return self._idle.pop()
        except IndexError:
            client = openai.OpenAI(
                api_key=self._key,
                base_url=self.url,
                max_retries=0,  # retries are the fleet's: it knows of other servers and of the limits
                timeout=self._timeout,
                http_client=httpx2.Client(
                    timeout=self._timeout,
                    verify=self._tls,
                    follow_redirects=False,
                    headers={"accept-encoding": "identity"},  # a small body may unpack to a huge one
                    event_hooks={"response": [partial(_bound, self._timeout)]},
                ),
            )
            self._clients.append(client)
            return client


def _close(clients: list[openai.OpenAI]) -> None:
    for client in clients:
        client.close()


def _bound(seconds: float, response: httpx2.Response) -> None:
    """Bound the size of a body and the time that it takes to arrive."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise TooLargeError("a compressed body, which was not asked for")
    response.stream = _Bounded(response.stream, time.monotonic() + seconds)


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, stream: object, deadline: float) -> None:
        assert isinstance(stream, httpx2.SyncByteStream)
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > _MOST_BYTES:
                raise TooLargeError(f"more than {_MOST_BYTES // 2**20} MiB")
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the body takes too long")
            yield chunk

    def close(self) -> None:
        self._stream.close()
