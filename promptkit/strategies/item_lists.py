"""Lists and pairs as models write them: with bullets or numbers, one a line, in one line, as a table, as JSON.

A text that cannot be read is a `ValueError`, whose message is shown to the model.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, cast

from promptkit.extract.text import fold
from promptkit.strategies.json_in_text import json_array

MAX_WORDS = 8
"""Words of each half of a pair that stands in a line without a bullet; what is longer is prose."""

_MARK = re.compile(r"(?:[-*•–—]|\(?\d{1,3}[.)]) (.*)")
_LABEL = re.compile(r"(?i)(?:[\w ]{0,30} )?(?:list|items?|answers?|entities|names|pairs?|output|results?): ")
_RULE = re.compile(r"[|: ]*-[|: -]*")
_NOTHING = {"none", "nothing", "n/a", "no items", "no pairs", "(none)", "there are none"}
_WRAPPED = (("**", "**"), ("*", "*"), ("`", "`"), ('"', '"'), ("'", "'"), ("“", "”"), ("«", "»"))
_TIES = tuple(
    re.compile(tie)
    for tie in (
        r" ?(?:<->|<=>|->|=>|[↔→|]) ?",
        r" ?— ?| [–-]{1,2} ",
        r" ?; ?",
        r", (?:and )?",
        r" (?:and|&|/) ",
        r": ",
    )
)
"""What may stand between the halves of a pair, the clearest first."""
_WITH_REMARK = 2
"""After this many of the ties a third part may follow, which is a remark: "A | B | they met"."""


def read_list(text: str) -> list[str]:
    """The items of a list; those of one line are split at semicolons, else at commas and the last "and"."""
    if _says_none(text):
        return []
    array = json_array(text)
    if array is not None:
        if not all(isinstance(item, str | int | float) for item in array):
            raise ValueError("an item of the list is no plain text")
        return [str(item) for item in array]
    lines, marked = _lines(text)
    if not marked and len(lines) == 1:
        lines = _in_one_line(lines[0])
    items = [item for line in lines if not _RULE.fullmatch(line) and (item := _bare(line.rstrip(",;")))]
    if not items:
        raise ValueError("there is no item in it")
    return items


def read_set(text: str) -> list[str]:
    """The items of a list, each once and sorted, so that what comes after does not depend on the model's order."""
    spelt: dict[str, str] = {}
    for item in read_list(text):
        spelt.setdefault(fold(item), item)
    return [spelt[key] for key in sorted(spelt)]


def read_pairs(text: str) -> list[list[str]]:
    """The pairs of a text, two names each; one that is written again is left out.

    The halves are parted by "|", an arrow, a dash, a semicolon, a comma, "and" or a colon, or stand in brackets. What
    follows after a colon, or after a second bar, arrow or dash, is a remark. Lines without a bullet that hold no pair
    are words around the list; a bulleted line that holds none is an error.
    """
    if _says_none(text):
        return []
    array = json_array(text)
    found = _of_array(array) if array is not None else _of_lines(*_lines(text))
    pairs: dict[tuple[str, str], list[str]] = {}
    for first, second in found:
        pairs.setdefault((fold(first), fold(second)), [first, second])
    if not pairs and array != []:
        raise ValueError("there is no pair in it")
    return list(pairs.values())


def _lines(text: str) -> tuple[list[str], bool]:
    """The lines that hold items, and whether bullets or numbers mark them; words around marked lines are left out."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("```")]
    if marked := [found[1] for line in lines if (found := _MARK.fullmatch(line))]:
        return marked, True
    return [line for line in lines if not line.endswith(":")], False


def _in_one_line(line: str) -> list[str]:
    line = (line[1:-1] if line[:1] + line[-1:] == "[]" else _LABEL.sub("", line, count=1)).removesuffix(".")
    if ";" in line:
        return line.split(";")
    *items, last = re.split(r",(?!\d{3}\b)", line)
    return [*items, *re.split(r"(?:^| )and ", last)]


def _of_array(array: Iterable[object]) -> Iterator[list[str]]:
    for item in array:
        halves: object = list(cast("dict[str, Any]", item).values()) if isinstance(item, dict) else item
        pair = _halves(" ".join(halves.split())) if isinstance(halves, str) else halves
        if not isinstance(pair, list) or len(cast("list[Any]", pair)) < 2:
            raise ValueError(f"{json.dumps(item, ensure_ascii=False)[:60]} is no pair of two names")
        yield [str(half) for half in cast("list[Any]", pair)[:2]]


def _of_lines(lines: list[str], marked: bool) -> Iterator[list[str]]:
    for line, below in pairwise([*lines, ""]):
        if _RULE.fullmatch(line) or _RULE.fullmatch(below):
            continue  # the line under a table's head, and the head
        groups: list[str] = re.findall(r"\(([^()]*)\)", line) if line.lstrip("[ ").startswith("(") else []
        pairs = [pair for group in groups if (pair := _halves(group))]
        if not pairs:
            bare = line.strip("| ")
            pair = _halves(bare.partition(": ")[0]) or _halves(bare)
            if marked and not pair:
                raise ValueError(f"{line[:60]!r} is no pair of two names")
            pairs = [pair] if pair and (marked or all(len(half.split()) <= MAX_WORDS for half in pair)) else []
        yield from pairs


def _halves(text: str) -> list[str] | None:
    for strength, tie in enumerate(_TIES):
        parts = [_bare(part) for part in tie.split(_bare(text))]
        if all(parts) and (len(parts) == 2 or (len(parts) > 2 and strength < _WITH_REMARK)):
            return parts[:2]
    return None


def _bare(text: str) -> str:
    """A text without the quotes or the emphasis around it."""
    text = text.strip()
    while wrapping := next((w for w in _WRAPPED if _wraps(w, text)), None):
        text = text[len(wrapping[0]) : -len(wrapping[1])].strip()
    return text


def _wraps(wrapping: tuple[str, str], text: str) -> bool:
    left, right = wrapping
    inside = text[len(left) : -len(right)]
    return bool(inside) and text == left + inside + right and left not in inside


def _says_none(text: str) -> bool:
    return len(text) < 40 and fold(text) in _NOTHING
