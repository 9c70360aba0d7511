"""The commands about what there is: `models`, `strategies`, `benchmarks`."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from promptkit.cli import completing
from promptkit.cli.console import err, out
from promptkit.cli.progress import Downloads
from promptkit.errors import ConfigError

models_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The embedded models.")


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
def models_pull(
    names: Annotated[
        list[str],
        typer.Argument(help="Names of `promptkit models list`.", metavar="NAME", autocompletion=completing.models),
    ],
) -> None:
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


def strategies() -> None:
    """List the presets of --strategy.

    \b
    Example:
      promptkit strategies
    """
    from promptkit import plugins
    from promptkit.strategies import PRESETS

    table = Table(box=None, pad_edge=False, show_header=False)
    for name, (description, _) in PRESETS.items():
        table.add_row(name, description)
    for plugin in (one for one in plugins.installed() if one.kind == "strategies"):
        table.add_row(Text(plugin.name), Text(f"brought by {plugin.package}"))
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
