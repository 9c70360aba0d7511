"""Fetching a model from the Hugging Face Hub at its pinned commit, every file checked against a known sha256."""

import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, cast

from promptkit.errors import ModelError
from promptkit.models.catalogue import PinnedModel
from promptkit.models.store import NO_PERMISSION, NO_SPACE, Progress, check_room, file_sha256, watched

CONNECT_SECONDS = 5.0
PROBE_SECONDS = 9.0


class HubUnavailableError(Exception):
    """The hub does not give the model; the message says why. It stays inside this package."""


def fetch(model: PinnedModel, staging: Path, progress: Progress | None) -> Path:
    """Gather the model's files in a folder below `staging`.

    Files that are already in the hub's own cache on this machine are taken from there. A broken download goes on
    where it stopped.

    Returns:
        the folder, verified.

    Raises:
        HubUnavailableError: the hub cannot be reached (known within about ten seconds) or no longer has the model.
        ModelError: a file is not what the model's publisher released.
    """
    folder = staging / "hub"
    check_room(staging, model.hub_bytes)
    if not _copy_cached(model, folder):
        _probe(model)
        with watched(folder, f"{model.name}: download from the hub", model.hub_bytes, progress):
            _download(model, folder)
    for path, expected in model.hub_files:
        got = file_sha256(folder / path)
        if got != expected:
            shutil.rmtree(folder)
            raise ModelError(
                f"{path} of {model.hub_id} is not the published file: its sha256 is {got}, expected {expected}",
                hint="it was deleted; check HF_ENDPOINT and the hub's cache, then try again",
            )
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return folder


def _copy_cached(model: PinnedModel, folder: Path) -> bool:
    from huggingface_hub import try_to_load_from_cache

    found = [try_to_load_from_cache(model.hub_id, path, revision=model.revision) for path, _ in model.hub_files]
    if not all(isinstance(path, str) for path in found):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    for (path, _), cached in zip(model.hub_files, found, strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(cached), folder / path)
    return True


def silence() -> str:
    """Why the hub cannot be asked for anything, known within about ten seconds; empty where it answers.

    Its own clients would go on retrying for most of a minute.
    """
    import huggingface_hub
    from huggingface_hub import constants

    try:
        endpoint = _endpoint() or constants.ENDPOINT
        _in_time(lambda: cast(Any, huggingface_hub).get_session().head(endpoint, timeout=CONNECT_SECONDS))
    except HubUnavailableError as error:
        return str(error)
    return ""


def _probe(model: PinnedModel) -> None:
    """Ask for one small file's headers."""
    import huggingface_hub
    from huggingface_hub import hf_hub_url

    url = hf_hub_url(model.hub_id, "config.json", revision=model.revision, endpoint=_endpoint())
    _in_time(lambda: cast(Any, huggingface_hub).get_hf_file_metadata(url, timeout=CONNECT_SECONDS))


def _in_time(ask: Callable[[], object]) -> None:
    """Ask the hub, in a thread: looking up a name may hang for longer than any time-out."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE or os.environ.get("HF_HUB_OFFLINE", "").upper() in constants.ENV_VARS_TRUE_VALUES:
        raise HubUnavailableError("HF_HUB_OFFLINE is set")
    failures: list[BaseException | None] = []

    def try_it() -> None:
        try:
            ask()
            failures.append(None)
        except Exception as error:
            failures.append(error)

    asking = Thread(target=try_it, daemon=True)
    asking.start()
    asking.join(PROBE_SECONDS)
    if not failures:
        raise HubUnavailableError(f"no answer in {PROBE_SECONDS:.0f} s")
    if failures[0] is not None:
        raise HubUnavailableError(_reason(failures[0])) from failures[0]


def _download(model: PinnedModel, folder: Path) -> None:
    import huggingface_hub

    download = cast(Any, huggingface_hub).hf_hub_download
    try:
        with _quiet():
            for path, _ in model.hub_files:
                download(model.hub_id, path, revision=model.revision, local_dir=folder, endpoint=_endpoint())
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_SPACE | NO_PERMISSION:
            raise
        raise HubUnavailableError(f"the download broke: {_reason(error)}") from error


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


@contextmanager
def _quiet() -> Generator[None]:
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    if are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()
