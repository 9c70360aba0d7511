"""Where embedded models lie on disk, and how they get there whole or not at all.

<cache>/models/<name>/        a finished model; `source.json` says where it came from
<cache>/models/.<name>.lock   held while it is being fetched
<cache>/downloads/<name>/     what has arrived so far; kept after a break, deleted at the end
"""

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from threading import Event, Thread
from typing import Any, Protocol, cast

from promptkit.errors import ModelError
from promptkit.paths import cache_dir

MANIFEST = "source.json"
CHUNK = 1 << 20
NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}


class Progress(Protocol):
    """Told how far a download or a conversion is. It may be called from another thread."""

    def __call__(self, what: str, done: int, total: int, /) -> None:
        """`done` of about `total` bytes of `what`; both are 0 while it waits."""
        ...


def model_dir(name: str) -> Path:
    """The folder of a finished model, whether it is there or not."""
    return cache_dir() / "models" / name


def staging_dir(name: str) -> Path:
    """The folder where a model's pieces are gathered."""
    return cache_dir() / "downloads" / name


def read_manifest(name: str) -> dict[str, Any] | None:
    """What is known of a finished model, `None` when it is not there."""
    try:
        return cast(dict[str, Any], json.loads((model_dir(name) / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def install(staged: Path, name: str, facts: dict[str, Any]) -> Path:
    """Write `facts` into the `staged` folder and put it, as one step, where finished models are."""
    facts |= {
        "bytes": tree_bytes(staged),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {project: _version(project) for project in ("promptkit", "transformers", "torch")},
    }
    manifest = staged / MANIFEST
    manifest.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    mode = stat.S_IMODE(manifest.stat().st_mode)
    for file in filter(Path.is_file, staged.rglob("*")):
        file.chmod(mode)  # safetensors writes 0600, which a cache shared between users cannot use
    target = model_dir(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    retired = target.with_name(f".{name}.old")
    shutil.rmtree(retired, ignore_errors=True)
    if target.exists():
        target.replace(retired)
    staged.replace(target)
    shutil.rmtree(retired, ignore_errors=True)
    return target


@contextmanager
def locked(name: str, progress: Progress | None) -> Generator[None]:
    """Hold the model's lock: of several processes that want the same model one works and the others wait."""
    from filelock import FileLock, Timeout

    path = model_dir(name).with_name(f".{name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if progress:
            progress(f"{name}: waiting for another process that fetches it", 0, 0)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def watched(folder: Path, what: str, total: int, progress: Progress | None) -> Generator[None]:
    """Report the growth of `folder` to `progress` while the body runs."""
    if progress is None:
        yield
        return
    stop = Event()

    def look() -> None:
        highest = 0
        while not stop.wait(0.2):
            highest = max(highest, min(tree_bytes(folder), total))
            progress(what, highest, total)

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
    progress(what, total, total)


@contextmanager
def disk_errors(needed: int) -> Generator[None]:
    """Turn what the disk complains about into a `ModelError` that says what to do.

    Args:
        needed: bytes that the work takes at most, for the hint.
    """
    try:
        yield
    except OSError as error:
        where = cache_dir()
        if error.errno in NO_SPACE:
            hint = f"free about {needed / 1e9:.1f} GB, or set PROMPTKIT_CACHE to a folder on another disk"
            raise ModelError(f"no space left on the disk of {where}", hint=hint) from error
        if error.errno in NO_PERMISSION:
            hint = "set PROMPTKIT_CACHE to a folder that you may write to"
            raise ModelError(f"cannot write to {error.filename or where}: {error.strerror}", hint=hint) from error
        hint = "set PROMPTKIT_CACHE to another folder"
        raise ModelError(f"cannot keep the model in {where}: {error}", hint=hint) from error


def check_room(folder: Path, needed: int) -> None:
    """Raise the error of a full disk before gigabytes are downloaded, not after."""
    if shutil.disk_usage(folder).free + tree_bytes(folder) < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def file_sha256(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_bytes(folder: Path) -> int:
    """Size of all files below `folder`, or of the file that it is; they may change meanwhile."""
    files = [Path(parent) / name for parent, _, names in os.walk(folder) for name in names]
    total = 0
    for file in files or [folder]:
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue
    return total


def _version(project: str) -> str | None:
    try:
        return metadata.version(project)
    except metadata.PackageNotFoundError:
        return None
