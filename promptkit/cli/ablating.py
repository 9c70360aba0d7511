"""The commands that take a prompt apart: `ablate labels`, `ablate wording`."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from rich.text import Text

from promptkit.cli import completing
from promptkit.cli.asking import PoolName, RunDir, folder_to_write
from promptkit.cli.budgets import MaxCalls, MaxCost, MaxSeconds, MaxTokens, end_early, metered
from promptkit.cli.console import err, out, print_json, refuse_all_failed
from promptkit.cli.options import (
    AsJson,
    Limit,
    ModelOptions,
    OneBackend,
    Seed,
    whole_number,
    with_options,
)
from promptkit.cli.progress import Evaluation
from promptkit.errors import ConfigError
from promptkit.foreign_text import one_line

if TYPE_CHECKING:
    from promptkit.backends.base import Backend
    from promptkit.evaluation import Run

ablate_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What in a prompt makes the difference: labels or wording."
)

BenchmarkName: TypeAlias = Annotated[
    str, typer.Option(help="Name, file or NAME=FILE.", metavar="NAME", autocompletion=completing.benchmarks)
]
Cache: TypeAlias = Annotated[bool, typer.Option(help="Take completions that were made before from the store.")]


@ablate_app.command(name="labels")
@with_options
def labels(
    benchmark: BenchmarkName = "sentiment",
    backend: OneBackend = "default",
    k: Annotated[int, typer.Option("-k", help="Demonstrations.", parser=whole_number, metavar="INTEGER")] = 8,
    limit: Limit = None,
    seed: Seed = 0,
    pool: PoolName = None,
    run_dir: RunDir = None,
    *,
    models: ModelOptions,
    cache: Cache = True,
    max_cost: MaxCost = None,
    max_tokens: MaxTokens = None,
    max_calls: MaxCalls = None,
    max_seconds: MaxSeconds = None,
    as_json: AsJson = False,
) -> None:
    """Compare right, random, permuted and no labels.

    Of demonstrations: do their labels matter for this model, or is it enough to show what questions look like?

    \b
    Example:
      promptkit ablate labels --benchmark sentiment -k 2 --limit 20
    """
    from promptkit.evaluation import label_ablation, label_verdict, load
    from promptkit.evaluation.ablation import label_arms
    from promptkit.evaluation.benchmarks.pools import pool_for

    asked = load(benchmark).limited(limit)
    label_arms(pool_for(asked, pool), k=k, seed=seed)  # before minutes are spent on loading a model
    folder = folder_to_write(run_dir)
    models.check([backend])
    spending = metered(max_cost, max_tokens, max_calls, max_seconds)
    with spending as meter, _opened(models, backend, cache) as (where, report):
        runs = label_ablation(asked, where, k=k, seed=seed, pool=pool, run_dir=folder, budget=meter, on_progress=report)
    _show(runs, folder, as_json, label_verdict(runs))
    end_early(meter, runs)


@ablate_app.command(name="wording")
@with_options
def wording(
    strategy: Annotated[
        str,
        typer.Option(
            help="Preset, preset:field=value or YAML file.", metavar="NAME", autocompletion=completing.strategies
        ),
    ] = "zero-shot-cot",
    triggers: Annotated[
        list[str] | None,
        typer.Option("--trigger", help="A phrase that draws out reasoning. May be repeated.", metavar="NAME=TEXT"),
    ] = None,
    templates: Annotated[
        list[str] | None,
        typer.Option("--template", help="A template by name or file. May be repeated.", metavar="NAME=FILE"),
    ] = None,
    benchmark: BenchmarkName = "multiarith-style",
    backend: OneBackend = "default",
    limit: Limit = None,
    seed: Seed = 0,
    pool: PoolName = None,
    run_dir: RunDir = None,
    *,
    models: ModelOptions,
    cache: Cache = True,
    max_cost: MaxCost = None,
    max_tokens: MaxTokens = None,
    max_calls: MaxCalls = None,
    max_seconds: MaxSeconds = None,
    as_json: AsJson = False,
) -> None:
    """Compare several wordings of one strategy.

    Does the wording matter for this model?
    Without --trigger and --template, published trigger phrases and two of our own are compared.

    \b
    Examples:
      promptkit ablate wording --limit 20
      promptkit ablate wording --trigger dry="Solve it." --trigger kind="Please do."
    """
    from promptkit.evaluation import load, wording_ablation, wording_verdict
    from promptkit.evaluation.ablation import wording_arms
    from promptkit.evaluation.running.inputs import check
    from promptkit.strategies import resolve

    asked = load(benchmark).limited(limit)
    base = resolve(strategy, asked.kind)
    phrases, files = _pairs("--trigger", triggers), _pairs("--template", templates)
    check(wording_arms(base, phrases, files), [asked])  # before minutes are spent on loading a model
    folder = folder_to_write(run_dir)
    models.check([backend])
    spending = metered(max_cost, max_tokens, max_calls, max_seconds)
    with spending as meter, _opened(models, backend, cache) as (where, report):
        runs = wording_ablation(
            asked,
            where,
            strategy=base,
            triggers=phrases,
            templates=files,
            seed=seed,
            pool=pool,
            run_dir=folder,
            budget=meter,
            on_progress=report,
        )
    _show(runs, folder, as_json, wording_verdict(runs))
    end_early(meter, runs)


def _pairs(option: str, texts: list[str] | None) -> dict[str, str] | None:
    """What `--trigger NAME=TEXT` and the like say."""
    if not texts:
        return None
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.strip() and equals and value.strip()):
            raise ConfigError(f"cannot read {text!r}", hint=f"write {option} name=text")
        if name.strip() in pairs:
            raise ConfigError(f"{option} {name.strip()!r} is given twice", hint="give another name")
        pairs[name.strip()] = value
    return pairs


@contextmanager
def _opened(models: ModelOptions, spec: str, cache: bool) -> "Generator[tuple[Backend, Callable[[Any], None]]]":
    """A backend and what shows progress, for as long as they are needed."""
    where = models.open(spec, cache=cache)
    try:
        with Evaluation() as report:
            yield where, report
    finally:
        where.close()


def _show(runs: "list[Run]", folder: Path, as_json: bool, verdict: str) -> None:
    from promptkit.evaluation.presentation.table import print_compared

    if as_json:
        print_json({"runs": [run.summary() for run in runs], "verdict": verdict})
    else:
        print_compared(runs, out, verdict)
    refuse_all_failed(runs)
    if not as_json:
        err.print(Text(f"\nEvery prompt and answer is in {one_line(str(folder))}"), soft_wrap=True)
