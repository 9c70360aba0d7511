"""`promptkit doctor`: what it finds, what it keeps to itself, how long it takes, and how it ends."""

import hashlib
import json
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from promptkit import paths
from promptkit.diagnosis import Part, diagnose, machine, network, packages, places
from promptkit.diagnosis.part import without_secrets
from promptkit.models.catalogue import DEFAULT, EMBEDDED
from tests.command_line import CommandLine

pytestmark = pytest.mark.usefixtures("quick")
SMALL = EMBEDDED["smollm2-135m"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Part]:
    """What the slow rounds find, to be changed by a test; the others look for real, at an empty cache."""
    found = {
        "torch": Part("torch", ("2.13.0+cpu",), {"installed": True, "dtype": "float32"}),
        "hub": Part("hub", ("it answers",), {"reachable": True}),
        "index": Part("index", ("it answers",), {"reachable": True}),
        "plugins": Part("plugins", ("none",), {"plugins": []}),
    }
    monkeypatch.setattr(machine, "torch_build", lambda: found["torch"])
    monkeypatch.setattr(network, "hub", lambda: found["hub"])
    monkeypatch.setattr(network, "index", lambda _: found["index"])
    monkeypatch.setattr(packages, "plugged", lambda: found["plugins"])
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path / "cache"))
    return found


@pytest.fixture
def promptkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys, monkeypatch, tmp_path)


def put(model: str, sha256: str, size: int, content: bytes = b"weights") -> Path:
    """A finished model in the cache that says this of itself."""
    folder = paths.cache_dir() / "models" / model
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(content)
    told = {"source": "hub", "sha256": sha256, "bytes": size, "date": "2026-01-31T12:00:00+00:00"}
    (folder / "source.json").write_text(json.dumps(told))
    return folder


def test_a_machine_that_is_well(promptkit: CommandLine) -> None:
    put(DEFAULT, EMBEDDED[DEFAULT].gguf_sha256, 7)
    said = promptkit("doctor")
    assert (said.code, said.err) == (0, "Nothing that is needed is missing.\n")
    names = [line.split()[0] for line in said.out.splitlines() if not line.startswith(" ")]
    assert names == ["promptkit", "machine", "packages", "torch", "models", "cache", "hub", "index", "keys", "plugins"]
    assert f"{DEFAULT}: 0 MB, verified when it was fetched (2026-01-31, hub)" in said.out
    told = json.loads(promptkit("doctor", "--json").out)
    assert told["ok"] is True
    parts = {part["name"]: part for part in told["parts"]}
    assert parts["machine"]["usable_cores"] >= 1
    assert parts["machine"]["memory_bytes"] > 10**8
    assert parts["torch"]["dtype"] == "float32"
    assert parts["cache"]["folder"] == str(paths.cache_dir()) or parts["cache"]["folder"].endswith("cache")


def test_only_extras_of_users_are_listed(promptkit: CommandLine) -> None:
    told = json.loads(promptkit("doctor", "--json").out)
    (part,) = (part for part in told["parts"] if part["name"] == "packages")
    assert "hf" in part["extras"]
    assert not {"dev", "docs"} & set(part["extras"])


def test_a_model_that_is_not_here_is_a_note_where_it_can_be_had(promptkit: CommandLine) -> None:
    said = promptkit("doctor")
    assert said.code == 0
    assert f"note: {DEFAULT} is fetched when it is first used, 478 MB or more (promptkit models pull" in said.err


def test_no_model_and_no_network_is_a_problem_with_a_next_step(quick: dict[str, Part], promptkit: CommandLine) -> None:
    for name in ("hub", "index"):
        quick[name] = Part(name, ("it cannot be reached",), {"reachable": False})
    said = promptkit("doctor")
    assert said.code == 1
    assert f"problem: {DEFAULT} is not here, and neither the hub nor the package index can be reached (see" in said.err
    assert json.loads(promptkit("doctor", "--json").out)["ok"] is False
    put(DEFAULT, EMBEDDED[DEFAULT].weights_sha256, 7)
    assert promptkit("doctor").code == 0


def test_a_full_disk_is_told_before_a_model_is_fetched(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 10**9}))
    said = promptkit("doctor")
    assert said.code == 1
    assert "there is no room for it: it needs 2.2 GB (make room, or set PROMPTKIT_CACHE" in said.err


@pytest.mark.parametrize(("sha256", "size"), [(SMALL.gguf_sha256, 8), (hashlib.sha256(b"other").hexdigest(), 7)])
def test_a_damaged_model_is_a_problem(promptkit: CommandLine, sha256: str, size: int) -> None:
    put(SMALL.name, sha256, size)
    said = promptkit("doctor")
    assert said.code == 1
    assert f"problem: {SMALL.name} has changed on disk since it was verified (delete " in said.err
    assert f"then: promptkit models pull {SMALL.name})" in said.err


def test_a_store_that_cannot_be_read(promptkit: CommandLine) -> None:
    paths.cache_dir().mkdir(parents=True)
    paths.completions_path().write_bytes(b"no database " * 100)
    said = promptkit("doctor")
    assert said.code == 1
    assert "problem: the store of completions cannot be read: file is not a database (move " in said.err
    paths.completions_path().unlink()
    sqlite3.connect(paths.completions_path()).close()
    assert promptkit("doctor").code == 0


@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(promptkit: CommandLine) -> None:
    paths.cache_dir().mkdir(parents=True, mode=0o500)
    assert "set PROMPTKIT_CACHE to a folder that you may write to" in promptkit("doctor").err


def test_a_file_in_the_place_of_the_folder(promptkit: CommandLine) -> None:
    paths.cache_dir().write_text("no folder")
    said = promptkit("doctor")
    assert said.code == 1
    assert "cannot be written to (set PROMPTKIT_CACHE" in said.err


def test_secrets_stay_secret(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("HF_TOKEN", "hf_very-secret")
    monkeypatch.setenv("PIP_INDEX_URL", "https://ann:very-secret@index.example/simple")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf/token").write_text("hf_very-secret")
    for args in (["doctor"], ["doctor", "--json"]):
        said = promptkit(*args)
        assert "very-secret" not in said.out + said.err
    there = {part["name"]: part for part in json.loads(said.out)["parts"]}["keys"]
    assert there["keys"] == {"OPENAI_API_KEY": True, "HF_TOKEN": True, "login of the hub": True}
    assert "PIP_INDEX_URL" in there["settings"]
    assert without_secrets("no https://ann:very-secret@a.b/c\n answers") == "no https://…@a.b/c answers"


def test_it_waits_no_longer_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    awake = threading.Event()

    def slow() -> Part:
        awake.wait(60)
        return Part("torch", ("at last",))

    monkeypatch.setattr(machine, "torch_build", slow)
    found = {part.name: part for part in diagnose(0.5)}  # comes back while `slow` still sleeps
    awake.set()
    assert found["torch"].lines == ("no answer in 0.5 s",)
    assert not found["torch"].answered and found["machine"].answered
    assert found["machine"].state == "ok"


def test_what_gave_no_answer_is_not_said_to_be_there(
    promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch, quick: dict[str, Part]
) -> None:
    put(DEFAULT, EMBEDDED[DEFAULT].gguf_sha256, 7)

    def broken() -> Part:
        raise OSError("an odd machine")

    monkeypatch.setattr(machine, "torch_build", broken)
    quick["index"] = Part("index", ("no answer in 20 s",), {}, "note", "index: no answer in 20 s", answered=False)
    said = promptkit("doctor")
    assert said.code == 0
    assert said.err.endswith("No problem was found, but it is not known whether these work: torch, index.\n")
    assert "Nothing that is needed is missing" not in said.err
    told = json.loads(promptkit("doctor", "--json").out)
    assert told["ok"] is None
    assert [part["name"] for part in told["parts"] if not part["answered"]] == ["torch", "index"]


def test_a_round_that_fails_does_not_end_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def odd() -> Part:
        raise OSError("an odd machine")

    monkeypatch.setattr(places, "keys", odd)
    found = {part.name: part for part in diagnose()}
    assert found["keys"].problem == "could not be looked at: OSError: an odd machine"
    assert found["cache"].state == "ok"


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_seconds_that_make_no_sense(promptkit: CommandLine, seconds: str) -> None:
    assert promptkit("doctor", "--seconds", seconds).code == 2
