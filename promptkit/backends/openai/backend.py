"""The backend for servers that speak OpenAI's protocol."""

import threading
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from promptkit import prices
from promptkit.backends.base import Answer, Backend, Group, Take
from promptkit.backends.openai.dialect import Dialect
from promptkit.backends.openai.fleet import Fleet, Patience, RunOverError, Settled
from promptkit.backends.openai.keys import OPENAI_HOST, find_key
from promptkit.backends.openai.reply import Mode
from promptkit.backends.openai.server import Server
from promptkit.errors import ConfigError
from promptkit.types import Price, Request

DEFAULT_URL = f"https://{OPENAI_HOST}/v1"


class OpenAIBackend(Backend):
    """Asks OpenAI or any server that speaks its protocol: vLLM, llama.cpp, `transformers serve` and others.

    Args:
        model: the model's name at the server.
        mode: "chat" sends the messages to `/chat/completions`, "completion" the plain text to `/completions`.
        base_url: the server's address, mostly ending in `/v1`, or several of servers with the same model, which are
            then used together. Unset, OpenAI's own.
        api_key_env: environment variable that holds the key. Unset, `OPENAI_API_KEY`; servers other than OpenAI's own
            may need none. The key is sent to every address in `base_url`.
        api_key_file: file that holds the key, instead.
        concurrency: requests under way at each server at most; how many it takes is found out.
        native_n: whether several samples of a prompt are asked for in one request (`n`). Unset, where the server
            honours it, which is found out. Without it each sample has its own seed, `Request.sample_seed`; with it
            the samples of a request share the seed of the first.
        logprobs: whether log-probabilities are asked for, where the server gives them.
        timeout: seconds for one attempt.
        retries: attempts after the first that failed in a way that may pass.
        max_seconds: from a request's first attempt to the beginning of its last.
        backoff: seconds before the first retry.

    A request's unset settings are not sent: they mean what the server takes them for. Retried are refusals for load
    (429, 503), failures of the server (5xx), broken connections, replies that cannot be read, and time-outs;
    `Retry-After` is obeyed. A refused key, a wrong address, and servers that cannot be reached end the run.

    Token counts are the server's. Where it gives none, completions say so (`Completion.counted`), and the calls are
    counted in `Usage.uncounted_calls`.

    Raises:
        ConfigError: the options make no sense, or there is no key where one is needed.
    """

    def __init__(
        self,
        model: str,
        *,
        mode: Mode = "chat",
        base_url: str | Sequence[str] | None = None,
        api_key_env: str | None = None,
        api_key_file: str | Path | None = None,
        concurrency: int = 64,
        native_n: bool | None = None,
        logprobs: bool = True,
        timeout: float = 300.0,
        retries: int = 10,
        max_seconds: float = 900.0,
        backoff: float = 0.5,
    ) -> None:
        if mode not in ("chat", "completion"):
            raise ConfigError(f"unknown mode {mode!r}", hint="use chat or completion")
        if not model.strip():
            raise ConfigError("no model named", hint="for example openai:gpt-4o-mini")
        for name, value, least in (("concurrency", concurrency, 1), ("retries", retries, 0)):
            if value < least:
                raise ConfigError(f"{name} must be at least {least}, not {value}")
        for name, value in (("timeout", timeout), ("max_seconds", max_seconds), ("backoff", backoff)):
            if not value > 0:
                raise ConfigError(f"{name} must be more than 0 seconds, not {value:g}")
        given = [base_url] if isinstance(base_url, str) else list(base_url or [DEFAULT_URL])
        self.model = model
        self.mode: Mode = mode
        self.name = model
        self.base_urls = sorted({_checked(url) for url in given})
        key = find_key(api_key_env, api_key_file, [urlsplit(url).hostname or "" for url in self.base_urls])

        def server(url: str) -> Server:
            official = urlsplit(url).hostname == OPENAI_HOST
            dialect = Dialect(model, mode, official=official, logprobs=logprobs, several=native_n)
            return Server(url, key, dialect, timeout=timeout, most=concurrency)

        self._fleet = Fleet([server(url) for url in self.base_urls], Patience(retries, max_seconds, backoff))
        self._told_uncounted = False
        self._crew: _Crew | None = None
        self._ready: deque[tuple[Request, Answer]] = deque()

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        """Ask for as much at once as the servers take, and yield each answer as it arrives.

        When the consumer stops early, threads that wait for a server are left behind: each ends with its request.

        Raises:
            BackendError: a server refuses the key, is at another address, or none can be reached.
        """
        crew = self._crew = _Crew(self._fleet)
        intake = _Intake(take, self._fleet)
        try:
            while True:
                while crew.busy < self._fleet.room and (group := intake.next()) is not None:
                    crew.hand(group)
                if not crew.busy:
                    return
                settled = crew.result()
                intake.again(settled.rest)
                self._tell(settled)
                self._ready.extend(settled.answers)
                while self._ready:
                    yield self._ready.popleft()
        finally:
            crew.dismiss()
            self._ready.clear()

    def has_ready(self) -> bool:
        """Whether another answer has arrived."""
        return bool(self._ready) or (self._crew is not None and self._crew.has_result())

    def identity(self) -> dict[str, Any]:
        """Model, addresses and mode."""
        return {"backend": "openai", "model": self.model, "base_urls": self.base_urls, "mode": self.mode}

    def price(self) -> Price | None:
        """The list price at its addresses; a server of one's own has none."""
        return prices.listed_at(self.model, self.base_urls)

    def close(self) -> None:
        """Close the connections."""
        for server in self._fleet.servers:
            server.close()

    def _tell(self, settled: Settled) -> None:
        """Warn of what the user should know; in the caller's thread, where a warning may be an error."""
        uncounted = any(not getattr(answer, "counted", True) for _, answer in settled.answers)
        if uncounted and not self._told_uncounted:
            self._told_uncounted = True
            self._fleet.notes.append(
                f"{self.model} does not say how many tokens it takes: they are missing from the counts"
            )
        while self._fleet.notes:
            warnings.warn(self._fleet.notes.popleft(), stacklevel=3)


class _Intake:
    """Pulls groups whole, and first what has to be asked for again."""

    def __init__(self, take: Take, fleet: Fleet) -> None:
        self._take = take
        self._fleet = fleet
        self._waiting: deque[Group] = deque()

    def next(self) -> Group | None:
        """The next group to ask for, or `None` when nothing is pending."""
        group = self._waiting.popleft() if self._waiting else self._one()
        if group is None or not self._fleet.several:
            return group
        # A group is taken request by request, because `take` splits those that are larger than what it is asked for.
        requests = list(group.requests)
        while not self._waiting and (other := self._one()) is not None:
            if other.first.group_key == group.first.group_key:
                requests += other.requests
            else:
                self._waiting.append(other)
        return Group(tuple(requests))

    def again(self, requests: tuple[Request, ...]) -> None:
        """Requests that were not answered with their group and are asked for alone."""
        self._waiting.extend(Group((request,)) for request in requests)

    def _one(self) -> Group | None:
        groups = self._take(1)
        return groups[0] if groups else None


class _Crew:
    """Threads that ask. They are daemons, so that an interrupted program does not wait for its servers."""

    def __init__(self, fleet: Fleet) -> None:
        self.busy = 0
        """Groups handed over whose results have not been fetched."""
        self._fleet = fleet
        self._groups: SimpleQueue[Group | None] = SimpleQueue()
        self._results: SimpleQueue[Settled | Exception] = SimpleQueue()
        self._stopped = threading.Event()
        self._threads = 0

    def hand(self, group: Group) -> None:
        """Let a thread ask for the group."""
        self.busy += 1
        self._groups.put(group)
        if self._threads < self.busy:
            self._threads += 1
            threading.Thread(target=self._work, name=f"promptkit-openai-{self._threads}", daemon=True).start()

    def result(self) -> Settled:
        """The next result.

        Raises:
            BackendError: the run cannot go on.
        """
        result = self._results.get()
        self.busy -= 1
        if isinstance(result, RunOverError):
            raise result.error
        if isinstance(result, Exception):
            raise result
        return result

    def has_result(self) -> bool:
        """Whether `result` would not wait."""
        return not self._results.empty()

    def dismiss(self) -> None:
        """Let the threads end: at once where they wait for their turn, else with their request."""
        self._stopped.set()
        self._fleet.wake()
        for _ in range(self._threads):
            self._groups.put(None)

    def _work(self) -> None:
        while (group := self._groups.get()) is not None:
            try:
                result: Settled | Exception = self._fleet.settle(group, self._stopped)
            except Exception as error:
                result = error
            self._results.put(result)


def _checked(url: str) -> str:
    """The address without a slash at its end.

    Raises:
        ConfigError: it is none, or holds a secret.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.username or parts.password or parts.query:
        raise ConfigError(
            "a base URL holds a name, password or query", hint="give keys by --api-key-env or --api-key-file"
        )
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(f"{url!r} is no base URL", hint="for example http://localhost:8000/v1")
    return url.strip().rstrip("/")
