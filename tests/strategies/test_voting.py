"""Voting: who votes, who wins by number, weight or likeness, and when a lead is safe."""

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import beta

from promptkit.errors import BackendError, ConfigError
from promptkit.strategies.voting import (
    answers,
    closest,
    embedded_likeness,
    lead_probability,
    overlap_likeness,
    path_probability,
    vote,
    votes_to_lead,
)
from promptkit.types import Call, Completion, Result, Vote
from tests.scripted import prompt


def sample(answer: str | None, truncated: bool = False) -> Result:
    return Result(answer=answer, text=f"it is {answer}", truncated=truncated)


def samples(answers: str) -> list[Result]:
    return [sample(answer) for answer in answers]


voters = st.builds(sample, st.sampled_from("123"))
mute = st.builds(sample, st.none()) | st.builds(sample, st.sampled_from("123"), st.just(True))
failures = st.just(BackendError("busy"))
counts = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 60))

# -- by number --------------------------------------------------------------------------------------


@given(st.lists(voters | mute | failures, max_size=12))
def test_the_winner_has_the_most_votes_and_was_seen_first_among_equals(results: list[Result | BackendError]) -> None:
    voted = [r.answer for r in results if isinstance(r, Result) and r.answer and not r.truncated]
    assume(voted)
    outcome = vote(results)
    counts = Counter(voted)
    assert outcome.answer is not None
    assert counts[str(outcome.answer)] == max(counts.values())
    tied = [answer for answer in dict.fromkeys(voted) if counts[answer] == max(counts.values())]
    assert outcome.answer == tied[0]
    assert outcome.details.get("tie", [outcome.answer]) == tied
    assert {v.value: v.count for v in outcome.votes} == counts
    assert [v.count for v in outcome.votes] == sorted(counts.values(), reverse=True)
    assert outcome.votes[0].value == outcome.answer
    assert outcome.text == f"it is {outcome.answer}"
    assert not outcome.truncated


@given(st.lists(voters, min_size=1, max_size=8), st.lists(mute | failures, max_size=6), st.randoms())
def test_answers_that_do_not_vote_change_nothing_wherever_they_stand(voting, silent, random) -> None:
    mixed = list(voting)
    for result in silent:
        mixed.insert(random.randrange(len(mixed) + 1), result)
    assert answers(mixed) == answers(voting)
    assert (vote(mixed).answer, vote(mixed).votes) == (vote(voting).answer, vote(voting).votes)


@given(st.lists(voters | mute, min_size=1, max_size=8))
def test_all_samples_are_kept_in_order_and_agreement_counts_them(results: list[Result]) -> None:
    outcome = vote(results)
    assert outcome.candidates == tuple(results)
    if outcome.votes:
        assert outcome.agreement == outcome.votes[0].count / len(results)


def test_nothing_readable_is_no_answer() -> None:
    outcome = vote([sample(None), sample(None)])
    assert (outcome.answer, outcome.votes, outcome.truncated, outcome.agreement) == (None, (), False, None)


def test_only_truncated_samples_are_no_answer_and_say_so() -> None:
    outcome = vote([sample("3", True), sample("3", True)])
    assert (outcome.answer, outcome.truncated) == (None, True)


def test_ties_go_to_the_answer_seen_first_and_are_reported() -> None:
    outcome = vote(samples("2112"))
    assert outcome.answer == "2"
    assert outcome.votes == (Vote(value="2", count=2), Vote(value="1", count=2))
    assert outcome.details == {"tie": ["2", "1"]}
    assert vote(samples("21123")).details == {"tie": ["2", "1"]}
    assert vote(samples("211")).details == {}


def test_sets_vote_as_a_whole() -> None:
    pair, single = Result(answer=("a", "b")), Result(answer=("a",))
    assert vote([single, pair, pair]).answer == ("a", "b")
    assert vote([single, pair]).details == {"tie": [["a"], ["a", "b"]]}
    assert closest([single, pair], overlap_likeness()).answer == ("a",)


def test_the_text_is_that_of_a_sample_that_voted() -> None:
    cut = Result(answer="7", text="7 and then", truncated=True)
    assert vote([cut, Result(answer="7", text="7.")]).text == "7."


def test_what_the_winner_says_besides_is_kept_but_not_what_it_says_of_a_vote_of_its_own() -> None:
    inner = Result(answer="7", details={"demos": ["a"], "tie": ["7", "8"], "failed_samples": 3, "saved_samples": 2})
    assert vote([inner]).details == {"demos": ["a"]}


def test_all_failed_raises_the_first_failure() -> None:
    for elect in (vote, lambda results: closest(results, overlap_likeness())):
        with pytest.raises(BackendError, match="first"):
            elect([BackendError("first"), BackendError("second")])


# -- by weight --------------------------------------------------------------------------------------


@given(st.lists(st.tuples(voters | mute | failures, st.floats(0, 1)), max_size=12))
def test_the_heaviest_answer_wins(weighed: list[tuple[Result | BackendError, float]]) -> None:
    results, weights = [result for result, _ in weighed], [weight for _, weight in weighed]
    assume(answers(results))
    totals = Counter[str]()
    for result, weight in weighed:
        if isinstance(result, Result) and result.answer and not result.truncated:
            totals[str(result.answer)] += weight  # type: ignore[assignment]
    outcome = vote(results, weights)
    assert totals[str(outcome.answer)] == max(totals.values())
    assert {v.value: v.weight for v in outcome.votes} == totals
    assert [v.weight for v in outcome.votes] == sorted(totals.values(), reverse=True)
    assert {v.value: v.count for v in outcome.votes} == Counter(answers(results))


@given(st.lists(voters | mute, min_size=1, max_size=10), st.sampled_from([0.25, 1, 2]))
def test_equal_weights_are_a_majority_vote(results: list[Result], weight: float) -> None:
    weighed, counted = vote(results, [weight] * len(results)), vote(results)
    assert (weighed.answer, weighed.details) == (counted.answer, counted.details)
    assert [(v.value, v.count) for v in weighed.votes] == [(v.value, v.count) for v in counted.votes]


def test_one_sure_sample_outweighs_two_unsure_ones() -> None:
    outcome = vote(samples("112"), [0.25, 0.25, 0.75])
    assert outcome.votes == (Vote(value="2", count=1, weight=0.75), Vote(value="1", count=2, weight=0.5))
    assert outcome.agreement == 1 / 3


def call(logprob: float | None, tokens: int, temperature: float | None = 0.7) -> Call:
    completion = Completion(text="", logprob=logprob, completion_tokens=tokens)
    return Call(request=prompt("?", temperature), completion=completion)


def test_a_path_weighs_what_its_average_token_was_probable() -> None:
    assert path_probability([call(4 * math.log(0.5), 4)]) == pytest.approx(0.5)
    assert path_probability([call(3 * math.log(0.5), 3), call(math.log(0.25), 1)]) == pytest.approx(0.5 ** (5 / 4))


@given(st.integers(1, 9), st.floats(0.01, 1))
def test_length_alone_changes_no_weight(tokens: int, probability: float) -> None:
    assert path_probability([call(tokens * math.log(probability), tokens)]) == pytest.approx(probability)


def test_what_was_not_drawn_does_not_count() -> None:
    greedy, empty = call(None, 9, temperature=0), call(None, 0)
    failed = Call(request=prompt("?", 0.7), error="busy")
    assert path_probability([call(2 * math.log(0.5), 2), greedy, empty, failed]) == pytest.approx(0.5)
    assert path_probability([greedy]) == 1


def test_without_log_probabilities_there_is_no_weight() -> None:
    with pytest.raises(ConfigError, match=r"log-probabilities.*majority"):
        path_probability([call(-1.0, 5), call(None, 5)])


# -- by likeness ------------------------------------------------------------------------------------


def same_letters(texts: Sequence[str]) -> list[list[float]]:
    """Share of common letters (Jaccard index)."""
    return [[len({*a} & {*b}) / len({*a} | {*b}) for b in texts] for a in texts]


words = st.builds(sample, st.text("abcd", min_size=1, max_size=4))


@given(st.lists(words | mute | failures, max_size=10))
def test_the_answer_closest_to_all_others_wins(results: list[Result | BackendError]) -> None:
    voted = [str(answer) for answer in answers(results)]
    assume(voted)
    outcome = closest(results, same_letters)
    others = max(1, len(voted) - 1)
    scores = {
        answer: sum(1 if answer == other else same_letters([answer, other])[0][1] for other in voted) - 1
        for answer in voted
    }
    assert scores[str(outcome.answer)] == pytest.approx(max(scores.values()), abs=1e-5)
    assert {v.value: v.weight for v in outcome.votes} == pytest.approx(
        {answer: score / others for answer, score in scores.items()}, abs=1e-5
    )
    assert {v.value: v.count for v in outcome.votes} == Counter(voted)
    assert outcome.votes[0].value == outcome.answer


@given(st.lists(voters | mute, min_size=1, max_size=10))
def test_where_no_two_answers_are_alike_likeness_is_a_majority_vote(results: list[Result]) -> None:
    by_likeness = closest(results, lambda texts: [[0.0] * len(texts) for _ in texts])
    assert (by_likeness.answer, by_likeness.details) == (vote(results).answer, vote(results).details)


@given(st.lists(words, min_size=1, max_size=8), st.randoms())
def test_the_order_of_samples_decides_nothing_but_ties(results: list[Result], random) -> None:
    shuffled = random.sample(results, len(results))
    one, other = closest(results, same_letters), closest(shuffled, same_letters)
    assert one.answer == other.answer or {one.answer, other.answer} <= {*one.details["tie"]}
    assert sorted(one.details.get("tie", [])) == sorted(other.details.get("tie", []))


FISH = [
    "the cat ate the fish",
    "a dog chased a ball in the park",
    "the cat ate a fish",
    "the cat has eaten the fish",
]


@pytest.mark.parametrize("likeness", [overlap_likeness, lambda: embedded_likeness("tf-idf")])
def test_the_odd_one_out_comes_last(likeness) -> None:
    outcome = closest([sample(text) for text in FISH], likeness())
    assert outcome.answer in {FISH[0], FISH[2]}
    assert outcome.votes[-1].value == FISH[1]
    assert all(v.weight is not None and 0 <= v.weight <= 1 for v in outcome.votes)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=4))
def test_overlap_is_a_likeness_whatever_the_texts(texts: list[str]) -> None:
    table = overlap_likeness()(texts)
    for row in range(len(texts)):
        for column in range(len(texts)):
            assert 0 <= table[row][column] <= 1 + 1e-9
            assert table[row][column] == pytest.approx(table[column][row])


def test_answers_without_words_are_no_error() -> None:
    for likeness in (overlap_likeness(), embedded_likeness("tf-idf")):
        assert closest([sample("?!"), sample("…"), sample("…")], likeness).answer == "…"


def test_a_lone_answer_wins_by_likeness_too() -> None:
    outcome = closest([sample(None), sample("7")], overlap_likeness())
    assert (outcome.answer, outcome.details) == ("7", {})


# -- how safe a lead is -----------------------------------------------------------------------------


@given(counts)
def test_the_lead_is_the_mass_of_the_beta_distribution_above_one_half(counts: dict[str, int]) -> None:
    first, second, *_ = [*sorted(counts.values(), reverse=True), 0, 0]
    expected = float(beta(first + 1, second + 1).sf(0.5))
    assert lead_probability(counts) == pytest.approx(expected, rel=1e-9)  # type: ignore[arg-type]


def test_leads_known_by_hand() -> None:
    assert lead_probability({}) == 0.5
    assert lead_probability({"a": 1}) == 3 / 4
    assert lead_probability({"a": 4}) == 31 / 32
    assert lead_probability({"a": 3, "b": 3, "c": 3}) == 0.5


@given(counts, st.floats(0.51, 0.999))
def test_the_votes_to_lead_are_enough_and_none_too_many(counts: dict[str, int], threshold: float) -> None:
    further = votes_to_lead(counts, threshold)  # type: ignore[arg-type]
    leader = max(counts, key=lambda answer: counts[answer], default="a")

    def with_votes(votes: int) -> float:
        return lead_probability({**counts, leader: counts.get(leader, 0) + votes})

    assert with_votes(further) >= threshold
    assert further == 0 or with_votes(further - 1) < threshold


@given(counts, st.sampled_from("abcde"), st.floats(0.51, 0.999))
def test_no_other_votes_could_end_it_sooner(counts: dict[str, int], answer: str, threshold: float) -> None:
    needed = votes_to_lead(counts, threshold)  # type: ignore[arg-type]
    for votes in range(1, needed):
        assert lead_probability({**counts, answer: counts.get(answer, 0) + votes}) < threshold
