"""How numbers are worded, in verdicts and below tables."""

from collections.abc import Sequence
from decimal import Decimal

from promptkit.evaluation.runs import Run
from promptkit.evaluation.statistics import ALPHA, Interval

_OTHER_PROMPT = 1.5
"""Factor by which prompts must differ in length, one way or the other, to be mentioned."""


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


def gap(delta: float) -> str:
    """How far a run lies ahead of another one, or behind it."""
    if points(delta) == "0.0":
        return "level"
    return f"{points(delta)} points {'ahead' if delta > 0 else 'behind'}"


def points(delta: float) -> str:
    """The size of a difference in points."""
    return f"{abs(delta) * 100:.1f}"


def interval(limits: Interval) -> str:
    """The interval of a difference whose sign is said: the sizes of its limits, or their signs where they differ."""
    low, high = limits
    if low * high < 0:
        return f"95 % interval {low * 100:+.1f} to {high * 100:+.1f}"
    return f"95 % interval {points(min(limits, key=abs))} to {points(max(limits, key=abs))}"


def score_text(run: Run) -> str:
    """How many questions a run has right."""
    low, high = run.ci95
    percent = f"{run.accuracy * 100:.1f} %, 95 % interval {low * 100:.0f} to {high * 100:.0f}"
    return f"{run.count('correct')} of {run.n} right ({percent})"


def dollars(amount: float) -> str:
    """US dollars in two digits, or whole where there are more; never with an exponent."""
    return f"{amount:.0f}" if amount >= 10 else f"{Decimal(f'{amount:.2g}'):f}"


def questions(n: int) -> str:
    """So many questions."""
    return "1 question" if n == 1 else f"{n} questions"


def costs(run: Run, chosen: Run) -> list[str]:
    """What a run costs against the chosen one: generated tokens, and prompt tokens where they differ by much."""
    said = [times(tokens(run), tokens(chosen), "generated tokens")]
    read, its = run.usage.prompt_tokens, chosen.usage.prompt_tokens
    if max(read, its) >= _OTHER_PROMPT * min(read, its) > 0:
        said.append(times(read, its, "prompt tokens"))
    return said


def times(mine: int, its: int, what: str) -> str:
    """How much of something one takes against another."""
    if mine == its:
        return f"as many {what}"
    if not mine or not its:
        return f"no {what}" if not mine else f"{mine} {what} against none"
    ratio = mine / its
    if 0.95 <= ratio < 1.05:
        return f"about as many {what}"
    return f"{factor(ratio)} {'of ' if ratio < 0.095 else ''}the {what}"


def factor(ratio: float) -> str:
    """A ratio with two digits."""
    if ratio < 0.095:
        return f"1/{1 / ratio:.0f}"
    return f"{ratio:.0f}×" if ratio >= 9.95 else f"{ratio:.1f}×"


def listed(items: Sequence[str]) -> str:
    """Items in a sentence."""
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]
