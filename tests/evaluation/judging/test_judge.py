"""Judges: what they are asked, what is read of their verdicts, what counts, and both orders of a pair."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit import AutoCoT, CoT, FakeBackend, SelfConsistency, ZeroShot
from promptkit.backends.base import Answer
from promptkit.errors import BackendError, ConfigError
from promptkit.evaluation.judging import (
    Criterion,
    Item,
    Judge,
    PairJudge,
    Rubric,
    compare_points,
    judge_pairs,
    judge_texts,
    load_rubric,
    pairs,
)
from promptkit.evaluation.judging.pairwise import PairVerdict, Pick, Preference
from promptkit.types import Completion, Request

RUBRIC = Rubric(
    name="short",
    task="Sum it up.",
    criteria=(
        Criterion(name="right", ask="Is it right?", instructions="Other words are fine."),
        Criterion(name="style", ask="How good is its style?", scale=5, points=2),
        Criterion(name="two", ask="Are there two sentences?", check={"sentences": 2}),
    ),
)
ITEM = Item("a", "One. Two.", "A long talk.", {"": ("All right.",), "right": ("It rained.",)})


def by_criterion(right: str = "Yes", style: str = "4", two: str = "No") -> FakeBackend:
    def answer(request: Request) -> str:
        asked = request.messages[0].content
        return right if "Is it right?" in asked else style if "style" in asked else two

    return FakeBackend(answer)


def test_each_criterion_is_a_question_of_its_own() -> None:
    backend = by_criterion()
    judge_texts(Judge(RUBRIC), [ITEM], backend)
    first, second, third = (call.messages[0].content for call in backend.calls)
    for part in ("Sum it up.", "<source>\nA long talk.\n</source>", "<answer>\nOne. Two.\n</answer>", "All right."):
        assert part in first and part in second and part in third
    assert "Is it right?\nOther words are fine." in first and "- It rained." in first and "It rained." not in second
    assert "Give a mark from 1 (worst) to 5 (best)." in second and "Answer with one of: 1, 2, 3, 4, 5" in second
    assert first.endswith("Reply with only Yes or No. Do not explain.")


def test_points_of_verdicts() -> None:
    judged = judge_texts(Judge(RUBRIC), [ITEM], by_criterion(), source="mine")
    right, style, two = judged.judgements[0].verdicts
    assert (right.value, right.points) == ("yes", 1.0)
    assert (style.value, style.points) == ("4", 1.5)
    assert (two.value, two.checked, two.points) == ("no", "yes", 1.0)  # code decides; the judge is reported beside it
    assert (judged.points, judged.maximum, judged.judgements[0].complete) == (3.5, 4.0, True)
    assert judged.summary()["criteria"][2]["with_code"]["agree"] == 0.0


def test_the_judge_may_decide_where_code_checks_too() -> None:
    own = RUBRIC.model_copy(update={"criteria": (RUBRIC.criteria[2].model_copy(update={"counts": "judge"}),)})
    assert judge_texts(Judge(own), [ITEM], by_criterion()).points == 0.0


def test_what_cannot_be_read_is_counted_apart() -> None:
    def answer(request: Request) -> Answer:
        asked = request.messages[0].content
        if "Is it right?" in asked:
            return Completion(text="Perhaps")
        return BackendError("gone") if "style" in asked else Completion(text="Yes", finish_reason="length")

    judged = judge_texts(Judge(RUBRIC), [ITEM], FakeBackend(answer))
    assert [v.reading for v in judged.judgements[0].verdicts] == ["unread", "failed", "cut"]
    assert [v.points for v in judged.judgements[0].verdicts] == [None, None, 1.0]  # code still counts sentences
    assert (judged.points, judged.unread_points) == (1.0, 3.0)
    assert not judged.judgements[0].complete
    assert compare_points(judged, judged) is None


def test_any_strategy_judges() -> None:
    texts = iter(["Yes", "No", "No"])
    rubric = Rubric(name="one", criteria=(Criterion(name="right", ask="Is it right?"),))
    judged = judge_texts(
        Judge(rubric, SelfConsistency(ZeroShot("direct"), n=3)), [ITEM], FakeBackend(lambda _: next(texts))
    )
    verdict = judged.judgements[0].verdicts[0]
    assert verdict.value == "no" and verdict.agreement == pytest.approx(2 / 3)
    answers = iter(["It rained, so it is fine.", "Yes"])
    judged = judge_texts(Judge(rubric, CoT()), [ITEM], FakeBackend(lambda _: next(answers)))
    assert judged.judgements[0].verdicts[0].value == "yes"
    with pytest.raises(ConfigError, match="needs a pool"):
        Judge(rubric, AutoCoT())


def test_labels_of_people_are_compared() -> None:
    items = [Item(str(i), "One. Two.", labels={"right": "yes" if i < 3 else "no"}) for i in range(4)]
    judged = judge_texts(Judge(RUBRIC), items, by_criterion(right="Yes"))
    with_people = judged.scores[0].with_people
    assert with_people is not None and (with_people.n, with_people.share) == (4, 0.75)
    assert judged.scores[1].with_people is None


def test_two_writers_are_compared_text_by_text() -> None:
    items = [Item(str(i), "One. Two.") for i in range(12)]
    worse = [Item(str(i), "One.") for i in range(12)]
    a = judge_texts(Judge(RUBRIC), worse, by_criterion(), source="a")
    b = judge_texts(Judge(RUBRIC), items, by_criterion(), source="b")
    found = compare_points(a, b)
    assert found is not None and found.delta == 1.0 and found.better == 12 and found.p_value < 0.001


class TestRubricFile:
    def write(self, folder: Path, text: str) -> Path:
        path = folder / "rubric.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def test_the_packaged_one(self) -> None:
        rubric = load_rubric("support-summary")
        assert [c.name for c in rubric.criteria] == ["question", "response", "two-sentences"]
        assert rubric.maximum == 3.0

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("name: x", "holds no rubric"),
            ("- a", "holds no rubric"),
            ("name: x\ncriteria: []", "criteria"),
            ("name: x\ncriteria: [{name: a}]", "criteria.0.ask: is missing"),
            ("name: x\ncriteria: [{name: a, ask: b, scale: 1}]", "scale"),
            ("name: x\ncriteria: [{name: a, ask: b, check: {exec: 1}}]", "there is no check 'exec'"),
            ("name: x\ncriteria: [{name: a, ask: b, scale: 3, check: {sentences: 1}}]", "answers only yes or no"),
            ("name: x\ncriteria: [{name: a, ask: b}, {name: a, ask: c}]", "two criteria have the name 'a'"),
            ("name: x\ncriteria: [{name: a, ask: b, code: 'import os'}]", "there is no such setting"),
            ("name: [x", "no valid YAML"),
        ],
    )
    def test_what_is_none(self, tmp_path: Path, text: str, complaint: str) -> None:
        with pytest.raises(ConfigError, match=complaint):
            load_rubric(self.write(tmp_path, text))

    def test_an_unknown_name(self) -> None:
        with pytest.raises(ConfigError, match="there is no rubric 'nothing'"):
            load_rubric("nothing")


class TestPairs:
    A, B = Item("1", "Alpha.", "S"), Item("1", "Beta.", "S")

    def prefer(self, text: str) -> FakeBackend:
        """Prefers the answer with this text wherever it stands."""

        def answer(request: Request) -> str:
            asked = request.messages[0].content
            return "A" if asked.index(text) < asked.index("Answer B:") else "B"

        return FakeBackend(answer)

    def test_both_orders_are_asked(self) -> None:
        backend = self.prefer("Beta.")
        found = judge_pairs(PairJudge(RUBRIC), [(self.A, self.B)], backend)
        assert len(backend.calls) == 2
        assert (found.wins("b"), found.wins("a"), found.inconsistent) == (1, 0, 0)
        assert found.picks == {"first": 1, "second": 1, "neither": 0}

    def test_a_judge_that_always_takes_the_first_decides_nothing(self) -> None:
        many = [(Item(str(i), "Alpha."), Item(str(i), "Beta.")) for i in range(10)]
        found = judge_pairs(PairJudge(RUBRIC), many, FakeBackend("A"))
        assert (found.wins("tie"), found.wins("a"), found.p_value) == (10, 0, 1.0)
        assert found.picks["first"] == 20 and found.inconsistent == 10 and found.bias_p_value < 0.01

    def test_one_unread_order_makes_the_pair_unread(self) -> None:
        texts = iter(["A", "hm"])
        found = judge_pairs(PairJudge(RUBRIC), [(self.A, self.B)], FakeBackend(lambda _: next(texts)))
        assert (found.unread, found.wins("tie")) == (1, 0)

    def test_pairs_need_the_same_texts(self) -> None:
        assert pairs([self.A], [self.B]) == [(self.A, self.B)]
        with pytest.raises(ConfigError, match="different ids"):
            pairs([self.A], [Item("2", "x")])
        with pytest.raises(ConfigError, match="different things"):
            pairs([self.A], [Item("1", "x", "other")])

    @given(st.lists(st.tuples(*[st.sampled_from(["first", "second", "neither", None])] * 2), max_size=30))
    def test_counts_add_up_and_swapping_the_writers_swaps_the_wins(
        self, picks: list[tuple[Pick | None, Pick | None]]
    ) -> None:
        def made(swapped: bool) -> Preference:
            verdicts = [
                PairVerdict(str(i), *(pick[::-1] if swapped else pick), ("read", "read"), ("", ""))
                for i, pick in enumerate(picks)
            ]
            return Preference(tuple(verdicts))

        one, other = made(False), made(True)
        assert one.wins("a") + one.wins("b") + one.wins("tie") + one.unread == len(picks)
        assert (one.wins("a"), one.wins("b")) == (other.wins("b"), other.wins("a"))
        assert one.p_value == other.p_value and one.picks == other.picks
