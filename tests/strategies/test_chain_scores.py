"""Scores of a chain's steps, and the example with pairs of entities."""

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit import (
    Chain,
    FakeBackend,
    Request,
    Result,
    score_steps,
)
from promptkit.errors import ConfigError
from promptkit.evaluation import StepScore
from tests.isolation import ROOT
from tests.strategies.chains import COUNT

# -- scores of steps ----------------------------------------------------------------------------------


def scored(value: Any, gold: Any, **options: bool) -> StepScore:
    return score_steps(Result(details={"steps": {"a": {"value": value}}}), {"a": gold}, **options)["a"]


def test_scores_of_a_list_of_pairs() -> None:
    score = scored([["Bob", "ann"], ["Cy", "Dee"]], [("Ann", "Bob"), ("Ann", "Eve"), ("Fay", "Gil")])
    assert (score.precision, score.recall, score.exact) == (0.5, 1 / 3, False)
    assert score.f1 == pytest.approx(0.4)
    assert score.missing == (("Ann", "Eve"), ("Fay", "Gil"))
    assert score.extra == (["Cy", "Dee"],)
    assert scored([["Bob", "Ann"]], [("Ann", "Bob")]).exact
    assert not scored([["Bob", "Ann"]], [("Ann", "Bob")], ordered_pairs=True).exact


@pytest.mark.parametrize(
    ("value", "gold", "f1"),
    [
        ([], [], 1),
        ([], ["a"], 0),
        (["a"], [], 0),
        (None, [], 1),
        (None, ["a"], 0),
        ("The end.", "the end", 1),
        (3, 3.0, 1),
        (3, 4, 0),
        (["a", "A", "b"], ["b", "a"], 1),
        ({"name": "Ann"}, {"name": "ann"}, 1),
    ],
)
def test_scores_of_other_values(value: Any, gold: Any, f1: float) -> None:
    score = scored(value, gold)
    assert (score.f1, score.exact) == (f1, f1 == 1)


@given(found=st.lists(st.sampled_from("abcdef")), gold=st.lists(st.sampled_from("abcdef")))
def test_f1_is_symmetric_between_0_and_1_and_1_only_for_equal_sets(found: list[str], gold: list[str]) -> None:
    score = scored(found, gold)
    assert 0 <= score.f1 <= 1
    assert (score.f1 == 1) == (set(found) == set(gold)) == score.exact
    assert score.f1 == pytest.approx(scored(gold, found).f1)
    assert set(score.missing) == set(gold) - set(found)
    assert set(score.extra) == set(found) - set(gold)


def test_a_failed_question_scores_0_and_an_unknown_step_is_named() -> None:
    (result,) = Chain((COUNT,)).run_many(["?"], backend=FakeBackend("many"))
    assert score_steps(result, {"count": []})["count"] == StepScore(False, 0, 0, (), ())
    with pytest.raises(ConfigError, match=r"no step 'pears' \(its steps: count"):
        score_steps(Chain((COUNT,)).run("?", backend=FakeBackend("3")), {"pears": 1})


# -- the example --------------------------------------------------------------------------------------


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(ROOT / "examples" / "entity_pairs")
    yield import_module("compare")
    del sys.modules["compare"]


def test_the_example_compares_both_ways(example: Any) -> None:
    golds = {one["text"]: one["pairs"] for one in example.documents()}

    def knows(request: Request) -> str:
        if request.purpose == "relation":
            return "They know each other."
        (pairs,) = [pairs for text, pairs in golds.items() if text in request.messages[0].content]
        right = pairs if "and how?" not in request.messages[0].content else pairs[:1]
        return "\n".join(f"{second} | {first} | it says so" for first, second in right)

    backend = FakeBackend(knows)
    chain, at_once = example.run(example.chain(), backend), example.run(example.at_once(), backend)
    rows = [example.row("chain", chain), example.row("at once", at_once)]
    assert (rows[0].f1, rows[0].recall, rows[0].failed) == (1, 1, 0)
    assert rows[0].calls == 6 + sum(len(pairs) for pairs in golds.values())
    assert (rows[1].precision, rows[1].calls) == (1, 6)
    assert rows[1].recall == pytest.approx(sum(1 / len(pairs) for pairs in golds.values()) / 6)
    assert [line.split()[0] for line in example.table(rows).splitlines()] == ["F1", "chain", "at"]
    assert "Heron Mill | Tilda Brandt: They know each other." in example.shown(chain[0])


def test_a_document_that_fails_scores_0(example: Any) -> None:
    results = example.run(example.chain(), FakeBackend("I cannot say."))
    assert example.row("chain", results).failed == 6
    assert example.row("chain", results).f1 == 0
    assert "could not be read" in example.shown(results[0])


def test_the_right_pairs_stand_in_the_documents(example: Any) -> None:
    for one in example.documents():
        assert all(name in one["text"] or name.split()[-1] in one["text"] for pair in one["pairs"] for name in pair)
        assert len({frozenset(pair) for pair in one["pairs"]}) == len(one["pairs"])
