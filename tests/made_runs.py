"""Runs made up for tests of what is said about them."""

from collections.abc import Sequence
from typing import Any

from promptkit.errors import BackendError
from promptkit.evaluation.runs import Run, Sample, Status, score
from promptkit.scheduler import Outcome
from promptkit.strategies.voting import Attempt, vote
from promptkit.types import Example, Extraction, Question, Result, Usage

_STATUS: dict[str, Status] = {"+": "correct", "-": "wrong", "?": "unparsed", "<": "truncated", "!": "failed"}


def run(
    strategy: str,
    answers: str,
    *,
    tokens: int = 100,
    prompt: int = 40,
    backend: str = "qwen2.5-coder-0.5b",
    seconds: float = 9,
    seed: int | None = None,
) -> Run:
    """A run on one question a character: + correct, - wrong, ? unread, < cut off, ! failed.

    `tokens` are generated a question, and `prompt` tokens read.
    """
    samples = tuple(_sample(place, _STATUS[mark], tokens, prompt) for place, mark in enumerate(answers, 1))
    manifest: dict[str, Any] = {} if seed is None else {"seed": seed}
    return Run(strategy, "multiarith-style", backend, samples, seconds, manifest=manifest)


def voting_run(strategy: str, pools: Sequence[str], *, tokens: int = 100, backend: str = "qwen2.5-coder-0.5b") -> Run:
    """A run of a vote on one question a string, one sample a character.

    + is the right answer, a letter a wrong one, ? unread, < cut off, ! failed. `tokens` are generated a sample.
    """
    samples: list[Sample] = []
    for place, marks in enumerate(pools, 1):
        example = Example(
            question=Question(text=f"Question {place}: how many eggs has Ann?", id=f"multiarith-style-{place}"),
            gold="18",
        )
        attempts = [_attempt(mark) for mark in marks]
        try:
            outcome = Outcome[Result](place, vote(attempts), None, ())
        except BackendError as error:
            outcome = Outcome[Result](place, None, error, ())
        usage = Usage(calls=len(marks), completion_tokens=tokens * len(marks))
        samples.append(score(example, outcome).model_copy(update={"usage": usage}))
    return Run(strategy, "multiarith-style", backend, tuple(samples), 9)


def _attempt(mark: str) -> Attempt:
    match mark:
        case "!":
            return BackendError("the server has gone")
        case "?":
            return Result(text="many")
        case "<":
            return Result(text="18 and", answer="18", truncated=True)
        case _:
            answer = "18" if mark == "+" else str(100 + ord(mark))
            return Result(text=answer, answer=answer)


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
