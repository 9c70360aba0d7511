"""The verdict: one sentence that says what a set of runs has shown, and no more."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from promptkit.evaluation.analysis.comparison import Comparison, compare
from promptkit.evaluation.presentation.phrases import (
    costs,
    factor,
    gap,
    interval,
    listed,
    p_text,
    points,
    questions,
    score_text,
    tokens,
)
from promptkit.evaluation.runs import Run
from promptkit.evaluation.statistics import ALPHA, holm, minimum_detectable_effect, questions_needed

SMALL_GAP = 0.05
"""Share of the questions up to which a cheaper strategy may lie behind in the sample and still be advised."""
SAME_PRICE = 1.1
"""Factor of generated tokens up to which a strategy counts as no dearer than the cheapest."""
BLIND = 0.995
"""Differences up to here go unseen: nothing can be shown at all."""
_NO_GAP = 0.005
"""Gaps below, as a share of the questions, are not worth saying how many questions would show them."""
MANY = 0.1
"""Share of answers that were not read, cut off or failed, from which the verdict mentions them."""


@dataclass(frozen=True)
class Judged:
    """A comparison of two runs among several, with its p-value corrected for all pairs (Holm, 1979)."""

    comparison: Comparison
    p_value: float

    @property
    def shown(self) -> bool:
        """Whether the test shows a difference, at 5 % over the whole set."""
        return self.p_value < ALPHA


def judge(runs: Sequence[Run]) -> dict[tuple[int, int], Judged]:
    """Compare every two finished runs, in both directions; the keys are the runs' places (from, to).

    Correcting for all pairs keeps the error rate whichever pair one looks at afterwards, the best-looking included.

    Raises:
        ConfigError: the runs have not asked the same questions.
    """
    whole = [place for place, run in enumerate(runs) if not run.missing]
    compared = {(a, b): compare(runs[a], runs[b]) for a, b in combinations(whole, 2)}
    corrected = holm([comparison.p_value for comparison in compared.values()])
    judged: dict[tuple[int, int], Judged] = {}
    for ((a, b), comparison), p in zip(compared.items(), corrected, strict=True):
        judged[a, b] = Judged(comparison, p)
        judged[b, a] = Judged(comparison.reversed(), p)
    return judged


def advised(runs: Sequence[Run], judged: dict[tuple[int, int], Judged]) -> int:
    """The place of the run to prefer: of those that none is shown to beat, the cheapest.

    Of several that cost about the same, it is the most accurate one.
    """
    unbeaten = [
        place
        for place in range(len(runs))
        if not any(found.shown and found.comparison.delta > 0 for (a, _), found in judged.items() if a == place)
    ]
    cheapest = min(tokens(runs[place]) for place in unbeaten)
    cheap = [place for place in unbeaten if tokens(runs[place]) <= cheapest * SAME_PRICE]
    return max(cheap, key=lambda place: (runs[place].accuracy, -tokens(runs[place])))


def verdict(runs: Sequence[Run], judged: dict[tuple[int, int], Judged] | None = None) -> str:
    """One sentence: which strategy to use on this benchmark with this model, and what was shown of the others.

    Args:
        runs: runs that asked the same questions.
        judged: what `judge` gave for them, where that is at hand already.

    Raises:
        ConfigError: the runs have not asked the same questions.
    """
    if partial := stopped(runs):
        whole = [run for run in runs if not run.missing]
        return " ".join([partial, *([f"Of those that are whole: {verdict(whole)}"] if whole else [])])
    called = names(runs)
    judged = judge(runs) if judged is None else judged
    parts = _compared(runs, called, judged) if len(runs) > 1 else [_alone(runs[0])]
    if note := _unscored(runs, called):
        parts.append(note)
    sentence = "; ".join(parts)
    return sentence[0].upper() + sentence[1:] + "."


def stopped(runs: Sequence[Run]) -> str:
    """What is missing, where runs were stopped; nothing where all are whole."""
    part = [(name, run) for name, run in zip(names(runs), runs, strict=True) if run.missing]
    if not part:
        return ""
    lacking = listed([f"{run.missing} of {questions(run.n + run.missing)} of {name}" for name, run in part])
    return (
        f"Stopped, as {part[0][1].stopped}: {lacking} are missing. A part has no accuracy: short answers are finished "
        "first, so what is there does not stand for the rest."
    )


def names(runs: Sequence[Run]) -> list[str]:
    """What to call the runs: their strategies, with backend and folder where those alone tell them apart."""
    called = [run.strategy for run in runs]
    for more in ([run.backend for run in runs], [str(run.run_dir or place) for place, run in enumerate(runs, 1)]):
        often = Counter(called)
        if len(set(more)) > 1:
            called = [f"{name} ({one})" if often[name] > 1 else name for name, one in zip(called, more, strict=True)]
    return called


def _alone(run: Run) -> str:
    return f"only {run.strategy} was run, {score_text(run)}; with nothing to compare it to, no gain can be shown"


def _compared(runs: Sequence[Run], called: list[str], judged: dict[tuple[int, int], Judged]) -> list[str]:
    n = questions(runs[0].n)
    best = max(range(len(runs)), key=lambda place: (runs[place].accuracy, -tokens(runs[place])))
    if runs[best].accuracy == 0:
        high = runs[best].ci95.high
        return [f"no strategy got any of {n} right (95 % interval 0 to {high * 100:.0f} %), so nothing can be advised"]
    if blindness(judged, len(runs)) > BLIND and not any(found.shown for found in judged.values()):
        counts = listed([f"{name} {run.count('correct')}" for run, name in zip(runs, called, strict=True)])
        return [f"{n} cannot show any difference, so take more; right so far: {counts}"]
    field = _Field(runs, called, judged, advised(runs, judged))
    missed = blindness(judged, len(runs), field.chosen) * 100
    return [*_advice(field, best, f"{n} easily {_miss(runs[0].n)} gaps below {missed:.0f} points"), *_weak(field)]


@dataclass(frozen=True)
class _Field:
    """The runs, and the one that is advised among them."""

    runs: Sequence[Run]
    called: list[str]
    judged: dict[tuple[int, int], Judged]
    chosen: int

    @property
    def others(self) -> list[int]:
        return [place for place in range(len(self.runs)) if place != self.chosen]

    def against(self, place: int) -> Judged:
        """How another run differs from the advised one."""
        return self.judged[self.chosen, place]

    def listed(self, places: list[int]) -> str:
        return listed([self.called[place] for place in places])

    def costs(self, place: int, other: int) -> list[str]:
        return costs(self.runs[place], self.runs[other])


def _advice(field: _Field, best: int, missed: str) -> list[str]:
    """What to use, what it is shown to beat, and what is not shown."""
    name, score = field.called[field.chosen], score_text(field.runs[field.chosen])
    worse = [place for place in field.others if field.against(place).shown]
    open_ = [place for place in field.others if place not in worse]
    if best in open_ and field.against(best).comparison.delta > SMALL_GAP:
        open_.remove(best)
        parts = [_undecided(field, best)]
        parts += [_beats(field, worse, name)] if worse else []
        parts += [_not_shown(field, open_)] if open_ else []
        return [*parts, missed]
    unbeaten = ", which none is shown to beat" if open_ else ""
    parts = [f"use {name}{unbeaten}: {score}"]
    parts += [_beats(field, worse, "it")] if worse else []
    if open_:
        enough = _enough(field, open_[0]) if len(open_) == 1 else None
        more = f", and about {enough:,} would show this one" if enough else ""
        parts += [_not_shown(field, open_), missed + more]
    return parts


def _undecided(field: _Field, best: int) -> str:
    """A dearer run is well ahead, and that is not shown."""
    found, enough = field.against(best), _enough(field, best)
    name, other = field.called[field.chosen], field.called[best]
    gain = f"{points(found.comparison.delta)} points more ({p_text(found.p_value)})"
    return (
        f"undecided between {name} and {other}, so take more questions: "
        f"{name} has {score_text(field.runs[field.chosen])}, {other} {gain} "
        f"with {' and '.join(field.costs(best, field.chosen))}"
        f"{f', which about {enough:,} questions would show' if enough else ''}"
    )


def _beats(field: _Field, worse: list[int], it: str) -> str:
    """What is shown: by how much, and for what price, the advised run beats the best of those below it."""
    gaps = {place: -field.against(place).comparison.delta for place in worse}
    nearest = min(worse, key=lambda place: gaps[place])
    found = field.against(nearest)
    said = (
        f"{it} beats {field.called[nearest]} by {points(gaps[nearest])} points "
        f"({interval(found.comparison.ci95)}, {p_text(found.p_value)}) "
        f"with {' and '.join(field.costs(field.chosen, nearest))}"
    )
    if not (others := [place for place in worse if place != nearest]):
        return said
    by = "more" if min(gaps[place] for place in others) > gaps[nearest] else "as much or more"
    return f"{said}, and {field.listed(others)} by {by}"


def _not_shown(field: _Field, open_: list[int]) -> str:
    """What is not shown; of several runs the names, how far the best is ahead, and what they cost."""
    said = f"no difference is shown from {field.listed(open_)}"
    if len(open_) == 1:
        found = field.against(open_[0])
        details = [gap(found.comparison.delta), p_text(found.p_value), *field.costs(open_[0], field.chosen)]
        return f"{said} ({', '.join(details)})"
    ahead = max(0.0, *(field.against(place).comparison.delta for place in open_))
    details = ["none is ahead" if points(ahead) == "0.0" else f"at most {points(ahead)} points ahead"]
    spent, its = sorted(tokens(field.runs[place]) for place in open_), tokens(field.runs[field.chosen])
    if its and spent[0]:
        few, many = factor(spent[0] / its), factor(spent[-1] / its)
        details.append(f"{few if few == many else f'{few} to {many}'} the generated tokens")
    return f"{said} ({', '.join(details)})"


def _weak(field: _Field) -> list[str]:
    """Forbidding a model to reason makes every other strategy look good; advising it may be short-sighted."""
    others = {_preset(field.runs[place]) for place in field.others}
    if _preset(field.runs[field.chosen]) == "direct":
        fair = "" if "zero-shot" in others else ", so compare with zero-shot too"
        return [f"direct forbids reasoning, which harder questions may need{fair}"]
    if others != {"direct"}:
        return []
    fair = "" if _preset(field.runs[field.chosen]) == "zero-shot" else ", so compare with zero-shot too"
    return [f"direct may not reason and is a weak baseline{fair}"]


def _enough(field: _Field, place: int) -> int | None:
    """How many questions would show a gap of this size four times out of five, in two digits, rounded up."""
    comparison, pairs = field.against(place).comparison, len(field.judged) // 2
    if abs(comparison.delta) < _NO_GAP:
        return None
    share = (len(comparison.fixed) + len(comparison.broken)) / comparison.n
    needed = questions_needed(comparison.delta, share, alpha=ALPHA / pairs)
    digit = 10 ** max(0, len(str(needed)) - 2)
    return -(-needed // digit) * digit


def _miss(n: int) -> str:
    return "misses" if n == 1 else "miss"


def blindness(judged: dict[tuple[int, int], Judged], runs: int, place: int | None = None) -> float:
    """The largest difference that a comparison which showed none could well have missed; 0 if each showed one.

    Args:
        judged: what `judge` gave.
        runs: how many there are.
        place: only comparisons with the run at this place.
    """
    pairs = runs * (runs - 1) // 2
    open_ = [
        found.comparison for (a, b), found in judged.items() if a < b and not found.shown and place in (None, a, b)
    ]
    return max(
        (minimum_detectable_effect(c.n, (len(c.fixed) + len(c.broken)) / c.n, alpha=ALPHA / pairs) for c in open_),
        default=0.0,
    )


def _unscored(runs: Sequence[Run], called: list[str]) -> str:
    """Which runs have many answers that never were judged by their value: the score is of more than reasoning then."""
    notes: list[str] = []
    for run, name in zip(runs, called, strict=True):
        counts = {"unread": run.count("unparsed"), "cut off": run.count("truncated"), "failed": run.count("failed")}
        if sum(counts.values()) >= MANY * run.n:
            notes.append(f"{name} {', '.join(f'{count} {what}' for what, count in counts.items() if count)}")
    if not notes:
        return ""
    scores = "this score tells" if len(runs) == 1 else "the scores tell"
    said = "; ".join(notes)
    return f"many answers were never judged ({said}), so {scores} of formatting and limits, not only of reasoning"


def _preset(run: Run) -> str:
    return run.strategy.partition(":")[0]
