"""The verdict: one sentence that says what a set of runs has shown, and no more."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from promptkit.evaluation.comparison import Comparison, compare
from promptkit.evaluation.runs import Run
from promptkit.evaluation.stats import holm, minimum_detectable_effect

ALPHA = 0.05
SMALL_GAP = 0.05
"""Share of the questions up to which a cheaper strategy may lie behind in the sample and still be advised."""
SAME_PRICE = 1.1
"""Factor of generated tokens up to which a strategy counts as no dearer than the cheapest."""
_OTHER_PROMPT = 1.5
"""Factor by which prompts must differ in length, one way or the other, to be mentioned."""
BLIND = 0.995
"""Differences up to here go unseen: nothing can be shown at all."""
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
    lacking = _and([f"{run.missing} of {_questions(run.n + run.missing)} of {name}" for name, run in part])
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


def tokens(run: Run) -> int:
    """Tokens generated, which a model writes one after the other.

    They are the price by which strategies are compared. Prompt tokens, which demonstrations multiply, are read all at
    once and cost less each; verdict and table show them beside, and do not add them up.
    """
    return run.usage.completion_tokens


def p_text(p: float) -> str:
    """A p-value as people write it, never rounded across the limit of 0.05."""
    if p < 0.001:
        return "p < 0.001"
    if 0.0495 <= p < ALPHA:
        return "p < 0.05"
    return f"p = {p:.3f}" if p < 0.0995 else f"p = {p:.2f}"


def _alone(run: Run) -> str:
    return f"only {run.strategy} was run, {_score(run)}; with nothing to compare it to, no gain can be shown"


def _compared(runs: Sequence[Run], called: list[str], judged: dict[tuple[int, int], Judged]) -> list[str]:
    n = _questions(runs[0].n)
    best = max(range(len(runs)), key=lambda place: (runs[place].accuracy, -tokens(runs[place])))
    if runs[best].accuracy == 0:
        high = runs[best].ci95.high
        return [f"no strategy got any of {n} right (95 % interval 0 to {high * 100:.0f} %), so nothing can be advised"]
    blind = blindness(judged, len(runs))
    if blind > BLIND and not any(found.shown for found in judged.values()):
        counts = _and([f"{name} {run.count('correct')}" for run, name in zip(runs, called, strict=True)])
        return [f"{n} cannot show any difference, so take more; right so far: {counts}"]
    chosen = advised(runs, judged)
    others = [place for place in range(len(runs)) if place != chosen]
    worse = [place for place in others if judged[chosen, place].shown]
    open_ = [place for place in others if place not in worse]

    def about(place: int) -> str:
        found = judged[chosen, place]
        said = [_gap(found), p_text(found.p_value), *_costs(runs[place], runs[chosen])]
        return f"{called[place]} ({', '.join(said)})"

    it, parts = "it", [f"use {called[chosen]}, {_score(runs[chosen])}"]
    if best in open_ and judged[chosen, best].comparison.delta > SMALL_GAP:
        parts = [f"undecided between {called[chosen]}, {_score(runs[chosen])}, and {about(best)}: take more questions"]
        open_.remove(best)
        it = called[chosen]
    elif open_:
        parts[0] += ", as no other is shown to beat it"
    if worse:
        parts.append(f"shown to be worse than {it}: {_and([about(place) for place in worse])}")
    if open_:
        parts.append(f"not shown to differ from {it}: {_and([about(place) for place in open_])}")
    if len(worse) < len(others):
        parts.append(f"with {n}, differences below about {blind * 100:.0f} points are easily missed")
    baselines = {_preset(runs[place]) for place in others}
    if baselines == {"direct"} and _preset(runs[chosen]) != "direct":
        parts.append("direct may not reason and is a weak baseline, so compare with zero-shot too")
    if _preset(runs[chosen]) == "direct":
        fair = "" if "zero-shot" in baselines else ", so compare with zero-shot too"
        parts.append(f"direct forbids reasoning, which harder questions may need{fair}")
    return parts


def blindness(judged: dict[tuple[int, int], Judged], runs: int) -> float:
    """The largest difference that a comparison which showed none could well have missed; 0 if each showed one."""
    pairs = runs * (runs - 1) // 2
    open_ = [found.comparison for (a, b), found in judged.items() if a < b and not found.shown]
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


def _gap(found: Judged) -> str:
    """How far the second run of a comparison lies behind the first or ahead, with the interval where it is shown."""
    delta = found.comparison.delta * 100
    if f"{abs(delta):.1f}" == "0.0":
        return "level"
    said = f"{abs(delta):.1f} points {'ahead' if delta > 0 else 'behind'}"
    if not found.shown:
        return said
    low, high = sorted(abs(limit) * 100 for limit in found.comparison.ci95)
    return f"{said}, 95 % interval {low:.1f} to {high:.1f}"


def _score(run: Run) -> str:
    low, high = run.ci95
    return (
        f"right on {run.count('correct')} of {_questions(run.n)} "
        f"({run.accuracy * 100:.1f} %, 95 % interval {low * 100:.0f} to {high * 100:.0f})"
    )


def _questions(n: int) -> str:
    return "1 question" if n == 1 else f"{n} questions"


def _costs(run: Run, chosen: Run) -> list[str]:
    """What a run costs against the chosen one: generated tokens, and prompt tokens where they differ by much."""
    said = [_times(tokens(run), tokens(chosen), "generated tokens")]
    read, its = run.usage.prompt_tokens, chosen.usage.prompt_tokens
    if max(read, its) >= _OTHER_PROMPT * min(read, its) > 0:
        said.append(_times(read, its, "prompt tokens"))
    return said


def _times(mine: int, its: int, what: str) -> str:
    if mine == its:
        return f"as many {what}"
    if not mine or not its:
        return f"no {what}" if not mine else f"{mine} {what} against none"
    ratio = mine / its
    if 0.95 <= ratio < 1.05:
        return f"about as many {what}"
    if ratio < 0.095:
        return f"1/{1 / ratio:.0f} of the {what}"
    return f"{ratio:.0f}× the {what}" if ratio >= 9.95 else f"{ratio:.1f}× the {what}"


def _and(items: list[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]
