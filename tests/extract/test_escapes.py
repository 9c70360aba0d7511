"""Escape codes of a terminal in a text: their digits are no numbers, and spans stay places in the whole text."""

import pytest

from promptkit.extract import OWN, canonical, extractor_for, values
from promptkit.types import Question

NUMBER = Question(text="How many?")
CODED = {
    "colour": "\x1b[31mThe answer is \x1b[1;32m7\x1b[0m.",
    "256 colours": "The answer is \x1b[38;5;208m7\x1b[39m",
    "inside the number": "The answer is 1\x1b[4m2\x1b[24m",
    "link": "See \x1b]8;;https://x.example/99\x1b\\the answer: 7\x1b]8;;\x1b\\",
    "title": "\x1b]0;50 %\x07So 7",
    "string to the terminal": "The answer is 7 \x1bP1$r0m\x1b\\",
    "of one byte": "\x9b2JThe answer is 7",
    "broken off": "The answer is 7\n\x1b[31",
    "doubled": "The answer is 7 \x1b\x1b[31m",
}


@pytest.mark.parametrize("text", CODED.values(), ids=CODED.keys())
def test_no_digit_of_a_code_is_a_number(text: str) -> None:
    wanted = "12" if "1\x1b[4m2" in text else "7"
    for name in ("lenient", "answer", "published"):
        found = extractor_for(NUMBER, name)(text)
        assert found is not None and found.value == wanted, name
        start, end = found.span
        assert canonical(text[start:end], NUMBER) == wanted, name
    assert [(one.value, text[slice(*one.span)].replace("\x1b[4m", "")) for one in values(text, NUMBER)] == [
        (wanted, wanted)
    ]


@pytest.mark.parametrize("name", [name for name in OWN if name != "whole"])
def test_a_code_alone_holds_no_number(name: str) -> None:
    assert extractor_for(NUMBER, name)("\x1b[31m\x1b[0m") is None
    assert values("red \x1b[31m", NUMBER) == []


def test_other_kinds_read_what_is_shown() -> None:
    choice = Question(text="?", kind="choice", choices=("x", "y"))
    found = extractor_for(choice)("\x1b[1mThe answer is (\x1b[32mB\x1b[0m)")
    assert found is not None and found.value == "B"
    date = Question(text="?", kind="date")
    assert [one.value for one in values("\x1b[1m2026-01-31\x1b[0m", date)] == ["2026-01-31"]
    assert canonical("\x1b[1mLeft\x1b[0m", Question(text="?", kind="text")) == "left"
