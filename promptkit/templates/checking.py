"""What is wrong with template files, found without rendering them."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jinja2
from jinja2 import meta, nodes

from promptkit import paths
from promptkit.errors import TemplateError
from promptkit.templates import files
from promptkit.templates.given import given_to, given_to_any
from promptkit.templates.sandbox import has_role_blocks, part_name
from promptkit.templates.template import Template, parsed, syntax_problem


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong, or worth a second look, in a template file."""

    file: Path
    line: int
    message: str
    level: Literal["error", "note"] = "error"
    """A note is no fault: a template may leave out what the packaged one shows."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.level}: {self.message}"


@dataclass(frozen=True)
class Checked:
    """What was looked at, and what was found."""

    files: tuple[Path, ...]
    findings: tuple[Finding, ...]


def check(where: Iterable[Path], more: frozenset[str] = frozenset()) -> Checked:
    """Check template files, and all below folders.

    Args:
        where: files and folders.
        more: as of `check_file`.

    Raises:
        TemplateError: there is no such file, it cannot be read, or a folder holds no template.
    """
    found = [(file, name) for path in where for file, name in _template_files(path)]
    findings = [finding for file, name in found for finding in check_file(file, name, more)]
    return Checked(tuple(file for file, _ in found), tuple(findings))


def _template_files(path: Path) -> list[tuple[Path, str]]:
    """The template files below a folder, with the names that they have there; a file stands for itself."""
    if files.is_file(path):
        return [(path, _name(path, path.parent))]
    if not path.is_dir():
        raise TemplateError(
            f"there is no file or folder {path}", hint="`promptkit templates new` writes a first template"
        )
    found = sorted(one for one in path.rglob("*.j2") if files.is_file(one))
    if not found:
        raise TemplateError(f"{path} holds no template", hint="template files end in .j2")
    return [(one, _name(one, path)) for one in found]


def _name(file: Path, folder: Path) -> str:
    """What a file is called: as templates are looked for where it lies in such a folder, else as `folder` has it."""
    for searched in files.folders():
        if file.resolve().is_relative_to(searched.resolve()):
            folder, file = searched.resolve(), file.resolve()
            break
    return file.relative_to(folder).with_suffix("").as_posix()


def check_file(path: Path, name: str, more: frozenset[str] = frozenset()) -> list[Finding]:
    """What is wrong with one file: syntax, roles, inclusions, variables that nothing gives or that nothing reads.

    Args:
        path: the file.
        name: what it is, or would be, called: `cot/zero-shot` is given what the packaged one of that name is given, any
            other name whatever some strategy gives.
        more: further variables that it is given, by a strategy of one's own or by earlier steps of a chain.

    Raises:
        TemplateError: the file cannot be read.
    """
    source = files.read(path)
    try:
        tree = parsed(source)
        meta.find_undeclared_variables(tree)  # which also finds filters and tests that do not exist
        template = Template(name, source, path)
    except jinja2.TemplateSyntaxError as error:
        message, hint = syntax_problem(error)
        return [Finding(path, error.lineno, f"{message} ({hint})")]
    except TemplateError as error:  # of a part, which it names
        return [Finding(path, 1, str(error))]
    found = [*_outside(path, tree), *_not_found(path, tree), *_unread(path, tree, name)]
    if "parts" not in name.split("/")[:-1]:
        found += _unknown(path, tree, template, more)
        found += _left_out(path, template, more)
    return sorted(found)


def _outside(path: Path, tree: nodes.Template) -> Iterator[Finding]:
    """Text beside role blocks, which no turn holds."""

    def look(body: list[nodes.Node]) -> Iterator[nodes.TemplateData]:
        for node in body:
            if isinstance(node, nodes.Output):
                yield from (one for one in node.nodes if isinstance(one, nodes.TemplateData) and one.data.strip())
            elif isinstance(node, nodes.For | nodes.If):
                yield from look([*node.body, *node.else_])
                if isinstance(node, nodes.If):
                    yield from look([*node.elif_])

    if has_role_blocks(tree):
        for text in look(tree.body):
            line = text.lineno + len(text.data) - len(text.data.lstrip("\n"))
            message = f"text outside its role blocks: {text.data.strip()[:40]!r}"
            yield Finding(path, line, f"{message} (move it into {{% user %}}…{{% enduser %}} or remove it)")


def _not_found(path: Path, tree: nodes.Template) -> Iterator[Finding]:
    """Inclusions of what no template folder has."""
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        written = node.template
        if isinstance(node, nodes.Include) and node.ignore_missing:
            continue
        if isinstance(written, nodes.Const) and isinstance(written.value, str):
            named = part_name(written.value)
            if files.is_name(named) and files.find(named) is None:
                yield Finding(path, node.lineno, f"it includes {written.value!r}, which no template folder has")


def _unread(path: Path, tree: nodes.Template, name: str) -> Iterator[Finding]:
    """Variables, macros and imports of its own that it never reads; a part has them for others."""
    if "parts" in name.split("/")[:-1]:
        return
    read = _read_in(tree) | {node.name for node in tree.find_all(nodes.NSRef)}
    for line, own, what in _made(tree):
        if own not in read and not own.startswith("_"):
            yield Finding(path, line, f"{what} {own!r} is never used (remove it)")


def _made(tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
    for node in tree.find_all((nodes.Assign, nodes.AssignBlock)):
        for target in (node.target, *node.target.find_all(nodes.Name)):
            if isinstance(target, nodes.Name):
                yield node.lineno, target.name, "the variable"
    for macro in tree.find_all(nodes.Macro):
        yield macro.lineno, macro.name, "the macro"
        inside = {name for part in macro.body for name in _read_in(part)}
        for argument in macro.args:
            if argument.name not in inside:
                yield macro.lineno, argument.name, f"of the macro {macro.name!r}, the argument"
    for imported in tree.find_all(nodes.FromImport):
        for one in imported.names:
            yield imported.lineno, one if isinstance(one, str) else one[1], "the import"
    for whole in tree.find_all(nodes.Import):
        yield whole.lineno, whole.target, "the import"


def _read_in(node: nodes.Node) -> set[str]:
    """The names that a part of a template reads."""
    names = [node] if isinstance(node, nodes.Name) else list(node.find_all(nodes.Name))
    return {name.name for name in names if name.ctx == "load"}


def _unknown(path: Path, tree: nodes.Template, template: Template, more: frozenset[str]) -> Iterator[Finding]:
    """Variables that nothing gives."""
    known = (given_to(template.name) or given_to_any()) | more
    for variable in sorted(template.variables - known):
        lines = [node.lineno for node in tree.find_all(nodes.Name) if node.name == variable and node.ctx == "load"]
        near = difflib.get_close_matches(variable, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}."
        if given_to(template.name) is None:
            hint += f" Where your own strategy gives it: --var {variable}"
        where = "" if lines else "a part that it includes reads it: "
        message = f"{where}nothing gives the variable {variable!r} ({hint.rstrip('.')})"
        yield Finding(path, min(lines, default=1), message)


def _left_out(path: Path, template: Template, more: frozenset[str]) -> Iterator[Finding]:
    """Variables that the packaged template of the name shows and this one does not."""
    packaged = paths.packaged("templates") / f"{template.name}.j2"
    if files.is_name(template.name) and files.is_file(packaged):
        for variable in sorted(Template(template.name, files.read(packaged)).variables - template.variables):
            yield Finding(path, 1, f"it does not use {variable!r}, as the packaged {template.name} does", "note")
    elif not template.variables & (_TEXTS | more):
        yield Finding(path, 1, "it shows no question: its prompt is always the same", "note")


_TEXTS = frozenset({"question", "state", "states", "item", "output", "first", "turns", "numbers", "board"})
"""Variables that differ from question to question."""
