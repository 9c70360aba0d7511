"""The audit in the terminal: one table, a sentence for each gain, and the texts that readings dispute."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from promptkit.evaluation.analysis.steps import StepReport
from promptkit.evaluation.presentation.phrases import p_text
from promptkit.evaluation.presentation.verdict import names
from promptkit.evaluation.rereading.auditing import Audit, Gain
from promptkit.evaluation.runs import Run, Sample
from promptkit.evaluation.statistics.paired_points import PointsDifference
from promptkit.foreign_text import flat, one_line
from promptkit.types import answer_text

_AROUND = 60
"""Characters of a text that are shown before and after an answer."""
_LEGEND = (
    "% right. run: as the run was read. low: only answers that nobody can misread. high: what a reader finds who knows "
    "the right answer. The other columns: what each extractor would have scored."
)


def print_audit(audits: Sequence[Audit], gains: Sequence[Gain], console: Console, shown: int) -> None:
    """Print the scores under all readings, what the gains are made of, and `shown` disputed texts of each run."""
    for (benchmark, backend), group in groupby(audits, key=lambda one: (one.run.benchmark, one.run.backend)):
        _print_scores(list(group), f"{benchmark}, {backend}", console)
    for sentence in gain_sentences(gains, [one.run for one in audits]):
        _say(console, sentence)
    for one, name in zip(audits, names([one.run for one in audits]), strict=True):
        _print_disputed(one, one_line(name), console, shown)


def print_steps(reports: Sequence[StepReport], name: str, console: Console) -> None:
    """Print how each step of a chain did."""
    console.print(Text(f"\nSteps of {one_line(name)}", style="bold"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("step", overflow="fold")
    for heading in ("n", "exact %", "precision", "recall", "F1"):
        table.add_column(heading, justify="right")
    for one in reports:
        cells = [str(one.n), f"{one.exact * 100:.1f}", f"{one.precision:.2f}", f"{one.recall:.2f}", f"{one.f1:.2f}"]
        table.add_row(Text(one_line(one.step)), *map(Text, cells))
    console.print(table)
    for one in reports:
        if one.worst:
            _say(console, f"{one.step} goes wrong in {len(one.worst)}: {', '.join(one.worst[:5])}")


def gain_sentences(gains: Sequence[Gain], runs: Sequence[Run]) -> list[str]:
    """What each gain is made of, and on what benchmark with which model where the runs have several."""
    several_benchmarks = len({run.benchmark for run in runs}) > 1
    several_models = len({run.backend for run in runs}) > 1
    sentences: list[str] = []
    for found in gains:
        run = found.as_run.a
        where = f" on {run.benchmark}" if several_benchmarks else ""
        where += f" with {run.backend}" if several_models else ""
        sentences.append(_gain_sentence(found, where))
    return sentences


def _gain_sentence(found: Gain, where: str) -> str:
    as_run, reasoning = found.as_run, found.reasoning
    low, high = reasoning.ci95
    said = (
        f"{as_run.b.strategy} against {as_run.a.strategy}{where}: {as_run.delta * 100:+.1f} points as run "
        f"({p_text(as_run.p_value)}). {reasoning.delta * 100:+.1f} are reasoning (95 % interval {low * 100:+.1f} to "
        f"{high * 100:+.1f}, {p_text(reasoning.p_value)}): they are left when both are read leniently. "
    )
    return said + _formatting(found.formatting)


def _formatting(found: PointsDifference) -> str:
    if not found.better and not found.worse:
        return "Formatting plays no part."
    low, high = found.ci95
    return (
        f"{found.delta * 100:+.1f} are formatting (95 % interval {low * 100:+.1f} to {high * 100:+.1f}, "
        f"{p_text(found.p_value)}): answers that were there and not read, misread or cut off."
    )


_RARE = ("whole", "gsm8k-published")
"""Readings for answers of a form of their own: shown where they read something right."""


def _print_scores(group: list[Audit], title: str, console: Console) -> None:
    readings = [name for name in group[0].readings if name not in _RARE or _reads(group, name)]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("strategy", overflow="fold")
    for heading in ("run", "low", *readings, "high"):
        table.add_column(heading.replace("-", "-\n"), justify="right", no_wrap=True)
    for one, name in zip(group, names([one.run for one in group]), strict=True):
        runs = [one.run, one.strict, *(one.readings.get(reading) for reading in readings), one.lenient]
        cells = ["" if run is None else f"{run.accuracy * 100:.1f}" for run in runs]
        table.add_row(Text(one_line(name)), *map(Text, cells))
    console.print(Text(one_line(f"{title}, {group[0].run.n} questions"), style="bold"))
    console.print(table)
    console.print(Text(_LEGEND, style="dim"), soft_wrap=not console.is_terminal)
    for one, name in zip(group, names([one.run for one in group]), strict=True):
        words = {"wrong": "misread", "unparsed": "not read", "truncated": "cut off after it"}
        counts = [f"{len(ids)} {words[status]}" for status, ids in one.recovered.items() if ids]
        if counts:
            _say(console, f"{name}: the right answer was there but {', '.join(counts)}")


def _reads(group: list[Audit], name: str) -> bool:
    return any(one.readings[name].count("correct") for one in group if name in one.readings)


def _print_disputed(one: Audit, name: str, console: Console, shown: int) -> None:
    disputed = one.disagreements
    if not disputed or not shown:
        return
    console.print(Text(f"\n{name}: {len(disputed)} of {one.run.n} answers are in dispute", style="bold"))
    for question in disputed[:shown]:
        readings = one.read(question)
        gold = one_line(answer_text(readings["run"].gold))
        console.print(Text.assemble((one_line(question), "bold"), f", right is {gold}"))
        for who, sample in _grouped(readings):
            console.print(Text.assemble(("  " + ", ".join(who), "cyan"), f" ({sample.status}): ", excerpt(sample)))


def _grouped(readings: dict[str, Sample]) -> list[tuple[list[str], Sample]]:
    """Readings that found the same at the same place, together."""
    groups: dict[object, tuple[list[str], Sample]] = {}
    for name, sample in readings.items():
        span = sample.extraction.span if sample.extraction else None
        groups.setdefault((sample.status, sample.answer, span), ([], sample))[0].append(name)
    return list(groups.values())


def excerpt(sample: Sample) -> Text:
    """The text around an answer with the answer marked as »…«, safe for a terminal; the end where none was read."""
    if sample.extraction is None:
        return Text(f"nothing in … {one_line(sample.text)[-2 * _AROUND :]}" if sample.text.strip() else "(no text)")
    start, end = sample.extraction.span
    if sample.extraction.rule == "rationale":
        found = one_line(answer_text(sample.extraction.value))
        return Text(f"{found}, in the rationale: … {one_line(sample.rationale)[-2 * _AROUND :]}")
    before, answer, after = sample.text[:start], sample.text[start:end], sample.text[end:]
    left, right = flat(before), flat(after)
    return Text.assemble(
        f"… {left[-_AROUND:]}" if len(left) > _AROUND else left,
        (f"»{one_line(answer)[:200]}«", "bold green" if sample.status == "correct" else "bold red"),
        f"{right[:_AROUND]} …" if len(right) > _AROUND else right,
    )


def _say(console: Console, text: str) -> None:
    console.print(Text(one_line(text)), soft_wrap=not console.is_terminal)
