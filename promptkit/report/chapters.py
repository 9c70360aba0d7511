"""What a report says: a chapter for each benchmark and backend, with its verdict, table and figures."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from promptkit.drawing.chart import Chart
from promptkit.evaluation.analysis.across import Row, across
from promptkit.evaluation.analysis.interaction import interactions
from promptkit.evaluation.analysis.noise import noise_floors
from promptkit.evaluation.presentation.findings import (
    frontier_sentences,
    interaction_sentences,
    noise_sentences,
    pool_sentences,
)
from promptkit.evaluation.presentation.phrases import p_text
from promptkit.evaluation.presentation.summary import tables
from promptkit.evaluation.presentation.table import table_columns, table_legend, table_notes
from promptkit.evaluation.presentation.verdict import Judged, advised, judge, names, verdict
from promptkit.evaluation.runs import Run
from promptkit.report.figures import accuracy_chart, cost_charts, pair_chart, vote_chart

BASELINES = ("zero-shot", "direct")
"""With what the others are compared first, where it was run."""


@dataclass(frozen=True)
class Table:
    """Headings and rows, as the terminal shows them."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: int | None
    """The row of the strategy that the verdict advises."""
    legend: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """What one strategy changed against another."""

    before: int
    """Place of the run that is compared with."""
    after: int
    said: str
    fixed: int
    broken: int


@dataclass(frozen=True)
class Chapter:
    """Runs that asked the same questions on one backend with one seed."""

    title: str
    runs: tuple[Run, ...]
    """As they were given; a chapter on unfinished ones tells of the questions that all of them have answered."""
    called: tuple[str, ...]
    lead: str
    """The first part of the verdict."""
    more: tuple[str, ...]
    """The rest of it."""
    warnings: tuple[str, ...]
    table: Table
    findings: tuple[str, ...]
    """What frontier and votes say in words."""
    accuracy: Chart
    costs: tuple[Chart, ...]
    votes: Chart | None
    baseline: int
    panels: tuple[Chart, ...]
    """Each run question by question against the baseline."""
    order: tuple[str, ...]
    """Ids of the questions in the panels: what most got right comes first."""
    rights: tuple[str, ...]
    """For each run, a 1 or 0 a question, in that order."""
    pairs: tuple[Pair, ...]
    """Every two runs, in both directions."""

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Every figure."""
        return (self.accuracy, *self.costs, *([self.votes] if self.votes else []), *self.panels)


@dataclass(frozen=True)
class Across:
    """The same strategies on several backends, or with several seeds."""

    benchmark: str
    findings: tuple[str, ...]
    """How far gains depend on the model, and what reseeding does."""
    table: Table | None
    chart: Chart | None
    """Both `None` where there is one backend."""


def chapters(runs: Sequence[Run]) -> list[Chapter]:
    """Each benchmark and backend for itself.

    Runs that go on or were stopped are compared on the questions that all of a chapter have answered; where there is
    none, the chapter is left out.

    Args:
        runs: in the order in which they are to be shown.

    Raises:
        ConfigError: runs of one benchmark and backend have not asked the same questions.
    """
    groups = tables(runs)
    places = Counter((group[0].benchmark, group[0].backend) for group in groups)
    found: list[Chapter] = []
    for group in groups:
        shown, planned = _in_common(group)
        title = f"{group[0].benchmark}, {group[0].backend}"
        if places[group[0].benchmark, group[0].backend] > 1:
            title += f", seed {group[0].manifest.get('seed')}"
        if shown:
            found.append(_chapter(shown, group, title, planned))
    return found


def models(runs: Sequence[Run]) -> list[Across]:
    """For each benchmark that ran on several backends or with several seeds, how its finished runs compare.

    Raises:
        ConfigError: they have not asked the same questions.
    """
    found: list[Across] = []
    for benchmark in dict.fromkeys(run.benchmark for run in runs):
        whole = [run for run in runs if run.benchmark == benchmark and not run.missing]
        said = [*interaction_sentences(interactions(whole)), *noise_sentences(noise_floors(whole))]
        rows = across(whole)
        if rows or said:
            found.append(_across(benchmark, rows, tuple(map(_set, said))))
    return found


def _in_common(runs: list[Run]) -> tuple[list[Run], int]:
    """The runs with the questions that all of them have answered, and how many each is to have."""
    planned = max(run.n + run.missing for run in runs)
    if not any(run.missing for run in runs):
        return runs, planned
    samples = [{sample.id: sample for sample in run.samples} for run in runs]
    order = [name for name in samples[0] if all(name in its for its in samples)]
    if not order:
        return [], planned
    found = zip(runs, samples, strict=True)
    return [replace(run, samples=tuple(its[one] for one in order), missing=0) for run, its in found], planned


def _chapter(runs: list[Run], given: list[Run], title: str, planned: int) -> Chapter:
    judged = judge(runs)
    called = names(runs)
    whole = runs[0].n >= planned
    lead, *more = (verdict(runs, judged) if whole else _no_verdict(runs[0].n, planned)).removesuffix(".").split("; ")
    baseline = _baseline(runs)
    order = _easy_first(runs)
    right = [{sample.id: sample.status == "correct" for sample in run.samples} for run in runs]
    head = table_columns(runs, judged)
    table = Table(
        ("strategy", *(heading.replace("\n", " ") for heading in head)),
        tuple(zip(called, *head.values(), strict=True)),
        _advised(runs, called, judged, lead),
        (*table_legend(head, called), *table_notes(runs, called)),
    )
    return Chapter(
        title=title,
        runs=tuple(given),
        called=tuple(called),
        lead=_set(f"{lead}."),
        more=tuple(_set(f"{part[:1].upper()}{part[1:]}.") for part in more),
        warnings=tuple(_warnings(runs, called)),
        table=table,
        findings=tuple(map(_set, _findings(runs, called, judged))) if whole else (),
        accuracy=accuracy_chart(runs, called, table.best),
        costs=cost_charts(runs, called),
        votes=vote_chart(runs, called),
        baseline=baseline,
        panels=tuple(
            pair_chart(
                [right[baseline][one] for one in order], [right[place][one] for one in order], name, called[baseline]
            )
            for place, name in enumerate(called)
            if place != baseline
        ),
        order=tuple(order),
        rights=tuple("".join("01"[found[one]] for one in order) for found in right),
        pairs=tuple(_pair(before, after, found) for (before, after), found in judged.items()),
    )


def _advised(
    runs: Sequence[Run], called: Sequence[str], judged: dict[tuple[int, int], Judged], lead: str
) -> int | None:
    """The run that the verdict tells to use; `None` where it advises none, or is undecided."""
    if len(runs) < 2 or not lead.startswith("Use "):
        return None
    place = advised(runs, judged)
    return place if called[place] in lead else None


def _no_verdict(done: int, planned: int) -> str:
    asked = "1 question has" if done == 1 else f"{done:,} questions have"
    return (
        f"No verdict yet: of {planned:,} questions, {asked} an answer from every strategy so far; "
        "short answers come first, so what is there does not stand for the rest."
    )


def _baseline(runs: Sequence[Run]) -> int:
    plain = [run.strategy for run in runs]
    return next((plain.index(name) for name in BASELINES if name in plain), 0)


def _easy_first(runs: Sequence[Run]) -> list[str]:
    """Ids of the questions: those that most runs got right first, those that the same runs got right together."""
    right = [{sample.id for sample in run.samples if sample.status == "correct"} for run in runs]

    def rank(name: str) -> tuple[int, list[bool]]:
        missed = [name not in its for its in right]
        return sum(missed), missed

    return sorted((sample.id for sample in runs[0].samples), key=rank)


def _pair(before: int, after: int, found: Judged) -> Pair:
    comparison = found.comparison
    low, high = comparison.ci95
    said = (
        f"{comparison.delta * 100:+.1f} points, 95 % interval {low * 100:+.1f} to {high * 100:+.1f}, "
        f"{p_text(found.p_value)}"
    )
    return Pair(before, after, _set(said), len(comparison.fixed), len(comparison.broken))


def _set(said: str) -> str:
    """A sentence as print has it: what belongs together is not broken across lines, and a minus is no hyphen."""
    said = re.sub(r"(?<=[\d.]) (?=%)", "\u00a0", said)
    said = re.sub(r"\bp ([=<]) ", "p\u00a0\\1\u00a0", said)
    return re.sub(r"(?<![\w-])-(?=\d)", "\u2212", said)


def _warnings(runs: Sequence[Run], called: Sequence[str]) -> list[str]:
    return [
        f"{name} shows demonstrations made of the test's own questions, as published: its accuracy leaks."
        for name, run in zip(called, runs, strict=True)
        if run.manifest.get("pool", {}).get("leaks")
    ]


def _findings(runs: Sequence[Run], called: Sequence[str], judged: dict[tuple[int, int], Judged]) -> list[str]:
    pools = [said for run, name in zip(runs, called, strict=True) for said in pool_sentences(run, name)]
    return [*frontier_sentences(runs, called, judged), *pools]


def _across(benchmark: str, rows: Sequence[Row], findings: tuple[str, ...]) -> Across:
    if not rows:
        return Across(benchmark, findings, None, None)
    backends = list(dict.fromkeys(backend for row in rows for backend in row.runs))
    cells = [
        (
            row.strategy,
            *(f"{row.runs[one].accuracy * 100:.1f}" if one in row.runs else "" for one in backends),
            f"{abs(row.lead.delta) * 100:.1f}",
            p_text(row.p_value).removeprefix("p ").removeprefix("= "),
        )
        for row in rows
    ]
    said = (
        "Accuracy in %. Ahead: points of the best model over the next one. p: exact McNemar test corrected for all "
        "pairs of models and strategies (Holm)."
    )
    table = Table(("strategy", *backends, "ahead", "p"), tuple(cells), None, (said,))
    runs = [row.runs[one] for row in rows for one in backends if one in row.runs]
    chart = accuracy_chart(runs, [f"{run.strategy}, {run.backend}" for run in runs], None, "models")
    return Across(benchmark, findings, table, chart)
