"""The published depth-first search of crosswords, against a second and naive writing of it."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit import FakeBackend, Question, TreeOfThoughts
from promptkit.strategies.tree import DFS
from promptkit.strategies.tree.crosswords import CONFIDENCE, EMPTY, PLACES, board_of, word
from promptkit.types import Request

QUESTION = Question(text="\n".join(f"{place}. clue of {place}" for place in PLACES), kind="text")
SQUARES = {place: [5 * int(place[1]) - 5 + i if place[0] == "h" else int(place[1]) - 1 + 5 * i for i in range(5)]
           for place in PLACES}  # fmt: skip
PER_STATE = 3


class Model:
    """Says the same of the same board and the same word, whoever asks; the alphabet is small, so that words fit."""

    def __init__(self, seed: int, impossible: float) -> None:
        self.seed, self.impossible = seed, impossible

    def lists(self, board: str) -> list[str]:
        """Eight lists of proposals."""
        rng = random.Random(f"{self.seed} {board}")
        return ["\n".join(self._line(rng) for _ in range(rng.randint(0, 3))) for _ in range(8)]

    def _line(self, rng: random.Random) -> str:
        letters = "".join(rng.choice("ab") for _ in range(5))
        return f"{rng.choice(PLACES)}. {letters} ({rng.choice(list(CONFIDENCE))})"

    def judgement(self, place: str, letters: str) -> str:
        """Of a word with some letters."""
        rng = random.Random(f"{self.seed} {place} {letters}")
        return "impossible" if rng.random() < self.impossible else rng.choice(["sure", "maybe"])

    def __call__(self, request: Request) -> str:
        content = request.messages[-1].content
        if request.purpose == "propose":
            board = content.partition("Board:\n")[2].partition("\n\n")[0].replace("\n", "")
            return self.lists(board)[request.sample[0] % 8]
        clue, _, letters = content.rpartition(": ")
        return "Let me see.\n" + self.judgement(clue.removeprefix("clue of "), letters.replace(" ", ""))


def naive(model: Model, budget: int, *, prune: bool) -> list[tuple[tuple[str, ...], bool]]:
    """The states visited, with whether they were pruned, in order; the search ends with the first full board."""
    visited: list[tuple[tuple[str, ...], bool]] = []

    def follow(board: list[str], actions: tuple[str, ...]) -> bool:
        scores: dict[str, float] = {}
        for text in model.lists("".join(board).upper()):
            for line in text.splitlines():
                action, confidence = line.removesuffix(")").split(" (")
                scores[action] = scores.get(action, 0) + CONFIDENCE[confidence]
        followed = 0
        for action in sorted(scores, key=scores.__getitem__, reverse=True):
            place, letters = action.split(". ")
            after = list(board)
            for square, letter in zip(SQUARES[place], letters, strict=True):
                after[square] = letter
            changed = any(old not in (EMPTY, new) for old, new in zip(board, after, strict=True))
            if changed or after == board:
                continue
            if followed == PER_STATE or len(visited) == budget:
                return False
            followed += 1
            words = {one: "".join(after[square] for square in SQUARES[one]) for one in PLACES}
            known = [(one, letters) for one, letters in words.items() if 5 - letters.count(EMPTY) >= 2]
            bad = prune and any(model.judgement(*one) == "impossible" for one in known)
            visited.append(((*actions, action), bad))
            if not bad and (EMPTY not in after or follow(after, (*actions, action))):
                return True
        return False

    follow([EMPTY] * 25, ())
    return visited


def seen(tree: dict[str, Any]) -> list[tuple[tuple[str, ...], bool]]:
    """The states that the tree says were visited, in order."""
    children: dict[int | None, list[dict[str, Any]]] = {}
    for node in tree["nodes"]:
        children.setdefault(node["parent"], []).append(node)
    found: list[tuple[tuple[str, ...], bool]] = []

    def walk(node: dict[str, Any], actions: tuple[str, ...]) -> None:
        for child in children.get(node["id"], ()):
            # Of the thoughts that the search never came to, some are "open" and the rest have no value.
            if child["status"] in ("kept", "solved", "pruned") and child["value"] is not None:
                found.append(((*actions, child["thought"]), child["status"] == "pruned"))
                walk(child, (*actions, child["thought"]))

    walk(children[None][0], ())
    return found


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.02, 0.1]), st.sampled_from([20, 100]), st.booleans())
def test_it_visits_the_states_of_the_naive_search(seed: int, impossible: float, budget: int, prune: bool) -> None:
    model = Model(seed, impossible)
    result = TreeOfThoughts("crosswords", search=DFS(PER_STATE, budget=budget, prune=prune)).run(
        QUESTION, backend=FakeBackend(model)
    )
    wanted = naive(model, budget, prune=prune)
    assert seen(result.details["tree"]) == wanted
    kept = [actions for actions, pruned in wanted if not pruned]
    full = [actions for actions in kept if EMPTY not in board_of("".join(f"{one}\n" for one in actions))]
    end = full[-1] if full else max(kept, key=len, default=())
    rows = board_of("".join(f"{one}\n" for one in end)).lower()
    assert result.answer == " ".join(word(rows, place) for place in PLACES[:5])
