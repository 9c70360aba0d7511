"""Where template files are, and how they are read."""

import re
from pathlib import Path

from promptkit import paths
from promptkit.errors import TemplateError

MAX_SOURCE = 500_000
"""Bytes of a template file."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*", re.ASCII)


def folders() -> tuple[Path, ...]:
    """The folders that are searched, first match first: the user's own, `./templates`, the packaged ones."""
    return paths.config_dir() / "templates", Path.cwd() / "templates", paths.packaged("templates")


def is_name(name: str) -> bool:
    """Whether it can name a template: no `..`, no leading `/`, no backslash, no hidden file."""
    return _NAME.fullmatch(name) is not None


def find(name: str) -> Path | None:
    """The file of a template name like `cot/zero-shot`; `None` if no folder has it.

    Raises:
        TemplateError: the name is none, or its file is a link that leads out of the folder.
    """
    if not is_name(name):
        raise TemplateError(
            f"{name!r} is no name of a template", hint="names look like cot/zero-shot: no '..', no leading '/'"
        )
    for folder in folders():
        path = folder / f"{name}.j2"
        if is_file(path):
            if not _inside(path, folder):
                raise TemplateError(
                    f"template {name!r} is a link out of {folder}", hint="copy the file into the folder"
                )
            return path
    return None


def is_file(path: Path) -> bool:
    """Whether a regular file is there; a name that the system cannot even look up is not."""
    try:
        return path.is_file()
    except OSError:
        return False


def read(path: Path) -> str:
    """The text of a template file (UTF-8), with `\\n` for every line end.

    Raises:
        TemplateError: it cannot be read, is no text or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SOURCE + 1)
    except OSError as error:
        hint = "check the path and its permissions"
        raise TemplateError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    if len(data) > MAX_SOURCE:
        raise TemplateError(f"{path} is larger than {MAX_SOURCE:,} bytes", hint="pass long texts as variables")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(f"{path} is not UTF-8 text", hint="save it as UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def visible() -> list[str]:
    """The names of all templates that `find` finds, sorted; those in a folder `parts` are for inclusion only."""
    found = {
        path.relative_to(folder).with_suffix("").as_posix()
        for folder in folders()
        for path in folder.rglob("*.j2")
        if is_file(path) and _inside(path, folder)
    }
    return sorted(name for name in found if is_name(name) and "parts" not in name.split("/")[:-1])


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
