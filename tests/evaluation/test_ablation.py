"""Ablations: what each arm keeps and takes away, and what is said of the outcome."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit import CoT, FakeBackend, FewShot, SelfConsistency, ZeroShot, label_ablation, wording_ablation
from promptkit.errors import ConfigError
from promptkit.evaluation import judge, label_verdict, load, load_run, wording_verdict
from promptkit.evaluation.ablation import TRIGGERS, label_arms, permuted, wording_arms
from promptkit.evaluation.benchmarks.pools import pool_for
from promptkit.strategies.triggers import PUBLISHED
from promptkit.types import Request
from tests.made_runs import run as made_run

POOL = pool_for(load("sentiment"))
ARMS = label_arms(POOL, k=8, seed=3)


def demos(name: str) -> list[tuple[str, str]]:
    """Question and label of each demonstration in the arm whose name begins so."""
    (arm,) = [strategy for found, strategy in ARMS.items() if found.startswith(name)]
    assert isinstance(arm, FewShot)
    assert isinstance(arm.demos, tuple)
    return [(demo.question, demo.answer) for demo in arm.demos]


# --- labels ----------------------------------------------------------------------------------------------------------


def test_all_arms_show_the_same_questions() -> None:
    questions = [question for question, _ in demos("gold")]
    assert len(set(questions)) == 8
    for name in ("random", "permuted", "no labels", "format broken"):
        assert [question for question, _ in demos(name)] == questions
    assert list(ARMS)[-1] == "no demonstrations"
    assert isinstance(ARMS["no demonstrations"], ZeroShot)


def test_gold_labels_are_right_and_balanced_and_permuted_ones_all_wrong() -> None:
    right = {item.question.text: item.answer for item in POOL.items}
    assert all(right[question] == label for question, label in demos("gold"))
    assert Counter(label for _, label in demos("gold")) == {"positive": 4, "negative": 4}
    assert Counter(label for _, label in demos("permuted")) == {"positive": 4, "negative": 4}
    assert not any(right[question] == label for question, label in demos("permuted"))
    assert "permuted (0/8 right)" in ARMS


def test_the_name_tells_how_many_random_labels_are_right() -> None:
    right = sum(one == other for one, other in zip(demos("random"), demos("gold"), strict=True))
    assert f"random ({right}/8 right)" in ARMS
    others = {next(name for name in label_arms(POOL, k=8, seed=seed) if name.startswith("random")) for seed in range(9)}
    assert len(others) > 2


@given(st.lists(st.sampled_from("abc"), max_size=20))
def test_permuted_labels_are_the_same_ones_with_as_few_in_place_as_possible(labels: list[str]) -> None:
    dealt = permuted(labels)
    assert Counter(dealt) == Counter(labels)
    most = max(Counter(labels).values(), default=0)
    unavoidable = max(0, 2 * most - len(labels))
    assert sum(one == other for one, other in zip(labels, dealt, strict=True)) == unavoidable


def prompts(name: str) -> list[Request]:
    backend = FakeBackend("positive")
    (arm,) = [strategy for found, strategy in ARMS.items() if found.startswith(name)]
    arm.run(load("sentiment").examples[0].question, backend=backend)
    return backend.calls


def test_without_labels_no_demonstration_shows_one() -> None:
    (call,) = prompts("no labels")
    (message,) = call.messages
    before = message.content.partition("Now answer this one")[0]
    assert before.count("Review: ") == 8
    assert before.casefold().count("positive") == before.count("positive or negative") == 8
    assert "answer is" not in call.text


def test_the_broken_format_has_all_labels_but_no_turns_and_no_pairs() -> None:
    (call,) = prompts("format broken")
    (message,) = call.messages
    labels = ", ".join(label for _, label in demos("format broken"))
    assert labels in message.content
    assert message.content.index(labels) > message.content.index(demos("gold")[-1][0])
    assert "The answer is" not in call.text


def test_one_call_runs_all_arms_on_the_same_questions(tmp_path: object) -> None:
    def follow(request: Request) -> str:
        """A model that copies the label it was shown last, as long as there are turns."""
        shown = [message.content for message in request.messages if message.role == "assistant"]
        return shown[-1] if shown else "I would rather not say."

    runs = label_ablation(backend=FakeBackend(follow), k=4, limit=10, run_dir=f"{tmp_path}")
    assert len(runs) == 6
    assert [run.n for run in runs] == [10] * 6
    assert len(judge(runs)) == 30
    read = {run.strategy.split()[0]: run.n - run.count("unparsed") for run in runs if run.strategy != "no labels"}
    assert (read["gold"], read["permuted"], read["format"], read["no"]) == (10, 10, 0, 0)
    assert all(run.run_dir and load_run(run.run_dir).samples == run.samples for run in runs)
    gold = runs[0].samples[0].details["demos"]
    assert all(sample.details["demos"] == gold for run in runs[:5] for sample in run.samples)


def test_yes_and_no_are_labels_too() -> None:
    assert {answer for _, answer in _labels("yesno")} == {"yes", "no"}


def _labels(kind: str) -> list[tuple[str, str]]:
    from promptkit.strategies.pool import packaged_pool

    arm = label_arms(packaged_pool(kind), k=4)["gold"]  # pyright: ignore[reportArgumentType]
    assert isinstance(arm, FewShot)
    assert isinstance(arm.demos, tuple)
    return [(demo.question, demo.answer) for demo in arm.demos]


def test_numbers_are_no_labels() -> None:
    with pytest.raises(ConfigError, match="kind number"):
        label_ablation("multiarith-style", FakeBackend("5"))


def test_the_verdict_on_labels_compares_with_right_ones() -> None:
    gold, same, none = (
        made_run("gold", "+" * 40 + "-" * 10),
        made_run("random", "+" * 39 + "-" * 11),
        made_run("no", "-" * 50),
    )
    said = label_verdict([gold, same, none])
    assert said.startswith("Gold has 80.0 % right; shown to differ from it: no (80.0 points behind, p < 0.001); ")
    assert "; not shown to differ from it: random (2.0 points behind, p = 1.00); " in said
    assert re.search(r"with 50 questions, gaps below about \d+ points are easily missed\.$", said)
    with pytest.raises(ConfigError, match="cannot be compared"):
        label_verdict([gold])


# --- wordings --------------------------------------------------------------------------------------------------------


def test_triggers_are_tried_on_chain_of_thought_and_inside_what_wraps_it() -> None:
    arms = wording_arms(CoT())
    assert arms == {name: CoT(trigger=phrase) for name, phrase in TRIGGERS.items()}
    assert arms["step by step"] == CoT()
    wrapped = wording_arms(SelfConsistency(CoT(), 3), {"dry": "Solve it."})
    assert wrapped == {"as it is": SelfConsistency(CoT(), 3), "dry": SelfConsistency(CoT(trigger="Solve it."), 3)}


def test_templates_are_tried_on_anything_that_has_one() -> None:
    arms = wording_arms(CoT(stages=1))
    assert arms == {
        "as it is": CoT(stages=1),
        "formal": CoT(stages=1, template="cot/formal"),
        "colloquial": CoT(stages=1, template="cot/colloquial"),
    }
    assert list(wording_arms(ZeroShot(), templates={"direct": "zero-shot/direct"})) == ["as it is", "direct"]


@pytest.mark.parametrize(
    ("strategy", "triggers", "templates", "said"),
    [
        (ZeroShot(), None, None, "no packaged wordings of zero-shot"),
        (CoT("arithmetic"), None, None, "no packaged wordings of cot"),
        (CoT("arithmetic"), {"a": "b"}, None, "demonstrations take the place of a trigger"),
        (ZeroShot(), {"a": "Think."}, None, "zero-shot has no trigger"),
        (CoT(), {"a": CoT().trigger}, None, "only one wording"),
        (CoT(), {"a": "Think."}, {"a": "cot/formal"}, "'a' is given twice"),
        (CoT(), None, {"a": "cot/nowhere"}, "nowhere"),
    ],
)
def test_wordings_that_make_no_sense(
    strategy: ZeroShot | CoT, triggers: dict[str, str] | None, templates: dict[str, str] | None, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        wording_arms(strategy, triggers, templates)


def test_the_published_phrases_are_distinct_and_ours_are_not_among_them() -> None:
    assert len(set(PUBLISHED.values())) == len(PUBLISHED)
    assert {"formal", "colloquial"} == {name for name, phrase in TRIGGERS.items() if phrase not in PUBLISHED.values()}


def test_one_call_runs_all_wordings() -> None:
    backend = FakeBackend(lambda request: "right" if request.purpose == "rationale" else "The answer is 1.")
    runs = wording_ablation(backend=backend, limit=5, triggers={"dry": "Solve it."})
    assert [run.strategy for run in runs] == ["as it is", "dry"]
    asked = {call.text.rpartition("A: ")[2] for call in backend.calls if call.purpose == "rationale"}
    assert asked == {"Let's think step by step.", "Solve it."}
    assert "wording" in wording_verdict(runs)


def test_the_verdict_names_the_largest_gap_and_what_may_be_missed() -> None:
    some = made_run("a", "+" * 30 + "-" * 34)
    same = made_run("b", "+" * 33 + "-" * 31)
    said = wording_verdict([some, same])
    assert said.startswith("The wording is not shown to matter")
    assert "4.7 points, from 'a' (46.9 % right) to 'b' (51.6 %)" in said
    assert "with 64 questions, gaps below about" in said
    better = made_run("c", "+" * 60 + "-" * 4)
    said = wording_verdict([some, same, better])
    assert said.startswith("The wording matters for this model: 2 of 3 pairs are shown to differ")
    assert "46.9 points, from 'a'" in said
    assert "p < 0.001 corrected for all pairs" in said


def test_too_few_questions_show_nothing_and_the_verdict_says_so() -> None:
    said = wording_verdict([made_run("a", "+-"), made_run("b", "-+")])
    assert "2 questions cannot show much" in said
    with pytest.raises(ConfigError, match="cannot be compared"):
        wording_verdict([made_run("a", "+")])
