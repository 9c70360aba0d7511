"""What code checks: sentences as people count them, and no check but the known ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.errors import ConfigError
from promptkit.evaluation.judging.checks import check_for, sentences


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("...", 0),
        ("One.", 1),
        ("No mark at the end", 1),
        ("One. Two.", 2),
        ("One! Two? Three…", 3),
        ("Mr. Sato asked Dr. Reyes. She answered.", 2),
        ("It costs 3.50 dollars. That is all.", 2),
        ("Come at 5 p.m. The shop is open.", 2),
        ("Come at 5 p.m. on Monday.", 1),
        ('He said "Wait!" and left.', 1),
        ('"Wait!" He left.', 2),
        ("J. Smith asked. K. Abe answered.", 2),
        ("Use e.g. Monday. Or i.e. never.", 2),
        ("First line\nSecond line", 2),
        ("1. Buy milk.\n2. Sell it.", 2),
        ("- a point\n- another", 2),
        ("It is done.Next", 1),
        ("Really?! Yes.", 2),
        ("Order no. 5 is late. Sorry.", 2),
        ("(It rains.) We stay.", 2),
        ("**Bold.** Then plain.", 2),
        ("See www.example.com for more. Thanks.", 2),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert len(sentences(text)) == count, sentences(text)


@given(
    st.lists(st.from_regex(r"\A[A-Z][a-z]{3,9}( [a-z]{4,9}){1,6}\Z"), min_size=1, max_size=8), st.sampled_from(".!?")
)
def test_plain_sentences_are_counted(parts: list[str], mark: str) -> None:
    assert sentences(" ".join(f"{part}{mark}" for part in parts)) == [f"{part}{mark}" for part in parts]


@given(st.text(max_size=200))
def test_any_text_can_be_counted_and_no_letter_is_lost(text: str) -> None:
    kept = "".join("".join(one.split()) for one in sentences(text))
    assert [char for char in kept if char.isalnum()] == [char for char in "".join(text.split()) if char.isalnum()]


@pytest.mark.parametrize(
    ("settings", "text", "passes"),
    [
        ({"sentences": 2}, "One. Two.", True),
        ({"sentences": 2}, "One.", False),
        ({"max_sentences": 2}, "One.", True),
        ({"max_words": 3}, "one two three", True),
        ({"max_words": 3}, "one two three four", False),
        ({"min_words": 3}, "one two", False),
        ({"max_characters": 3}, "abcd", False),
        ({"contains": "Refund"}, "a REFUND is due", True),
        ({"contains": ["refund", "Monday"]}, "a refund", False),
        ({"lacks": ["sorry"]}, "Sorry!", False),
        ({"sentences": 1, "max_words": 2}, "One two three.", False),
    ],
)
def test_checks(settings: dict[str, object], text: str, passes: bool) -> None:
    assert check_for(settings)(text) is passes


@pytest.mark.parametrize(
    "settings",
    [{}, {"__import__": "os"}, {"matches": ".*"}, {"sentences": "two"}, {"sentences": True}, {"max_words": -1},
     {"contains": []}, {"contains": [3]}, {"lacks": ""}],
)  # fmt: skip
def test_what_is_no_check(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        check_for(settings)
