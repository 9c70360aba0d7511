"""What becomes of a question, and what a run counts."""

import pytest

from promptkit import Example, Question, Result
from promptkit.errors import BackendError
from promptkit.evaluation.runs import Status, score
from promptkit.scheduler import Outcome
from promptkit.types import Kind
from tests.made_runs import run

EXAMPLE = Example(question=Question(text="3 + 4?", id="q-1"), gold="7")


def outcome(result: Result | None, error: Exception | None = None) -> Outcome[Result]:
    return Outcome(0, result, error, ())


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (Result(answer="7", text="7"), "correct"),
        (Result(answer="7.00", text="7.00"), "correct"),
        (Result(answer="8", text="8"), "wrong"),
        (Result(text="seven or so"), "unparsed"),
        (Result(text="7 and", answer="7", truncated=True), "truncated"),
        (Result(text="so we", truncated=True), "truncated"),
    ],
)
def test_status(result: Result, status: Status) -> None:
    sample = score(EXAMPLE, outcome(result))
    assert (sample.status, sample.answer, sample.text, sample.error) == (status, result.answer, result.text, None)


def test_a_failed_call_is_told() -> None:
    sample = score(EXAMPLE, outcome(None, BackendError("the server has gone", hint="try later")))
    assert (sample.status, sample.answer, sample.error) == ("failed", None, "the server has gone (try later)")


@pytest.mark.parametrize(
    ("kind", "gold", "answer", "status"),
    [
        ("set", ("a", "b"), ("a", "b"), "correct"),
        ("set", ("a", "b"), ("a",), "wrong"),
        ("yesno", "yes", "yes", "correct"),
        ("yesno", "yes", "no", "wrong"),
    ],
)
def test_answers_of_other_kinds(
    kind: Kind, gold: str | tuple[str, ...], answer: str | tuple[str, ...], status: Status
) -> None:
    example = Example(question=Question(text="Which?", kind=kind), gold=gold)
    assert score(example, outcome(Result(answer=answer))).status == status


def test_accuracy_counts_every_question() -> None:
    made = run("zero-shot", "++-?<!")
    assert made.accuracy == pytest.approx(2 / 6)
    assert [made.count(s) for s in ("correct", "wrong", "unparsed", "truncated", "failed")] == [2, 1, 1, 1, 1]


def test_summary_has_the_keys_of_the_contract() -> None:
    summary = run("zero-shot", "++-?<!", tokens=50).summary()
    assert list(summary) == [
        *("strategy", "benchmark", "backend", "n", "missing", "accuracy", "ci95"),
        *("correct", "wrong", "unparsed", "truncated", "failed", "usage", "seconds", "run_dir"),
    ]
    fixed = {"calls": 6, "prompt_tokens": 240, "completion_tokens": 250, "cached_calls": 0}
    assert fixed.items() <= summary["usage"].items()
    low, high = summary["ci95"]
    assert 0 < low < summary["accuracy"] < high < 1


def test_what_became_of_each_candidate_is_kept() -> None:
    candidates = (
        Result(answer="7", text="7"),
        Result(text="so"),
        Result(answer="7", truncated=True),
        Result(answer="8"),
    )
    elected = Result(answer="7", text="7", candidates=candidates, details={"failed_samples": 1})
    kept = score(EXAMPLE, outcome(elected)).candidates
    assert [one.status for one in kept] == ["correct", "unparsed", "truncated", "wrong", "failed"]
    assert [one.answer for one in kept] == ["7", None, "7", "8", None]
    assert [one.votes for one in kept] == [True, False, False, True, False]
