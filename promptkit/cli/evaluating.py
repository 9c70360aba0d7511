"""The commands that ask models and compare runs: `run`, `eval`, `compare`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer
from rich.text import Text

from promptkit.cli import completing
from promptkit.cli.asking import AskingOptions, folder_to_write
from promptkit.cli.budgets import MaxCalls, MaxCost, MaxSeconds, MaxTokens, end_early, metered
from promptkit.cli.console import err, out, print_json, refuse_all_failed
from promptkit.cli.options import (
    KIND_HELP,
    AsJson,
    ModelOptions,
    OneBackend,
    Seed,
    kind_of,
    with_options,
)
from promptkit.cli.progress import Evaluation
from promptkit.errors import ConfigError
from promptkit.foreign_text import one_line, plain
from promptkit.types import Kind, answer_text

if TYPE_CHECKING:
    from promptkit.backends.base import Backend
    from promptkit.types import Result


@with_options
def run(
    strategy: Annotated[
        str,
        typer.Argument(
            help="A preset (see `promptkit strategies`) or a YAML file.",
            metavar="STRATEGY",
            autocompletion=completing.strategies,
        ),
    ],
    question: Annotated[str, typer.Argument(help="The question.", metavar="QUESTION")],
    backend: OneBackend = "default",
    kind: Annotated[
        str, typer.Option(help=KIND_HELP, metavar="NAME", autocompletion=completing.one_of(*get_args(Kind)))
    ] = "number",
    choices: Annotated[
        list[str] | None, typer.Option("--choice", help="One option of a choice question.", metavar="TEXT")
    ] = None,
    labels: Annotated[list[str] | None, typer.Option("--label", help="One allowed label.", metavar="TEXT")] = None,
    picture: Annotated[
        Path | None,
        typer.Option(help="Draw the tree of thoughts: FILE.svg or FILE.html.", metavar="FILE", show_default=False),
    ] = None,
    seed: Seed = 0,
    *,
    models: ModelOptions,
    as_json: AsJson = False,
) -> None:
    """Answer one question with a strategy.

    \b
    Example:
      promptkit run zero-shot-cot "Ann has 3 boxes of 12 eggs. How many eggs?"
    """
    from pydantic import ValidationError

    from promptkit.drawing import drawer, save, terminal
    from promptkit.strategies import resolve
    from promptkit.types import Question

    asked = kind_of(kind)
    chosen = resolve(strategy, asked)
    try:
        posed = Question(text=question, kind=asked, choices=tuple(choices or ()), labels=tuple(labels or ()))
    except ValidationError as error:
        raise ConfigError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
    if picture:
        drawer(picture)  # before minutes are spent on a model
    models.check([backend])
    where = models.open(backend)
    result = chosen.run(posed, backend=where, seed=seed)
    tree = result.details.get("tree")
    if picture:
        if tree is None:
            raise ConfigError(f"{strategy} grows no tree to draw", hint="leave out --picture, or use tot-bfs")
        save(tree, picture)
    if as_json:
        print_json(result.model_dump(mode="json", exclude_defaults=True))
        return
    if tree is not None:
        out.print(terminal(tree))
    if result.rationale and result.rationale != result.text:
        out.print(Text(plain(result.rationale), style="dim"))
    out.print(Text(plain(result.text)))
    for line in _votes(result):
        out.print(Text(line, style="dim"))
    answer = "none could be read" if result.answer is None else plain(answer_text(result.answer))
    out.print(Text.assemble("answer: ", (answer, "bold")))


def _votes(result: "Result") -> list[str]:
    """Who voted for what, and what one should know of the vote; nothing where there was none."""
    if not result.votes:
        return []
    samples = len(result.candidates) + result.details.get("failed_samples", 0)
    lines = [
        f"{vote.count} of {samples}: {one_line(answer_text(vote.value))}"
        + (f" (weight {vote.weight:.2f})" if vote.weight is not None else "")
        for vote in result.votes
    ]
    if silent := samples - sum(vote.count for vote in result.votes):
        lines.append(f"{silent} of {samples} did not vote: unread, cut off or failed")
    if tied := result.details.get("tie"):
        lines.append(f"a tie of {len(tied)} answers: the one seen first is taken")
    if saved := result.details.get("saved_samples"):
        lines.append(f"stopped after {samples} of {samples + saved} samples: the lead is clear")
    return lines


@with_options
def evaluate_(
    *,
    asking: AskingOptions,
    models: ModelOptions,
    cache: Annotated[bool, typer.Option(help="Take completions that were made before from the store.")] = True,
    max_cost: MaxCost = None,
    max_tokens: MaxTokens = None,
    max_calls: MaxCalls = None,
    max_seconds: MaxSeconds = None,
    as_json: AsJson = False,
) -> None:
    """Compare strategies on benchmarks.

    Prints a verdict, a table, and a question each that the best strategy fixed and broke.

    A budget (--max-...) that is used up ends with exit code 3, and Ctrl-C with 130: what is in flight is finished, and
    the same command goes on. A second Ctrl-C stops at once.

    \b
    Examples:
      promptkit eval --strategy direct --strategy zero-shot --limit 20
      promptkit eval --benchmark my.csv --question prompt --answer gold
      promptkit eval --strategy self-consistency:n=5 --benchmark gsm8k-style
      promptkit eval --strategy few-shot:select=balanced,k=2 --benchmark sentiment
      promptkit eval --suite suite.yaml
    """
    from promptkit.backends import check_spec
    from promptkit.cli.reporting import save_report
    from promptkit.evaluation.presentation.by_seed import print_seeds
    from promptkit.evaluation.presentation.summary import summary
    from promptkit.evaluation.presentation.table import print_runs
    from promptkit.evaluation.running.suites import evaluate_seeds
    from promptkit.models import DEFAULT

    asked = asking.read()
    models.check(asked.backends)
    names = [DEFAULT if (model := check_spec(spec)) == "default" else model for spec in asked.backends]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"backend {min(twice)!r} is given twice", hint="give different ones")
    folder = folder_to_write(asking.run_dir)
    with metered(max_cost, max_tokens, max_calls, max_seconds) as meter, Evaluation() as report:

        def made(spec: str) -> "Backend":
            report.pause()
            return models.open(spec, cache=cache)

        where = {name: partial(made, spec) for name, spec in zip(names, asked.backends, strict=True)}
        folders = {one: folder / f"seed-{one}" if len(asked.seeds) > 1 else folder for one in asked.seeds}
        runs = evaluate_seeds(
            asked.strategies,
            asked.benchmarks,
            where,
            asked.seeds,
            folders=folders,
            pool=asked.pool,
            budget=meter,
            on_progress=report,
        )
    page = save_report(runs, folder)
    if as_json:
        print_json({**summary(runs), "report": str(page) if page else None})
    elif len(asked.seeds) == 1:
        print_runs(runs, out)
    else:
        print_seeds(runs, out)
    refuse_all_failed(runs)
    if not as_json:
        seen = f", to be looked at in {one_line(str(page))}" if page else ""
        err.print(Text(f"\nEvery prompt and answer is in {one_line(str(folder))}{seen}"), soft_wrap=True)
    end_early(meter, runs)


def compare_(
    first: Annotated[Path, typer.Argument(help="Run folder to compare with.", metavar="FIRST")],
    second: Annotated[Path, typer.Argument(help="Run folder that may be better.", metavar="SECOND")],
    as_json: AsJson = False,
) -> None:
    """Compare two runs question by question.

    \b
    Example:
      promptkit compare runs/2026-01-31-120000/direct runs/2026-01-31-120000/zero-shot
    """
    from promptkit.evaluation import compare, load_run
    from promptkit.evaluation.presentation.provenance import notes
    from promptkit.evaluation.presentation.table import print_compared

    runs = [load_run(first), load_run(second)]
    comparison = compare(*runs)
    besides = notes(*runs)
    if as_json:
        print_json({**comparison.summary(), **({"notes": besides} if besides else {})})
        return
    print_compared(runs, out)
    for note in besides:
        out.print(Text(one_line(note), style="yellow"), soft_wrap=not out.is_terminal)
