"""The formats that benchmarks are published in: how a row becomes a question with its right answer."""

import re
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from promptkit.evaluation.benchmarks.rows import LINE, Row, json_value
from promptkit.evaluation.benchmarks.scorers import Scorer, by_gold, creative_writing, crossword
from promptkit.strategies.tree.creative_writing import TASK
from promptkit.strategies.tree.crosswords import PLACES
from promptkit.types import Kind

_CALCULATOR = re.compile(r"<<[^<>]*>>")
"""The calculator annotations of GSM8K, which no demonstration should teach."""
_OPTION_LETTER = re.compile(r"\s*\(?([A-Z])\s*[).:]\s*")


class RowError(Exception):
    """One row does not have what its format promises; the loader adds the file and the row's number."""


@dataclass(frozen=True)
class Item:
    """A question as its file has it; the gold is not canonical yet."""

    text: str
    gold: str
    kind: Kind | None = None
    """`None` where the file leaves it open."""
    options: tuple[str, ...] = ()
    id: str = ""
    rationale: str = ""


@dataclass(frozen=True)
class Format:
    """A published format, recognised by its keys."""

    name: str
    keys: frozenset[str]
    read: Callable[[Row], Item]
    """One row to one question; raises `RowError`."""
    marks: Callable[[Row], bool] = lambda _: True
    """What a row must have besides the keys."""
    scorer: Scorer = by_gold
    """What counts as right."""
    lines: bool = False
    """Whether the file is plain text, one question a line; such a file has no keys, so its format must be said."""

    def fits(self, row: Row) -> bool:
        """Whether a file whose first row is this one has this format."""
        return self.keys <= row.keys() and self.marks(row)


@dataclass(frozen=True)
class Columns:
    """Which columns of a file of the user's own hold what."""

    question: str
    answer: str
    name: None = None
    scorer: Scorer = by_gold

    @property
    def keys(self) -> frozenset[str]:
        """The columns that a row needs."""
        return frozenset({self.question, self.answer})

    def fits(self, row: Row) -> bool:
        """Whether the columns are there."""
        return self.keys <= row.keys()

    def read(self, row: Row) -> Item:
        """One row to one question; its kind is not known here."""
        return Item(text(row, self.question), text(row, self.answer), None, _own_options(row), _id(row))


def text(row: Row, column: str) -> str:
    """A column's value as text; items of a list stand on lines of their own.

    Raises:
        RowError: the column is missing or empty, or its value is an object.
    """
    if column not in row:
        raise RowError(f"there is no column {column!r}, only {', '.join(map(repr, row))}")
    value = row[column]
    if isinstance(value, list):
        value = "\n".join(map(str, cast("list[Any]", value)))
    if isinstance(value, Mapping):
        raise RowError(f"column {column!r} holds an object, not a text")
    if value is None or not str(value).strip():
        raise RowError(f"column {column!r} is empty")
    return str(value).strip()


def _id(row: Row) -> str:
    return next((str(row[name]).strip() for name in ("id", "ID") if row.get(name) is not None), "")


def _own_options(row: Row) -> tuple[str, ...]:
    """A column `choices`: a list, a JSON list in a cell, or texts between bars."""
    value = row.get("choices")
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json_value(value)
        except ValueError as error:
            raise RowError(f"column 'choices' is no JSON list: {value!r}") from error
    elif isinstance(value, str):
        value = value.split("|") if value.strip() else None
    if value is None:
        return ()
    if not isinstance(value, list):
        raise RowError("column 'choices' is no list of texts")
    return _options(cast("list[Any]", value))


def _options(values: Iterable[Any]) -> tuple[str, ...]:
    options = tuple(str(value).strip() for value in values)
    if not 2 <= len(options) <= 26 or not all(options):
        raise RowError(f"needs 2 to 26 choices, none of them empty; there are {len(options)}")
    return options


def _equation_solution(row: Row) -> Item:
    """MultiArith, AddSub and SingleEq."""
    solutions = row["lSolutions"]
    if not isinstance(solutions, list) or not solutions:
        raise RowError("column 'lSolutions' is no list with a solution")
    return Item(text(row, "sQuestion"), str(cast("list[Any]", solutions)[0]), "number", id=_id(row))


def _multiarith_of_the_hub(row: Row) -> Item:
    return Item(text(row, "question"), text(row, "final_ans"), "number", id=_id(row))


def _gsm8k(row: Row) -> Item:
    steps, mark, gold = text(row, "answer").rpartition("####")
    if not mark or not gold.strip():
        raise RowError("column 'answer' has nothing after ####")
    rationale = _CALCULATOR.sub("", steps).strip()
    return Item(text(row, "question"), gold.strip().replace(",", ""), "number", id=_id(row), rationale=rationale)


def _svamp(row: Row) -> Item:
    return Item(f"{text(row, 'Body')} {text(row, 'Question')}", text(row, "Answer"), "number", id=_id(row))


def _aqua(row: Row) -> Item:
    written = row["options"]
    if not isinstance(written, list):
        raise RowError("column 'options' is no list")
    letters = [_OPTION_LETTER.match(str(option)) for option in cast("list[Any]", written)]
    if [letter and letter[1] for letter in letters] != list(string.ascii_uppercase[: len(letters)]):
        raise RowError("the options are not lettered A), B), …")
    options = _options(letter.string[letter.end() :] for letter in letters if letter)
    return Item(text(row, "question"), text(row, "correct"), "choice", options, _id(row))


def _commonsense_qa(row: Row) -> Item:
    question = row["question"]
    try:
        labels = [str(choice["label"]) for choice in question["choices"]]
        options = _options(choice["text"] for choice in question["choices"])
    except (KeyError, TypeError) as error:
        raise RowError("column 'question' does not hold a stem and choices with label and text") from error
    key = text(row, "answerKey")
    if key not in labels:
        raise RowError(f"the answer {key!r} is none of the choices' labels")
    return Item(text(question, "stem"), string.ascii_uppercase[labels.index(key)], "choice", options, _id(row))


def _has_stem(row: Row) -> bool:
    return isinstance(row["question"], Mapping)


def _big_bench(row: Row) -> Item:
    scores = row["target_scores"]
    if not isinstance(scores, dict):
        raise RowError("column 'target_scores' is no object")
    scored = cast("dict[str, Any]", scores)
    right = [place for place, score in enumerate(scored.values()) if str(score) in ("1", "1.0")]
    if len(right) != 1:
        raise RowError(f"{len(right)} of the target_scores are 1, where exactly one should be")
    options = _options(scored)
    if {option.casefold() for option in options} == {"yes", "no"}:
        return Item(text(row, "input"), options[right[0]], "yesno", id=_id(row))
    return Item(text(row, "input"), string.ascii_uppercase[right[0]], "choice", options, _id(row))


def _game24(row: Row) -> Item:
    numbers = text(row, "Puzzles")
    if not re.fullmatch(r"[0-9]+( [0-9]+)+", numbers):
        raise RowError(f"column 'Puzzles' holds {numbers!r}, not numbers with a space between")
    task = f"Combine the numbers {numbers} with +, -, *, / and parentheses to get 24. Use each of them exactly once."
    return Item(f"{task} The answer is one expression.", "24", "expression", id=_id(row))


def _crossword(row: Row) -> Item:
    asked, letters = row["0"], row["1"]
    if len(asked) != len(PLACES) or len(letters) != 25:
        raise RowError(f"needs 10 clues and 25 letters; there are {len(asked)} and {len(letters)}")
    clues = [f"{place}. {' '.join(str(clue).split())}" for place, clue in zip(PLACES, asked, strict=True)]
    rows = ["".join(map(str, letters[start : start + 5])) for start in range(0, 25, 5)]
    task = "Solve this 5x5 crossword. h1 to h5 are the words across, from the top; v1 to v5 those down, from the left."
    return Item("\n".join([task, *clues, "The answer is the five rows, one a line."]), "\n".join(rows), "grid")


def _clues_and_letters(row: Row) -> bool:
    return isinstance(row["0"], list) and isinstance(row["1"], list)


def _creative_writing(row: Row) -> Item:
    return Item(TASK + text(row, LINE), text(row, LINE), "text")


FORMATS = (
    Format("MultiArith", frozenset({"sQuestion", "lSolutions"}), _equation_solution),
    Format("MultiArith", frozenset({"question", "final_ans"}), _multiarith_of_the_hub),
    Format("GSM8K", frozenset({"question", "answer"}), _gsm8k, lambda row: "####" in str(row["answer"])),
    Format("SVAMP", frozenset({"Body", "Question", "Answer"}), _svamp),
    Format("AQuA", frozenset({"question", "options", "correct"}), _aqua),
    Format("CommonsenseQA", frozenset({"question", "answerKey"}), _commonsense_qa, _has_stem),
    Format("Game of 24", frozenset({"Puzzles"}), _game24),
    Format("BIG-bench", frozenset({"input", "target_scores"}), _big_bench),
    Format("Mini crosswords", frozenset({"0", "1"}), _crossword, _clues_and_letters, crossword),
    Format("Creative writing", frozenset({LINE}), _creative_writing, scorer=creative_writing, lines=True),
)
"""The published formats. Rows with `question` and `answer` alone are none: the kind of their answers is open."""
