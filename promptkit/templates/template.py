"""A prompt template: loaded and checked once, rendered many times."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import NoReturn, cast

import jinja2
from jinja2 import meta, nodes
from jinja2.exceptions import SecurityError

from promptkit.errors import TemplateError
from promptkit.paths import may_read
from promptkit.templates import files, meter
from promptkit.templates.sandbox import Sandbox, has_role_blocks, part_name
from promptkit.types import Demonstration, Message


@dataclass(frozen=True)
class Prompt:
    """The two faces of one rendered prompt."""

    messages: tuple[Message, ...]
    """The chat; at least one turn is the user's or the assistant's."""
    text: str | None = None
    """The wording for completion mode, where the template has one."""


@dataclass(frozen=True)
class Template:
    """A prompt template. Templates of the same name and source are equal.

    The templates that it includes are read when it is made, so rendering reads no file.

    Args:
        name: what it is called in messages and manifests.
        source: the Jinja text.
        path: the file that it came from, if any.

    Raises:
        TemplateError: a syntax error, an unknown filter, or an inclusion that leaves the template folders.
    """

    name: str
    source: str
    path: Path | None = field(default=None, compare=False)
    parts: tuple[tuple[str, str], ...] = field(default=(), init=False, repr=False)
    """Name and source of every template that it includes, extends or imports, directly or not."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(sorted(_parts(self).items())))
        _compiled(self)

    @property
    def hash(self) -> str:
        """Sha256 (hex) of the source and, where it includes others, of theirs; manifests have it whole."""
        digest = hashlib.sha256(self.source.encode())
        for name, source in self.parts:
            digest.update(f"\0{name}\0{source}".encode())
        return digest.hexdigest()

    @property
    def variables(self) -> frozenset[str]:
        """The variables that it reads, those with a default included; of included templates as well."""
        own = _outline(self.source)
        included = {name for _, source in self.parts for name in _outline(source).undeclared}
        return frozenset(own.undeclared | (included - own.assigned))

    def render(self, /, **variables: object) -> Prompt:
        """The prompt for these variables, which are data: Jinja syntax in them is left as it stands.

        Raises:
            TemplateError: a variable is missing, something forbidden was tried, a limit was passed, or no turn came
                out. The message names the template and the line.
        """
        # The samples of a question are rendered one after the other, and equal texts give equal prompts.
        if all(map(_is_text, variables.values())):
            return _rendered_again(self, tuple(variables.items()))
        return self._rendered(variables)

    def _rendered(self, variables: Mapping[str, object]) -> Prompt:
        with meter.rendering() as state:
            try:
                outside = _compiled(self).render(dict(variables)).strip()
                if outside and not _writes_turns(self):
                    state.turns, outside = [Message(role="user", content=outside)], ""
            except Exception as error:
                _fail(self, error, self.variables - variables.keys())
        if outside:
            raise TemplateError(
                f"{_label(self)} has text outside its role blocks: {outside[:40]!r}",
                hint="move it into {% user %}…{% enduser %} or remove it",
            )
        if not any(turn.role != "system" for turn in state.turns):
            raise TemplateError(
                f"{_label(self)} gave no user or assistant message", hint="give it a {% user %} block that is not empty"
            )
        return Prompt(tuple(state.turns), state.text if state.text and state.text.strip() else None)


@lru_cache(maxsize=256)
def _rendered_again(template: Template, variables: tuple[tuple[str, object], ...]) -> Prompt:
    return template._rendered(dict(variables))  # pyright: ignore[reportPrivateUsage]


def _is_text(value: object) -> bool:
    """Text, a demonstration, or a tuple of them: what is equal there prints the same, unlike 1, 1.0 and True."""
    kind = type(value)
    return (
        kind is str
        or kind is Demonstration
        or (kind is tuple and all(map(_is_text, cast("tuple[object, ...]", value))))
    )


def load(name: str) -> Template:
    """A template by name or file.

    Args:
        name: a name like `cot/zero-shot`, looked for as `cot/zero-shot.j2` in the user's folder, in `./templates`
            and among the packaged ones, in that order; or the path of a file. A name that ends in `.j2` is a path
            where that file is there.

    Raises:
        TemplateError: there is no such template, or it is broken.
    """
    path = _locate(name)
    if path is None:
        close = get_close_matches(name, names(), n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(close)}?" if close else "`promptkit templates list` shows all"
        raise TemplateError(f"there is no template {name!r}", hint=hint)
    return Template(name, files.read(path), path)


def render(name: str, /, **variables: object) -> list[Message]:
    """The chat that a template gives for these variables."""
    return list(load(name).render(**variables).messages)


def names() -> list[str]:
    """The names of all templates that can be loaded by name; parts meant for inclusion are left out."""
    return files.visible()


def _locate(name: str) -> Path | None:
    if not name.endswith(".j2") and files.is_name(name) and (found := files.find(name)):
        return found
    path = Path(name)
    if not may_read(path):
        raise TemplateError(
            f"a strategy file may not name the template {name!r}",
            hint="name one of `promptkit templates list`, or a file below the working folder",
        )
    return path if files.is_file(path) else files.find(part_name(name))


@dataclass(frozen=True)
class _Outline:
    """What the syntax tree of one source tells."""

    undeclared: frozenset[str]
    assigned: frozenset[str]
    references: tuple[str | None, ...]
    writes_turns: bool


_parser = Sandbox({})


def parsed(source: str) -> nodes.Template:
    """The syntax tree of a template's text. What Jinja raises at a fault of the text is raised as it is."""
    with meter.rendering():  # constant expressions are worked out here
        return _parser.parse(source)


@lru_cache(maxsize=512)
def _outline(source: str) -> _Outline:
    tree = parsed(source)
    return _Outline(
        undeclared=frozenset(meta.find_undeclared_variables(tree)),
        assigned=frozenset(name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"),
        references=tuple(meta.find_referenced_templates(tree)),
        writes_turns=has_role_blocks(tree),
    )


def _writes_turns(template: Template) -> bool:
    return any(_outline(source).writes_turns for source in (template.source, *dict(template.parts).values()))


def _parts(template: Template) -> dict[str, str]:
    """Every template that this one refers to, read now; one that does not exist fails only where it is rendered."""
    parts: dict[str, str] = {}
    pending = [(_MAIN, template.source)]
    while pending:
        name, source = pending.pop()
        try:
            references = _outline(source).references
        except Exception as error:
            _fail(template, error, part=name)
        for reference in references:
            if reference is None:
                raise TemplateError(
                    f"{_label(template)} includes a template by a computed name", hint="write the name as text"
                )
            if part_name(reference) not in parts and (path := files.find(part_name(reference))):
                parts[part_name(reference)] = files.read(path)
                pending.append((part_name(reference), parts[part_name(reference)]))
    return parts


_MAIN = "+main"


@lru_cache(maxsize=512)
def _compiled(template: Template) -> jinja2.Template:
    sandbox = Sandbox({_MAIN: template.source, **dict(template.parts)})
    for name in (_MAIN, *dict(template.parts)):
        try:
            with meter.rendering():  # constant expressions are worked out here
                sandbox.get_template(name)
        except Exception as error:
            _fail(template, error, part=name)
    return sandbox.get_template(_MAIN)


def _label(template: Template, part: str = "", line: int = 0) -> str:
    label = f"template {template.name!r}"
    if template.path and str(template.path) != template.name:
        label += f" ({template.path})"
    return label + (f", part {part!r}" if part and part != _MAIN else "") + (f", line {line}" if line else "")


def _fail(template: Template, error: Exception, missing: frozenset[str] = frozenset(), part: str = _MAIN) -> NoReturn:
    """Raise what went wrong in a template as a `TemplateError` that says where."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        message, hint = syntax_problem(error)
        raise TemplateError(f"{_label(template, part, error.lineno)}: {message}", hint=hint) from error
    line = 0
    known = {_MAIN, *dict(template.parts)}
    for frame in _frames(error):
        if (file := frame.tb_frame.f_code.co_filename) in known:
            part, line = file, frame.tb_lineno
    message, hint = _explain(error, missing)
    raise TemplateError(f"{_label(template, part, line)}: {message}", hint=hint) from error


def syntax_problem(error: jinja2.TemplateSyntaxError) -> tuple[str, str]:
    """What a syntax error says and what to do about it; of a block that does not exist, which roles there are."""
    unknown = re.match(r"Encountered unknown tag '(?!end)(\w+)'", error.message or "")
    if unknown is None:
        return error.message or "it cannot be read", "see docs/templates.md for what is allowed"
    near = get_close_matches(unknown[1], [*_ROLES, *_STATEMENTS], 1)
    meant = near[0] if near else _OTHER_NAMES.get(unknown[1])
    roles = "the roles are system, user and assistant, beside completion"
    return f"there is no block {{% {unknown[1]} %}}", f"did you mean {meant}? {roles}" if meant else roles


_ROLES = ("system", "user", "assistant", "completion")
_STATEMENTS = ("if", "for", "set", "macro", "call", "filter", "include", "import", "from", "extends", "block", "with")
_OTHER_NAMES = {"human": "user", "prompt": "user", "developer": "system", "ai": "assistant", "model": "assistant"}
"""What other tools call the roles."""


def _frames(error: Exception) -> Iterator[TracebackType]:
    frame = error.__traceback__
    while frame:
        yield frame
        frame = frame.tb_next


def _explain(error: Exception, missing: frozenset[str]) -> tuple[str, str]:
    """The message and the hint for what was raised while a template ran."""
    match error:
        case meter.RefusedError():
            return str(error), error.hint
        case SecurityError():
            return str(error), "templates run in a sandbox: docs/templates.md lists what they may use"
        case jinja2.UndefinedError():
            named = [f"{name}=…" for name in missing if repr(name) in str(error)]
            return str(error), f"render it with {named[0]}" if named else "check how the name is spelt"
        case jinja2.TemplateNotFound():
            return f"it includes {error.name!r}, which no template folder has", "check how the name is spelt"
        case RecursionError():
            return "it is nested too deeply", "take one level out"
        case _:
            return f"{type(error).__name__}: {error}", f"not given: {', '.join(sorted(missing))}" if missing else ""
