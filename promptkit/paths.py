"""Where things are: the packaged data, and the user's own configuration and cache folders."""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO

import platformdirs


def packaged(name: str) -> Path:
    """Folder of packaged data: `templates` or `evals`.

    In an installed wheel it lies inside the package; in a checkout it is the folder at the root.
    """
    installed = Path(__file__).parent / "_data" / name
    return installed if installed.is_dir() else Path(__file__).parents[1] / name


def cache_dir() -> Path:
    """Where models and completions are kept: `$PROMPTKIT_CACHE`, else the platform's user cache folder."""
    chosen = os.environ.get("PROMPTKIT_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("promptkit"))


def completions_path() -> Path:
    """The store of completions that the command line uses."""
    return cache_dir() / "completions.sqlite"


def config_dir() -> Path:
    """Where the user's own templates are looked for: `$PROMPTKIT_CONFIG`, else the platform's configuration folder."""
    chosen = os.environ.get("PROMPTKIT_CONFIG")
    return Path(chosen) if chosen else Path(platformdirs.user_config_dir("promptkit"))


def file_name(text: str, otherwise: str) -> str:
    """A text as the name of a file or folder: runs of other characters than `A-Za-z0-9._=-` become a hyphen.

    Args:
        otherwise: the name of a text that leaves nothing.
    """
    return re.sub(r"[^A-Za-z0-9._=-]+", "-", text).strip("-.") or otherwise


@contextmanager
def working_folder_only() -> Generator[None]:
    """Within this block `may_read` allows files below the working folder alone.

    A strategy file may come from a stranger: what it names goes into prompts, and prompts go to servers.
    """
    token = _confined.set(True)
    try:
        yield
    finally:
        _confined.reset(token)


def may_read(path: Path) -> bool:
    """Whether a file that settings name may be read. In `working_folder_only`: no absolute path, no `..`, nothing
    hidden, no link that leads out of the working folder."""
    if not _confined.get():
        return True
    if path.is_absolute() or any(part.startswith(".") for part in path.parts):
        return False
    here = Path.cwd().resolve()
    try:
        return (here / path).resolve().is_relative_to(here)
    except (OSError, RuntimeError, ValueError):  # links in a circle, a name that cannot be
        return False


_confined: ContextVar[bool] = ContextVar("confined", default=False)


def private_file(path: Path) -> TextIO:
    """A file to write that only its owner may read: prompts and data may be confidential."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="replace")
