"""Squares of letters in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.extract import canonical, extractor_for
from promptkit.types import Question

GRID = Question(text="Fill it.", kind="grid")
ROWS = ["stare", "canal", "abode", "nests", "trees"]
VALUE = " ".join(ROWS)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(ROWS),
        "\n".join(" ".join(row.upper()) for row in ROWS),
        "Here it is:\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in ROWS) + "\n\nAll clues fit.",
        "```\n" + "\n".join(ROWS) + "\n```",
        "h1. stare\nh2. canal\nh3. abode\nh4. nests\nh5. trees\n",
        "The answer is stare, canal, abode, nests, trees.",
        "First guess:\nstore\ncanal\nabode\nnests\ntrees\n\nNo, so the answer is\n\n" + "\n".join(ROWS),
        "Board: STARE CANAL ABODE NESTS TREES",
    ],
)
def test_is_read(text: str) -> None:
    found = extractor_for(GRID)(text)
    assert found is not None
    assert found.value == VALUE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I do not know these words.",
        "stare\ncanal\nabode\nnests",
        "stare\ncanal\n\nabode\nnests\ntrees",
        "stare\ncanals\nabode\nnests\ntrees",
        "one\ntwo\nten",
    ],
)
def test_is_not_read(text: str) -> None:
    assert extractor_for(GRID)(text) is None


def test_the_span_is_the_square() -> None:
    text = "So:\n" + "\n".join(ROWS) + "\nDone."
    found = extractor_for(GRID)(text)
    assert found is not None
    assert text[slice(*found.span)] == "\n".join(ROWS)


@given(st.integers(4, 9).flatmap(lambda n: st.lists(st.text("abcz_", min_size=n, max_size=n), min_size=n, max_size=n)))
def test_the_canonical_form_is_its_own(rows: list[str]) -> None:
    value = canonical("\n".join(row.upper() for row in rows), GRID)
    assert value == " ".join(rows)
    assert canonical(value, GRID) == value
