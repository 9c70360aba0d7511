"""Prompt lookup: what is guessed, that a wrong guess changes nothing, and that a right one saves a step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from promptkit.backends.hf import engine  # noqa: E402
from promptkit.backends.hf.drafting import draft  # noqa: E402
from promptkit.backends.hf.rows import Row  # noqa: E402
from tests.backends.hf.history_model import END, VOCABULARY, HistoryModel, alone, make_row  # noqa: E402
from tests.backends.hf.rolling import assert_as_alone, batch_of, random_rows, run  # noqa: E402

Truth = dict[tuple[tuple[int, ...], int], list[int]]
"""Prompt and seed → the tokens that come."""

pytestmark = pytest.mark.usefixtures("small_blocks")


@pytest.mark.parametrize(
    ("tokens", "most", "guess"),
    [
        ([1, 2, 3, 4, 5, 1, 2, 3], 4, [4, 5, 1, 2]),
        ([1, 2, 3, 4, 5, 1, 2, 3], 1, [4]),
        ([1, 2, 3, 4, 9, 2, 3, 5, 1, 2, 3], 2, [4, 9]),  # three tokens say more than two, though two came later
        ([7, 3, 4, 8, 3, 5, 2, 3], 2, [5, 2]),  # of two places the latest
        ([6, 6, 6], 4, [6]),
        ([1, 2, 3], 4, []),
        ([1, 1], 0, []),
        ([1], 4, []),
        ([], 4, []),
    ],
)
def test_what_is_guessed(tokens: list[int], most: int, guess: list[int]) -> None:
    assert draft(tokens, most) == guess


@given(st.lists(st.integers(0, 4), max_size=30), st.integers(0, 6))
def test_a_guess_stands_in_the_text_after_its_last_token(tokens: list[int], most: int) -> None:
    guess = draft(tokens, most)
    assert len(guess) <= most
    if guess:
        found = [tokens[-1], *guess]
        assert any(tokens[place : place + len(found)] == found for place in range(len(tokens) - 1))
    elif most:
        assert not tokens or tokens[-1] not in tokens[:-1]


@pytest.mark.parametrize("rows_at_once", [1, 2, 4])
@pytest.mark.parametrize("right", [0, 1, 2, 4, 5])
def test_guesses_change_how_many_steps_it_takes_and_nothing_else(
    rows_at_once: int, right: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`right` of the first guessed tokens are what comes, and the next one is not."""
    made = [row for row in random_rows(7, 60) if END not in alone(row)[0] and len(alone(row)[0]) > 1]
    truth = {(tuple(row.prompt), row.seed): alone(row)[0] for row in made}

    def guess(tokens: list[int], most: int) -> list[int]:
        row = next(row for row in made if len(row.tokens) and [*row.prompt, *row.tokens] == tokens)
        coming = truth[tuple(row.prompt), row.seed][len(row.tokens) :][:most]
        return [token if place < right else token % (VOCABULARY - 1) + 1 for place, token in enumerate(coming)]

    monkeypatch.setattr(engine, "draft", guess)
    model = HistoryModel()
    assert_as_alone(run(batch_of(model, max_rows=rows_at_once), made), made)
    one_by_one = HistoryModel()
    again = [row for row in random_rows(7, 60) if row.tag in {one.tag for one in made}]
    assert_as_alone(run(batch_of(one_by_one, max_rows=rows_at_once, several=False), again), again)
    assert all(new == 1 for _, new in one_by_one.decoded)
    assert (len(model.decoded) < len(one_by_one.decoded)) == (right > 0)
    if rows_at_once == 1:
        left = [len(row.tokens) - 1 for row in made]
        assert len(model.decoded) == sum(-(-count // (min(right, engine._DRAFT[-1]) + 1)) for count in left)


def test_more_rows_than_that_read_one_token_each() -> None:
    model = HistoryModel()
    rows = [make_row([1, 2, 1, 2, 1, tag + 3], 9, 1.0, seed=tag, tag=tag) for tag in range(5)]
    batch = batch_of(model, max_rows=5)
    batch.add(rows)
    batch.advance()
    assert engine._GUESSES // len(batch.live) < engine._DRAFT[0]
    assert model.decoded[-1] == (len(rows), 1)


def test_models_with_a_state_of_their_own_never_read_guesses() -> None:
    model = HistoryModel()
    rows = [make_row([4, 4, 4, 4], 8, 1.0, seed=tag, tag=tag) for tag in range(2)]
    assert_as_alone(run(batch_of(model, mixed_up_to=0), rows), rows)
    assert model.prefilled == [4], "several tokens were read at once"


@pytest.mark.parametrize("stop", [(), (" 7",), (" 3", " 12 ")])
def test_a_text_ends_where_it_would_without_guesses(stop: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """All guesses are right here, also those after an end."""
    truth: Truth = {}
    ended: list[dict[int, list[int]]] = []
    for several in (False, True):
        rows = random_rows(11, 80)
        for row in rows:
            row.stop = stop

        def guess(tokens: list[int], most: int, rows: list[Row] = rows, truth: Truth = truth) -> list[int]:
            row = next(row for row in rows if row.tokens and [*row.prompt, *row.tokens] == tokens)
            coming = truth[tuple(row.prompt), row.seed][len(row.tokens) :]
            return [*coming, *[END] * most][:most]

        def text(tokens: list[int]) -> str:
            return "".join(f" {token}" for token in tokens)

        monkeypatch.setattr(engine, "draft", guess)
        outcome = run(batch_of(HistoryModel(), several=several, decode=text), rows)
        ended.append({tag: row.tokens for tag, (row, _) in outcome.items()})
        truth = {(tuple(row.prompt), row.seed): row.tokens for row, _ in outcome.values()}
    assert ended[0] == ended[1]
    assert bool(stop) == any(text(tokens).endswith(stop) for tokens in ended[0].values() if stop)
    assert any(tokens[-1] == END for tokens in ended[0].values())


def test_a_filled_up_place_that_comes_true_is_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short drafts are filled up with token 0, which is a token like others where it ends nothing."""
    rows = [make_row([tag + 1, 9], 150, 1.0, seed=tag, tag=tag) for tag in range(2)]
    monkeypatch.setattr(engine, "draft", lambda tokens, most: [0, 0][:most] if tokens[0] == 1 else [])  # pyright: ignore
    model, plain = HistoryModel(), HistoryModel()
    run(batch_of(model, ends=frozenset()), rows)
    twins = [make_row([tag + 1, 9], 150, 1.0, seed=tag, tag=tag) for tag in range(2)]
    run(batch_of(plain, ends=frozenset(), several=False), twins)
    assert [row.tokens for row in rows] == [row.tokens for row in twins]
    assert 0 in rows[1].tokens[1:-1]
    assert len(model.decoded) < len(plain.decoded)
