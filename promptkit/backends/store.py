"""The store of completions: one SQLite file, private to its user, that several processes may share.

Completions are kept as JSON. The prompt that a model was shown is stored once, however many samples were drawn of it.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from promptkit.errors import BackendError, ConfigError
from promptkit.types import Completion, Request

VERSION = 2
_BUSY_SECONDS = 60
"""How long to wait for another process that writes; it holds the file for milliseconds, unless it clears the store."""
_TABLES = {"completions", "models", "prompts"}
_SCHEMA = """
CREATE TABLE models (id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE);
CREATE TABLE prompts (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, text TEXT NOT NULL);
CREATE TABLE completions (
    key BLOB PRIMARY KEY,
    model INTEGER REFERENCES models,
    prompt INTEGER REFERENCES prompts,
    stored INTEGER NOT NULL,
    completion TEXT NOT NULL
);
CREATE INDEX completions_by_model ON completions (model, stored);
"""
_LOOK_UP = """
SELECT key, completion, text FROM completions LEFT JOIN prompts ON prompts.id = prompt WHERE key IN ({marks})
"""
_KEEP = """
INSERT OR REPLACE INTO completions VALUES (
    ?, (SELECT id FROM models WHERE identity = ?), (SELECT id FROM prompts WHERE hash = ?), ?, ?
)
"""
_OF_MODELS = """
SELECT identity, count(*), min(stored), max(stored) FROM completions LEFT JOIN models ON models.id = model
GROUP BY model ORDER BY count(*) DESC
"""


@dataclass(frozen=True)
class ModelEntries:
    """What a store holds of one model."""

    identity: str | None
    """`Backend.identity()` as JSON; `None` for what a store of version 1 held, which did not say."""
    entries: int
    oldest: int
    """When it was stored, in seconds since 1970."""
    newest: int


class Store:
    """Completions by model and request.

    The key is the identity of what made the completion and the whole request, its sample index included. Everything
    that `keep` was given is on disk when it returns (`synchronous=FULL`), for readers in other processes too.

    Args:
        path: the file; made when it is not there. One of version 1 is brought to this version, with all it holds.

    Raises:
        ConfigError: the file cannot be opened or is no store; it is left as it is.
        BackendError: later, it cannot be read or written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()  # one connection, which threads may share
        self._database = _open(self.path)

    def look_up(self, identity: str, requests: Iterable[Request]) -> dict[str, Completion]:
        """The stored completions among these requests, by `Request.key`; each says that it is `cached`."""
        keys = {_key(identity, request): request.key for request in requests}
        query = _LOOK_UP.format(marks=",".join("?" * len(keys)))
        with self._lock, self._failing("read"):
            rows = self._database.execute(query, list(keys)).fetchall()
            return {keys[key]: _restored(text, rendered) for key, text, rendered in rows}

    def keep(self, identity: str, answers: Sequence[tuple[Request, Completion]]) -> None:
        """Write completions in one transaction: after it all of them are on disk, or none."""
        now = int(time.time())
        prompts = {_hash(c.rendered): c.rendered for _, c in answers if c.rendered is not None}
        rows = [
            (
                _key(identity, request),
                identity,
                None if completion.rendered is None else _hash(completion.rendered),
                now,
                completion.model_dump_json(exclude={"rendered", "cached"}, exclude_defaults=True),
            )
            for request, completion in answers
        ]
        with self._lock, self._failing("write to"), _transaction(self._database) as database:
            database.execute("INSERT OR IGNORE INTO models (identity) VALUES (?)", (identity,))
            database.executemany("INSERT OR IGNORE INTO prompts (hash, text) VALUES (?, ?)", prompts.items())
            database.executemany(_KEEP, rows)

    def models(self) -> list[ModelEntries]:
        """What it holds of each model, the one with most entries first. Reads an index only, not the entries."""
        with self._lock, self._failing("read"):
            return [ModelEntries(*row) for row in self._database.execute(_OF_MODELS)]

    def clear(self, identities: Iterable[str | None] | None = None, *, before: float | None = None) -> int:
        """Delete completions and give the room back to the disk.

        Args:
            identities: of which models, as `models` names them; unset, of all.
            before: only those stored earlier, in seconds since 1970.

        Returns:
            How many were deleted.
        """
        chosen = {entry.identity for entry in self.models()} if identities is None else set(identities)
        latest = time.time() + 1 if before is None else before
        delete = "DELETE FROM completions WHERE model IS (SELECT id FROM models WHERE identity = ?) AND stored < ?"
        with self._lock, self._failing("write to"):
            with _transaction(self._database) as database:
                found = sum(database.execute(delete, (identity, latest)).rowcount for identity in chosen)
                for table, column in (("prompts", "prompt"), ("models", "model")):
                    used = f"SELECT {column} FROM completions WHERE {column} IS NOT NULL"
                    database.execute(f"DELETE FROM {table} WHERE id NOT IN ({used})")
            self._database.execute("VACUUM")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return found

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def _failing(self, what: str) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, ValidationError) as error:
            reason = "an entry is no completion" if isinstance(error, ValidationError) else str(error)
            hint = (
                "it is damaged: move it away, or use another file"
                if what == "read"
                else "what it holds is safe; the same command goes on from there"
            )
            raise BackendError(f"cannot {what} the store {self.path}: {reason}", hint=hint) from error


def _key(identity: str, request: Request) -> bytes:
    return sha256(f"{identity}\n{request.key}".encode()).digest()


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _restored(text: str, rendered: str | None) -> Completion:
    completion = Completion.model_validate_json(text)
    told = {"cached": True, "seconds": 0.0}
    return completion.model_copy(update=told if rendered is None else {**told, "rendered": rendered})


@contextmanager
def _transaction(database: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    database.execute("BEGIN IMMEDIATE")  # waits for other writers here, once, and for none later
    try:
        yield database
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


# -- the file ---------------------------------------------------------------------------------------


def _open(path: Path) -> sqlite3.Connection:
    database = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT, 0o600))  # private from its first moment, unlike a file that sqlite makes
        database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        version = _version(database, path)  # before anything is written
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        if version != VERSION:
            with _transaction(database):
                _upgrade(database, _version(database, path))  # which another process may have done meanwhile
        _write_ahead(database)
        database.execute("PRAGMA synchronous=FULL")
    except (OSError, sqlite3.Error, ConfigError) as error:
        if database:
            database.close()
        if isinstance(error, ConfigError):
            raise
        hint = "it was left as it is: move it away, or use another file"
        raise ConfigError(f"cannot open the store {path}: {error}", hint=hint) from error
    return database


def _version(database: sqlite3.Connection, path: Path) -> int:
    """The version of a store; 0 for a new file. The database of another program or a later version is refused."""
    # In one statement: another process may be making the tables meanwhile.
    found = database.execute(
        "SELECT user_version, name FROM pragma_user_version LEFT JOIN sqlite_master ON type = 'table'"
    ).fetchall()
    version, tables = found[0][0], {name for _, name in found if name is not None}
    if tables - _TABLES or bool(tables) != (version > 0):
        raise ConfigError(f"{path} is the database of another program", hint="use another file")
    if version > VERSION:
        hint = "update promptkit, or use another file"
        raise ConfigError(f"the store {path} is of version {version}, not {VERSION}", hint=hint)
    if tables:
        database.execute("SELECT key, completion FROM completions LIMIT 0").fetchall()
    return version


def _upgrade(database: sqlite3.Connection, version: int) -> None:
    """Make the tables; what a store of version 1 holds is taken over."""
    if version == VERSION:
        return
    if version == 1:
        database.execute("ALTER TABLE completions RENAME TO completions_1")
    for statement in _SCHEMA.split(";"):
        database.execute(statement)
    if version == 1:
        # Keys were hexadecimal. Whose completions they are they do not tell, only whether they are the one looked for.
        database.create_function("from_hex", 1, bytes.fromhex, deterministic=True)
        copy = "INSERT INTO completions SELECT from_hex(key), NULL, NULL, ?, completion FROM completions_1"
        database.execute(copy, (int(time.time()),))
        database.execute("DROP TABLE completions_1")
    database.execute(f"PRAGMA user_version={VERSION}")


def _write_ahead(database: sqlite3.Connection) -> None:
    """Turn on the write-ahead log, which stays on in the file. SQLite does not wait by itself for this one."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
