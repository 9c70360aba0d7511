"""`promptkit cache info` and `promptkit cache clear`."""

import json
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import pytest

from promptkit.backends.store import Store
from promptkit.cli.caching import name_of
from promptkit.types import Completion
from tests.command_line import CommandLine
from tests.scripted import prompt

SMALL = json.dumps({"backend": "hf", "model": "small", "dtype": "bfloat16", "adapter": None})
LARGE = json.dumps({"backend": "openai", "model": "large", "mode": "chat"})


@pytest.fixture
def promptkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line with a store that holds completions of two models."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path))
    with closing(Store(tmp_path / "completions.sqlite")) as store:
        store.keep(SMALL, [(prompt(text), Completion(text="x")) for text in "abc"])
        store.keep(LARGE, [(prompt("a"), Completion(text="y"))])
    return CommandLine(capsys, monkeypatch, tmp_path)


def held(folder: Path) -> dict[str | None, int]:
    with closing(Store(folder / "completions.sqlite")) as store:
        return {model.identity: model.entries for model in store.models()}


def test_info_shows_the_file_and_each_model(promptkit: CommandLine) -> None:
    said = promptkit("cache", "info")
    assert (said.code, said.err) == (0, "")
    assert f"{promptkit.folder / 'completions.sqlite'}: 4 completions, 0." in said.out
    assert "hf small (dtype=bfloat16)" in said.out
    assert "openai large (mode=chat)" in said.out


def test_info_as_json(promptkit: CommandLine) -> None:
    told = json.loads(promptkit("cache", "info", "--json").out)
    assert (told["entries"], told["path"]) == (4, str(promptkit.folder / "completions.sqlite"))
    assert told["bytes"] >= (promptkit.folder / "completions.sqlite").stat().st_size
    assert [(model["identity"], model["entries"]) for model in told["models"]] == [
        (json.loads(SMALL), 3),
        (json.loads(LARGE), 1),
    ]


def test_where_there_is_no_store_none_is_made(
    promptkit: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path / "empty"))
    assert "0 completions" in promptkit("cache", "info").out
    assert "0 completions deleted" in promptkit("cache", "clear").out
    assert not (tmp_path / "empty").exists()


def test_clear_asks_for_yes_where_nobody_can_be_asked(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    said = promptkit("cache", "clear")
    assert said.code == 2
    assert "would delete 4 completions" in said.err and "--yes" in said.err
    assert sum(held(promptkit.folder).values()) == 4


@pytest.mark.parametrize(("typed", "left"), [("y", 0), ("YES", 0), ("", 4), ("n", 4)])
def test_at_a_terminal_it_asks(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch, typed: str, left: int) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda *_: typed)
    said = promptkit("cache", "clear")
    assert said.code == (1 if left else 0)
    assert sum(held(promptkit.folder).values()) == left


def test_clear_all(promptkit: CommandLine) -> None:
    said = promptkit("cache", "clear", "--yes", "--json")
    assert json.loads(said.out)["deleted"] == 4
    assert held(promptkit.folder) == {}


def test_clear_by_model(promptkit: CommandLine) -> None:
    assert "3 completions deleted" in promptkit("cache", "clear", "--model", "SMALL", "--yes").out
    assert held(promptkit.folder) == {LARGE: 1}
    said = promptkit("cache", "clear", "--model", "small", "--yes")
    assert said.code == 2
    assert "nothing of a model 'small'" in said.err


def test_clear_by_age(promptkit: CommandLine) -> None:
    with closing(sqlite3.connect(promptkit.folder / "completions.sqlite")) as database, database:
        database.execute("UPDATE completions SET stored = stored - 10 * 86400 WHERE completion LIKE '%y%'")
    assert "1 completion deleted" in promptkit("cache", "clear", "--older-than", "9", "--yes").out
    assert held(promptkit.folder) == {SMALL: 3}
    assert "--older-than" in promptkit("cache", "clear", "--older-than", "-1", "--yes").err


@pytest.mark.parametrize("command", ["info", "clear"])
def test_what_is_no_store_is_said_and_left(promptkit: CommandLine, command: str) -> None:
    path = promptkit.folder / "completions.sqlite"
    path.write_text("my notes, no database\n" * 100)
    said = promptkit("cache", command, *(["--yes"] if command == "clear" else []))
    assert said.code == 2
    assert "not a database" in said.err and "move it away" in said.err
    assert path.read_text().startswith("my notes")


def test_the_name_of_a_model_is_one_safe_line() -> None:
    from promptkit.backends.store import ModelEntries

    assert name_of(ModelEntries(json.dumps({"model": "a\x1b[2J\nb"}), 1, 0, 0)) == "a b"
    assert "earlier version" in name_of(ModelEntries(None, 1, 0, 0))
