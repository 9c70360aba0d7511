"""The command line: it parses, calls and prints. Results go to standard output, all else to standard error."""

import io
import os
import sys
import threading
import warnings
from functools import partial
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

import promptkit
from promptkit.cli import (
    ablating,
    auditing,
    caching,
    completing,
    demonstrating,
    diagnosing,
    evaluating,
    exporting,
    judging,
    listing,
    planning,
    reporting,
    routing,
    templating,
)
from promptkit.cli.budgets import INTERRUPTED, how_to_go_on
from promptkit.cli.console import out, say
from promptkit.errors import PromptkitError

NAME = "promptkit"
app = typer.Typer(
    context_settings={"max_content_width": 110},
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Which prompting strategy pays off on your model and task, by how much, and how sure you can be.",
)
app.command(name="run")(evaluating.run)
app.command(name="eval")(evaluating.evaluate_)
app.command(name="plan")(planning.plan_)
app.command(name="compare")(evaluating.compare_)
app.command(name="report")(reporting.report)
app.command(name="view")(reporting.view)
app.command(name="rescore")(auditing.rescore)
app.command(name="audit")(auditing.audit)
app.command(name="judge")(judging.judge)
app.command(name="route")(routing.route_)
app.command(name="export")(exporting.export)
app.add_typer(ablating.ablate_app, name="ablate")
app.add_typer(demonstrating.demos_app, name="demos")
app.add_typer(caching.cache_app, name="cache")
app.add_typer(listing.models_app, name="models")
app.add_typer(templating.templates_app, name="templates")
app.command(name="strategies")(listing.strategies)
app.command(name="benchmarks")(listing.benchmarks)
app.command(name="plugins")(diagnosing.plugins)
app.command(name="doctor")(diagnosing.doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        out.print(promptkit.__version__)
        raise typer.Exit


@app.callback()
def _options(  # pyright: ignore[reportUnusedFunction]
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


def main() -> None:
    """Entry point. Exit codes.

    0 done, 1 `doctor` found a problem or `cache clear` was told not to, 2 bad input or a failure with one line that
    says what to do, 3 stopped by its budget, 130 interrupted.
    """
    warnings.showwarning = _show_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # of a terminal that cannot show every letter
    if completing.VARIABLE in os.environ:
        completing.complete(partial(app, prog_name=NAME))
    try:
        code = app(prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
    except PromptkitError as error:
        _fail(str(error))
    except TyperException as error:
        said = error.format_message()
        if not said.startswith("Usage: "):
            _fail(f"{said.removesuffix('.')} (see --help)")
        out.print(said, markup=False, soft_wrap=True)  # no command was given
        code = 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader of a pipe has gone (`| head`; typer makes a SystemExit of it): nothing is wrong, and nothing more
        # can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    if code == INTERRUPTED:
        say("interrupted", "yellow", how_to_go_on())
        if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
            os._exit(INTERRUPTED)  # threads that wait for a server would keep the process until it answers
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> NoReturn:
    say("error", "red", message)
    sys.exit(2)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    say("warning", "yellow", str(message))
