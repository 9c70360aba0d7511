"""Fetching from the hub: the real client against a hub on loopback."""

import json
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest

from promptkit import models
from promptkit.errors import ModelError
from promptkit.models import hub as hub_module
from tests.models.model_sources import HUB_FILES, NAME, Index, Response, Served, closing, sha256, tiny


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A hub that has the tiny model at its pinned commit."""

    def answer(path: str) -> Response:
        start = f"/{tiny().hub_id}/resolve/{tiny().revision}/"
        if not path.startswith(start):
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        data = HUB_FILES[path.removeprefix(start)]
        return 200, {"ETag": f'"{sha256(data)}"', "X-Repo-Commit": tiny().revision}, data

    served = Served(answer)
    with closing(served):
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served


@pytest.mark.usefixtures("hub")
def test_the_hub_is_asked_first(index: Index, cache: Path) -> None:
    folder = models.ensure(NAME)
    assert (folder / "model.safetensors").read_bytes() == HUB_FILES["model.safetensors"]
    facts = json.loads((folder / "source.json").read_text())
    assert facts["source"] == "hub"
    assert facts["revision"] == tiny().revision
    assert facts["sha256"] == tiny().weights_sha256
    assert {path.name for path in folder.iterdir()} == {*HUB_FILES, "source.json"}
    assert not (cache / "downloads" / NAME).exists()
    assert not index.asked
    assert {status.name: status.source for status in models.list_models()}[NAME] == "hub"


def test_a_file_that_is_not_the_published_one_is_refused(hub: Served, index: Index, cache: Path) -> None:
    answer = hub.answer

    def tampered(path: str) -> Response:
        status, headers, data = answer(path)
        return status, headers, data.replace(b"tiny", b"evil")

    hub.answer = tampered
    with pytest.raises(ModelError, match=r"config.json of nobody/tiny is not the published file"):
        models.ensure(NAME)
    assert models.local_path(NAME) is None
    assert not list((cache / "downloads" / NAME).iterdir())
    assert not index.asked


@pytest.mark.usefixtures("index")
def test_a_hub_that_lost_the_model_is_passed_over(hub: Served) -> None:
    hub.answer = lambda _: (404, {"X-Error-Code": "RepoNotFound"}, b"")
    folder = models.ensure(NAME)
    facts = json.loads((folder / "source.json").read_text())
    assert facts["source"] == "wheels"
    assert "404" in facts["hub"]


def test_files_in_the_hubs_own_cache_are_not_downloaded_again(tmp_path: Path, index: Index) -> None:
    snapshot = tmp_path / "hub-cache" / "models--nobody--tiny" / "snapshots" / tiny().revision
    snapshot.mkdir(parents=True)
    for path, data in HUB_FILES.items():
        (snapshot / path).write_bytes(data)
    folder = models.ensure(NAME)
    assert (folder / "model.safetensors").read_bytes() == HUB_FILES["model.safetensors"]
    assert not index.asked


def test_a_refused_connection_is_told(tmp_path: Path) -> None:
    with pytest.raises(hub_module.HubUnavailableError, match="ConnectError"):
        hub_module.fetch(tiny(), tmp_path, None)


@pytest.mark.usefixtures("index")
def test_a_hub_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        folder = models.ensure(NAME)
    assert time.monotonic() - started < 10
    assert "Timeout" in json.loads((folder / "source.json").read_text())["hub"]


@pytest.mark.usefixtures("index")
def test_a_name_look_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda *_, **__: time.sleep(2))
    folder = models.ensure(NAME)
    assert "no answer" in json.loads((folder / "source.json").read_text())["hub"]


@pytest.mark.usefixtures("index")
def test_offline_mode_is_respected(hub: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = models.ensure(NAME)
    assert "HF_HUB_OFFLINE" in json.loads((folder / "source.json").read_text())["hub"]
    assert not hub.asked


def test_a_broken_download_goes_on_and_a_finished_file_stays(hub: Served, cache: Path, index: Index) -> None:
    answer = hub.answer

    def breaks(path: str) -> Response:
        status, headers, data = answer(path)
        return (
            (404, {"X-Error-Code": "EntryNotFound"}, b"") if path.endswith(".safetensors") else (status, headers, data)
        )

    hub.answer = breaks
    index.wheels.clear()
    with pytest.raises(ModelError, match="the download broke"):
        models.ensure(NAME)
    assert models.local_path(NAME) is None
    hub.answer = answer
    hub.asked.clear()
    models.ensure(NAME)
    assert not [path for path in hub.asked if path.startswith("GET") and path.endswith("config.json")]
    shutil.rmtree(cache)
