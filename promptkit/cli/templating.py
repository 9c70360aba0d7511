"""The commands about prompt templates: `templates list`, `show`, `render`, `new`, `check`, `diff`."""

import sys
from pathlib import Path
from typing import Annotated, Any, TypeAlias, cast

import typer
from rich.text import Text

from promptkit.cli import completing
from promptkit.cli.console import err, out, print_json
from promptkit.cli.options import AsJson
from promptkit.errors import ConfigError
from promptkit.foreign_text import one_line, plain

_LISTS = ("choices", "labels", "demos")
"""Variables of templates that hold several things."""

TemplateName: TypeAlias = Annotated[
    str,
    typer.Argument(
        help="Name of `promptkit templates list`, or a file.", metavar="NAME", autocompletion=completing.templates
    ),
]

templates_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The prompt templates.")


@templates_app.command(name="list")
def templates_list() -> None:
    """List the templates and where each comes from.

    \b
    Example:
      promptkit templates list
    """
    from promptkit import templates

    for name in templates.names():
        out.print(Text.assemble(f"{name}  ", (str(templates.load(name).path), "dim")), soft_wrap=True)


@templates_app.command(name="show")
def templates_show(
    name: TemplateName,
) -> None:
    """Print a template's source and the variables it needs.

    \b
    Example:
      promptkit templates show cot/zero-shot
    """
    from promptkit import templates

    template = templates.load(name)
    said = f"{name}: needs {', '.join(sorted(template.variables)) or 'nothing'}; hash {template.hash[:12]}"
    err.print(said, markup=False, soft_wrap=True)
    _show(template.source.rstrip("\n"))


@templates_app.command(name="render")
def templates_render(
    name: TemplateName,
    variables: Annotated[
        list[str] | None,
        typer.Option("--var", help="name=value; lists as YAML, [a, b]. May be repeated.", metavar="NAME=VALUE"),
    ] = None,
) -> None:
    """Show the prompt that a template makes, without calling a model.

    \b
    Example:
      promptkit templates render zero-shot/plain --var question="6 times 7?"
    """
    from promptkit import templates

    given: dict[str, Any] = {"kind": "number", "choices": (), "labels": (), "demos": ()}
    for variable in variables or []:
        key, equals, value = variable.partition("=")
        if not equals:
            raise ConfigError(f"cannot read {variable!r}", hint="write --var name=value")
        given[key] = _value(key, value)
    prompt = templates.load(name).render(**given)
    for message in prompt.messages:
        out.print(f"[bold]{message.role}[/bold]")
        _show(message.content)
    if prompt.text is not None:
        out.print("[bold]completion mode[/bold]")
        _show(prompt.text)


@templates_app.command(name="new")
def templates_new(
    name: Annotated[
        str,
        typer.Argument(
            help="What it is to be called, such as mine, or cot/zero-shot.",
            metavar="NAME",
            autocompletion=completing.templates,
        ),
    ],
    base: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="The packaged template to begin from. [default: that of the same name]",
            show_default=False,
            metavar="NAME",
            autocompletion=completing.templates,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Begin a template of your own from a packaged one.

    The copy is written into ./templates. The name of a packaged one takes its place wherever you work in this folder;
    any other name is given to a strategy.

    \b
    Examples:
      promptkit templates new dry --from cot/zero-shot
      promptkit templates new zero-shot/plain
    """
    from promptkit.templates import copies

    path = copies.start(name, base, force=force)
    out.print(Text(str(path)), soft_wrap=True)
    base = base or name
    said = f"it takes the place of the packaged {base} in this folder"
    if base != name:
        said = f"use it: --strategy {option.format(name)}" if (option := _OPTIONS.get(base)) else f"made from {base}"
    err.print(Text(f"{said}; then: promptkit templates check"), soft_wrap=True)


_OPTIONS = {
    "zero-shot/plain": "zero-shot:template={}",
    "zero-shot/direct": "direct:template={}",
    "few-shot/plain": "few-shot:template={}",
    "cot/zero-shot": "zero-shot-cot:template={}",
    "cot/one-stage": "zero-shot-cot:stages=1,template={}",
    "cot/answer": "zero-shot-cot:answer_template={}",
    "cot/few-shot": "manual-cot:template={}",
}
"""How a strategy is told to use a template made from one of these."""


@templates_app.command(name="check")
def templates_check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Template files, or folders of them. [default: templates]", show_default=False, metavar="PATH"
        ),
    ] = None,
    variables: Annotated[
        list[str] | None,
        typer.Option(
            "--var",
            help="A variable that your own strategy, or an earlier step of a chain, gives. May be repeated.",
            metavar="NAME",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find what is wrong with template files, without rendering them.

    Finds syntax errors, roles and parts that do not exist, variables that nothing gives, and variables, macros and
    imports that are never used. Each is shown as FILE:LINE; exit code 2 where there is one. Notes are no errors.

    \b
    Example:
      promptkit templates check
    """
    from promptkit.templates import copies
    from promptkit.templates.checking import check

    found = check(paths or [copies.FOLDER], frozenset(variables or ()))
    errors = sum(finding.level == "error" for finding in found.findings)
    if as_json:
        told = [{**vars(finding), "file": str(finding.file)} for finding in found.findings]
        print_json({"files": [str(file) for file in found.files], "findings": told})
    else:
        for finding in found.findings:
            out.print(Text(one_line(str(finding))), soft_wrap=True)
        counts = f"{_count(len(found.files), 'file')}, {_count(errors, 'error')}"
        err.print(Text(f"{counts}, {_count(len(found.findings) - errors, 'note')}"), soft_wrap=True)
    if errors:
        raise typer.Exit(2)


@templates_app.command(name="diff")
def templates_diff(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Your templates. [default: all that were made from packaged ones]",
            show_default=False,
            metavar="NAME",
            autocompletion=completing.templates,
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="The packaged template to compare with. [default: the one that it was made from]",
            show_default=False,
            metavar="NAME",
        ),
    ] = None,
) -> None:
    """Show what your templates change in the packaged ones.

    \b
    Example:
      promptkit templates diff
    """
    from promptkit.templates import copies

    for name in names if names else copies.own():
        lines = copies.changed(name, base)
        if not lines:
            err.print(Text(f"{name} is as packaged"), soft_wrap=True)
        for line in lines:
            _show(line, {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], ""))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _show(text: str, style: str = "") -> None:
    """Print a template's text to the letter (rich would expand its tabs), but no control sequences on a terminal."""
    if not sys.stdout.isatty():
        typer.echo(text)
    elif style:
        out.print(Text(plain(text), style=style), soft_wrap=True)
    else:
        typer.echo(plain(text))


def _value(name: str, text: str) -> object:
    """What `--var name=text` means: only what looks like a list or mapping is YAML, a question with a colon is not."""
    import yaml

    value: Any = text
    if text[:1] in ("[", "{"):
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            value = text
    if name in _LISTS and not isinstance(value, list):
        raise ConfigError(f"--var {name} is no list: {text!r}", hint=f'write --var {name}="[first, second]"')
    return cast("object", value)
