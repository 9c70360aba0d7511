"""Game of 24: the published search, replayed from hand-made logs and against a second, naive writing of it."""

import random
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit import FakeBackend, Question, TreeOfThoughts
from promptkit.errors import ConfigError
from promptkit.extract.expression import solves
from promptkit.strategies.tree import Game24
from promptkit.types import Request

WORTH = {"impossible": 0.001, "likely": 1, "sure": 20}


def asked(request: Request) -> str:
    """The last input of a prompt, the one that is not an example."""
    return request.messages[-1].content.rpartition("Input: ")[2].split("\n")[0]


def judged(request: Request) -> str:
    """What is judged: numbers, or the expression."""
    last = request.messages[-1].content
    return (
        last.rpartition("\nAnswer: ")[2].removesuffix("\nVerdict:") if last.endswith("\nVerdict:") else asked(request)
    )


class Log:
    """A model that answers from tables: of the lists of proposals for the same numbers each time the next."""

    def __init__(self, proposals: dict[str, list[str]], values: dict[str, list[str]], answers: dict[str, str]) -> None:
        self.proposals, self.values, self.answers = proposals, values, answers
        self.asked = Counter[str]()
        self.backend = FakeBackend(self)

    def __call__(self, request: Request) -> str:
        if request.purpose == "value":
            return self.values.get(judged(request), ["", "", ""])[request.sample[0]]
        if request.purpose == "answer":
            state = request.messages[-1].content.partition("Steps:\n")[2]
            return self.answers.get(state, "")
        numbers = asked(request)
        self.asked[numbers] += 1
        lists = self.proposals.get(numbers, [""])
        return lists[min(self.asked[numbers], len(lists)) - 1]


def levels(result) -> list[list[str]]:
    """The states kept at each of the first three levels, in the order of their development; then the last ones."""
    nodes = {entry["id"]: entry for entry in result.details["tree"]["nodes"]}

    def state(entry) -> str:
        return "" if entry["parent"] is None else state(nodes[entry["parent"]]) + entry["thought"] + "\n"

    def depth(entry) -> int:
        return 0 if entry["parent"] is None else 1 + depth(nodes[entry["parent"]])

    developed = sorted((e for e in nodes.values() if e["order"] is not None), key=lambda e: e["order"])
    last = [entry for entry in nodes.values() if depth(entry) == 4 and entry["status"] in ("kept", "solved")]
    return [*([state(e) for e in developed if depth(e) == level] for level in range(1, 4)), [state(e) for e in last]]


SURE, LIKELY, NO = ["sure"] * 3, ["likely"] * 3, ["impossible"] * 3
PROPOSALS = {
    "4 4 6 8": ["\n".join([
        "4 + 8 = 12 (left: 4 6 12)",
        "Here are more steps:",
        "6 - 4 = 2 (left: 2 4 8)",
        "8 + 4 = 12 (left: 4 6 12)",
        "4 + 8 = 12 (left: 4 6 12)",
        "8 * 4 = 30 (left: 6 30)",
        "4 * 6 = 24 (left: 4 8 24)",
        "8 / 4 = 2 (left: 4 6 2)",
    ])],
    "4 6 12": ["6 - 4 = 2 (left: 2 12)\n12 - 6 = 6 (left: 4 6)", "12 / 6 = 2 (left: 2 4)\n4 * 6 = 24 (left: 12 24)"],
    "4 8 24": ["24 - 8 = 16 (left: 4 16)"],
    "2 4 8": ["4 + 8 = 12 (left: 2 12)"],
    "6 30": ["30 - 6 = 24 (left: 24)"],
    "2 12": ["2 * 12 = 24 (left: 24)", "12 * 2 = 24 (left: 24)"],
    "4 6": ["4 * 6 = 24 (left: 24)"],
}  # fmt: skip
VALUES = {
    "4 6 12": ["sure", "sure", "likely"],
    "2 4 8": SURE,
    "6 30": SURE,
    "4 8 24": LIKELY,
    "4 6 2": ["likely", "well\nimpossible", "sure "],
    "here are more steps:": ["impossible", "", "likely"],
    "2 12": SURE,
    "4 6": SURE,
    "2 4": NO,
    "12 24": NO,
    "4 16": NO,
    "24": SURE,
    "(4 + 8) * (6 - 4) = 24": SURE,
    "4 * 6 = 24": SURE,
}
ANSWERS = {
    "4 + 8 = 12 (left: 4 6 12)\n6 - 4 = 2 (left: 2 12)\n12 * 2 = 24 (left: 24)": "Answer: (4 + 8) * (6 - 4) = 24",
    "4 + 8 = 12 (left: 4 6 12)\n12 - 6 = 6 (left: 4 6)\n4 * 6 = 24 (left: 24)": "So:\nAnswer: 4 * 6 = 24",
}


def test_a_hand_made_log_gives_the_published_choices() -> None:
    log = Log(PROPOSALS, VALUES, ANSWERS)
    result = TreeOfThoughts("game24").run("4 4 6 8", backend=log.backend)
    a, b, c = "4 + 8 = 12 (left: 4 6 12)\n", "8 + 4 = 12 (left: 4 6 12)\n", "6 - 4 = 2 (left: 2 4 8)\n"
    illegal, fourth = "8 * 4 = 30 (left: 6 30)\n", "4 * 6 = 24 (left: 4 8 24)\n"
    first = {entry["thought"]: entry["value"] for entry in result.details["tree"]["nodes"][1:5]}
    assert first == {
        "4 + 8 = 12 (left: 4 6 12)": 41,
        "Here are more steps:": 1.001,
        "6 - 4 = 2 (left: 2 4 8)": 60,
        "8 + 4 = 12 (left: 4 6 12)": 41,
    }
    assert [entry["value"] for entry in result.details["tree"]["nodes"][5:9]] == [0, 60, 3, 1.001]
    # Ties keep their order, the repeat of the first line counts 0, the illegal step is followed.
    one, two, _, _ = levels(result)
    assert one == [c, illegal, a, b, fourth]
    assert two == [
        c + "4 + 8 = 12 (left: 2 12)\n",
        illegal + "30 - 6 = 24 (left: 24)\n",
        a + "6 - 4 = 2 (left: 2 12)\n",
        a + "12 - 6 = 6 (left: 4 6)\n",
        b + "12 / 6 = 2 (left: 2 4)\n",
    ]
    assert result.answer == "(4 + 8) * (6 - 4)"
    assert len(result.candidates) == 5


@given(st.permutations([word for word in ["", *WORTH] for _ in range(3)]))
def test_the_same_words_are_worth_the_same_in_any_order(words: list[str]) -> None:
    # In floating point 0.001 + 20 + 20 is not 20 + 0.001 + 20, and a tie would not be one.
    said = tuple(words[:3])
    expected = sum(worth * said.count(word) for word, worth in WORTH.items())
    assert Game24().value(Question(text="4 4 6 8"), "4 + 8 = 12 (left: 4 6 12)\n", [said]) == expected


def test_numbers_left_are_judged_three_times_a_question_however_many_states_leave_them() -> None:
    log = Log(PROPOSALS, VALUES, ANSWERS)
    TreeOfThoughts("game24").run("4 4 6 8", backend=log.backend)
    judgements = Counter(judged(request) for request in log.backend.calls if request.purpose == "value")
    assert judgements["4 6 12"] == judgements["2 12"] == judgements["24"] == 3
    assert set(judgements.values()) == {3}
    assert len({request.key for request in log.backend.calls}) == len(log.backend.calls)


def test_what_the_prompts_show() -> None:
    log = Log(PROPOSALS, VALUES, ANSWERS)
    TreeOfThoughts("game24").run("Combine 4, 4, 6 and 8 to 24.", backend=log.backend)
    for request in log.backend.calls:
        assert request.sampling.temperature == 0.7
        for face in (request.messages[-1].content, request.text):
            if request.purpose == "answer":
                assert "Input: 4 4 6 8\nSteps:\n" in face and "(left: 24)" in face
            elif request.purpose == "propose":
                assert f"Input: {asked(request)}\nPossible next steps:" in face
    assert {request.purpose for request in log.backend.calls} == {"propose", "value", "answer"}
    assert "4 4 6 8" in log.asked


# -- the same search, written a second time and naively ------------------------------------------------


def left(state: str, puzzle: str) -> str:
    return (state or puzzle).strip().split("\n")[-1].split("left: ")[-1].split(")")[0]


def naive(puzzle: str, propose, answer, value) -> list[list[str]]:
    """The algorithm as the paper describes it, one state after the other; returns the states kept at each level."""
    states, kept, cache = [""], [], {}
    for _ in range(4):
        new = []
        for state in states:
            if left(state, puzzle) == "24":
                lines = answer(state).split("\n")
            else:
                lines = propose(left(state, puzzle)).split("\n")
            new += [state + line + "\n" for line in lines]
        seen, values = set(), []
        for state in new:
            last = state.strip().split("\n")[-1]
            key = left(state, puzzle) if "left: " in last else last.lower().replace("answer: ", "")
            if state in seen:
                values.append(0)
                continue
            seen.add(state)
            if ("left: " in last, key) not in cache:
                words = [reply.split("\n")[-1] for reply in value(key)]
                total = sum(worth * words.count(word) for word, worth in WORTH.items())
                if len(state.strip().split("\n")) == 4 and "answer" not in state.lower():
                    total = 0
                cache["left: " in last, key] = total
            values.append(cache["left: " in last, key])
        order = sorted(range(len(new)), key=values.__getitem__, reverse=True)[:5]
        states = [new[place] for place in order]
        kept.append(states)
    return kept


def line(rng: random.Random, numbers: list[str]) -> str:
    if len(numbers) < 2 or rng.random() < 0.15:
        return rng.choice(["", "Junk", "3 + 4 = 7", "left: 24", "(left: 24)", "Answer: 6 * 4 = 24", "x (left: 8 3"])
    a, b, *rest = rng.sample(numbers, len(numbers))
    result = rng.choice(["24", "2", "12", "5"])
    return f"{a} {rng.choice('+-*/')} {b} = {result} (left: {' '.join([*rest, result])})"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_it_chooses_as_the_naive_search_does(seed: int) -> None:
    def propose(numbers: str, again: int) -> str:
        rng = random.Random(f"{seed} {numbers} {again}")
        return "\n".join(line(rng, numbers.split()) for _ in range(rng.randint(1, 5)))

    def answer(state: str) -> str:
        rng = random.Random(f"{seed} {state}")
        return rng.choice(["Answer: (4 + 8) * (6 - 4) = 24", "Answer: 4 * 6 = 24", "Sure!\nAnswer: 1 = 24", "none"])

    def value(key: str) -> list[str]:
        rng = random.Random(f"{seed} value {key}")
        return [rng.choice(["sure", "likely", "impossible", "so\nsure", "sure\n", "unclear"]) for _ in range(3)]

    drawn, times = Counter[str](), Counter[str]()

    def first(numbers: str) -> str:
        drawn[numbers] += 1
        return propose(numbers, drawn[numbers])

    wanted = naive("4 4 6 8", first, lambda state: answer(state.strip()), value)

    def reply(request: Request) -> str:
        if request.purpose == "value":
            return value(judged(request))[request.sample[0]]
        if request.purpose == "answer":
            return answer(request.messages[-1].content.partition("Steps:\n")[2].strip())
        times[asked(request)] += 1
        return propose(asked(request), times[asked(request)])

    result = TreeOfThoughts("game24").run("4 4 6 8", backend=FakeBackend(reply))
    *found, last = levels(result)
    assert found == wanted[:3]
    assert sorted(last) == sorted(wanted[3])
    solved = [state for state in wanted[3] if "left: " not in (last := state.strip().split("\n")[-1])
              and solves(re.sub("(?i)answer: ", "", last).split("=")[0], "4 4 6 8", "24")]  # fmt: skip
    assert [one.text for one in result.candidates] == [state.strip().split("\n")[-1] for state in wanted[3]]
    assert solves(str(result.answer), "4 4 6 8", "24") == bool(solved)


# -- which answer, which steps ---------------------------------------------------------------------------

FINAL = ["Answer: 4 * 6 = 24", "Answer: (4 + 8) * (6 - 4) = 24", "6 - 4 = 2 (left: 2)"]


def test_the_answer_is_the_first_that_keeps_the_rules_else_the_first() -> None:
    question, state = Question(text="4 4 6 8"), "a (left: 1)\nb (left: 1)\nc (left: 24)\n"
    results = [Game24().result(question, f"{state}{last}\n") for last in FINAL]
    assert [result.answer for result in results] == ["4 * 6", "(4 + 8) * (6 - 4)", None]
    assert Game24().choose(question, results) == 1
    assert Game24(check_answer=False).choose(question, results) == 0
    assert Game24().choose(question, [results[0], results[2]]) == 0


@pytest.mark.parametrize(
    ("line", "legal"),
    [
        ("4 + 8 = 12 (left: 4 6 12)", True),
        ("8 - 4 = 4 (left: 6 4 4)", True),
        ("4 / 8 = 0.5 (left: 4 6 0.5)", True),
        ("4 / 6 = 4/6 (left: 4 8 2/3)", True),
        ("4 × 6 = 24 (left: 4 8 24)", True),
        ("4 + 8 = 13 (left: 4 6 13)", False),
        ("4 + 8 = 12 (left: 4 12)", False),
        ("4 + 8 = 12 (left: 6 8 12)", False),
        ("8 + 8 = 16 (left: 4 4 16)", False),
        ("4 + 4 + 6 = 14 (left: 8 14)", False),
        ("4 / 0 = 1 (left: 1)", False),
        ("Some steps:", False),
        ("", False),
    ],
)
def test_legal_steps(line: str, legal: bool) -> None:
    assert Game24(legal_only=True).allows(Question(text="4 4 6 8"), f"{line}\n") == legal
    assert Game24().allows(Question(text="4 4 6 8"), f"{line}\n")


def test_only_legal_steps_stay_where_that_is_wanted() -> None:
    log = Log(PROPOSALS, VALUES, ANSWERS)
    result = TreeOfThoughts(Game24(legal_only=True)).run("4 4 6 8", backend=log.backend)
    status = {entry["thought"]: entry["status"] for entry in result.details["tree"]["nodes"]}
    assert status["8 * 4 = 30 (left: 6 30)"] == status["Here are more steps:"] == "rejected"
    assert result.answer == "(4 + 8) * (6 - 4)"


def test_a_question_without_numbers_is_refused() -> None:
    with pytest.raises(ConfigError, match="no numbers to combine in 'Solve this'"):
        TreeOfThoughts("game24").run("Solve this", backend=FakeBackend("4"))
