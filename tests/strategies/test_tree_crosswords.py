"""Crosswords: boards, proposals, pruning, and what a board scores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit import FakeBackend, Question, TreeOfThoughts
from promptkit.errors import ConfigError
from promptkit.strategies.tree import DFS, Crosswords
from promptkit.strategies.tree.crosswords import PLACES, board_of, score, word
from promptkit.types import Request

ROWS = ("STARE", "CANAL", "ABODE", "NESTS", "TREES")
GOLD = "".join(ROWS)
CLUES = "\n".join(f"{place}. clue of {place}" for place in PLACES)
QUESTION = Question(text=f"Solve this.\n{CLUES}", kind="text")


def right(place: str) -> str:
    return word(GOLD, place).lower()


def test_a_board_is_what_its_words_say() -> None:
    board = board_of("h1. stare\nv1. scant\n")
    assert (word(board, "h1"), word(board, "h2"), word(board, "v2"), word(board, "v1")) == (
        "STARE", "C____", "T____", "SCANT",
    )  # fmt: skip


@given(st.permutations(PLACES), st.integers(0, 10))
def test_right_words_always_agree_with_each_other(order: list[str], count: int) -> None:
    state, puzzle = "", Crosswords()
    for place in order[:count]:
        step = f"{state}{place}. {right(place)}\n"
        complete = "_" not in word(board_of(state), place)
        assert puzzle.allows(QUESTION, step) != complete
        state = step
    assert all(a in ("_", b) for a, b in zip(board_of(state), GOLD, strict=True))
    assert puzzle.finished(QUESTION, state) == ("_" not in board_of(state))


@pytest.mark.parametrize(
    ("step", "allowed"),
    [("v1. scant", True), ("v1. apple", False), ("h1. stare", False), ("h1. store", False), ("h5. apple", True)],
)
def test_a_word_must_keep_the_letters_and_add_some(step: str, allowed: bool) -> None:
    assert Crosswords().allows(QUESTION, f"h1. stare\n{step}\n") == allowed


def test_proposals_are_ranked_by_the_confidence_of_all_lists() -> None:
    lists = [
        "h1. Stare (high)\nv2. table (low)\nH3. upper (certain)\nv9. wrong (certain)\nh2. toolong (certain)",
        "v2. table (certain)\n h1. space (high)\nh4. nests (maybe)\nh1. stare (high) as it fits\nh5. trees (medium)",
    ]
    thoughts = Crosswords().thoughts(QUESTION, "", lists)
    assert [(one.text, one.score) for one in thoughts] == [("v2. table", 1.1), ("h1. stare", 1.0), ("h5. trees", 0.2)]


def test_words_with_two_letters_are_judged_and_one_impossible_one_prunes() -> None:
    puzzle = Crosswords()
    assert puzzle.judgements(QUESTION, "") == ()
    assert len(puzzle.judgements(QUESTION, "h1. stare\n")) == 1
    prompts = puzzle.judgements(QUESTION, "h1. stare\nh2. canal\n")
    assert len(prompts) == 7  # both rows, and each column has two letters
    assert "clue of v1: s c _ _ _" in prompts[2].messages[-1].content
    assert puzzle.value(QUESTION, "", []) == 1
    assert puzzle.value(QUESTION, "", [("sure",), ("maybe",), ("",)]) == 2
    assert puzzle.value(QUESTION, "", [("sure",), ("impossible",)]) == 0


def model(request: Request) -> str:
    """Proposes a wrong word first, then the right ones; knows what is impossible."""
    last = request.messages[-1].content
    if request.purpose == "value":
        line = last.splitlines()[-1]
        place, letters = line.split(": ")[0].removeprefix("clue of "), line.split(": ")[1].replace(" ", "")
        fits = all(a in ("_", b) for a, b in zip(letters, right(place), strict=True))
        return "let me see\n" + ("sure" if fits else "impossible")
    unfilled = last.partition("Still to fill:\n")[2].partition("\n\n")[0].splitlines()
    places = [line.split(".")[0] for line in unfilled]
    wrong = ["h1. zebra (certain)"] if "h1" in places else []
    return "\n".join(wrong + [f"{place}. {right(place)} (high)" for place in places])


def test_a_wrong_word_is_pruned_and_the_board_filled() -> None:
    backend = FakeBackend(model)
    result = TreeOfThoughts("crosswords").run(QUESTION, backend=backend)
    assert result.answer == " ".join(ROWS).lower()
    nodes = result.details["tree"]["nodes"]
    assert nodes[1]["thought"] == "h1. zebra" and nodes[1]["status"] == "pruned"
    assert sum(request.purpose == "propose" for request in backend.calls) % 8 == 0
    assert len({request.key for request in backend.calls}) == len(backend.calls)


def test_without_pruning_the_wrong_word_stays() -> None:
    result = TreeOfThoughts("crosswords", search=DFS(prune=False, budget=5)).run(QUESTION, backend=FakeBackend(model))
    assert str(result.answer).startswith("zebra")


def test_a_question_without_its_clues_is_refused() -> None:
    with pytest.raises(ConfigError, match="no clue h2"):
        TreeOfThoughts("crosswords").run("h1. only", backend=FakeBackend("x"))


@given(st.text(alphabet="ABCDE_", min_size=25, max_size=25))
def test_scores_count_letters_words_and_the_game(board: str) -> None:
    found = score(board.lower(), GOLD)
    assert found.letters == sum(a == b for a, b in zip(board, GOLD, strict=True)) / 25
    assert found.words == sum(word(board, place) == word(GOLD, place) for place in PLACES) / 10
    assert found.game == (board == GOLD)


def test_a_right_board_scores_all_and_an_empty_one_nothing() -> None:
    assert score("\n".join(ROWS), GOLD) == (1, 1, True)
    assert score("", GOLD) == (0, 0, False)
    with pytest.raises(ConfigError, match="25 letters"):
        score("", "ABC")
