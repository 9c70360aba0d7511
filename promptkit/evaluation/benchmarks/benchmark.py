"""Benchmarks: questions with right answers, from the package, the Hugging Face Hub, a generator or a file of one's own.

    load("multiarith-style")                                  # packaged
    load("gsm8k")                                             # the published test set, from the hub
    load("gsm8k=test.jsonl")                                  # the same from a local file
    load("reasoning-gym:basic_arithmetic", limit=50)          # made up and scored by that package
    load("hub:openai/gsm8k/main/test")                        # any data set of the hub
    load("mine.csv", question="Q", answer="A", kind="label")  # any table or JSON

Nothing is dropped: a row that cannot be used is an error that names it.
"""

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from promptkit.errors import BenchmarkError, ConfigError
from promptkit.evaluation.benchmarks.balance import balanced
from promptkit.evaluation.benchmarks.catalogue import KNOWN, Known, entry_of, names
from promptkit.evaluation.benchmarks.formats import FORMATS, Columns, Format, Item, RowError
from promptkit.evaluation.benchmarks.scorers import Scorer, by_gold
from promptkit.evaluation.benchmarks.sources import Source, open_source
from promptkit.extract import canonical
from promptkit.types import AnswerValue, Example, Kind, Question

_KINDS: tuple[Kind, ...] = get_args(Kind)
_NUMBER = re.compile(r"[-+−]?[$€£]?\s?(\d[\d,]*(\.\d*)?|\.\d+)\s?%?")
_GOLD_HINTS: dict[Kind, str] = {
    "number": "an answer of kind number is one number, perhaps with its unit",
    "choice": "an answer of kind choice is the letter or the whole text of one of the choices",
    "label": "an answer of kind label is one of the labels in the column choices",
    "yesno": "an answer of kind yesno is yes or no, true or false",
    "date": "an answer of kind date is a date such as 2020-05-17 or 05/17/2020",
}


@dataclass(frozen=True)
class Benchmark:
    """Questions of one kind with their right answers."""

    name: str
    kind: Kind
    examples: tuple[Example, ...]
    source: str
    """The file, or the hub's id, `@` and the commit."""
    sha256: str
    """Of the bytes it was read from."""
    licence: str
    citation: str
    scorer: Scorer = by_gold
    """What counts as right."""
    notes: tuple[str, ...] = ()
    """What the loader saw and did: repeated questions, unbalanced answers, guesses, shuffled choices."""

    def limited(self, limit: int | None) -> "Benchmark":
        """The first `limit` examples, or all of them where there are fewer or `limit` is `None`.

        Raises:
            BenchmarkError: `limit` is below 1.
        """
        if limit is None:
            return self
        _check_limit(limit)
        return replace(self, examples=self.examples[:limit])


def known() -> list[Known]:
    """The benchmarks that have a name: packaged, on the hub, of plugins, or published files that `NAME=FILE` reads.

    A plugin that cannot be used is left out, with a warning that names it.
    """
    found: list[Known] = []
    for name in names():
        try:
            entry = entry_of(name)
            if entry:
                found.append(replace(entry, size=len(load(name).examples)) if entry.packaged else entry)
        except ConfigError as error:
            if name in KNOWN:
                raise
            warnings.warn(str(error), UserWarning, stacklevel=2)
    return found


def load(
    spec: str | Path,
    *,
    question: str | None = None,
    answer: str | None = None,
    kind: Kind | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Benchmark:
    """Read a benchmark.

    Args:
        spec: a name of `known()`; a file, whose format is recognised by its keys; `NAME=FILE`, to say the format;
            `reasoning-gym:TASK`; or `hub:OWNER/NAME[@REVISION][/SPLIT or FILE]`.
        question: the column with the questions, for files of no published format; "question" when not given.
        answer: the column with the right answers; "answer" when not given. Further columns such a file may have: `id`,
            and `choices` (a list, or texts between bars), the options or the labels.
        kind: what sort of answers such a file has. Not given, it is guessed where all answers are numbers, or all are
            yes or no, or there are choices, and a note says so.
        limit: only the first so many questions. Notes, labels and the shuffling are those of the whole file.
        seed: of the shuffling of choices, done only where the right one's position gives it away; and of questions that
            are made up.

    Raises:
        BenchmarkError: the benchmark is unknown or cannot be had, or its file cannot be read.
    """
    _check_limit(limit)
    if kind is not None and kind not in _KINDS:
        raise BenchmarkError(f"there is no kind {kind!r}", hint=f"choose one of {', '.join(_KINDS)}")
    opened = open_source(str(spec), limit, seed)
    form, entry = _format(opened, question, answer)
    items: list[Item] = []
    for number, row in enumerate(opened.rows, 1):
        try:
            items.append(form.read(row))
        except (RowError, KeyError) as error:
            problem = str(error) if isinstance(error, RowError) else f"there is no column {error}"
            raise BenchmarkError(f"{opened.source}: row {number}: {problem}", hint="correct that row") from error
    kind, notes = _kind(items, kind, entry, opened.source)
    examples = _examples(items, kind, opened, notes)
    if kind == "choice":
        examples = balanced(examples, seed, notes)
    if entry and entry.rows:
        examples = examples[slice(*entry.rows)]
    _describe(examples, kind, notes)
    if entry and entry.size and entry.size != len(examples):
        notes.append(f"{len(examples)} questions, where the published set has {entry.size}")
    benchmark = Benchmark(
        name=opened.name,
        kind=kind,
        examples=tuple(examples),
        source=opened.source,
        sha256=opened.sha256,
        licence=entry.licence if entry else "not stated",
        citation=entry.citation if entry else "",
        scorer=(entry.scorer if entry else None) or form.scorer,
        notes=tuple(notes),
    )
    return benchmark.limited(limit)


def _format(opened: Source, question: str | None, answer: str | None) -> tuple[Format | Columns, Known | None]:
    """How to read the rows, and the catalogue's entry where these are its questions."""
    if opened.format:
        return opened.format, opened.entry
    first, entry = opened.rows[0], opened.entry
    columns = Columns(question or "question", answer or "answer")
    candidates: list[Format | Columns] = [columns] if question or answer else [*FORMATS, columns]
    if entry and opened.forced and not (question or answer):
        candidates = [one for one in candidates if one.name == entry.format]
    if found := next((one for one in candidates if one.fits(first)), None):
        return found, entry if entry and (opened.forced or entry.format == found.name) else None
    there = ", ".join(map(repr, first)) or "none"
    if question or answer:
        missing = ", ".join(repr(name) for name in sorted(columns.keys - first.keys()))
        raise BenchmarkError(f"{opened.source}: there is no column {missing}", hint=f"the columns are {there}")
    if entry and opened.forced:
        needs = " or ".join("+".join(sorted(one.keys)) for one in candidates)
        raise BenchmarkError(
            f"{opened.source} is not in the format of {entry.name}, which has {needs}", hint=f"its keys are {there}"
        )
    raise BenchmarkError(
        f"{opened.source}: unknown format with the keys {there}",
        hint="say which hold what: --question COLUMN --answer COLUMN --kind KIND",
    )


def _kind(items: Sequence[Item], kind: Kind | None, entry: Known | None, source: str) -> tuple[Kind, list[str]]:
    """The kind of all answers, and the note about it where it was guessed."""
    kinds: set[Kind | None] = {item.kind for item in items}
    if len(kinds) > 1:
        raise BenchmarkError(f"{source} mixes questions of the kinds {sorted(map(str, kinds))}", hint="split the file")
    stated: Kind | None = kinds.pop()
    if stated and kind and kind != stated:
        raise BenchmarkError(
            f"{source} has answers of kind {stated}, not {kind}", hint="leave the kind out, or name the columns"
        )
    settled = stated or kind or (entry.kind if entry else None)
    if settled:
        return settled, []
    golds = [item.gold for item in items]
    if any(item.options for item in items):
        return "choice", ["kind choice, as there is a column choices"]
    if all(_NUMBER.fullmatch(gold) for gold in golds):
        return "number", ["kind number, as all answers are numbers"]
    if {gold.casefold() for gold in golds} <= {"yes", "no", "true", "false"}:
        return "yesno", ["kind yesno, as all answers are yes or no"]
    raise BenchmarkError(
        f"{source}: what kind of answers are these? The first is {golds[0][:60]!r}", hint=f"--kind {'|'.join(_KINDS)}"
    )


def _examples(items: Sequence[Item], kind: Kind, opened: Source, notes: list[str]) -> list[Example]:
    """Questions with canonical golds and unique ids."""
    labels: tuple[str, ...] = ()
    if kind == "label":
        labels = tuple(sorted({item.gold for item in items if not item.options}))
        notes += [f"labels, taken from the answers: {', '.join(labels)}"] if labels else []
    examples: list[Example] = []
    rows: dict[str, int] = {}
    for number, item in enumerate(items, 1):
        name = item.id or f"{opened.name}-{number - 1}"
        if name in rows:
            raise BenchmarkError(
                f"{opened.source}: rows {rows[name]} and {number} have the same id {name!r}", hint="make the ids unique"
            )
        rows[name] = number
        question = Question(
            text=item.text,
            kind=kind,
            choices=item.options if kind == "choice" else (),
            labels=(item.options or labels) if kind == "label" else (),
            id=name,
        )
        gold = canonical(item.gold, question)
        if gold is None:
            raise BenchmarkError(
                f"{opened.source}: row {number}: {item.gold[:60]!r} is no answer of kind {kind}",
                hint=_GOLD_HINTS.get(kind, "correct that row"),
            )
        examples.append(Example(question=question, gold=gold, rationale=item.rationale))
    return examples


def _describe(examples: Sequence[Example], kind: Kind, notes: list[str]) -> None:
    """Note repeated questions, and what always giving the same answer would score."""
    golds: dict[tuple[str, tuple[str, ...]], set[AnswerValue]] = {}
    for example in examples:
        golds.setdefault((example.question.text, example.question.choices), set()).add(example.gold)
    if repeats := len(examples) - len(golds):
        conflicts = sum(len(found) > 1 for found in golds.values())
        differ = f", {conflicts} with answers that differ" if conflicts else ""
        notes.append(f"{repeats} of {len(examples)} questions repeat an earlier one{differ}")
    if kind in ("choice", "label", "yesno"):
        gold, often = Counter(example.gold for example in examples).most_common(1)[0]
        notes.append(f"always answering {gold!r} would be right in {often / len(examples):.1%} of the questions")


def _check_limit(limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise BenchmarkError(f"limit {limit} leaves no questions", hint="give a limit of 1 or more")
