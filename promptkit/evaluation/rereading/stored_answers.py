"""What a finished question has on disk: the texts that hold its answers, as they were written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.errors import ConfigError
from promptkit.evaluation.runs import Run, Sample
from promptkit.types import Call, Question

_ANSWER_PHRASE = re.compile(r"(?is)\banswer\b[^.?!\n]{0,300}\b(?:is|are)\s*:?\s*\Z")


@dataclass(frozen=True)
class StoredAnswer:
    """One text that holds an answer: the only one of a question, or one of the samples that voted."""

    text: str
    """The completion that holds the answer; of two stages the second."""
    rationale: str
    """What was reasoned in a stage before; empty where there was none."""
    truncated: bool
    """Whether the text hit its token limit."""
    led: bool
    """Whether its prompt ended with an answer phrase ("Therefore, the answer is"), which it goes on."""
    calls: tuple[Call, ...] = ()
    """All calls that led to it."""


def question_of(sample: Sample, run: Run) -> Question:
    """The question as it was asked. Old runs do not name the labels: those that are right somewhere stand in."""
    labels = sample.labels
    if sample.kind == "label" and not labels:
        labels = tuple(sorted({str(one.gold) for one in run.samples}))
    return Question(text=sample.question, kind=sample.kind, choices=sample.choices, labels=labels, id=sample.id)


def voting(run: Run) -> dict[str, Any] | None:
    """How the run's strategy votes: the settings of its self-consistency; `None` where nothing votes.

    Raises:
        ConfigError: it weighed its votes, and nobody knows how, as the run was not written to a folder.
    """
    definition: dict[str, Any] = run.manifest.get("strategy_definition", {})
    if definition.get("strategy") == "self-consistency":
        return definition
    votes = [vote for sample in run.samples for vote in sample.votes]
    if any(vote.weight is not None for vote in votes):
        raise ConfigError(f"it is not known how {run.strategy} weighs its votes", hint="give evaluate() a run_dir")
    return {} if votes else None


def only_answer(sample: Sample) -> StoredAnswer:
    """The text that holds the answer of a question where nothing voted."""
    made = [call for call in sample.calls if call.completion and call.completion.text == sample.text]
    return StoredAnswer(
        text=sample.text,
        rationale="" if sample.rationale == sample.text else sample.rationale,
        truncated=sample.status == "truncated",
        led=bool(made) and _led(made[-1]),
        calls=sample.calls,
    )


def sampled_answers(sample: Sample) -> list[StoredAnswer]:
    """The text of every sample that was drawn for a question, in sample order; failed ones are left out.

    A sample's answer is in the completion that no other one continues. Greedy second stages have no sample index of
    their own, so each is found by the rationale that it continues.

    Raises:
        ConfigError: the calls do not tell which text is the answer of which sample.
    """
    done = [call for call in sample.calls if call.completion]
    by_id = {call.completion.id: call for call in done if call.completion and call.completion.id}
    continued = {call.request.parent for call in done}
    answers: dict[tuple[int, ...], StoredAnswer] = {}
    for call in done:
        completion = call.completion
        if completion is None or completion.id in continued:
            continue
        path = _path(call, by_id)
        index = next((one.request.sample for one in path if one.request.sample), None)
        if index is None or index in answers:
            raise ConfigError(
                f"{sample.id}: its calls do not tell which text each sample ends with",
                hint="self-consistency over chains, trees or itself cannot be read again",
            )
        rationale = path[-2].completion if len(path) > 1 else None
        answers[index] = StoredAnswer(
            text=completion.text,
            rationale=rationale.text if rationale else "",
            truncated=completion.finish_reason == "length",
            led=_led(call),
            calls=tuple(path),
        )
    return [answers[index] for index in sorted(answers)]


def _path(call: Call, by_id: dict[str, Call]) -> Sequence[Call]:
    """A call after all those that it continues."""
    path = [call]
    while (parent := path[0].request.parent) in by_id and len(path) <= len(by_id):
        path.insert(0, by_id[str(parent)])
    return path


def _led(call: Call) -> bool:
    request, completion = call.request, call.completion
    if _ANSWER_PHRASE.search(request.messages[-1].content):
        return True
    rendered = completion.rendered if completion else None
    in_completion_mode = rendered is not None and rendered.endswith(request.text)
    return in_completion_mode and bool(_ANSWER_PHRASE.search(request.text))
