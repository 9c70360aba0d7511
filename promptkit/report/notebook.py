"""How a notebook shows runs and results: small, in the notebook's own colours, everything foreign escaped."""

from collections.abc import Sequence
from html import escape

from promptkit.evaluation.runs import Run, Status
from promptkit.types import Result, answer_text

_SHOWN = 1200
"""Characters of a text that are shown around the answer."""
_BOX = "max-width:46em;line-height:1.45"
_MISSED: tuple[tuple[Status, str], ...] = (
    ("wrong", "wrong"),
    ("unparsed", "not read"),
    ("truncated", "cut off"),
    ("failed", "failed"),
)
_NO_MATHS = "tex2jax_ignore mathjax_ignore"
"""Keeps notebooks from reading what stands between two dollar signs as a formula."""
_SOFT = "opacity:.7;font-size:90%"


def result_html(result: Result) -> str:
    """The answer, the text with the answer marked, and the votes."""
    answer = "no answer could be read" if result.answer is None else answer_text(result.answer)
    head = f"<b>{escape(result.error) if result.error else escape(answer)}</b>"
    if result.truncated:
        head += f' <span style="{_SOFT}">cut off by the token limit</span>'
    parts = [f"<div>{head}</div>"]
    if result.rationale and result.rationale != result.text:
        parts.append(_paragraph(escape(_start(result.rationale)), soft=True))
    if result.text:
        parts.append(_paragraph(_marked(result)))
    if result.votes:
        votes = ", ".join(f"{answer_text(vote.value)} × {vote.count}" for vote in result.votes)
        parts.append(_paragraph(escape(f"votes: {votes}"), soft=True))
    usage = result.usage
    if usage.calls:
        calls = "1 call" if usage.calls == 1 else f"{usage.calls} calls"
        said = f"{calls}, {usage.completion_tokens} tokens generated, {usage.prompt_tokens} read"
        parts.append(_paragraph(said, soft=True))
    return f'<div class="{_NO_MATHS}" style="{_BOX}">{"".join(parts)}</div>'


def run_html(run: Run) -> str:
    """Strategy, accuracy with its interval, what became of the questions, and the cost."""
    low, high = run.ci95
    cells: Sequence[tuple[str, str]] = (
        ("strategy", run.strategy),
        ("benchmark", run.benchmark),
        ("model", run.backend),
        ("right", f"{run.count('correct')} of {run.n} = {run.accuracy * 100:.1f} %"),
        ("95 % interval", f"{low * 100:.0f} to {high * 100:.0f} %"),
        *((said, str(run.count(status))) for status, said in _MISSED),
        ("new tokens a question", f"{run.usage.completion_tokens / max(run.n, 1):.0f}"),
    )
    head = "".join(f"<th>{escape(name)}</th>" for name, _ in cells)
    row = "".join(f"<td>{escape(value)}</td>" for _, value in cells)
    where = f'<div style="{_SOFT}">{escape(str(run.run_dir))}</div>' if run.run_dir else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody></table>"
    return f'<div class="{_NO_MATHS}">{table}{where}</div>'


def _marked(result: Result) -> str:
    if result.extraction is None:
        return escape(_start(result.text))
    start, end = result.extraction.span
    before, after = result.text[:start], result.text[end:]
    before = before if len(before) <= _SHOWN else f"… {before[-_SHOWN:]}"
    return f"{escape(before)}<mark>{escape(result.text[start:end])}</mark>{escape(_start(after))}"


def _paragraph(content: str, *, soft: bool = False) -> str:
    return f'<div style="white-space:pre-wrap;margin-top:.4em{";" + _SOFT if soft else ""}">{content}</div>'


def _start(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"
