"""Runs made up for tests of what is said about them."""

from promptkit.evaluation.runs import Run, Sample, Status
from promptkit.types import Extraction, Usage

_STATUS: dict[str, Status] = {"+": "correct", "-": "wrong", "?": "unparsed", "<": "truncated", "!": "failed"}


def run(
    strategy: str,
    answers: str,
    *,
    tokens: int = 100,
    prompt: int = 40,
    backend: str = "qwen2.5-coder-0.5b",
    seconds: float = 9,
) -> Run:
    """A run on one question a character: + correct, - wrong, ? unread, < cut off, ! failed.

    `tokens` are generated a question, and `prompt` tokens read.
    """
    samples = tuple(_sample(place, _STATUS[mark], tokens, prompt) for place, mark in enumerate(answers, 1))
    return Run(strategy, "multiarith-style", backend, samples, seconds)


def _sample(place: int, status: Status, tokens: int, prompt: int) -> Sample:
    failed, read = status == "failed", status in ("correct", "wrong")
    said = {"correct": "18", "wrong": "17"}.get(status, "many")
    text = "" if failed else f"First Ann counts her eggs. The answer is {said}. That is all."
    start = text.find(said)
    return Sample(
        id=f"multiarith-style-{place}",
        question=f"Question {place}: how many eggs has Ann?",
        kind="number",
        gold="18",
        status=status,
        answer=said if read else None,
        extraction=Extraction(value=said, span=(start, start + len(said)), rule="phrase") if read else None,
        text=text,
        usage=Usage(calls=1, prompt_tokens=prompt, completion_tokens=0 if failed else tokens),
        error="the server has gone" if failed else None,
    )
