"""The command that says what an evaluation would take: `plan`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from promptkit.cli.asking import AskingOptions
from promptkit.cli.budgets import MaxCalls, MaxCost, MaxSeconds, MaxTokens
from promptkit.cli.console import out, print_json
from promptkit.cli.options import (
    AsJson,
    ModelOptions,
    with_options,
)
from promptkit.cli.progress import Planning
from promptkit.foreign_text import one_line

if TYPE_CHECKING:
    from promptkit.evaluation.running.plan import Bounds, Plan
    from promptkit.evaluation.running.unloaded import Known


@with_options
def plan_(
    *,
    asking: AskingOptions,
    models: ModelOptions,
    cache: Annotated[bool, typer.Option(help="Look up how many first calls are stored.")] = True,
    max_cost: MaxCost = None,  # noqa: ARG001 (of eval, as the next three)
    max_tokens: MaxTokens = None,  # noqa: ARG001
    max_calls: MaxCalls = None,  # noqa: ARG001
    max_seconds: MaxSeconds = None,  # noqa: ARG001
    as_json: AsJson = False,
) -> None:
    """Say what an evaluation would take, without making a call.

    Calls, tokens, cost and time, with the options of eval. Bounds are of invented models that say nothing, answer
    briefly, or fill every limit.

    \b
    Example:
      promptkit plan --strategy zero-shot --strategy self-consistency:n=10
    """
    from promptkit.embedding import nothing_fetched
    from promptkit.evaluation.running.plan import plan
    from promptkit.evaluation.running.unloaded import known_of

    planned: list[tuple[list[Plan], Known]] = []
    with Planning() as at, nothing_fetched():
        at("reading strategies and benchmarks")
        asked = asking.read()
        models.check(asked.backends)
        for spec in asked.backends:
            at(f"reading the tokenizer of {spec}")
            known = known_of(spec, cache=cache, base_urls=models.base_url, **models.local())
            plans = plan(asked.named, known, asked.pools, asked.seeds[0], at)
            planned.append((plans, known))
            known.backend.close()
    if as_json:
        told = [
            {"backend": known.backend.name, "note": known.note, "plans": [found.summary() for found in plans]}
            for plans, known in planned
        ]
        print_json({"backends": told, "seeds": list(asked.seeds)})
        return
    for plans, known in planned:
        _print(plans, known)
    if len(asked.seeds) > 1:
        out.print(Text(f"All of it for each of {len(asked.seeds)} seeds; what is greedy is asked once.", style="dim"))


def _print(plans: "Sequence[Plan]", known: "Known") -> None:
    benchmarks = list(dict.fromkeys(found.benchmark for found in plans))
    out.print(Text(f"{known.backend.name}: nothing was called", style="bold"))
    for name in benchmarks:
        mine = [found for found in plans if found.benchmark == name]
        out.print(Text(f"\n{one_line(name)}, {mine[0].questions} questions"))
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        table.add_column("strategy", overflow="fold")
        columns = ["calls", "first\ncalls", "of these\nstored", "prompt\ntokens", "new\ntokens", "cost $", "time"]
        for heading in columns:
            table.add_column(heading, justify="right")
        for found in mine:
            cells = [
                _range(found.calls),
                "?" if found.first_calls is None else f"{found.first_calls}",
                "?" if found.stored is None else f"{found.stored}",
                _range(found.prompt_tokens),
                _range(found.completion_tokens),
                _cost(found),
                _time(found.seconds),
            ]
            table.add_row(one_line(found.strategy), *cells)
        out.print(table)
    said = [
        "least–most. New tokens: 1 a call, to each call's limit. Prompts of later calls hold what was said before. A "
        "list that a strategy goes on with has at most 10 items. Equal calls are made once, stored ones not at all.",
        *([known.note] if known.note else []),
    ]
    for name in sorted({name for found in plans for name in found.to_fetch}):
        said.append(f"{one_line(name)} is not on this machine: a run fetches it. Here shared words stood in for it.")
    if not any(found.seconds for found in plans):
        said.append("time: not known, as no run of this model is in runs/.")
    out.print(Text(" ".join(said), style="dim"))


def _range(found: "Bounds") -> str:
    return _short(found.least) if found.exact else f"{_short(found.least)}–{_short(found.most)}"


def _short(value: float) -> str:
    for least, scale, unit in ((999_500, 1e6, "M"), (10_000, 1e3, "k")):
        if value >= least:
            scaled = value / scale
            return f"{scaled:.3g}{unit}" if scaled < 999.5 else f"{scaled:.0f}{unit}"
    return f"{value:.0f}"


def _cost(found: "Plan") -> str:
    from promptkit.evaluation.presentation.phrases import dollars

    if found.cost is None or found.price is None:
        return "unknown"
    if found.price.source == "local":
        return "local"
    return f"{dollars(found.cost.least)}–{dollars(found.cost.most)}"


def _time(found: "Bounds | None") -> str:
    return "?" if found is None else f"{_span(found.least)}–{_span(found.most)}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
