"""Reasoning Gym's tasks: made up by seed, scored by its own scorers, and none whose scorer would run a model's text."""

from typing import Any

import pytest

from promptkit import FakeBackend, Result, ZeroShot, evaluate
from promptkit.errors import BenchmarkError
from promptkit.evaluation import load
from promptkit.evaluation.benchmarks.procedural import executed_by
from promptkit.types import Example, Extraction

pytest.importorskip("reasoning_gym", reason="reasoning-gym is not installed")


def scored(task: str, text: str, place: int = 0) -> dict[str, float]:
    benchmark = load(f"reasoning-gym:{task}", limit=3)
    question = benchmark.examples[place].question
    result = Result(answer=text.lower(), text=text, extraction=Extraction(value=text, span=(0, len(text)), rule="only"))
    found = benchmark.scorer(result, Example(question=question, gold="-"))
    assert found is not None
    assert found.right == (found.scores["score"] == 1)
    return found.scores


@pytest.mark.parametrize("task", ["basic_arithmetic", "leg_counting", "word_sorting", "spell_backward", "coin_flip"])
def test_questions_follow_the_seed_and_not_the_size(task: str) -> None:
    name = f"reasoning-gym:{task}"
    benchmark = load(name, limit=3)
    assert load(name, limit=5).examples[:3] == benchmark.examples
    assert load(name, limit=3, seed=1).examples != benchmark.examples
    assert [one.question.id for one in benchmark.examples] == [f"{name}-{place}" for place in range(3)]
    assert (benchmark.name, benchmark.licence) == (name, "Apache-2.0")
    assert benchmark.source.startswith("reasoning-gym 0.") and benchmark.source.endswith("seed 0")
    assert benchmark.sha256 != load(name, limit=3, seed=1).sha256


def test_without_a_limit_there_are_as_many_as_the_package_makes() -> None:
    assert len(load("reasoning-gym:leg_counting").examples) == 500


def test_whole_numbers_are_read_as_numbers_and_the_rest_as_text() -> None:
    assert load("reasoning-gym:leg_counting", limit=2).kind == "number"
    assert load("reasoning-gym:word_sorting", limit=2).kind == "text"
    assert load("reasoning-gym:leg_counting", limit=2, kind="text").kind == "text"


def test_a_right_answer_a_wrong_one_and_one_in_part() -> None:
    gold = str(load("reasoning-gym:leg_counting", limit=1).examples[0].gold)
    (run,) = evaluate(
        ZeroShot(), load("reasoning-gym:leg_counting", limit=2), FakeBackend(f"That makes {gold} legs in all.")
    )
    assert [sample.status for sample in run.samples] == ["correct", "wrong"]
    assert run.samples[0].scores == {"score": 1.0}
    assert 0 <= run.scores["score"] < 1


def test_capitals_count_where_the_task_says_so() -> None:
    import reasoning_gym

    entry: Any = reasoning_gym.create_dataset("ransom_note", seed=0, size=1)[0]
    answer = str(entry["answer"])
    assert scored("ransom_note", answer) == {"score": 1.0}
    assert scored("ransom_note", answer.swapcase())["score"] < 1


def test_of_answers_with_several_lines_the_last_paragraph_is_taken() -> None:
    import reasoning_gym

    entry: Any = reasoning_gym.create_dataset("rotate_matrix", seed=0, size=1)[0]
    benchmark = load("reasoning-gym:rotate_matrix", limit=1)
    reply = f"I turn it.\n\nSo it is:\n\n```\n{entry['answer']}\n```\n"
    (run,) = evaluate(ZeroShot(), benchmark, FakeBackend(reply))
    assert (run.samples[0].status, run.scores) == ("correct", {"score": 1.0})
    (run,) = evaluate(ZeroShot(), benchmark, FakeBackend("I cannot.\n\n1 2\n3 4"))
    assert run.samples[0].status == "wrong"


def test_an_answer_that_makes_the_scorer_fail_is_wrong() -> None:
    assert scored("rotate_matrix", "{}[[")["score"] < 1


def test_a_task_without_one_right_answer_says_so() -> None:
    assert load("reasoning-gym:graph_color", limit=1).examples[0].gold == "(whatever its scorer accepts)"


@pytest.mark.parametrize("task", ["countdown", "puzzle24", "simple_integration", "n_queens", "spiral_matrix"])
def test_no_answer_is_run_as_python(task: str) -> None:
    with pytest.raises(BenchmarkError, match=r"its scorer calls (eval|parse_expr), which may run a model's answer"):
        load(f"reasoning-gym:{task}", limit=1)


def test_most_tasks_are_offered() -> None:
    from reasoning_gym.factory import DATASETS

    refused = [name for name, (cls, _) in DATASETS.items() if executed_by(cls)]
    assert 5 <= len(refused) < 0.2 * len(DATASETS)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("basic_aritmetic", "no task 'basic_aritmetic' .did you mean basic_arithmetic"),
        ("", "no task ''"),
        ("zzzz", r"there are \d+: ab, "),
        ("composite", "no task 'composite'"),
    ],
)
def test_an_unknown_task_names_near_ones(task: str, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        load(f"reasoning-gym:{task}")
