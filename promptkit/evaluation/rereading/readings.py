"""Reading the stored texts of a run again: by another extractor, strictly, or with the right answer in hand."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from promptkit.errors import ConfigError
from promptkit.evaluation.rereading.stored_answers import (
    StoredAnswer,
    only_answer,
    question_of,
    sampled_answers,
    voting,
)
from promptkit.evaluation.runs import Run, Sample, score
from promptkit.extract import extractor_for, names, values
from promptkit.scheduler import Outcome
from promptkit.strategies.voting import closest, embedded_likeness, overlap_likeness, path_probability, vote
from promptkit.types import AnswerValue, Example, Extraction, Question, Result

Reader: TypeAlias = Callable[[StoredAnswer], Extraction | None]
"""Finds the answer in a stored text."""

_LEAD = "The answer is "
_SENTENCE = re.compile(r"[.!?]\s|\n")


@dataclass(frozen=True)
class Asked:
    """A sample of a run with its question, so that its texts can be read again."""

    sample: Sample
    question: Question
    settings: dict[str, Any] | None
    """Of the vote; `None` where nothing voted."""
    _found: dict[tuple[str, str], Extraction | None] = field(
        default_factory=dict[tuple[str, str], Extraction | None], repr=False, compare=False
    )

    @property
    def example(self) -> Example:
        """Question and right answer."""
        return Example(question=self.question, gold=self.sample.gold)

    def extract(self, name: str, text: str) -> Extraction | None:
        """What an extractor finds in a text; found once, however many readings ask."""
        if (name, text) not in self._found:
            self._found[name, text] = extractor_for(self.question, name)(text)
        return self._found[name, text]

    @property
    def kept(self) -> bool:
        """Whether its status stays whatever reads it: it failed, or its answer was put together, not read in a text."""
        sample = self.sample
        return sample.status == "failed" or (sample.answer is not None and sample.extraction is None)


def asked(run: Run) -> list[Asked]:
    """The samples of a run, ready to be read again.

    Raises:
        ConfigError: its benchmark does not score by an answer that an extractor reads.
    """
    if rules := run.manifest.get("benchmark", {}).get("scored_by"):
        raise ConfigError(
            f"{run.benchmark} is scored by {rules}, not by an answer read from a text",
            hint="rescore and audit are for benchmarks with a right answer",
        )
    settings = voting(run)
    return [Asked(sample, question_of(sample, run), settings) for sample in run.samples]


def by_name(one: Asked, name: str) -> Sample:
    """The sample as a run with this extractor would have scored it.

    The published cleansing is compared as its authors did, as strings: "18.00" is not "18" then.

    Raises:
        ConfigError: the extractor does not exist or cannot read this kind of answer, or the texts of the samples that
            voted are not to be found.
    """
    extractor_for(one.question, name)
    read = _read_again(one, _plainly(one, name))
    if name == "published" and read.status in ("correct", "wrong"):
        return read.model_copy(update={"status": "correct" if read.answer == one.sample.gold else "wrong"})
    return read


def strictly(one: Asked) -> Sample:
    """The sample as a reader scores it who never guesses: the answer must be marked, stand alone, or follow at once
    where the prompt ended with "the answer is"."""

    def read(stored: StoredAnswer) -> Extraction | None:
        if stored.led and (found := one.extract("strict", _LEAD + stored.text)) and found.span[0] >= len(_LEAD):
            return _moved(found, -len(_LEAD))
        if found := one.extract("strict", stored.text):
            return found
        found = one.extract("lenient", stored.text)
        return found if found and found.rule == "only" else None

    return _read_again(one, read)


def leniently(one: Asked) -> Sample:
    """The sample as a reader scores it who knows the right answer and looks for it: an upper bound.

    It is right where any extractor reads the right answer from the text, or "lenient" from the rationale before it;
    where, of numbers and dates, it stands anywhere in the last sentence that holds any; and where it was right in the
    run. A text that was cut off counts like any other. What votes is re-elected from texts read so.
    """
    example = one.example
    known = readable(one.question)

    def readings(stored: StoredAnswer) -> Iterator[Extraction | None]:
        for name in known:
            yield one.extract(name, stored.text)
        if one.question.kind in ("number", "date"):
            yield from _last_sentence(stored.text, one.question)

    def read(stored: StoredAnswer) -> Extraction | None:
        found = next((x for x in readings(stored) if x and is_right(x.value, example)), None)
        if found is None and stored.rationale:
            in_rationale = one.extract("lenient", stored.rationale)
            if in_rationale and is_right(in_rationale.value, example):
                return Extraction(value=in_rationale.value, span=(0, 0), rule="rationale")
        return found or one.extract("lenient", stored.text)

    if one.sample.status == "correct":
        return one.sample
    return _read_again(one, read, cut_counts=True)


def readable(question: Question) -> list[str]:
    """The extractors that can read this kind of answer."""

    def reads(name: str) -> bool:
        try:
            extractor_for(question, name)
        except ConfigError:
            return False
        return True

    return [name for name in names() if reads(name)]


def is_right(answer: AnswerValue, example: Example) -> bool:
    """Whether an answer scores as correct."""
    return score(example, Outcome(0, Result(answer=answer), None, ())).status == "correct"


def _read_again(one: Asked, read: Reader, *, cut_counts: bool = False) -> Sample:
    if one.kept:
        return one.sample
    sample = one.sample
    if one.settings is None:
        details = {"details": sample.details}
        result = _result(only_answer(sample), read, cut_counts).model_copy(update=details)
    else:
        stored = _candidates(one)
        result = _elected([_result(text, read, cut_counts) for text in stored], stored, one.settings)
        others = {name: value for name, value in sample.details.items() if name != "tie"}
        result = result.model_copy(update={"details": {**others, **result.details}})
    scored = score(one.example, Outcome(0, result, None, sample.calls))
    return scored.model_copy(update={"rationale": scored.rationale or sample.rationale})


def _result(stored: StoredAnswer, read: Reader, cut_counts: bool) -> Result:
    found = read(stored)
    return Result(
        answer=found.value if found else None,
        text=stored.text,
        extraction=found,
        rationale=stored.rationale,
        truncated=stored.truncated and not (cut_counts and found is not None),
    )


def _candidates(one: Asked) -> list[StoredAnswer]:
    """The texts that voted, sure to be those: read by one of the extractors they give the stored votes again."""
    stored = sampled_answers(one.sample)
    for name in readable(one.question):
        read = _plainly(one, name)
        counted = vote([_result(text, read, False) for text in stored]).votes if stored else ()
        if {(v.value, v.count) for v in counted} == {(v.value, v.count) for v in one.sample.votes}:
            return stored
    raise ConfigError(
        f"{one.sample.id}: the texts of its samples do not give the votes that the run has counted",
        hint="self-consistency over chains, trees or itself cannot be read again",
    )


def _elected(results: Sequence[Result], stored: Sequence[StoredAnswer], settings: dict[str, Any]) -> Result:
    """The vote over again, by the run's own rule. Adaptive sampling: over the samples that were drawn."""
    match settings.get("vote", "majority"):
        case "weighted":
            return vote(results, [path_probability(text.calls) for text in stored])
        case "similarity":
            return closest(results, embedded_likeness(str(settings["embedder"])))
        case "overlap":
            return closest(results, overlap_likeness())
        case _:
            return vote(results)


def _plainly(one: Asked, name: str) -> Reader:
    return lambda stored: one.extract(name, stored.text)


def _last_sentence(text: str, question: Question) -> Iterator[Extraction]:
    found = values(text, question)
    if found:
        ends = [end.end() for end in _SENTENCE.finditer(text, 0, found[-1].span[0])]
        start = ends[-1] if ends else 0
        yield from (one for one in found if one.span[0] >= start)


def _moved(found: Extraction, by: int) -> Extraction:
    start, end = found.span
    return found.model_copy(update={"span": (start + by, end + by)})


def changed(before: Sample, after: Sample) -> bool:
    """Whether another reading changes how a question scores or what was answered."""
    return (before.status, before.answer) != (after.status, after.answer)
