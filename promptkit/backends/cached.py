"""A backend that remembers: every completion is on disk before any flow sees it."""

import json
import os
import sqlite3
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from promptkit.backends.base import Answer, Backend, Group, Take
from promptkit.errors import BackendError, ConfigError
from promptkit.types import Completion, Price, Request

_SCHEMA = "CREATE TABLE IF NOT EXISTS completions (key TEXT PRIMARY KEY, completion TEXT NOT NULL) WITHOUT ROWID"
_VERSION = 1


class CachedBackend(Backend):
    """Answers from a store what was asked before, and asks `inner` for the rest.

    The key of a completion is the identity of the inner backend and the whole request, its sample index included:
    five samples of a prompt are five entries, and asking for eight later generates three. Failures are not stored.

    Args:
        inner: where new requests go.
        path: the store, one SQLite file; made when it is not there.

    Raises:
        ConfigError: the file cannot be opened or is no store of this version; it is left as it is.
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
        self._path = Path(path)
        self._store = _open(self._path)

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        """Yield stored completions at once, and the inner backend's as they come."""
        found: deque[tuple[Request, Completion]] = deque()

        def take_missing(k: int) -> list[Group]:
            missing: list[Group] = []
            while k > 0 and (groups := take(k)):
                for group in groups:
                    stored = self._look_up(group)
                    found.extend((request, stored[request.key]) for request in group.requests if request.key in stored)
                    asked = tuple(request for request in group.requests if request.key not in stored)
                    if asked:
                        missing.append(Group(asked))
                        k -= len(asked)
            return missing

        while True:
            progress = False
            for request, answer in self.inner.serve(take_missing):
                progress = True
                if isinstance(answer, Completion):
                    self._keep(request, answer)
                yield request, answer
                while found:
                    yield found.popleft()
            while found:
                progress = True
                yield found.popleft()
            if not progress:
                return

    def identity(self) -> dict[str, Any]:
        """That of the inner backend: a cache changes no text."""
        return self.inner.identity()

    def recall(self, request: Request) -> Completion | None:
        """The stored completion of a request, if there is one."""
        return self._look_up(Group((request,))).get(request.key)

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

    def _key(self, request: Request) -> str:
        return sha256(f"{self._identity}\n{request.key}".encode()).hexdigest()

    def _look_up(self, group: Group) -> dict[str, Completion]:
        keys = {self._key(request): request.key for request in group.requests}
        marks = ",".join("?" * len(keys))
        with self._failing("read", "it is damaged: use another file"):
            rows = self._store.execute(f"SELECT key, completion FROM completions WHERE key IN ({marks})", list(keys))
            return {
                keys[key]: Completion.model_validate_json(text).model_copy(update={"cached": True, "seconds": 0.0})
                for key, text in rows
            }

    def _keep(self, request: Request, completion: Completion) -> None:
        entry = (self._key(request), completion.model_dump_json())
        with self._failing("write to", "what it holds is safe; the same command goes on from there"), self._store:
            self._store.execute("INSERT OR REPLACE INTO completions VALUES (?, ?)", entry)

    @contextmanager
    def _failing(self, what: str, hint: str) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, ValidationError) as error:
            reason = "an entry is no completion" if isinstance(error, ValidationError) else str(error)
            raise BackendError(f"cannot {what} the store {self._path}: {reason}", hint=hint) from error


def _open(path: Path) -> sqlite3.Connection:
    store = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT, 0o600))  # private from its first moment, unlike a file that sqlite makes
        # Notebooks and `arun` call from other threads; a backend is still used by one run at a time.
        store = sqlite3.connect(path, timeout=30, check_same_thread=False)
        _check(store, path)  # before anything is written
        store.execute("PRAGMA journal_mode=WAL")
        store.execute("PRAGMA synchronous=FULL")
        store.execute(_SCHEMA)
        store.execute(f"PRAGMA user_version={_VERSION}")
    except (OSError, sqlite3.Error, ConfigError) as error:
        if store:
            store.close()
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(
            f"cannot open the store {path}: {error}", hint="it was left as it is; use another file"
        ) from error
    return store


def _check(store: sqlite3.Connection, path: Path) -> None:
    """Refuse the database of another program or version. One without tables is a new store."""
    (version,) = store.execute("PRAGMA user_version").fetchone()
    tables = {name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables - {"completions"}:
        raise ConfigError(f"{path} is the database of another program", hint="use another file")
    if version not in (0, _VERSION):
        raise ConfigError(f"the store {path} is of version {version}, not {_VERSION}", hint="use another file")
    if tables:
        store.execute("SELECT key, completion FROM completions LIMIT 0").fetchall()
