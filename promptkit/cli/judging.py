"""The command that lets a model judge texts: `judge`."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from promptkit.cli import completing
from promptkit.cli.asking import folder_to_write
from promptkit.cli.budgets import MaxCalls, MaxCost, MaxSeconds, MaxTokens, metered
from promptkit.cli.console import err, out, print_json
from promptkit.cli.options import (
    AsJson,
    Backends,
    Limit,
    ModelOptions,
    Seed,
    with_options,
)
from promptkit.errors import BackendError, ConfigError
from promptkit.foreign_text import one_line

if TYPE_CHECKING:
    from promptkit.backends.base import Backend
    from promptkit.budget import Meter
    from promptkit.evaluation.judging import Item, Judged, Rubric
    from promptkit.strategies import Strategy


@with_options
def judge(
    sources: Annotated[list[str], typer.Argument(help="Run folders, or files of outputs: [NAME=]PATH.", metavar="RUN")],
    rubric: Annotated[
        str,
        typer.Option(help="A YAML file, or `support-summary`.", metavar="FILE", autocompletion=completing.rubrics),
    ],
    backends: Backends = ["default"],  # noqa: B006 (typer reads it and never changes it)
    strategy: Annotated[
        str,
        typer.Option(
            help="How the judge is asked: direct, zero-shot-cot, self-consistency, …",
            metavar="NAME",
            autocompletion=completing.strategies,
        ),
    ] = "direct",
    pairwise: Annotated[
        bool, typer.Option("--pairwise", help="Compare two sources, each pair in both orders.")
    ] = False,
    facts: Annotated[
        Path | None,
        typer.Option(help="JSONL with `references` and people's `labels` by id.", show_default=False, metavar="FILE"),
    ] = None,
    source: Annotated[str | None, typer.Option(help="Column that the outputs are about.", metavar="COLUMN")] = None,
    output: Annotated[str | None, typer.Option(help="Column of the outputs, for files.", metavar="COLUMN")] = None,
    limit: Limit = None,
    seed: Seed = 0,
    run_dir: Annotated[
        Path | None,
        typer.Option(help="Folder to write. [default: runs/<time>-judge]", show_default=False, metavar="FOLDER"),
    ] = None,
    *,
    models: ModelOptions,
    cache: Annotated[bool, typer.Option(help="Take completions that were made before from the store.")] = True,
    max_cost: MaxCost = None,
    max_tokens: MaxTokens = None,
    max_calls: MaxCalls = None,
    max_seconds: MaxSeconds = None,
    as_json: AsJson = False,
) -> None:
    """Let a model judge texts by a rubric.

    Each criterion is one question to the judge. Several sources are compared with the first, text by text; several
    --backend are several judges, whose agreement is told.

    \b
    Examples:
      promptkit judge runs/2026-01-31-120000/base --rubric support-summary
      promptkit judge a.jsonl b.jsonl --rubric mine.yaml --facts facts.jsonl
      promptkit judge runs/…/base runs/…/adapter --rubric mine.yaml --pairwise
    """
    from promptkit.evaluation.judging import load_rubric
    from promptkit.evaluation.judging.record import refuse_taken
    from promptkit.strategies import resolve

    loaded = load_rubric(rubric)
    asked = resolve(strategy, "yesno")
    texts = _texts(sources, loaded, facts, source, output, limit)
    if pairwise and len(texts) != 2:
        raise ConfigError(f"--pairwise compares two sources, not {len(texts)}", hint="give two runs or files")
    folder = folder_to_write(run_dir, "-judge")
    refuse_taken(folder)
    models.check(backends)  # before minutes are spent on the first judge
    run = _pairwise if pairwise else _by_criteria
    with metered(max_cost, max_tokens, max_calls, max_seconds) as meter:
        failure = run(_Task(loaded, asked, texts, sources, backends, models, cache, seed, folder, as_json), meter)
    if failure is not None:
        raise BackendError(f"every verdict failed, the first one with: {failure}")
    if not as_json:
        err.print(Text(f"\nEvery prompt and verdict is in {one_line(str(folder))}"), soft_wrap=True)


def _texts(
    sources: list[str],
    rubric: "Rubric",
    facts: Path | None,
    source: str | None,
    output: str | None,
    limit: int | None,
) -> "dict[str, list[Item]]":
    """The texts of each source by its name."""
    from promptkit.evaluation.judging import load_items, with_facts
    from promptkit.evaluation.judging.items import check_labels

    if limit is not None and limit < 1:
        raise ConfigError(f"--limit must be at least 1, not {limit}")
    texts: dict[str, list[Item]] = {}
    for given in sources:
        name, equals, path = given.partition("=")
        if not equals or Path(given).exists():
            name, path = Path(given).stem if Path(given).is_file() else Path(given).resolve().name, given
        items = load_items(path, source=source, output=output)[:limit]
        if not items:
            raise ConfigError(f"{path} holds no texts to judge", hint="give a run, or a file with a line a text")
        if facts is not None:
            items = with_facts(items, facts)
        check_labels(items, rubric)
        if name in texts:
            raise ConfigError(f"two sources are called {name!r}", hint="name them: NAME=PATH")
        texts[name] = items
    return texts


@dataclass(frozen=True)
class _Task:
    """What is to be judged, by whom, and where it goes."""

    rubric: "Rubric"
    strategy: "Strategy"
    texts: "dict[str, list[Item]]"
    sources: list[str]
    specs: list[str]
    """Of the judges."""
    models: ModelOptions
    cache: bool
    seed: int
    folder: Path
    as_json: bool


def _by_criteria(task: _Task, meter: "Meter") -> str | None:
    """Judge each text by each criterion, write and show it; returns why, where everything of a judge failed."""
    from promptkit.evaluation.judging import Judge, Judged, compare_points, judge_texts
    from promptkit.evaluation.judging.judged import all_failed
    from promptkit.evaluation.judging.record import judgement_lines, write_record
    from promptkit.evaluation.judging.table import print_judged

    judge = Judge(task.rubric, task.strategy)
    found: list[Judged] = []
    identities: list[dict[str, Any]] = []
    for spec in task.specs:
        with _opened(task, spec) as (backend, progress):
            identities.append(backend.identity())
            for name, items in task.texts.items():
                told = progress(name)
                found.append(
                    judge_texts(judge, items, backend, source=name, seed=task.seed, on_judged=told, meter=meter)
                )
    compared: list[dict[str, Any]] = []
    for name in dict.fromkeys(one.judge for one in found):
        base, *others = [one for one in found if one.judge == name]
        for other in others:
            difference = compare_points(base, other, seed=task.seed)
            what = {"judge": name, "a": base.source, "b": other.source}
            compared.append({**what, **(difference.summary() if difference else {"n": 0})})
    result = {"judged": [one.summary() for one in found], "compared": compared, "judges": _between(found)}
    lines = (line for one in found for line in judgement_lines(judge, one))
    write_record(task.folder, judge, task.sources, identities, task.seed, result, lines)
    if task.as_json:
        print_json({**result, "run_dir": str(task.folder)})
    else:
        print_judged(found, out, task.seed)
    return next(filter(None, map(all_failed, found)), None)


def _between(found: "list[Judged]") -> list[dict[str, Any]]:
    """Agreement of every two judges, source by source and criterion by criterion."""
    from itertools import combinations

    from promptkit.evaluation.judging.judged import compare_verdicts

    return [
        {"source": a.source, "criterion": criterion.name, "a": a.judge, "b": b.judge, **agreed.summary()}
        for a, b in combinations(found, 2)
        if a.source == b.source
        for criterion in a.rubric.criteria
        for agreed in [compare_verdicts(a.values(criterion.name), b.values(criterion.name), criterion)]
    ]


def _pairwise(task: _Task, meter: "Meter") -> str | None:
    """As `_by_criteria`, with the texts of two sources side by side."""
    from promptkit.evaluation.judging import PairJudge, judge_pairs, pairs
    from promptkit.evaluation.judging.record import preference_lines, write_record
    from promptkit.evaluation.judging.table import print_preference

    judge = PairJudge(task.rubric, task.strategy)
    (name_a, a), (name_b, b) = task.texts.items()
    found = pairs(a, b)
    summaries: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    identities: list[dict[str, Any]] = []
    failure = None
    for spec in task.specs:
        with _opened(task, spec) as (backend, progress):
            told = progress(f"{name_a} and {name_b}")
            preference = judge_pairs(judge, found, backend, seed=task.seed, on_judged=told, meter=meter)
            summaries.append({"judge": backend.name, "a": name_a, "b": name_b, **preference.summary()})
            lines += preference_lines(preference, (name_a, name_b), backend.name)
            identities.append(backend.identity())
            if not task.as_json:
                print_preference(preference, (name_a, name_b), backend.name, out)
            if all(verdict.readings == ("failed", "failed") for verdict in preference.verdicts):
                failure = preference.verdicts[0].texts[0]
    write_record(task.folder, judge, task.sources, identities, task.seed, {"pairwise": summaries}, lines)
    if task.as_json:
        print_json({"pairwise": summaries, "run_dir": str(task.folder)})
    return failure


@contextmanager
def _opened(task: _Task, spec: str) -> "Generator[tuple[Backend, Callable[[str], Callable[[int, int], None]]]]":
    """A judge's backend, and what tells how far it is."""
    where = task.models.open(spec, cache=task.cache)

    def progress(name: str) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            if done == total:
                err.print(f"{name}: {total} judged by {where.name}", markup=False, soft_wrap=True)

        return tell

    try:
        yield where, progress
    finally:
        where.close()
