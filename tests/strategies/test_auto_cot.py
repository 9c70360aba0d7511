"""Auto-CoT: the choice among a pool's questions, the published rules, failures, and what it is as a strategy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit import AutoCoT, CoT, Demonstration, FakeBackend, Question, SelfConsistency, Strategy
from promptkit.errors import AuthError, BackendError, ConfigError, ContextOverflowError
from promptkit.strategies.clustering import k_means
from promptkit.strategies.pool import Pool
from promptkit.strategies.selection import demonstration, rationale_problem
from promptkit.types import PoolItem, Request, Result
from tests.strategies.clustered_pools import LINE, Placed, asked, item, model, pool

pytest.importorskip("sklearn")
pytestmark = pytest.mark.usefixtures("line")

# --- the choice ------------------------------------------------------------------------------------------------------


def test_the_question_nearest_to_each_centre_becomes_a_demonstration() -> None:
    backend = model()
    selection = AutoCoT(3).build(pool(), backend=backend)
    assert {demo.id for demo in selection.demos} == {"q3", "q4", "q5"}
    assert selection.demos[0].rationale == f"It is {selection.demos[0].id[1:]} and more. So it is 7."
    assert {demo.answer for demo in selection.demos} == {"7"}
    assert sorted(asked(backend)) == [3, 4, 5], "only what was needed was generated"
    assert sorted(len(group.members) for group in selection.clusters) == [3, 3, 3]
    assert selection.usage.calls == 6
    assert all(call.sampling.temperature == 0 for call in backend.calls)


def test_refused_candidates_are_followed_by_the_next_nearest() -> None:
    backend = model(lambda place: "No final period, 7" if place in (3, 0) else "So 7.")
    selection = AutoCoT(3).build(pool(), backend=backend)
    assert {demo.id for demo in selection.demos} == {"q6", "q4", "q5"}
    (group,) = [group for group in selection.clusters if group.chosen == 6]
    assert [refusal.place for refusal in group.refused] == [3, 0]
    assert selection.refused == {"rationale without final period": 2}
    assert sorted(asked(backend)) == [0, 3, 4, 5, 6]


def test_a_cluster_without_a_candidate_gives_no_demonstration() -> None:
    selection = AutoCoT(3).build(pool(), backend=model(lambda place: "7" if place % 3 == 1 else "So 7."))
    assert {demo.id for demo in selection.demos} == {"q3", "q5"}
    assert [group.chosen for group in selection.clusters].count(None) == 1


def test_no_demonstration_at_all_says_why() -> None:
    with pytest.raises(ConfigError, match="9 questions of here: rationale without final period") as caught:
        AutoCoT(3).build(pool(), backend=model(lambda _: "7"))
    assert "max_rationale_lines" in caught.value.hint


def test_the_whole_pool_may_be_generated_and_the_choice_is_the_same() -> None:
    backend = model()
    assert (
        AutoCoT(3, generate="all").build(pool(), backend=backend).demos
        == AutoCoT(3).build(pool(), backend=model()).demos
    )
    assert sorted(asked(backend)) == list(range(9))


def test_only_so_many_questions_of_a_cluster_are_looked_at() -> None:
    backend = model(lambda place: "So 7." if place in (6, 4, 5) else "7")
    selection = AutoCoT(3, max_tries=2).build(pool(), backend=backend)
    assert {demo.id for demo in selection.demos} == {"q4", "q5"}
    assert 6 not in asked(backend)


def test_of_two_clusters_with_nearly_the_same_question_the_later_goes_on() -> None:
    items = list(pool().items)
    twin = items[3].question.text.replace("Number 3", "Number 4")
    items[4] = PoolItem(question=Question(text=twin, id="twin"), answer="7")
    selection = AutoCoT(3).build(Pool(tuple(items), "here"), backend=model())
    chosen = {demo.id for demo in selection.demos}
    assert len(chosen) == 3
    assert len(chosen & {"q3", "twin"}) == 1
    assert selection.refused == {"near-duplicate": 1}


def test_a_large_pool_is_sampled_by_seed(line: Callable[[Any], None]) -> None:
    line([[float(place % 4), float(place)] for place in range(200)])
    first = AutoCoT(4, max_pool=20).build(pool(200), backend=model())
    again = AutoCoT(4, max_pool=20).build(pool(200), backend=model())
    other = AutoCoT(4, max_pool=20, seed=1).build(pool(200), backend=model())
    assert (len(first.pool.items), first.of) == (20, 200)
    assert first == again
    assert first.pool != other.pool


def test_fewer_questions_than_clusters_and_equal_ones_do() -> None:
    assert len(AutoCoT(8).build(pool(3), backend=model()).demos) == 3


@settings(max_examples=40, deadline=None)
@given(
    good=st.lists(st.booleans(), min_size=9, max_size=9).filter(any),
    k=st.integers(1, 9),
    generate=st.sampled_from(["needed", "all"]),
)
def test_it_is_the_first_good_one_of_each_cluster(good: list[bool], k: int, generate: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("promptkit.strategies.auto_cot.embedder", Placed.at(LINE))
        backend = model(lambda place: "So 7." if good[place] else "7")
        selection = AutoCoT(k, generate=generate).build(pool(), backend=backend)
    clusters = k_means(np.asarray(LINE), k, 192)
    first = [next((place for place in members if good[place]), None) for members in clusters]
    assert [group.chosen for group in selection.clusters] == first
    assert [demo.id for demo in selection.demos] == [f"q{place}" for place in first if place is not None]
    looked = {place for members, end in zip(clusters, first, strict=True) for place in _until(members, end)}
    assert set(asked(backend)) == (looked if generate == "needed" else set(range(9)))


def _until(members: tuple[int, ...], end: int | None) -> tuple[int, ...]:
    """Those that are asked: one, then two, then four at a time, until one of them is good."""
    looked = len(members) if end is None else members.index(end) + 1
    return members[: next(most for most in (1, 3, 7, 15) if most >= looked)]


# --- the rules -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rationale", "answer", "problem"),
    [
        ("First.\nSo there are 39.", "39", None),
        ("A.\n\nB.\n\nC.\n\nD.\n\nIt is 39.", "39", None),
        ("A.\nB.\nC.\nD.\nE.\nIt is 39.", "39", "rationale too long"),
        ("So there are 39", "39", "rationale without final period"),
        ("", "39", "rationale without final period"),
        ("So there are 39.", None, "no answer"),
        ("There were 39 at first. Then some came.", "39", None),  # among the last ten words
        ("There were 39 at first. Then a few more of them came and sat down here.", "39", "answer not at the end"),
        ("It costs $1,234.50 in all.", "1234.5", None),
        ("It costs $17.50.", "17.5", None),
        ("They have 139 of them now, all in a row there.", "39", "answer not at the end"),
        ("The balance is -5 dollars.", "-5", None),
    ],
)
def test_the_published_rules_for_numbers(rationale: str, answer: str | None, problem: str | None) -> None:
    found = rationale_problem(Question(text="?"), Result(answer=answer, rationale=rationale), 5)
    assert (found or "").startswith(problem or "") and bool(found) == bool(problem)


def test_answers_of_other_kinds_may_stand_anywhere() -> None:
    result = Result(answer="yes", rationale="Yes it is, as one can see. " + "And so on. " * 5)
    assert rationale_problem(Question(text="?", kind="yesno"), result, 5) is None


def test_long_questions_are_passed_over() -> None:
    items = list(pool().items)
    items[3] = PoolItem(question=Question(text=items[3].question.text + " word" * 60, id="long"), answer="7")
    selection = AutoCoT(3).build(Pool(tuple(items), "here"), backend=model())
    assert "long" not in {demo.id for demo in selection.demos}
    assert selection.refused == {"question too long": 1}


@pytest.mark.parametrize(("kind", "k"), [("number", 8), ("text", 4), ("yesno", 6), ("choice", 7), ("date", 8)])
def test_published_numbers_of_clusters(kind: Any, k: int, line: Callable[[Any], None]) -> None:
    line([[float(place), float(place * place)] for place in range(30)])
    rationale = "\n".join(["so"] * (6 if kind == "text" else 4) + ["It is A, yes, 7, 05/17/2020."])
    items = tuple(
        PoolItem(question=Question(text=item(place).question.text, kind=kind, choices=("x", "y"), id=str(place)))
        for place in range(30)
    )
    selection = AutoCoT().build(Pool(items, "here"), backend=model(lambda _: rationale, "A, yes, 7, 05/17/2020"))
    assert len(selection.clusters) == k
    assert all(group.chosen is not None for group in selection.clusters)


def test_a_predicted_date_is_shown_as_questions_write_it() -> None:
    question = PoolItem(question=Question(text="When?", kind="date"))
    assert demonstration(question, Result(answer="2020-05-17", rationale="a\n b.")) == Demonstration(
        question="When?", answer="05/17/2020", rationale="a b."
    )


# --- right answers ---------------------------------------------------------------------------------------------------


def test_predictions_are_shown_and_wrong_ones_are_counted() -> None:
    items = tuple(item(place, {3: "7", 4: "8", 5: ""}.get(place, "9")) for place in range(9))
    selection = AutoCoT(3).build(Pool(items, "here"), backend=model())
    assert {demo.answer for demo in selection.demos} == {"7"}
    assert (selection.known, [demo.id for demo in selection.wrong]) == (2, ["q4"])
    assert selection.summary()["wrong"] == ["q4"]


def test_right_answers_play_no_part() -> None:
    assert AutoCoT(3).build(pool(answer=""), backend=model()).demos == AutoCoT(3).build(pool(), backend=model()).demos


# --- failures --------------------------------------------------------------------------------------------------------


def test_a_failed_call_is_passed_over() -> None:
    backend = model(lambda place: ContextOverflowError("too long") if place == 3 else "So 7.")
    selection = AutoCoT(3).build(pool(), backend=backend)
    assert len(selection.demos) == 3
    assert selection.refused == {"call failed": 1}


def test_when_all_calls_fail_the_error_is_theirs() -> None:
    with pytest.raises(BackendError, match="busy"):
        AutoCoT(3).build(pool(), backend=model(lambda _: BackendError("busy")))


def test_a_refused_key_ends_it_at_once() -> None:
    def refuse(_: Request) -> str:
        raise AuthError("no such key")

    backend = FakeBackend(refuse)
    with pytest.raises(AuthError):
        AutoCoT(3).build(pool(), backend=backend)
    assert len(backend.calls) == 1


# --- as a strategy ---------------------------------------------------------------------------------------------------


def test_it_answers_as_plain_few_shot_cot_in_one_stage() -> None:
    backend = model()
    result = AutoCoT(3).run("Two and three?", backend=backend, pool=pool())
    assert result.answer == "5"
    last = backend.calls[-1]
    assert last.text.count("The answer is 7.") == 3
    assert last.text.endswith("Q: Two and three?\nA:")
    assert last.sampling.max_tokens == 256
    assert result.usage.calls == 1


def test_what_prepare_returns_is_a_plain_cot() -> None:
    def run() -> Any:
        from promptkit.scheduler import run_flows

        (outcome,) = run_flows([AutoCoT(3, max_tokens=99).prepare(pool())], model())
        return outcome.value

    demos = AutoCoT(3).build(pool(), backend=model()).demos
    assert run() == CoT(demos=demos, max_tokens=99)


def test_it_composes_and_goes_to_files(tmp_path: Path) -> None:
    strategy = SelfConsistency(AutoCoT(3, embedder="tf-idf"), n=2)
    strategy.save(tmp_path / "s.yaml")
    assert Strategy.load(tmp_path / "s.yaml") == strategy
    backend = model()
    result = strategy.run("Two and three?", backend=backend, pool=pool())
    assert (result.answer, result.agreement) == ("5", 1.0)
    assert {call.sampling.temperature for call in backend.calls[-2:]} == {0.7}


def test_unprepared_it_says_what_to_do() -> None:
    assert AutoCoT().needs_pool()
    with pytest.raises(ConfigError, match="no demonstrations yet"):
        AutoCoT().steps(Question(text="?"))
    assert AutoCoT().templates().keys() == {"cot/zero-shot", "cot/answer", "cot/few-shot"}


def test_seeds_that_k_means_does_not_take_are_refused() -> None:
    with pytest.raises(ConfigError, match="seed"):
        AutoCoT(seed=-1)
