"""Pools of worked questions, the guard against near duplicates, and strategies that are prepared once a run."""

import json
import re
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit import Demonstration, FakeBackend, FewShot, Question, Result, SelfConsistency, Strategy, ZeroShot
from promptkit.errors import BackendError, BenchmarkError, ConfigError
from promptkit.evaluation import load
from promptkit.evaluation.benchmarks.pools import pool_for
from promptkit.flow import Flow, ask
from promptkit.strategies.base import request
from promptkit.strategies.near_duplicates import NearDuplicates
from promptkit.strategies.pool import PACKAGED, Pool, packaged_pool
from promptkit.templates import Prompt
from promptkit.types import Message, PoolItem


class FirstOfPool(Strategy):
    """Shows the first question of the pool, answered by the model itself."""

    tag: ClassVar[str] = "first-of-pool"

    def needs_pool(self) -> bool:
        return True

    def prepare(self, pool: Pool) -> "Flow[Strategy]":
        item = pool.items[0]
        prompt = Prompt(messages=(Message(role="user", content=item.question.text),), text=None)
        completion = yield from ask(request(prompt, purpose="demonstration"))
        return FewShot((item.demonstration(answer=completion.text),))

    def steps(self, question: Question) -> Flow[Result]:  # noqa: ARG002
        raise AssertionError("it is prepared first")


def pool(*texts: str) -> Pool:
    return Pool(tuple(PoolItem(question=Question(text=text, id=text), answer="1") for text in texts), "here")


def answers(request: object) -> str:
    return "7" if getattr(request, "purpose", "") == "demonstration" else "The answer is 5."


def test_a_strategy_is_prepared_once_for_all_questions() -> None:
    backend = FakeBackend(answers)
    results = FirstOfPool().run_many(["What is two and three?", "And four and one?"], backend=backend, pool=pool("P?"))
    assert [result.answer for result in results] == ["5", "5"]
    assert [call.purpose for call in backend.calls] == ["demonstration", "answer", "answer"]
    assert all("The answer is 7." in call.text for call in backend.calls[1:])


def test_wrappers_prepare_what_is_inside() -> None:
    backend = FakeBackend(answers)
    wrapped = SelfConsistency(FirstOfPool(), 3)
    assert wrapped.needs_pool()
    assert not SelfConsistency(ZeroShot(), 3).needs_pool()
    result = wrapped.run("What is two and three?", backend=backend, pool=pool("P?"))
    assert result.answer == "5"
    assert [call.purpose for call in backend.calls] == ["demonstration", "answer", "answer", "answer"]


def test_a_failed_preparation_fails_the_run() -> None:
    def failing(_: object) -> BackendError:
        return BackendError("gone")

    with pytest.raises(BackendError, match="gone"):
        FirstOfPool().run("What is two and three?", backend=FakeBackend(failing), pool=pool("P?"))


def test_the_question_itself_is_no_demonstration() -> None:
    asked = "Ann has 3 boxes of 12 eggs and breaks 5 of them. How many eggs are left?"
    backend = FakeBackend(answers)
    FirstOfPool().run(asked, backend=backend, pool=pool(asked.upper(), "P?"))
    assert backend.calls[0].text == "P?"
    with pytest.raises(ConfigError, match="every question of the pool"):
        FirstOfPool().run(asked, backend=backend, pool=pool(asked))


def test_without_a_pool_the_packaged_one_of_the_kind_is_taken() -> None:
    backend = FakeBackend(answers)
    FirstOfPool().run("What is two and three?", backend=backend)
    assert backend.calls[0].text == packaged_pool("number").items[0].question.text
    missing = Question(text="Which words rhyme?", kind="set")
    with pytest.raises(ConfigError, match="no packaged pool"):
        FirstOfPool().run(missing, backend=backend)


@pytest.mark.parametrize("kind", PACKAGED)
def test_packaged_pools_have_answers_and_ids_of_their_own(kind: str) -> None:
    found = packaged_pool(kind)  # pyright: ignore[reportArgumentType]
    assert found.kind == kind
    assert all(item.answer for item in found.items)
    assert len({item.question.id for item in found.items}) == len(found.items) >= 40


def test_the_set_that_is_asked_is_not_its_own_pool() -> None:
    assert packaged_pool("number", without="gsm8k-style").source == "multiarith-style"


def test_a_demonstration_of_a_choice_question_states_the_choices() -> None:
    item = PoolItem(
        question=Question(text="Which is red?", kind="choice", choices=("sky", "blood"), id="a"), answer="B"
    )
    expected = Demonstration(question="Which is red?\nAnswer Choices: (A) sky (B) blood", answer="B", id="a")
    assert item.demonstration() == expected


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("A farmer had 12 sheep and bought 7 more. How many sheep does he have now?", True),
        ("a farmer had 12 sheep, and bought 7 more!  How many sheep does he have now", True),
        ("A farmer had 12 sheep and bought 9 more. How many sheep does he have now?", True),
        ("A baker had 12 loaves and sold 7 of them. How many loaves are left?", False),
        ("", False),
    ],
)
def test_near_duplicates(other: str, same: bool) -> None:
    found = NearDuplicates([other]).of("A farmer had 12 sheep and bought 7 more. How many sheep does he have now?")
    assert bool(found) == same


def test_a_sentence_in_front_of_every_question_makes_them_not_alike() -> None:
    head = "Is this review positive or negative?\nReview:"
    reviews = ["Great film.", "Bad film.", "Loved it!", "Too long.", "A gem.", "So dull."]
    found = NearDuplicates(f"{head} {review}" for review in reviews)
    for place, review in enumerate(reviews):
        assert found.of(f"{head} {review.upper()}") == [place]
    assert found.of(f"{head} Funny.") == []


@given(st.lists(st.text(alphabet="abc 1.\n", max_size=30), max_size=6), st.integers(0, 5))
def test_a_text_equals_itself_and_so_do_its_twins(texts: list[str], place: int) -> None:
    found = NearDuplicates(texts)
    if place < len(texts):
        assert place in found.of(f" {texts[place].upper()}!")


def test_a_pool_with_other_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text(
        '{"question": "The trout swims.", "answer": "fish"}\n{"question": "The hen runs.", "answer": "bird"}\n'
    )
    mine = load(str(tmp_path / "mine.jsonl"), kind="label")
    with pytest.raises(BenchmarkError, match=r"answers '\w+', which is none of the labels bird, fish .*--pool"):
        pool_for(mine)
    with pytest.raises(BenchmarkError, match="none of the labels negative, positive"):
        pool_for(load("sentiment"), mine)


def test_repeats_in_a_public_benchmark_are_found(shared: Path) -> None:
    questions = [row["sQuestion"] for row in json.loads((shared / "data" / "MultiArith.json").read_text("utf-8"))]
    spelled = [" ".join(re.findall(r"\w+", question.casefold())) for question in questions]
    found = NearDuplicates(questions)
    repeats = [(place, spelled.index(text)) for place, text in enumerate(spelled) if spelled.index(text) < place]
    assert len(repeats) == 20
    assert all(first in found.of(questions[place]) for place, first in repeats)
    unlike = [place for place, question in enumerate(questions) if len(found.of(question)) == 1]
    assert len(unlike) > 400  # the limit must not throw most of a benchmark away
