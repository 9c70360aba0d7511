"""The file behind `CachedBackend`: what it keeps, what older files become, what is cleared."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from promptkit import CachedBackend, FakeBackend, SelfConsistency, ZeroShot
from promptkit.backends.base import Answer, Take
from promptkit.backends.store import Store
from promptkit.errors import AuthError, BackendError, ConfigError
from promptkit.scheduler import run_flows
from promptkit.types import Completion, Request
from tests.isolation import ROOT
from tests.scripted import Scripted, echo, one, prompt

ONE, OTHER = '{"model": "one"}', '{"model": "other"}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "completions.sqlite"


def said(text: str, rendered: str | None = None) -> Completion:
    return Completion(text=text, completion_tokens=1, rendered=rendered)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def test_a_prompt_is_kept_once_for_all_its_samples(path: Path) -> None:
    requests = [prompt("2+2?", 0.7, sample=(n,)) for n in range(40)]
    with closing(Store(path)) as store:
        store.keep(ONE, [(request, said(str(n), "<s>2+2?" * 100)) for n, request in enumerate(requests)])
        found = store.look_up(ONE, requests)
    assert rows(path, "SELECT count(*) FROM prompts") == [(1,)]
    assert [found[request.key].text for request in requests] == [str(n) for n in range(40)]
    assert {completion.rendered for completion in found.values()} == {"<s>2+2?" * 100}


def test_it_says_whose_completions_it_holds(path: Path) -> None:
    with closing(Store(path)) as store:
        assert store.models() == []
        store.keep(ONE, [(prompt(text), said("x")) for text in "abc"])
        store.keep(OTHER, [(prompt("a"), said("y"))])
        models = store.models()
        assert [(model.identity, model.entries) for model in models] == [(ONE, 3), (OTHER, 1)]
        assert all(abs(model.newest - time.time()) < 60 for model in models)
        assert store.look_up(OTHER, [prompt("a")])[prompt("a").key].text == "y"
        assert store.look_up(OTHER, [prompt("b")]) == {}


def test_clearing_by_model_and_by_age(path: Path) -> None:
    with closing(Store(path)) as store:
        store.keep(ONE, [(prompt(text), said("x", f"<s>{text}")) for text in "abc"])
        store.keep(OTHER, [(prompt("a"), said("y", "<s>a"))])
        assert store.clear([OTHER]) == 1
        assert [model.identity for model in store.models()] == [ONE]
        assert len(store.look_up(ONE, [prompt(text) for text in "abc"])) == 3
        assert store.clear(before=time.time() - 3600) == 0
        assert store.clear(before=time.time() + 1) == 3
        assert store.models() == []
    for table in ("completions", "prompts", "models"):
        assert rows(path, f"SELECT * FROM {table}") == []


def test_clearing_gives_the_room_back(path: Path) -> None:
    with closing(Store(path)) as store:
        store.keep(ONE, [(prompt(str(n)), said("x" * 5000)) for n in range(200)])
        store.clear()
    assert path.stat().st_size < 100_000


def old_store(path: Path, entries: dict[str, Completion]) -> None:
    """A store as version 1 wrote it."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE completions (key TEXT PRIMARY KEY, completion TEXT NOT NULL) WITHOUT ROWID")
        lines = [(key, completion.model_dump_json()) for key, completion in entries.items()]
        database.executemany("INSERT INTO completions VALUES (?, ?)", lines)
        database.execute("PRAGMA user_version=1")


def test_a_store_of_version_1_is_taken_over_with_all_it_holds(path: Path) -> None:
    whole = said("old", "<s>2+2?").model_copy(update={"seconds": 2.0, "logprob": -1.5})
    key = sha256(f"{ONE}\n{prompt('a').key}".encode()).hexdigest()
    old_store(path, {key: whole})
    with closing(Store(path)) as store:
        assert store.look_up(ONE, [prompt("a"), prompt("b")]) == {
            prompt("a").key: whole.model_copy(update={"cached": True, "seconds": 0.0})
        }
        assert [(model.identity, model.entries) for model in store.models()] == [(None, 1)]
    with closing(Store(path)) as store:
        assert store.clear([None]) == 1


def test_a_later_version_is_told_apart_and_left(path: Path) -> None:
    Store(path).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA user_version=3")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"version 3, not 2.*update promptkit"):
        Store(path)
    assert path.read_bytes() == before


def test_a_store_cut_short_is_an_error_and_is_left(path: Path) -> None:
    with closing(Store(path)) as store:
        store.keep(ONE, [(prompt(str(n)), said("x" * 500)) for n in range(500)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises((ConfigError, BackendError), match=r"completions\.sqlite.*move it away"):
        Store(path).look_up(ONE, [prompt(str(n)) for n in range(500)])
    assert path.stat().st_size == len(whole) // 2


def test_several_processes_may_make_it_at_the_same_time(path: Path) -> None:
    code = (
        "import sys; from promptkit.backends.store import Store\n"
        "from promptkit.types import Completion, Message, Request\n"
        "input()\n"
        "store = Store(sys.argv[1])\n"
        "for n in range(20):\n"
        "    request = Request(messages=(Message(role='user', content=f'{sys.argv[2]} {n}'),))\n"
        "    store.keep(sys.argv[2], [(request, Completion(text='x'))])\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    makers = [
        subprocess.Popen([*command, f'"{n}"'], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        for n in range(4)
    ]
    time.sleep(1)  # until all have imported what they need; they may still begin one after the other
    for process in makers:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    for process in makers:
        assert process.communicate(timeout=120)[1] == ""
        assert process.returncode == 0
    with closing(Store(path)) as store:
        assert sorted((model.identity, model.entries) for model in store.models()) == [(f'"{n}"', 20) for n in range(4)]


# -- commits ----------------------------------------------------------------------------------------


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many completions each commit held."""
    found: list[int] = []
    keep = Store.keep

    def counting(self: Store, identity: str, answers: list[tuple[Request, Completion]]) -> None:
        found.append(len(answers))
        keep(self, identity, answers)

    monkeypatch.setattr(Store, "keep", counting)
    return found


def test_completions_that_are_ready_together_share_a_commit(path: Path, commits: list[int]) -> None:
    SelfConsistency(ZeroShot(), 10).run("2+2?", backend=CachedBackend(FakeBackend("4", batch_size=4), path))
    assert commits == [4, 4, 2]


def test_a_lone_completion_is_not_kept_waiting(path: Path, commits: list[int]) -> None:
    """A backend that does not know whether more is ready is not asked for more before its answer is handed on."""
    events: list[str] = []

    class Slow(Scripted):
        def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
            for answer in super().serve(take):
                yield answer
                events.append("next")

    backend = CachedBackend(Slow(), path)
    list(run_flows([one(text) for text in "abc"], backend, on_call=lambda request, _: events.append(request.text)))
    assert events == ["a", "next", "b", "next", "c", "next"]
    assert commits == [1, 1, 1]


def test_what_was_ready_is_kept_when_the_backend_then_fails(path: Path) -> None:
    class Dying(Scripted):
        def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
            (group, *_) = take(3)
            yield group.first, echo(group.first)
            raise AuthError("the key was revoked")

        def has_ready(self) -> bool:
            return True

    with pytest.raises(AuthError):
        list(run_flows([one("a"), one("b")], CachedBackend(Dying(), path)))
    with closing(Store(path)) as store:
        assert store.look_up(json.dumps({"backend": "scripted"}), [prompt("a")])[prompt("a").key].text == "a||None"


def test_failures_between_completions_are_passed_on_in_order(path: Path, commits: list[int]) -> None:
    def answer(request: Request) -> str | BackendError:
        return BackendError("busy") if "3" in request.text else "4"

    results = ZeroShot().run_many(
        [f"{n} + 1?" for n in range(6)], backend=CachedBackend(FakeBackend(answer, batch_size=6), path)
    )
    assert [result.error for result in results] == [None, None, None, "busy", None, None]
    assert commits == [5]
