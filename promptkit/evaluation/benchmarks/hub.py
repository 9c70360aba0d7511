"""Data sets on the Hugging Face Hub: which files there are, and their bytes."""

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, cast

from promptkit.errors import BenchmarkError
from promptkit.models.hub import silence

_SUFFIXES = (".parquet", ".jsonl", ".json", ".csv", ".tsv")
_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w.-]+))?(?:/(?P<part>[^@]+))?")
_PACKAGES = 'pip install "promptkit[hub]"'


@dataclass(frozen=True)
class HubFiles:
    """Files of a dataset repository, read one after the other."""

    repository: str
    revision: str | None
    """A commit; without one, the newest at the first download, which the cache then keeps."""
    files: tuple[str, ...]


def find(name: str) -> HubFiles:
    """The files that `owner/name[@revision][/part]` means.

    Args:
        name: the part is a file, or a split ("test"), perhaps in a folder ("main/test"). It may be left out where the
            repository has only one. With a file nothing is looked up, so that the cache alone is enough.

    Raises:
        BenchmarkError: the hub is out of reach, or the repository has no such part, or several.
    """
    match = _NAME.fullmatch(name)
    if not match:
        raise BenchmarkError(
            f"cannot read hub:{name}", hint="write hub:OWNER/NAME, hub:OWNER/NAME@COMMIT/test or hub:OWNER/NAME/FILE"
        )
    repository, revision, part = match["repository"], match["revision"], match["part"] or ""
    if part.endswith(_SUFFIXES):
        return HubFiles(repository, revision, (part,))
    commit, there = _listed(repository, revision)
    parts: dict[str, list[str]] = {}
    for file in sorted(there):
        parts.setdefault(_part(file), []).append(file)
    names = [one for one in parts if not part or one == part or one.endswith(f"/{part}")]
    if len(names) != 1:
        wrong = f"no part {part!r}" if part and not names else "several parts" if names else "no data files"
        hint = f"give one of them: hub:{repository}/PART, of {', '.join(sorted(names or parts))}"
        raise BenchmarkError(
            f"hub:{name}: {repository} has {wrong}", hint=hint if parts else f"it needs {', '.join(_SUFFIXES)}"
        )
    return HubFiles(repository, commit, tuple(parts[names[0]]))


def download(name: str, wanted: HubFiles, hint: str) -> tuple[str, list[bytes]]:
    """Fetch the files of a dataset, or take them from the local Hugging Face cache without asking the hub.

    Args:
        name: what was asked for, in errors.
        wanted: the files.
        hint: what to do where they cannot be had.

    Returns:
        The repository's id, `@` and the commit; and each file's bytes.

    Raises:
        BenchmarkError: `huggingface_hub` is not installed, or the hub is out of reach or has no such file.
    """
    try:
        from huggingface_hub import hf_hub_download  # pyright: ignore[reportUnknownVariableType]
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError as error:
        raise BenchmarkError(
            f"{name}: the hub's data sets need two more packages", hint=f"{_PACKAGES}; or {hint}"
        ) from error
    revision, paths = wanted.revision or "main", list[Path]()
    for file in wanted.files:
        try:
            found = hf_hub_download(
                wanted.repository, file, repo_type="dataset", revision=revision, local_files_only=True
            )
        except LocalEntryNotFoundError:
            _check_reachable(name, hint)
            try:
                found = hf_hub_download(
                    wanted.repository, file, repo_type="dataset", revision=revision, endpoint=_endpoint()
                )
            except Exception as error:  # the hub's client raises its own, httpx's and the system's errors
                raise BenchmarkError(
                    f"{name}: {wanted.repository}/{file} cannot be downloaded: {_first_line(error)}", hint=hint
                ) from error
        paths.append(Path(found))
        # The cache keeps a file at snapshots/<commit>/<file>.
        revision = paths[-1].parents[len(Path(file).parts) - 1].name
    return f"{wanted.repository}@{revision}", [path.read_bytes() for path in paths]


def _listed(repository: str, revision: str | None) -> tuple[str, list[str]]:
    """The commit that a revision stands for, and its data files."""
    name, hint = f"hub:{repository}", "give a file of it: hub:OWNER/NAME@COMMIT/FILE, or download it yourself"
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise BenchmarkError(f"{name}: the hub's data sets need two more packages", hint=_PACKAGES) from error
    _check_reachable(name, hint)
    try:
        found = cast("Any", HfApi(endpoint=_endpoint())).dataset_info(repository, revision=revision)
    except Exception as error:
        raise BenchmarkError(
            f"{name} cannot be looked up: {_first_line(error)}", hint="check its name and the revision"
        ) from error
    files = [str(file.rfilename) for file in found.siblings or ()]
    return str(found.sha), [file for file in files if file.endswith(_SUFFIXES)]


def _part(file: str) -> str:
    """The split that a file holds, with its folder: "main/test-00000-of-00001.parquet" is of "main/test"."""
    path = PurePosixPath(file)
    split = re.sub(r"[-_.]\d+-of-\d+\Z|[-_.]\d+\Z", "", path.stem)
    return str(path.with_name(split)) if split else str(path)


def _check_reachable(name: str, hint: str) -> None:
    if why := silence():
        raise BenchmarkError(f"{name}: {_endpoint()} cannot be reached: {why}", hint=hint) from None


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
