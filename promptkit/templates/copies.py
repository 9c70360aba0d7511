"""Template files of one's own that begin as a copy of a packaged one, and what has been changed in them since."""

import difflib
import re
from pathlib import Path

from promptkit import __version__, paths
from promptkit.errors import TemplateError
from promptkit.templates import files

FOLDER = Path("templates")
"""Where own templates are looked for, below the working folder."""
_ORIGIN = re.compile(r"\{# From ([\w./-]+) of promptkit \S+\. #\}\n")


def start(name: str, base: str | None = None, *, force: bool = False) -> Path:
    """Write a template of one's own into `./templates`, as a copy of a packaged one.

    Args:
        name: what it is to be called. The name of a packaged one takes its place where one works in this folder.
        base: the packaged template to begin from; unset, the one of the same name.
        force: write over a file that is there.

    Returns:
        the file, relative to the working folder.

    Raises:
        TemplateError: the names make no sense, the file is there already, or it cannot be written.
    """
    if not files.is_name(name):
        raise TemplateError(f"{name!r} can be no name of a template", hint="names look like mine or cot/mine")
    if base is None and not files.is_file(_packaged(name)):
        raise TemplateError(
            f"promptkit has no template {name!r} to begin from", hint="say which: --from cot/zero-shot, for example"
        )
    source = _source(base or name)
    if base is not None and base != name:
        source = f"{{# From {base} of promptkit {__version__}. #}}\n{source}"
    path = FOLDER / f"{name}.j2"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(source)
    except FileExistsError as error:
        if not files.is_file(path):
            raise TemplateError(f"{path.parent} is no folder", hint="rename that file") from error
        raise TemplateError(
            f"{path} is there already", hint="choose another name, or --force to write over it"
        ) from error
    except OSError as error:
        raise TemplateError(f"cannot write {path}: {error.strerror}", hint="choose another folder") from error
    return path


def changed(name: str, base: str | None = None) -> list[str]:
    """What differs between a packaged template and the file of one's own that was made from it.

    Args:
        name: the name of the own one.
        base: the packaged one; unset, the one that its first line names, else the one of the same name.

    Returns:
        the lines of a unified diff, without line ends; none where the two are equal.

    Raises:
        TemplateError: there is no own file of this name, or it is not known what to compare it with.
    """
    path = files.find(name)
    if path is None or path.is_relative_to(paths.packaged("templates")):
        raise TemplateError(
            f"you have no template {name!r} of your own", hint=f"make one: promptkit templates new {name}"
        )
    source = files.read(path)
    if origin := _ORIGIN.match(source):
        base, source = base or origin[1], source[origin.end() :]
    base = base or name
    if not files.is_file(_packaged(base)):
        raise TemplateError(
            f"promptkit has no template {base!r}", hint="say what to compare with: --from cot/zero-shot"
        )
    before, after = _source(base).splitlines(), source.splitlines()
    return list(difflib.unified_diff(before, after, f"{base} (packaged)", str(_shown(path)), lineterm=""))


def own() -> list[str]:
    """The names of the templates that take the place of a packaged one, or were made from one; sorted."""
    packaged = paths.packaged("templates")
    found: list[str] = []
    for name in files.visible():
        path = files.find(name)
        if path is None or path.is_relative_to(packaged):
            continue
        if files.is_file(_packaged(name)) or _ORIGIN.match(files.read(path)):
            found.append(name)
    return found


def _shown(path: Path) -> Path:
    """As seen from the working folder, where it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _packaged(name: str) -> Path:
    return paths.packaged("templates") / f"{name}.j2"


def _source(name: str) -> str:
    if not (files.is_name(name) and files.is_file(_packaged(name))):
        raise TemplateError(f"promptkit has no template {name!r}", hint="`promptkit templates list` shows all")
    return files.read(_packaged(name))
