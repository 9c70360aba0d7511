"""Texts stored once, and packed so that nothing in them ends the element they are in."""

import base64
import gzip
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.report.texts import Reference, TextTable, packed, utf16_span

LONG = "\n\n".join(f"Demonstration {place}: " + "why " * 40 for place in range(5))


def read(table: TextTable, place: Reference) -> str:
    return "".join(table.texts[one] for one in place) if isinstance(place, list) else table.texts[place]


@given(st.lists(st.text(max_size=80) | st.lists(st.text(max_size=300)).map("\n\n".join), max_size=12))
def test_texts_come_back_to_the_letter(texts: list[str]) -> None:
    table = TextTable()
    places = [table.add(text, texts[:2]) for text in texts]
    assert [read(table, place) for place in places] == texts
    assert len(set(table.texts)) == len(table.texts)


def test_what_prompts_share_is_stored_once() -> None:
    table = TextTable()
    said = "First Ann counts her eggs, one after the other. " * 10
    for question in ("What is 1+1?", "What is 2+2?"):
        table.add(f"{LONG}\n\n{question}")
        table.add(f"{LONG}\n\n{question} {said} So the answer is", known=[said])
    assert sum(map(len, table.texts)) < len(LONG) + len(said) + 200


def test_equal_texts_are_one() -> None:
    table = TextTable()
    assert table.add("same") == table.add("same")
    assert table.add(LONG) == table.add(LONG)
    assert read(table, table.add("")) == ""


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "<!--<script>", "\u2028\u2029", "\ud800", "&amp;\"'"]
)
def test_packed_data_cannot_leave_their_element(text: str) -> None:
    letters = packed({"text": text})
    assert set(letters) <= set(string.ascii_letters + string.digits + "+/=")
    assert json.loads(gzip.decompress(base64.b64decode(letters))) == {"text": text}


def test_the_same_data_give_the_same_letters() -> None:
    assert packed([LONG, 1]) == packed([LONG, 1])


@given(st.text(), st.data())
def test_a_span_counts_as_javascript_does(text: str, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(text)))
    start = data.draw(st.integers(0, end))
    first, last = utf16_span(text, (start, end))
    units = text.encode("utf-16-le")
    assert units[2 * first : 2 * last].decode("utf-16-le") == text[start:end]


def test_a_span_behind_an_emoji_and_half_a_character() -> None:
    assert utf16_span("🙂 18", (2, 4)) == (3, 5)
    assert utf16_span("\ud83d 18", (2, 4)) == (2, 4)
