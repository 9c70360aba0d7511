"""The command that makes a router from finished runs: `route`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from promptkit.cli.console import err, out, print_json
from promptkit.cli.options import AsJson, Seed, number, whole_number
from promptkit.errors import ConfigError
from promptkit.foreign_text import one_line

if TYPE_CHECKING:
    from promptkit.evaluation.routing import Routing
    from promptkit.evaluation.routing.fitting import Estimate


def route_(
    folders: Annotated[
        list[Path],
        typer.Argument(help="Run folders of several strategies, or folders that eval wrote.", metavar="RUN…"),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Strategy file to write.", metavar="FILE.yaml")
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(help="Some of agreement,length,near. [default: all]", metavar="NAMES", show_default=False),
    ] = None,
    worth: Annotated[
        float | None,
        typer.Option(
            help="Tokens that one right answer more may cost. [default: any number]",
            parser=number,
            metavar="TOKENS",
            show_default=False,
        ),
    ] = None,
    folds: Annotated[
        int, typer.Option(help="Parts of the cross-validation.", parser=whole_number, metavar="INTEGER")
    ] = 5,
    embedder: Annotated[
        str, typer.Option(help="What tells near questions: all-minilm-l6-v2, tf-idf, or a hub id.", metavar="NAME")
    ] = "all-minilm-l6-v2",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Make a router from finished runs.

    A strategy that chooses, question by question, which of several others answers. Says what it would have gained on
    held-out questions, against the best single strategy and against an oracle.

    \b
    Example:
      promptkit route runs/2026-01-31-120000 -o router.yaml
    """
    from promptkit.evaluation.routing import route
    from promptkit.evaluation.routing.table import features_of
    from promptkit.report.folders import finished

    if worth is not None and not worth > 0:
        raise ConfigError("--worth must be more than 0 tokens", hint="leave it out where tokens do not matter")
    if output and output.suffix not in (".yaml", ".yml"):
        raise ConfigError(f"{output} is no name of a strategy file", hint="give one that ends in .yaml")
    asked = features_of(features.split(",") if features else None)
    runs = finished(folders)
    found = route(runs, features=asked, worth=worth, folds=folds, embedder=embedder, seed=seed)
    if output:
        found.router.save(output)
    if as_json:
        print_json({**found.summary(), "output": str(output) if output else None})
        return
    _print(found)
    if output:
        err.print(Text(f"The router is in {output}: promptkit eval --strategy {output} …"), soft_wrap=True)


def _print(found: "Routing") -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("strategy", overflow="fold")
    for heading in ("right %", "95 %", "tokens/q", "routed to it %"):
        table.add_column(heading, justify="right")
    for arm in found.arms:
        limits = f"{arm.ci95.low * 100:.0f}–{arm.ci95.high * 100:.0f}"
        row = [f"{arm.accuracy * 100:.1f}", limits, f"{arm.tokens:.0f}", f"{arm.share * 100:.0f}"]
        table.add_row(Text(one_line(arm.name)), *map(Text, row))
    low, high = found.accuracy.ci95
    table.add_row(
        "router, held out",
        f"{found.accuracy.mean * 100:.1f}",
        f"{low * 100:.0f}–{high * 100:.0f}",
        f"{found.tokens:.0f}",
        "",
    )
    table.add_row("oracle", f"{found.oracle * 100:.1f}", "", "", "")
    out.print(table)
    for line in sentences(found):
        out.print(Text(one_line(line)), soft_wrap=not out.is_terminal)


def sentences(found: "Routing") -> list[str]:
    """What the numbers say, and no more."""
    low, high = found.gain.ci95
    worth = found.router.worth
    measure = f", where {worth:g} tokens count as one right answer" if worth else ""
    best, gain = found.best.name, f"{_points(found.gain)} against {found.best.name}{measure}"
    if low > 0:
        said = f"The router beats the best single strategy: {gain}."
    elif high < 0:
        said = f"The router is worse than the best single strategy: {gain}. Use {best}."
    else:
        said = f"The router is not shown to beat the best single strategy: {gain}. Use {best}."
    return [
        f"{found.questions} questions, cross-validated; looked at: {', '.join(found.features)}.",
        said,
        f"Regret against an oracle that always knows: {_points(found.regret)}{measure}.",
    ]


def _points(estimate: "Estimate") -> str:
    low, high = estimate.ci95
    return f"{estimate.mean * 100:+.1f} points (95 % interval {low * 100:+.1f} to {high * 100:+.1f})"
