"""Outputs of models that authors published with their papers, read and scored again.

- The logs of Kojima et al. (2022): twelve tasks, zero-shot and zero-shot chain of thought, with every output of
  text-davinci-002 and what the authors' cleansing made of it.
- The labelled solutions of GSM8K by Cobbe et al. (2021): four models, each solution with the authors' verdict.

`python -m benchmarks.published_tables FILE…` prints what comes out.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

from promptkit.errors import ConfigError
from promptkit.extract import canonical, extractor_for, same
from promptkit.strategies.triggers import STEP_BY_STEP, answer_trigger
from promptkit.types import AnswerValue, Kind, Question

LETTERS = "ABCDEF"
TASKS: dict[str, tuple[Kind, int]] = {
    **dict.fromkeys(("multiarith", "gsm8k", "addsub", "singleeq", "svamp"), ("number", 0)),
    **dict.fromkeys(("aqua", "commonsensqa"), ("choice", 5)),
    "bigbench_date": ("choice", 6),
    "object_tracking": ("choice", 3),
    **dict.fromkeys(("strategyqa", "coin_flip"), ("yesno", 0)),
    "last_letters": ("text", 0),
}
"""The authors' name of each task → kind of answer, and up to how many choices its prompt speaks of."""

_SEPARATOR = "*" * 25 + "\n"
_BLOCK = re.compile(
    r"""(?sx) _th_sampling\n Q:\ (?P<question> .*? ) \nA:(?P<output> .*? )
        \npred_before\ :\ (?P<pred_before> .*? ) \npred_after\ :\ (?P<pred_after> [^\n]* )
        .*? \nGT\ :\ (?P<gold> [^\n]* )"""
)


class Block(NamedTuple):
    """What a log says of one question."""

    question: str
    rationale: str
    """What the model wrote before the answer trigger; empty in the logs without chain of thought."""
    pred_before: str
    """What the model wrote after the answer trigger: the text that was cleansed."""
    pred_after: str
    gold: str

    @property
    def correct(self) -> bool:
        """The authors' verdict."""
        return self.pred_after == self.gold


class Recording(NamedTuple):
    """One log: a task, all its questions in order, and the published accuracy in percent."""

    task: str
    blocks: tuple[Block, ...]
    accuracy: float

    def asked(self, block: Block) -> Question:
        """A question of the log with its kind; choices are taken out of its text."""
        kind, count = TASKS[self.task]
        found = choices(block.question, count)
        return Question(text=block.question, kind=kind, choices=found)

    def published(self, block: Block) -> str:
        """The prediction by the published cleansing, which knows up to which letter a task goes; "" for none."""
        kind, count = TASKS[self.task]
        question = Question(text=block.question, kind=kind, choices=tuple(LETTERS[:count]))
        found = extractor_for(question, "published")(block.pred_before)
        return str(found.value) if found else ""

    def ours(self, block: Block) -> AnswerValue | None:
        """The answer by promptkit's own rules for texts that follow an answer trigger."""
        found = extractor_for(self.asked(block), "answer")(block.pred_before)
        return found.value if found else None

    def right(self, block: Block) -> bool:
        """promptkit's own verdict, by value."""
        value, gold = self.ours(block), canonical(block.gold, self.asked(block))
        return value is not None and gold is not None and same(value, gold)


def parse(log: str) -> Recording:
    """Read one log of Kojima et al.

    Raises:
        ConfigError: it is none, or of a task that the paper does not have.
    """
    accuracy = re.search(r"^accuracy : ([0-9.]+)$", log, re.MULTILINE)
    task = re.search(r"\bdataset='(\w+)'", log)
    if not accuracy or not task or task[1] not in TASKS:
        raise ConfigError(
            "this is no log of zero-shot prompts as Kojima et al. published them",
            hint="it begins with its settings and ends with its accuracy",
        )
    kind, count = TASKS[task[1]]
    trigger = answer_trigger(Question(text="-", kind=kind, choices=tuple(LETTERS[:count])), therefore=True)
    blocks = [_block(match, trigger) for part in log.split(_SEPARATOR) if (match := _BLOCK.search(part))]
    return Recording(task[1], tuple(blocks), float(accuracy[1]))


def choices(question: str, count: int) -> tuple[str, ...]:
    """The choices that follow "Answer Choices:" in a question, at most `count`; empty where it has none."""
    rest = question.partition("Answer Choices:")[2]
    marks: list[re.Match[str]] = []
    for letter in LETTERS[:count]:
        mark = re.compile(rf"\({letter}\)").search(rest, marks[-1].end() if marks else 0)
        if not mark:
            break
        marks.append(mark)
    ends = [*(mark.start() for mark in marks[1:]), len(rest)]
    return tuple(rest[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=False))


class Solution(NamedTuple):
    """A model's solution of a problem of GSM8K, with the authors' verdict."""

    model: str
    text: str
    gold: str
    """The right solution, which ends in its `####` line."""
    correct: bool

    def published(self) -> bool:
        """The verdict by the published rule: equal characters after `#### `."""
        read = extractor_for(_NUMBER, "gsm8k-published")
        said, gold = read(self.text), read(self.gold)
        return said is not None and gold is not None and said.value == gold.value

    def right(self) -> bool:
        """promptkit's own verdict: a marked answer of the same value."""
        said, gold = extractor_for(_NUMBER, "strict")(self.text), extractor_for(_NUMBER, "strict")(self.gold)
        return said is not None and gold is not None and same(said.value, gold.value)


_NUMBER = Question(text="How many?")


def solutions(lines: Iterable[str]) -> Iterator[Solution]:
    """The labelled solutions of a JSONL file: `ground_truth`, and for each model its `solution` and `is_correct`.

    Raises:
        ConfigError: a line is not of this form.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = cast("dict[str, Any]", json.loads(line))
            gold = str(row["ground_truth"])
            for model, value in row.items():
                if isinstance(value, dict):
                    labelled = cast("dict[str, Any]", value)
                    yield Solution(model, str(labelled["solution"]), gold, labelled["is_correct"] is True)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ConfigError(
                f"line {number} holds no labelled solutions", hint="it needs ground_truth, and solution and is_correct"
            ) from error


def _block(match: re.Match[str], trigger: str) -> Block:
    output = match["output"].removesuffix(match["pred_before"]).removesuffix(f"\n{trigger}")
    cot = output.lstrip().startswith(STEP_BY_STEP)
    rationale = output.lstrip().removeprefix(STEP_BY_STEP) if cot else ""
    return Block(match["question"], rationale, match["pred_before"], match["pred_after"], match["gold"])
