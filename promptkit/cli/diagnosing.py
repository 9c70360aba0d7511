"""The commands about this machine and what is installed on it: `doctor`, `plugins`."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

import promptkit
from promptkit.cli.console import err, out, print_json, say
from promptkit.cli.options import AsJson, number
from promptkit.errors import ConfigError
from promptkit.foreign_text import one_line


def doctor(
    seconds: Annotated[
        float,
        typer.Option(
            help="Wait no longer than this. [default: 20]", parser=number, metavar="SECONDS", show_default=False
        ),
    ] = 20.0,
    as_json: AsJson = False,
) -> None:
    """Find what keeps promptkit from working on this machine.

    Looks at processor and memory, torch and the dtype that local models get, models, folders, network, packages,
    plugins, and which keys are set, never what they are. Exit code 1 where something that is needed does not work.

    \b
    Example:
      promptkit doctor
    """
    from promptkit.diagnosis import diagnose

    if not seconds > 0:
        raise ConfigError(f"--seconds must be more than 0, not {seconds:g}")
    parts = diagnose(seconds)
    problems = [part for part in parts if part.state == "problem"]
    silent = [part.name for part in parts if not part.answered]
    if as_json:
        keys = ("name", "state", "answered", "problem", "hint")
        told = [{**{key: getattr(part, key) for key in keys}, **part.facts} for part in parts]
        ok = False if problems else None if silent else True
        print_json({"promptkit": promptkit.__version__, "ok": ok, "parts": told})
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        table.add_row("promptkit", promptkit.__version__)
        for part in parts:
            table.add_row(part.name, Text("\n".join(map(one_line, part.lines))))
        out.print(table)
        for part in parts:
            if part.problem:
                kind, color = ("problem", "red") if part.state == "problem" else ("note", "yellow")
                say(kind, color, f"{part.problem} ({part.hint})" if part.hint else part.problem)
        if not problems and silent:
            known = f"No problem was found, but it is not known whether these work: {', '.join(silent)}."
            err.print(known, soft_wrap=True)
        elif not problems:
            err.print("Nothing that is needed is missing.")
    if problems:
        raise typer.Exit(1)


def plugins(as_json: AsJson = False) -> None:
    """List what other installed packages add to promptkit.

    Each is tried as it is used: what is broken is named with its package.

    \b
    Example:
      promptkit plugins
    """
    from promptkit.diagnosis.packages import problem_of, told
    from promptkit.plugins import installed

    found = [(one, problem_of(one)) for one in installed()]
    if as_json:
        print_json({"plugins": [told(one, why) for one, why in found]})
        return
    if not found:
        out.print("No installed package adds anything. docs/plugins.md says how one is written.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("kind", "name", "package", "state"):
        table.add_column(heading, overflow="fold")
    for one, why in found:
        table.add_row(one.kind, *(Text(one_line(text)) for text in (one.name, one.package, why or "ok")))
    out.print(table)
