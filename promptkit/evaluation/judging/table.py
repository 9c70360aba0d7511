"""Judged texts in the terminal: points by criterion, agreement, and who wrote better."""

from collections.abc import Callable, Sequence
from itertools import combinations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from promptkit.evaluation.judging.agreement import ENOUGH, Agreement
from promptkit.evaluation.judging.judged import Judged, compare_points, compare_verdicts
from promptkit.evaluation.judging.pairwise import Preference
from promptkit.evaluation.presentation.phrases import p_text
from promptkit.evaluation.statistics import ALPHA
from promptkit.evaluation.statistics.paired_points import PointsDifference
from promptkit.foreign_text import one_line

WEAK = 0.4
"""Kappa up to which agreement is at most "fair" (Landis and Koch, 1977): verdicts of such a judge decide nothing."""


def print_judged(all_judged: Sequence[Judged], console: Console, seed: int) -> None:
    """Print a table for each judge, how far to trust it, and the paired comparison of the writers."""
    for judge in dict.fromkeys(one.judge for one in all_judged):
        group = [one for one in all_judged if one.judge == judge]
        first = group[0]
        sizes = sorted({len(one.judgements) for one in group})
        texts = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        title = f"{first.rubric.name}, {texts} texts each, judged by {judge}"
        console.print(Text(one_line(title), style="bold"))
        console.print(_table(group))
        for line in [*_trust(group), *_compared(group, seed)]:
            console.print(Text(one_line(line)), soft_wrap=not console.is_terminal)
        console.print()
    for line in _between(all_judged):
        console.print(Text(one_line(line)), soft_wrap=not console.is_terminal)


def print_preference(preference: Preference, names: tuple[str, str], judge: str, console: Console) -> None:
    """Print which of two writers a judge prefers, and how much its choice hangs on the order."""
    said = [
        f"{len(preference.verdicts)} pairs in both orders, judged by {judge}",
        preferred(preference, names),
        position(preference),
    ]
    for line in said:
        console.print(Text(one_line(line)), soft_wrap=not console.is_terminal)


def preferred(preference: Preference, names: tuple[str, str]) -> str:
    """One sentence: who wins."""
    a, b, tie = (preference.wins(who) for who in ("a", "b", "tie"))
    count = f"{names[0]} wins {a}, {names[1]} wins {b}, {tie} ties, {preference.unread} not read"
    if preference.p_value >= ALPHA:
        return f"No preference is shown: {count} ({p_text(preference.p_value)}, exact sign test)."
    better = names[1] if b > a else names[0]
    return f"{better} is preferred: {count} ({p_text(preference.p_value)}, exact sign test)."


def position(preference: Preference) -> str:
    """One sentence: how far the judge looked at the place instead of the text."""
    picks = preference.picks
    total = sum(picks.values())
    if not total:
        return "No verdict could be read, so nothing is known of a position bias."
    read = len(preference.verdicts) - preference.unread
    said = (
        f"Position: the first text was picked {picks['first']} times of {total}, the second {picks['second']}, neither "
        f"{picks['neither']}; the two orders contradict each other in {preference.inconsistent} of {read} pairs, which "
        "count as ties"
    )
    biased = preference.bias_p_value < ALPHA
    return f"{said}. This judge has a position bias ({p_text(preference.bias_p_value)})." if biased else f"{said}."


def _table(group: Sequence[Judged]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("criterion", overflow="fold")
    for one in group:
        table.add_column(Text(one_line(one.source)), justify="right", overflow="fold")
    for place, criterion in enumerate(group[0].rubric.criteria):
        by = " (by code)" if criterion.check and criterion.counts == "check" else ""
        cells = [_points(one.scores[place].points, one.scores[place].unread_points) for one in group]
        table.add_row(Text(criterion.name + by), *map(Text, cells))
    totals = [f"{_points(one.points, one.unread_points)} of {one.maximum:g}" for one in group]
    table.add_row(Text("total", style="bold"), *(Text(total, style="bold") for total in totals))
    unread = [str(_unread(one)) for one in group]
    if any(count != "0" for count in unread):
        table.add_row(Text("verdicts not read"), *map(Text, unread))
    return table


def _points(points: float, unread: float) -> str:
    """Points, as a range where verdicts that were not read could have given more."""
    return f"{points:g}" if not unread else f"{points:g}–{points + unread:g}"


def _unread(judged: Judged) -> int:
    return sum(verdict.reading != "read" for judgement in judged.judgements for verdict in judgement.verdicts)


def _trust(group: Sequence[Judged]) -> list[str]:
    """How far the judge agrees with code and with people, over the texts of all writers."""
    lines: list[str] = []
    for criterion in group[0].rubric.criteria:
        values = _pooled(group, Judged.values, criterion.name)
        code = _pooled(group, Judged.checked, criterion.name)
        labels = _pooled(group, Judged.labels, criterion.name)
        for others, whom in ((code, "code"), (labels, "people's labels")):
            if others:
                lines.append(f"{criterion.name}: judge and {whom} {said(compare_verdicts(values, others, criterion))}")
    return lines


def _between(all_judged: Sequence[Judged]) -> list[str]:
    """How far several judges agree with each other, over the texts of all writers."""
    lines: list[str] = []
    for a, b in combinations(dict.fromkeys(one.judge for one in all_judged), 2):
        by_a, by_b = ([one for one in all_judged if one.judge == judge] for judge in (a, b))
        for criterion in by_a[0].rubric.criteria:
            one, other = (_pooled(group, Judged.values, criterion.name) for group in (by_a, by_b))
            lines.append(f"{criterion.name}: {a} and {b} {said(compare_verdicts(one, other, criterion))}")
    return lines


def _pooled(
    group: Sequence[Judged], verdicts: Callable[[Judged, str], dict[str, str]], criterion: str
) -> dict[str, str]:
    return {f"{one.source}/{name}": value for one in group for name, value in verdicts(one, criterion).items()}


def said(found: Agreement) -> str:
    """One agreement in words."""
    if not found.n:
        return "have no text in common that both could judge."
    agreed = f"agree on {found.share * 100:.0f} % of {found.n}"
    if found.kappa is None:
        return f"{agreed}, both with one verdict for all, so that kappa is not defined."
    if found.ci95 is None:
        return f"{agreed}, kappa {found.kappa:.2f} (of fewer than {ENOUGH} texts no interval can be told)."
    low, high = found.ci95
    weak = ": no better than fair" if found.kappa <= WEAK else ""
    return f"{agreed}, kappa {found.kappa:.2f} (95 % interval {low:.2f} to {high:.2f}){weak}."


def _compared(group: Sequence[Judged], seed: int) -> list[str]:
    return [points_verdict(group[0], other, compare_points(group[0], other, seed=seed)) for other in group[1:]]


def points_verdict(a: Judged, b: Judged, found: PointsDifference | None) -> str:
    """One sentence: who got more points, and whether that is shown."""
    if found is None:
        return f"{b.source} and {a.source} have no text in common of which every verdict was read."
    low, high = found.ci95
    gap = f"{found.delta:+.2f} points a text (95 % interval {low:+.2f} to {high:+.2f}, {p_text(found.p_value)})"
    counts = f"more for {found.better} of {found.n} texts, fewer for {found.worse}"
    if found.p_value < ALPHA:
        word = "more" if found.delta > 0 else "fewer"
        return f"{b.source} gets {word} points than {a.source}: {gap}; {counts}."
    return f"No difference is shown between {b.source} and {a.source}: {gap}; {counts}."
