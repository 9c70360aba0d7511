"""Selectors: what they take from a pool, in which order, within which limit, and never what is asked."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit import (
    Balanced,
    CoT,
    Demonstration,
    Diverse,
    FakeBackend,
    FewShot,
    Question,
    Random,
    SelfConsistency,
    Similar,
    Strategy,
    evaluate,
)
from promptkit.errors import ConfigError
from promptkit.evaluation import load
from promptkit.strategies.near_duplicates import nearly_equal
from promptkit.strategies.pool import Pool
from promptkit.strategies.selectors import SELECTORS, AnySelector, Fixed, selector
from promptkit.types import PoolItem

TOPICS = {
    "fish": ["The trout swims upstream today", "A pike hunts in the lake", "Salmon and trout share the cold river"],
    "bread": ["Rye flour makes dark bread", "The baker kneads dough at dawn", "Sourdough bread needs time and flour"],
    "stars": [
        "Orion rises over the hills",
        "A comet crossed the winter sky",
        "The telescope shows Saturn",
    ],
}
TEXTS = [(text, topic) for topic, texts in TOPICS.items() for text in texts]
ANSWERS = FakeBackend("The answer is fish.")
FIXED: list[Random | Balanced | Diverse] = [Random(3), Balanced(3), Diverse(3, embedder="tf-idf")]


def pool(*pairs: tuple[str, str], rationale: str = "") -> Pool:
    labels = tuple(TOPICS)
    return Pool(
        tuple(
            PoolItem(
                question=Question(text=text, kind="label", labels=labels, id=text), answer=answer, rationale=rationale
            )
            for text, answer in pairs
        ),
        "here",
    )


def ask(text: str) -> Question:
    return Question(text=text, kind="label", labels=tuple(TOPICS))


def taken(selector: AnySelector, question: str, given: Pool) -> list[str]:
    """The ids of the demonstrations that few-shot shows."""
    result = FewShot(selector).run(ask(question), backend=FakeBackend("The answer is fish."), pool=given)
    return result.details["demos"]


# --- which ones ------------------------------------------------------------------------------------------------------


def test_similar_takes_the_nearest_and_shows_the_very_nearest_last() -> None:
    found = taken(Similar(3, embedder="tf-idf"), "Where does a trout swim in the river?", pool(*TEXTS))
    assert found[-1] in TOPICS["fish"]
    assert set(found[1:]) < set(TOPICS["fish"])
    shown_first = taken(
        Similar(3, embedder="tf-idf", order="selected"), "Where does a trout swim in the river?", pool(*TEXTS)
    )
    assert shown_first == found[::-1]


def test_similar_chooses_for_each_question_anew() -> None:
    strategy = FewShot(Similar(1, embedder="tf-idf"))
    questions = [ask("Is there flour in rye bread?"), ask("Did a comet cross a winter sky?")]
    one, other = strategy.run_many(questions, backend=ANSWERS, pool=pool(*TEXTS))
    assert one.details["demos"][0] in TOPICS["bread"]
    assert other.details["demos"] == ["A comet crossed the winter sky"]


def test_the_prompt_holds_what_the_details_name() -> None:
    backend = FakeBackend("The answer is fish.")
    result = FewShot(Balanced(3)).run(ask("Which is it?"), backend=backend, pool=pool(*TEXTS))
    (call,) = backend.calls
    assert [message.content for message in call.messages[:-1:2]] == result.details["demos"]


def test_diverse_takes_one_of_each_group() -> None:
    groups = ["trout pike salmon perch", "rye flour dough oven", "comet star moon sun"]
    texts = [f"{group} {end}" for group in groups for end in ("alpha", "beta", "gamma", "delta")]
    found = Diverse(3, embedder="tf-idf").choose(pool(*((text, "fish") for text in texts)))
    assert {demo.question.rpartition(" ")[0] for demo in found} == set(groups)


@given(st.integers(1, 9), st.integers(0, 50), st.permutations(TEXTS))
def test_random_is_decided_by_its_seed_alone(k: int, seed: int, texts: list[tuple[str, str]]) -> None:
    found = Random(k, seed).choose(pool(*texts))
    assert found == Random(k, seed).choose(pool(*texts))
    assert len({demo.id for demo in found}) == k
    assert found[: k - 1] == Random(k - 1, seed).choose(pool(*texts)) if k > 1 else True


def test_other_seeds_draw_others() -> None:
    drawn = {tuple(demo.id for demo in Random(3, seed).choose(pool(*TEXTS))) for seed in range(20)}
    assert len(drawn) > 10


@given(st.lists(st.sampled_from(sorted(TOPICS)), min_size=1, max_size=30), st.integers(1, 12), st.integers(0, 20))
def test_balanced_gives_no_answer_a_lead(answers: list[str], k: int, seed: int) -> None:
    items = [(f"{number} and {number * 7}", answer) for number, answer in enumerate(answers)]
    k = min(k, len(items))
    counts = Counter(demo.answer for demo in Balanced(k, seed).choose(pool(*items)))
    there = Counter(answers)
    for one in there:
        for other in there:  # an answer is behind another one only where the pool has no more of it
            assert counts[one] >= min(there[one], counts[other] - 1)


# --- how they are shown ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fixed", FIXED, ids=str)
def test_a_random_order_shows_the_same_ones(fixed: Random | Balanced | Diverse) -> None:
    given = pool(*TEXTS)
    orders = [fixed.with_fields(order="random", seed=seed) for seed in range(6)]
    if isinstance(fixed, Diverse):
        assert all({d.id for d in one.choose(given)} <= {text for text, _ in TEXTS} for one in orders)
    for one in orders:
        selected = one.with_fields(order="selected").choose(given)
        assert Counter(one.choose(given)) == Counter(selected)
    assert any(one.choose(given) != one.with_fields(order="selected").choose(given) for one in orders)


def test_only_similar_knows_what_is_nearest() -> None:
    with pytest.raises(ConfigError, match="order: "):
        Random(3, order="nearest-last")  # type: ignore[arg-type]


# --- limits ----------------------------------------------------------------------------------------------------------


@given(st.integers(8, 200), st.integers(0, 9), st.sampled_from(["random", "balanced", "diverse", "similar"]))
def test_the_limit_of_tokens_holds(limit: int, seed: int, name: str) -> None:
    more = {"embedder": "tf-idf"} if name in ("diverse", "similar") else {}
    chooser = selector({"select": name, "k": 5, "seed": seed, "max_tokens": limit, **more})
    given = pool(*TEXTS)
    try:
        demos = chooser.choose(given) if isinstance(chooser, Fixed) else chooser.fitted(given).choose(ask("A trout?"))
    except ConfigError as error:
        assert "fits into" in str(error)
        return
    tokens = sum(given.count_tokens(f"Q: {demo.question}\nA: The answer is {demo.answer}.") for demo in demos)
    assert 0 < tokens <= limit
    assert len(demos) <= 5


def test_tokens_are_counted_as_the_backend_does() -> None:
    counted: list[str] = []

    class Letters(FakeBackend):
        def count_tokens(self, text: str) -> int:
            counted.append(text)
            return len(text)

    backend = Letters("The answer is fish.")
    result = FewShot(Random(3, max_tokens=150)).run(ask("Which?"), backend=backend, pool=pool(*TEXTS))
    assert counted
    assert 1 <= len(result.details["demos"]) < 3


def test_one_that_does_not_fit_makes_room_for_the_next() -> None:
    long = ("trout " * 40 + "river", "fish")
    found = taken(Similar(1, embedder="tf-idf", max_tokens=20), "trout river trout", pool(long, *TEXTS))
    assert found != [long[0]]
    assert len(found) == 1


@pytest.mark.parametrize("fixed", [*FIXED, Similar(3, embedder="tf-idf")], ids=str)
def test_too_small_a_pool_is_an_error(fixed: AnySelector) -> None:
    with pytest.raises(ConfigError, match="only 2 different questions, and 3 are wanted"):
        taken(fixed, "Which?", pool(*TEXTS[:2], (TEXTS[0][0].upper(), "fish")))


def test_a_pool_without_what_is_shown_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"have no rationales.*AutoCoT"):
        CoT(Random(2)).run(ask("Which?"), backend=ANSWERS, pool=pool(*TEXTS))
    with pytest.raises(ConfigError, match="have no answers"):
        FewShot(Random(2)).run(ask("Which?"), backend=ANSWERS, pool=pool(*((text, "") for text, _ in TEXTS)))


def test_chain_of_thought_shows_the_rationales_of_the_pool() -> None:
    backend = FakeBackend("So it is fish. The answer is fish.")
    given = pool(*TEXTS, rationale="It says so.")
    result = CoT(Similar(2, embedder="tf-idf")).run(ask("Is it a trout?"), backend=backend, pool=given)
    (call,) = backend.calls
    assert [message.content for message in call.messages if message.role == "assistant"][-1].startswith(
        "It says so. The"
    )
    assert len(result.details["demos"]) == 2


# --- never what is asked ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fixed", [*FIXED, Similar(3, embedder="tf-idf")], ids=str)
@pytest.mark.parametrize("asked", ["THE TROUT, swims upstream today!", "The trout swims upstream today again"])
def test_no_demonstration_nearly_equals_the_question(fixed: AnySelector, asked: str) -> None:
    for text, _ in TEXTS:
        assert nearly_equal(text, asked) == (text == TEXTS[0][0])
    assert TEXTS[0][0] not in taken(fixed.with_fields(k=6), asked, pool(*TEXTS))


def test_similar_leaves_the_question_out_of_a_pool_that_leaks() -> None:
    given = pool(*TEXTS)
    near = Similar(8, embedder="tf-idf").fitted(given)
    for text, _ in TEXTS:
        assert text not in {demo.id for demo in near.choose(ask(text))}


@pytest.mark.parametrize("fixed", FIXED, ids=str)
def test_no_two_demonstrations_nearly_equal_each_other(fixed: Random | Balanced | Diverse) -> None:
    twins = [(f"{text}, it was", answer) for text, answer in TEXTS]
    found = [demo.question for demo in fixed.with_fields(k=9).choose(pool(*TEXTS, *twins))]
    assert not [(a, b) for a in found for b in found if a < b and nearly_equal(a, b)]


# --- as values, and in runs ------------------------------------------------------------------------------------------

EVERY: list[AnySelector] = [
    Random(4, 7),
    Balanced(4, 7, order="random"),
    Similar(4, embedder="tf-idf", order="nearest-last", max_tokens=300),
    Diverse(4, 3, embedder="tf-idf"),
]


@pytest.mark.parametrize("one", EVERY, ids=str)
def test_they_are_values_and_go_through_a_file(one: AnySelector, tmp_path: object) -> None:
    path = f"{tmp_path}/strategy.yaml"
    strategy = SelfConsistency(FewShot(one), 3)
    strategy.save(path)
    loaded = Strategy.load(path)
    assert loaded == strategy
    assert hash(loaded) == hash(strategy)
    assert FewShot(one) != FewShot(one.with_fields(k=5))
    assert loaded.needs_pool()


def test_every_selector_has_a_name() -> None:
    assert {name: one.select for name, one in SELECTORS.items()} == {name: name for name in SELECTORS}
    assert {type(one) for one in EVERY} == set(SELECTORS.values())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"select": "best"}, "there is no selector 'best'.*random"),
        ({"k": 4}, "there is no selector"),
        ({"select": "random", "k": 0}, "k: "),
        ({"select": "random", "embedder": "tf-idf"}, "'random' has no setting 'embedder'.*k"),
        ({"select": "similar", "order": "best"}, "order: "),
        ({"select": "random", "max_tokens": 0}, "max_tokens: "),
        ({"select": "random", "seed": -1}, "seed: "),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        FewShot(settings)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_strategy_that_was_not_prepared_says_so() -> None:
    with pytest.raises(ConfigError, match=r"no demonstrations yet.*evaluate"):
        next(FewShot(Random(2)).steps(ask("Which?")))


def test_an_evaluation_takes_the_pool_and_names_the_demonstrations() -> None:
    strategies = {
        "random": FewShot(Random(2)),
        "near": SelfConsistency(FewShot(Similar(2, embedder="tf-idf")), 2),
    }
    runs = evaluate(strategies, "sentiment", FakeBackend("The answer is positive."), limit=4)
    train = {example.question.text for example in load("sentiment-train").examples}
    for run in runs:
        assert run.accuracy == 0.5
        for sample in run.samples:
            shown = [message.content for call in sample.calls for message in call.request.messages[:-1:2]]
            assert set(shown) <= train
            assert shown
    assert all(len(sample.details["demos"]) == 2 for run in runs for sample in run.samples)


def test_demonstrations_given_by_hand_are_no_selector() -> None:
    demo = Demonstration(question="Is a pike a fish?", answer="fish", id="pike")
    assert not FewShot((demo,)).needs_pool()
    result = FewShot((demo,)).run(ask("And a trout?"), backend=ANSWERS)
    assert result.details == {"demos": ["pike"]}
