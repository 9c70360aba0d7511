"""The command that has a model write demonstrations: `demos build`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from promptkit.cli.budgets import MaxCalls, MaxCost, MaxSeconds, MaxTokens, metered
from promptkit.cli.console import err, out, print_json
from promptkit.cli.options import (
    KIND_HELP,
    AsJson,
    ModelOptions,
    OneBackend,
    kind_of,
    whole_number,
    with_options,
)
from promptkit.errors import ConfigError
from promptkit.foreign_text import one_line

if TYPE_CHECKING:
    from promptkit.strategies.selection import Selection

demos_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Demonstrations for few-shot prompting.")


@demos_app.callback()
def _demos() -> None:  # pyright: ignore[reportUnusedFunction] (makes `build` a command of its own name)
    pass


@demos_app.command(name="build")
@with_options
def build(
    pool: Annotated[
        str | None,
        typer.Option(
            help="Questions to choose from: a benchmark's name or a file. [default: the packaged pool of --kind]",
            show_default=False,
            metavar="NAME",
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.", metavar="FILE")] = Path("demos.yaml"),
    backend: OneBackend = "default",
    k: Annotated[
        int | None,
        typer.Option(
            "-k",
            help="Demonstrations, one a cluster. [default: as published, 4 to 8 by kind]",
            show_default=False,
            parser=whole_number,
            metavar="INTEGER",
        ),
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the clusters into this SVG file.", metavar="FILE")] = None,
    embedder: Annotated[
        str | None,
        typer.Option(
            help="Sentence encoder, or tf-idf. [default: all-minilm-l6-v2]", show_default=False, metavar="NAME"
        ),
    ] = None,
    max_pool: Annotated[
        int, typer.Option(help="Of a larger pool, so many are sampled.", parser=whole_number, metavar="INTEGER")
    ] = 1000,
    max_lines: Annotated[
        int | None,
        typer.Option(
            help="Longest rationale that is taken; chat models need 12 and more. [default: as published, 5 or 7]",
            show_default=False,
            parser=whole_number,
            metavar="INTEGER",
        ),
    ] = None,
    question: Annotated[
        str | None, typer.Option(help="Column of the question, for own files.", metavar="COLUMN")
    ] = None,
    answer: Annotated[
        str | None, typer.Option(help="Column of the right answer, for own files.", metavar="COLUMN")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help=f"{KIND_HELP} [default: the pool's]", show_default=False, metavar="NAME")
    ] = None,
    *,
    models: ModelOptions,
    cache: Annotated[bool, typer.Option(help="Take completions that were made before from the store.")] = True,
    max_cost: MaxCost = None,
    max_tokens: MaxTokens = None,
    max_calls: MaxCalls = None,
    max_seconds: MaxSeconds = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a model write demonstrations (Auto-CoT).

    Questions with reasoning and answers for chain of thought, to edit and to reuse.

    \b
    Example:
      promptkit demos build --pool gsm8k-style --max-lines 12 -o mine.yaml
      promptkit eval --strategy zero-shot-cot --strategy manual-cot:demos=mine.yaml
    """
    from promptkit.drawing.clusters import clusters_svg
    from promptkit.evaluation.benchmarks import load
    from promptkit.evaluation.benchmarks.pools import pool_of
    from promptkit.strategies import AutoCoT
    from promptkit.strategies.pool import packaged_pool

    for file in (output, picture):
        _check_writable(file, force)
    asked = kind_of(kind) if kind else None
    given = (
        pool_of(load(pool, question=question, answer=answer, kind=asked)) if pool else packaged_pool(asked or "number")
    )
    fields: dict[str, Any] = {"k": k, "embedder": embedder, "max_rationale_lines": max_lines}
    strategy = AutoCoT(max_pool=max_pool, **{name: value for name, value in fields.items() if value is not None})
    models.check([backend])
    with metered(max_cost, max_tokens, max_calls, max_seconds) as meter:
        where = models.open(backend, cache=cache)
        try:
            selection = strategy.build(given, backend=where, meter=meter)
        finally:
            where.close()
    selection.save(output)
    if picture:
        clusters = [group.members for group in selection.clusters]
        chosen = [group.chosen for group in selection.clusters]
        titles = [item.question.text for item in selection.pool.items]
        heading = f"{selection.pool.source}: {len(titles)} questions, {len(selection.demos)} demonstrations"
        _write(picture, clusters_svg(selection.points, clusters, chosen, titles, heading))
    if as_json:
        print_json(selection.summary())
        return
    _print(selection)
    err.print(Text(f"\nwritten: {output}{f' and {picture}' if picture else ''}"), soft_wrap=True)


def _print(selection: "Selection") -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("cluster", "size", "looked at", "answer", "", "question"):
        table.add_column(heading, justify="right" if heading in ("cluster", "size", "looked at") else "left")
    demos, wrong = iter(selection.demos), set(selection.wrong)
    for number, group in enumerate(selection.clusters, start=1):
        demo = next(demos) if group.chosen is not None else None
        looked = str(len(group.refused) + (demo is not None))
        known = group.chosen is not None and selection.pool.items[group.chosen].answer
        mark = ("wrong" if demo in wrong else "right") if known else ""
        shown = one_line(demo.question) if demo else "(no question made a demonstration)"
        row = (str(number), str(len(group.members)), looked, one_line(demo.answer) if demo else "", mark)
        table.add_row(*map(Text, row), Text(shown, no_wrap=True, overflow="ellipsis"))
    out.print(table)
    sample = f", sampled from {selection.of}" if selection.of > len(selection.pool.items) else ""
    lines = [f"{len(selection.demos)} demonstrations from {len(selection.pool.items)} questions{sample}."]
    if selection.known:
        lines.append(f"{len(selection.wrong)} of {selection.known} show a wrong answer: the model's own, as published.")
    if refused := selection.refused:
        lines.append(f"Not taken: {', '.join(f'{reason} ({count})' for reason, count in refused.items())}.")
    if "rationale too long" in refused and len(selection.demos) < len(selection.clusters):
        lines.append("Chat models write longer rationales than the published limit: try --max-lines 12.")
    lines.append(f"{selection.usage.calls} calls, {selection.usage.completion_tokens} tokens generated.")
    out.print(Text("\n" + "\n".join(lines)))


def _check_writable(file: Path | None, force: bool) -> None:
    """Refuse before minutes are spent what would be refused, or lost, after them."""
    if file is None:
        return
    if file.exists() and not force:
        raise ConfigError(f"{file} is there already", hint="give another name, or --force to write over it")
    if not file.absolute().parent.is_dir():
        raise ConfigError(f"there is no folder {file.absolute().parent}", hint="make it first")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}", hint="choose another place") from error
