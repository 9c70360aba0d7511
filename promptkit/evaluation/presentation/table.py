"""Runs in the terminal: the verdict, the table, and one question each that the better strategy fixed and broke."""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from promptkit.evaluation.analysis.across import Row, across
from promptkit.evaluation.analysis.comparison import Comparison
from promptkit.evaluation.analysis.interaction import FAIR_BASELINE, interactions
from promptkit.evaluation.analysis.noise import noise_floors
from promptkit.evaluation.presentation.findings import (
    frontier_sentences,
    interaction_sentences,
    noise_sentences,
    pool_sentences,
)
from promptkit.evaluation.presentation.phrases import dollars, p_text, questions, tokens
from promptkit.evaluation.presentation.summary import tables
from promptkit.evaluation.presentation.verdict import Judged, judge, names, verdict
from promptkit.evaluation.runs import Run, Sample
from promptkit.foreign_text import flat, one_line
from promptkit.types import answer_text

_SHOWN_CHARACTERS = 420
"""How much of a model's text is shown, around the answer."""
_NAME_CHARACTERS = 24
"""A longer name may be folded to make room for the columns."""
_NEW, _PROMPT, _COST, _MISSING = "new\ntok/q", "prompt\ntok/q", "cost\n$", "mis-\nsing"
_OPTIONAL = ("wrong", "sec", _PROMPT, _COST)
"""Columns that are left out, in this order, where there is no room: the rest of the questions, a time that machines
decide, and what a model only reads."""


def print_runs(runs: Sequence[Run], console: Console) -> None:
    """Print verdict, table and examples for each benchmark and backend; and for several backends, how they compare."""
    for group in tables(runs):
        print_compared(group, console)
    for benchmark in dict.fromkeys(run.benchmark for run in runs):
        these = [run for run in runs if run.benchmark == benchmark and not run.missing]
        if rows := across(these):
            _print_across(benchmark, rows, console)
        for sentence in [*interaction_sentences(interactions(these)), *noise_sentences(noise_floors(these))]:
            console.print(Text(one_line(sentence)))


def print_compared(runs: Sequence[Run], console: Console, said: str | None = None) -> None:
    """Print verdict, table and examples of runs that asked the same questions.

    Args:
        runs: the runs.
        console: where to print.
        said: a sentence in place of the verdict, which advises one of the runs: ablations ask another question.
    """
    backends = " and ".join(dict.fromkeys(run.backend for run in runs))
    title = one_line(f"{runs[0].benchmark}, {questions(runs[0].n + runs[0].missing)}, {backends}")
    judged = judge(runs)
    advising = said is None
    said = one_line(verdict(runs, judged) if said is None else said)
    if console.is_terminal:
        console.print(Panel(Text(said), title=Text(title), title_align="left", border_style="cyan"))
    else:  # one line, for grep and files
        console.print(Text(f"{title}\n{said}\n"), soft_wrap=True)
    called = [one_line(name) for name in names(runs)]
    columns = _fitting({"strategy": called, **table_columns(runs, judged)}, console.width)
    console.print(_table(columns, console.width))
    console.print(Text(" ".join([*table_legend(columns, called), *table_notes(runs, called)]), style="dim"))
    for name, run in zip(called, runs, strict=True):
        if run.manifest.get("pool", {}).get("leaks"):
            said = f"{name} shows demonstrations made of the test's own questions, as published: its accuracy leaks."
            console.print(Text(said, style="bold yellow"))
    if advising and not any(run.missing for run in runs):
        sentences = frontier_sentences(runs, called, judged)
        sentences += [one for run, name in zip(runs, called, strict=True) for one in pool_sentences(run, name)]
        for sentence in sentences:
            console.print(Text(sentence))
    if judged:
        console.print(_examples(runs, called, judged))


def _fitting(columns: dict[str, list[str]], width: int) -> dict[str, list[str]]:
    """The columns without those that are left out for lack of room."""
    columns = dict(columns)
    for heading in _OPTIONAL:
        if _total(columns, 1) > width:
            del columns[heading]
    return columns


def _table(columns: dict[str, list[str]], width: int) -> Table:
    gap = 2 if _total(columns, 2) <= width else 1
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    table.add_column("strategy", overflow="fold")
    for heading in list(columns)[1:]:
        table.add_column(heading, justify="right", no_wrap=True, min_width=_width(heading, columns[heading]))
    for row in zip(*columns.values(), strict=True):
        table.add_row(*map(Text, row))
    return table


def _width(heading: str, cells: list[str]) -> int:
    widest = max(map(len, [*heading.split("\n"), *cells]))
    return min(widest, _NAME_CHARACTERS) if heading == "strategy" else widest


def _total(columns: dict[str, list[str]], gap: int) -> int:
    return sum(_width(heading, cells) for heading, cells in columns.items()) + gap * (len(columns) - 1)


def table_columns(runs: Sequence[Run], judged: dict[tuple[int, int], Judged]) -> dict[str, list[str]]:
    """The cells below each heading."""
    columns: dict[str, list[str]] = {}
    for place, run in enumerate(runs):
        low, high = run.ci95
        found = judged.get((0, place))
        cells = {
            "right\n%": f"{run.count('correct')} of {run.n}" if run.missing else f"{run.accuracy * 100:.1f}",
            "95 %": "" if run.missing else f"{low * 100:.0f}–{high * 100:.0f}",
            _MISSING: str(run.missing),
            "Δ": f"{found.comparison.delta * 100:+.1f}" if found else "",
            "p": _p_cell(found.p_value) if found else "",
            "+/−": f"{len(found.comparison.fixed)}/{len(found.comparison.broken)}" if found else "",
            "wrong": str(run.count("wrong")),
            "not\nread": str(run.count("unparsed")),
            "cut\noff": str(run.count("truncated")),
            "fail": str(run.count("failed")),
            _NEW: f"{tokens(run) / max(run.n, 1):.0f}",
            _PROMPT: f"{run.usage.prompt_tokens / max(run.n, 1):.0f}",
            _COST: "?" if run.cost is None else dollars(run.cost),
            "sec": f"{run.seconds:.0f}",
        }
        left_out = [] if judged else ["Δ", "p", "+/−"]
        left_out += [_MISSING] if not any(run.missing for run in runs) else []
        left_out += [_COST] if not any(run.cost for run in runs) else []
        for heading, cell in cells.items():
            if heading not in left_out:
                columns.setdefault(heading, []).append(cell)
    return columns


def _p_cell(p: float) -> str:
    return p_text(p).removeprefix("p ").removeprefix("= ").replace(" ", "")


def table_legend(columns: dict[str, list[str]], called: list[str]) -> list[str]:
    """A sentence for each column that is there."""
    against = (
        f"Δ, p, +/−: points more than {called[0]}, exact McNemar test corrected for all pairs (Holm), questions "
        "fixed/broken."
    )
    meanings = {
        "95 %": "right: % of all questions, with 95 % Wilson interval.",
        "Δ": against,
        "not\nread": "not read: no answer found.",
        "cut\noff": "cut off: hit its token limit.",
        "fail": "fail: a call failed.",
        _MISSING: "missing: not finished when it was stopped; such a row counts what is there, and has no accuracy.",
        _NEW: "new tok/q: tokens generated a question.",
        _PROMPT: "prompt tok/q: tokens read.",
        _COST: "cost: list price of all tokens, stored ones too.",
        "sec": "sec: share of the wall clock.",
    }
    return [meaning for heading, meaning in meanings.items() if heading in columns]


def table_notes(runs: Sequence[Run], called: list[str]) -> list[str]:
    """What the numbers of these runs hold besides."""
    notes: list[str] = []
    calls, cached = (sum(getattr(run.usage, what) for run in runs) for what in ("calls", "cached_calls"))
    if cached:
        notes.append(f"{cached} of {calls} calls came from the store: their tokens count, no time does.")
    read, reused = (sum(getattr(run.usage, what) for run in runs) for what in ("prompt_tokens", "reused_prompt_tokens"))
    if reused:
        notes.append(f"{reused / read:.0%} of the prompt tokens were computed once for several calls.")
    prepared = [(name, run.preparation.calls) for name, run in zip(called, runs, strict=True) if run.preparation.calls]
    if prepared:
        made = ", ".join(f"{name} with {count} calls" for name, count in prepared)
        notes.append(f"tok/q holds what preparing took: {made}.")
    for name, run in zip(called, runs, strict=True):
        if run.scores:
            parts = ", ".join(f"{one_line(what)} {share * 100:.1f} %" for what, share in run.scores.items())
            notes.append(f"{name}, right in part: {parts}.")
    return notes


def _print_across(benchmark: str, rows: Sequence[Row], console: Console) -> None:
    """Each strategy on each model, with the lead of the best one."""
    backends = list(dict.fromkeys(backend for row in rows for backend in row.runs))
    columns = {"strategy": [one_line(row.strategy) for row in rows]}
    for number, backend in enumerate(backends, 1):
        scores = [f"{row.runs[backend].accuracy * 100:.1f}" if backend in row.runs else "" for row in rows]
        columns[f"({number})\n%"] = scores
    columns["ahead"] = [f"{abs(row.lead.delta) * 100:.1f}" for row in rows]
    columns["p"] = [_p_cell(row.p_value) for row in rows]
    numbered = ", ".join(f"({number}) {one_line(backend)}" for number, backend in enumerate(backends, 1))
    console.print(Text(f"\n{one_line(benchmark)}, model against model: {numbered}", style="bold"))
    console.print(_table(columns, console.width))
    said = "ahead: points of the best model over the next one. p: exact McNemar test corrected for all pairs (Holm)."
    console.print(Text(said, style="dim"))


def _examples(runs: Sequence[Run], called: list[str], judged: dict[tuple[int, int], Judged]) -> RenderableType:
    """What the most accurate strategy changed against the fairest baseline that was run."""
    whole = [place for place, run in enumerate(runs) if not run.missing]
    best = max(whole, key=lambda place: runs[place].accuracy)
    fair = [place for place in whole if place != best]
    baseline = next((place for place in fair if runs[place].strategy == FAIR_BASELINE), fair[0])
    comparison = judged[baseline, best].comparison
    pair = (called[baseline], called[best])
    fixed = _example(comparison, comparison.fixed, "Fixed", pair)
    broken = _example(comparison, comparison.broken, "Broken", pair)
    return Group(*fixed, *broken)


def _example(comparison: Comparison, ids: tuple[str, ...], word: str, called: tuple[str, str]) -> list[RenderableType]:
    title = Text(f"\n{word} by {called[1]} against {called[0]}: {len(ids)}", style="bold")
    if not ids:
        return [title]
    samples = [next(sample for sample in run.samples if sample.id == ids[0]) for run in (comparison.a, comparison.b)]
    question = Text(_start(f"{samples[0].id}: {samples[0].question}"))
    gold = Text(f"right answer: {_start(answer_text(samples[0].gold))}", style="green")
    lines: list[RenderableType] = [title, question, gold]
    for name, sample in zip(called, samples, strict=True):
        lines.append(Text.assemble((f"{name} ", "bold"), f"({sample.status}): ", marked(sample)))
    return lines


def marked(sample: Sample) -> Text:
    """The text that holds the answer, shortened to what is around it, with the answer marked as »…«."""
    if sample.extraction is None:
        return Text(_end(sample.text or sample.error or "(no text)"))
    start, end = sample.extraction.span
    before, answer, after = sample.text[:start], sample.text[start:end], sample.text[end:]
    if sample.rationale and sample.rationale != sample.text:
        before = f"{sample.rationale} → {before}"
    color = "green" if sample.status == "correct" else "red"
    return Text.assemble(_end(before), (f"»{_start(answer)}«", f"bold {color}"), _start(after, 80))


def _start(text: str, length: int = _SHOWN_CHARACTERS) -> str:
    text = flat(text)
    return text if len(text) <= length else f"{text[:length]} …"


def _end(text: str) -> str:
    text = flat(text)
    return text if len(text) <= _SHOWN_CHARACTERS else f"… {text[-_SHOWN_CHARACTERS:]}"
