"""The commands that show runs in a browser: `report` writes a file, `view` serves it while runs go on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from promptkit.cli.console import err, out, say
from promptkit.cli.options import whole_number
from promptkit.errors import ConfigError

if TYPE_CHECKING:
    from promptkit.evaluation import Run


def save_report(runs: "Sequence[Run]", folder: Path) -> Path | None:
    """Write the report of an evaluation into its folder; where that fails, say so and go on: the runs are safe."""
    from promptkit.report import save

    path = folder / "report.html"
    try:
        save(runs, path)
    except ConfigError as error:
        say("warning", "yellow", f"there is no report: {error}")
        return None
    return path


def report(
    folders: Annotated[list[Path], typer.Argument(help="Run folders, or folders that eval wrote.", metavar="RUN")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write.", metavar="FILE.html", show_default=False)
    ] = Path("report.html"),
    figures: Annotated[
        Path | None,
        typer.Option(help="Write every figure as SVG and PNG into this folder too.", metavar="DIR", show_default=False),
    ] = None,
) -> None:
    """Write one HTML file that shows runs.

    It needs nothing else to be looked at, no network and no other file.

    \b
    Example:
      promptkit report runs/2026-01-31-120000 -o report.html
    """
    from promptkit.report import save
    from promptkit.report.chapters import chapters, models
    from promptkit.report.figures import save_figures
    from promptkit.report.folders import finished

    runs = finished(folders)
    save(runs, output)
    out.print(Text(str(output)), soft_wrap=True)
    if figures:
        for path in save_figures(chapters(runs), models(runs), figures):
            out.print(Text(str(path)), soft_wrap=True)


def view(
    folder: Annotated[
        Path, typer.Argument(help="The folder that eval writes to, or one of an evaluation.", metavar="FOLDER")
    ] = Path("runs"),
    port: Annotated[
        int,
        typer.Option(
            help="Port to serve at. [default: a free one]", show_default=False, parser=whole_number, metavar="INTEGER"
        ),
    ] = 0,
) -> None:
    """Show runs in a browser, also while they go on.

    On this machine only; Ctrl-C ends it.

    \b
    Example:
      promptkit view runs
    """
    from promptkit.report.server import Viewer

    with Viewer(folder, port) as viewer:
        out.print(Text(viewer.address), soft_wrap=True)
        err.print("Open this address in a browser. Ctrl-C ends it.")
        try:
            viewer.serve_forever()
        except KeyboardInterrupt:
            say("ended", "yellow", "the reports are served no longer")
