"""Tree of thoughts: which states are followed, how they are judged, and other policies."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit import FakeBackend, Question, Result, SelfConsistency, TreeOfThoughts, ZeroShot
from promptkit.errors import BackendError
from promptkit.flow import Flow
from promptkit.strategies.tree import (
    BFS,
    DFS,
    Asking,
    BestFirst,
    CreativeWriting,
    Growth,
    Judge,
    Lookahead,
    Node,
    Reasoning,
    Sample,
    Search,
    Value,
)
from promptkit.types import Completion, Request
from tests.strategies.trees import STEPS, VERDICTS, developed, world

# -- breadth first --------------------------------------------------------------------------------------


def test_the_best_states_of_each_level_are_followed_and_finished_ones_stay() -> None:
    backend = world(STEPS, VERDICTS)
    result = TreeOfThoughts("reasoning").run("How many?", backend=backend)
    assert result.answer == "7"
    assert result.text == "12 eggs\n12 - 5 = 7\nThe answer is 7.\n"
    assert [candidate.answer for candidate in result.candidates] == ["7", "9"]
    nodes = result.details["tree"]["nodes"]
    status = {(entry["thought"], entry["status"]) for entry in nodes}
    assert status >= {
        ("11 eggs", "pruned"),
        ("12 eggs", "kept"),
        ("12 + 5 = 17", "pruned"),
        ("The answer is 7.", "solved"),
    }
    assert {entry["thought"]: entry["value"] for entry in nodes}["12 - 5 = 7"] == 20
    assert developed(result) == ["", "12 eggs", "13 eggs", "12 - 5 = 7"]
    by_id = {entry["id"]: entry for entry in nodes}
    path, place = [], result.details["tree"]["answer"]
    while place is not None:
        path.append(by_id[place]["thought"])
        place = by_id[place]["parent"]
    assert path[::-1] == ["", "12 eggs", "12 - 5 = 7", "The answer is 7."]


def test_a_whole_level_is_pending_together() -> None:
    backend = world(STEPS, VERDICTS)
    backend.batch_size = 100
    batches: list[Counter[str]] = []
    generate = backend.generate

    def noting(requests):
        batches.append(Counter(request.purpose for request in requests))
        return generate(requests)

    backend.generate = noting
    results = TreeOfThoughts("reasoning").run_many(["How many?", "How much?"], backend=backend)
    assert [result.answer for result in results] == ["7", "7"]
    assert batches[:4] == [{"sample": 6}, {"value": 6}, {"sample": 12}, {"value": 10}]


def test_equal_states_are_judged_once_and_repeats_count_nothing() -> None:
    same = {"": ["a", "a", "b"], "a": ["The answer is 1."] * 3, "b": ["The answer is 2."] * 3}
    backend = world(same, {"a": "sure", "b": "likely"})
    result = TreeOfThoughts(Reasoning(depth=1)).run("?", backend=backend)
    nodes = result.details["tree"]["nodes"][1:]
    assert [(entry["thought"], entry["value"]) for entry in nodes] == [("a", 20.0), ("a", 0.0), ("b", 1.0)]
    assert Counter(request.purpose for request in backend.calls) == {"sample": 3, "value": 2}
    assert [candidate.text for candidate in result.candidates] == ["a\n", "b\n"]


def test_no_thought_at_all_is_no_answer() -> None:
    result = TreeOfThoughts("reasoning").run("?", backend=FakeBackend(""))
    assert (result.answer, result.text, len(result.details["tree"]["nodes"])) == (None, "", 1)


def test_an_answer_that_was_cut_off_says_so() -> None:
    def answer(request: Request) -> Completion:
        return Completion(text="The answer is 4", finish_reason="length" if request.purpose == "sample" else "stop")

    assert TreeOfThoughts("reasoning").run("?", backend=FakeBackend(answer)).truncated


def test_a_failed_call_fails_its_question_alone() -> None:
    def answer(request: Request) -> str | BackendError:
        return BackendError("busy") if "bad" in request.text else "The answer is 4."

    good, bad = TreeOfThoughts("reasoning").run_many(["good", "bad"], backend=FakeBackend(answer))
    assert (good.answer, bad.error) == ("4", "busy")


# -- depth first ----------------------------------------------------------------------------------------

DEEP = {
    "": ["wrong", "right", "worse"],
    "wrong": ["dead", "dead end", "dead"],
    "right": ["go", "go", "go"],
    "go": ["The answer is 3."] * 3,
}
DEEP_VERDICTS = {"wrong": "sure", "right": "likely", "go": "likely", "The answer is 3.": "likely"}


def tree(search: Search) -> tuple[Result, list[str]]:
    result = TreeOfThoughts(Reasoning(depth=4), search=search).run("?", backend=world(DEEP, DEEP_VERDICTS))
    return result, developed(result)


def test_depth_first_comes_back_from_a_dead_end() -> None:
    result, order = tree(DFS())
    assert result.answer == "3"
    assert order == ["", "wrong", "right", "go"]
    assert {e["thought"]: e["status"] for e in result.details["tree"]["nodes"]}["dead end"] == "pruned"


def test_without_backtracking_it_does_not_come_back() -> None:
    result, order = tree(DFS(backtrack=False))
    assert (result.answer, result.text, order) == (None, "wrong\n", ["", "wrong"])


def test_without_pruning_bad_states_are_followed_too() -> None:
    deeper = DEEP | {"dead": ["deader"] * 3, "dead end": ["deader"] * 3, "deader": ["The answer is 0."] * 3}
    backend = world(deeper, DEEP_VERDICTS)
    assert TreeOfThoughts(Reasoning(depth=4), search=DFS(prune=False)).run("?", backend=backend).answer == "0"


def test_at_most_per_state_thoughts_are_tried() -> None:
    result, order = tree(DFS(per_state=1))
    assert (result.answer, order) == (None, ["", "wrong"])


@given(st.integers(1, 30), st.integers(1, 3), st.booleans())
def test_the_budget_bounds_the_states_visited(budget: int, per_state: int, prune: bool) -> None:
    backend = FakeBackend(lambda r: "likely" if r.purpose == "value" else f"step {r.sample[0]}")
    search = DFS(per_state, budget=budget, prune=prune)
    result = TreeOfThoughts(Reasoning(depth=4), search=search).run("?", backend=backend)
    nodes = {entry["id"]: entry for entry in result.details["tree"]["nodes"]}
    visited = [entry for entry in nodes.values() if entry["status"] == "kept" and entry["parent"] is not None]
    whole = sum(per_state**level for level in range(1, 5))
    assert len(visited) == min(budget, whole)


def test_the_deepest_state_is_the_result_where_none_is_finished() -> None:
    endless = {"": ["a", "b", "c"], "a": ["x", "x", "x"], "b": ["y", "y", "y"], "y": ["z", "z", "z"]}
    backend = world(endless, {"a": "sure", "b": "likely", "y": "likely"})
    assert TreeOfThoughts("reasoning", search=DFS()).run("?", backend=backend).text == "b\ny\n"


# -- best first, look-ahead, other parts ----------------------------------------------------------------


def test_best_first_leaves_a_branch_for_a_better_one_elsewhere() -> None:
    table = {"": ["a", "b", "c"], "a": ["a1", "a1", "a1"], "b": ["b1", "b2", "b1"], "b1": ["The answer is 2."] * 3}
    verdicts = {"a": "sure", "b": "likely", "b1": "sure", "The answer is 2.": "sure"}
    result = TreeOfThoughts("reasoning", search=BestFirst()).run("?", backend=world(table, verdicts))
    assert developed(result) == ["", "a", "b", "b1"]
    assert result.answer == "2"


def test_best_first_stops_at_its_budget() -> None:
    backend = FakeBackend(lambda r: "likely" if r.purpose == "value" else f"step {r.sample[0]}")
    result = TreeOfThoughts("reasoning", search=BestFirst(3)).run("?", backend=backend)
    assert sum(entry["order"] is not None for entry in result.details["tree"]["nodes"]) == 3


def test_look_ahead_values_a_state_by_where_it_leads() -> None:
    table = {"": ["trap", "plain", "trap"], "trap": ["ruin"] * 3, "plain": ["The answer is 5."] * 3}
    verdicts = {"trap": "sure", "plain": "likely", "The answer is 5.": "sure", "ruin": "impossible"}
    tot = TreeOfThoughts(Reasoning(depth=2), evaluate=Lookahead(Value(1)), search=BFS(1))
    assert tot.run("?", backend=world(table, verdicts)).answer == "5"
    blind = TreeOfThoughts(Reasoning(depth=2), evaluate=Value(1), search=BFS(1))
    assert blind.run("?", backend=world(table, verdicts)).answer is None


def test_any_strategy_can_judge() -> None:
    def answer(request: Request) -> str:
        if request.purpose == "answer":  # of the zero-shot strategy that judges
            marks = {"good": ["9", "9", "2"], "bad": ["99", "3", "3"]}
            state = "good" if "good" in request.text else "bad"
            return f"I give {marks[state][request.sample[-1]]}"
        return ["good", "bad", "bad"][request.sample[0]]

    tot = TreeOfThoughts(Reasoning(depth=1), evaluate=Judge(SelfConsistency(ZeroShot(), 3)))
    nodes = tot.run("?", backend=FakeBackend(answer)).details["tree"]["nodes"][1:]
    assert [(entry["thought"], entry["value"]) for entry in nodes] == [("good", 9.0), ("bad", 3.0), ("bad", 3.0)]


@pytest.mark.parametrize(("said", "value"), [("400", 10.0), ("-3", 0.0), ("no idea", 0.0), ("7.5", 7.5)])
def test_marks_stay_on_the_scale(said: str, value: float) -> None:
    backend = FakeBackend(lambda request: said if request.purpose == "answer" else "step")
    tot = TreeOfThoughts(Reasoning(depth=1), Sample(1), Judge(ZeroShot()))
    assert tot.run("?", backend=backend).details["tree"]["nodes"][1]["value"] == value


def test_a_checker_rejects_states_and_remembers_them() -> None:
    table = {"": ["a", "bad", "b"], "a": ["bad", "bad", "bad"], "b": ["The answer is 1."] * 3}
    told = world(table, {"a": "sure", "b": "likely", "The answer is 1.": "sure"})
    asked: list[str] = []

    def answer(request: Request) -> str:
        if request.purpose == "answer":
            asked.append(request.text)
            return "No." if "bad" in request.text else "Yes."
        return str(told._answer(request))

    result = TreeOfThoughts("reasoning", checker=Asking(ZeroShot())).run("?", backend=FakeBackend(answer))
    assert result.answer == "1"
    nodes = result.details["tree"]["nodes"]
    assert {entry["status"] for entry in nodes if entry["thought"] == "bad"} == {"rejected"}
    assert all(entry["value"] is None for entry in nodes if entry["thought"] == "bad")
    assert len(asked) == len(set(asked))


def test_a_checker_that_cannot_be_understood_rejects_nothing() -> None:
    backend = FakeBackend(lambda r: "Hm, hard to say" if r.purpose == "answer" else "The answer is 4.")
    result = TreeOfThoughts("reasoning", checker=Asking(ZeroShot())).run("?", backend=backend)
    assert result.answer == "4"
    assert "rejected" not in {entry["status"] for entry in result.details["tree"]["nodes"]}


def test_of_the_final_states_the_first_with_an_answer_is_taken() -> None:
    backend = world({"": ["no idea", "The answer is 6.", "x"]}, {"no idea": "sure", "The answer is 6.": "likely"})
    result = TreeOfThoughts(Reasoning(depth=1)).run("?", backend=backend)
    assert [candidate.answer for candidate in result.candidates] == [None, "6"]
    assert result.answer == "6"


def test_votes_are_values() -> None:
    def answer(request: Request) -> str:
        if request.purpose == "vote":
            return f"The best choice is {[2, 2, 3, 7, 2][request.sample[0]]}"
        return f"{request.purpose} {request.sample[0]}"

    result = TreeOfThoughts("creative-writing").run("A. B. C. D.", backend=(backend := FakeBackend(answer)))
    assert result.text == "passage 1"
    assert result.rationale == "Plan:\nplan 1\n"
    nodes = result.details["tree"]["nodes"]
    assert [entry["value"] for entry in nodes[1:6]] == [0.0, 3.0, 1.0, 0.0, 0.0]
    assert Counter(request.purpose for request in backend.calls) == {"plan": 5, "vote": 10, "passage": 5}
    assert {request.sampling.temperature for request in backend.calls} == {1.0}


def test_a_plan_ends_where_the_model_goes_on_to_the_passage() -> None:
    writing, question = CreativeWriting(), Question(text="A. B.")
    assert writing.thought(question, "", "**Plan:**\nfirst\n\nPassage:\nOnce") == "first"
    assert writing.thought(question, "Plan:\nfirst\n", "Passage: Once") == "Once"


# -- a policy of one's own ------------------------------------------------------------------------------


class FirstThought(Search):
    """Follow the first thought, whatever it is."""

    tag = "test-first-thought"

    def search(self, growth: Growth) -> Flow[list[Node]]:
        at = growth.root
        while growth.can_grow(at) and (children := (yield from growth.expand([at]))):
            at = children[0]
        return [at]


def test_another_policy_is_one_class() -> None:
    backend = world(STEPS, {})
    result = TreeOfThoughts("reasoning", search="test-first-thought").run("?", backend=backend)
    assert result.answer == "7"
    assert {request.purpose for request in backend.calls} == {"sample"}
