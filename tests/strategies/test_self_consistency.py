"""Self-consistency: what is sampled, when it stops, what fails, and what it refuses."""

import re
import runpy
from pathlib import Path

import pytest

from promptkit import CachedBackend, CoT, FakeBackend, FewShot, Question, SelfConsistency, ZeroShot
from promptkit.backends.base import Backend
from promptkit.errors import BackendError, ConfigError
from promptkit.types import Completion, Request
from tests.isolation import ROOT


def test_reading_and_text_are_those_of_the_first_winner() -> None:
    texts = ["so 7", "so 8, the answer is 8", "8 it is"]
    result = SelfConsistency(ZeroShot(), 3).run("?", backend=FakeBackend(texts))
    assert result.text == "so 8, the answer is 8"
    assert result.extraction
    assert result.extraction.rule == "phrase"


# -- through a backend ------------------------------------------------------------------------------


def by_sample(answers: dict[int, str | BackendError]) -> FakeBackend:
    return FakeBackend(lambda request: answers[request.sample[0]])


def test_samples_are_one_prompt_with_as_many_seeds() -> None:
    backend = FakeBackend("4", batch_size=16)
    SelfConsistency(ZeroShot(), 5).run("2 + 2?", backend=backend)
    assert backend.groups == [5]
    assert [request.sample for request in backend.calls] == [(i,) for i in range(5)]
    assert len({request.sample_seed for request in backend.calls}) == 5
    assert {request.sampling.temperature for request in backend.calls} == {0.7}


def test_the_inner_temperature_wins_where_it_is_set() -> None:
    backend = FakeBackend("4")
    SelfConsistency(ZeroShot(temperature=0.3), 2, 0.9).run("2 + 2?", backend=backend)
    assert {request.sampling.temperature for request in backend.calls} == {0.3}


def test_one_failed_sample_does_not_fail_the_question() -> None:
    backend = by_sample({0: BackendError("busy"), 1: "4", 2: "5", 3: "5"})
    result = SelfConsistency(ZeroShot(), 4).run("2 + 2?", backend=backend)
    assert (result.answer, result.error) == ("5", None)
    assert result.details == {"failed_samples": 1}
    assert len(result.candidates) == 3
    assert [bool(call.error) for call in result.trace] == [True, False, False, False]


def test_when_all_samples_failed_the_question_has_failed() -> None:
    backend = by_sample({0: BackendError("first"), 1: BackendError("second")})
    (result,) = SelfConsistency(ZeroShot(), 2).run_many(["2 + 2?"], backend=backend)
    assert (result.answer, result.error) == (None, "first")
    assert result.usage.calls == 2


def test_truncated_samples_do_not_vote() -> None:
    def answer(request: Request) -> Completion:
        cut = request.sample[0] < 3
        return Completion(text="7" if cut else "4", finish_reason="length" if cut else "stop")

    result = SelfConsistency(ZeroShot(), 5).run("2 + 2?", backend=FakeBackend(answer))
    assert (result.answer, result.votes[0].count, result.truncated) == ("4", 2, False)


def test_usage_counts_every_sample() -> None:
    result = SelfConsistency(ZeroShot(), 5).run("2 + 2?", backend=FakeBackend("the answer is 4"))
    assert (result.usage.calls, result.usage.completion_tokens) == (5, 20)
    assert all(candidate.answer == "4" for candidate in result.candidates)


def test_nested_samples_are_all_different() -> None:
    backend = FakeBackend("4", batch_size=32)
    result = SelfConsistency(SelfConsistency(ZeroShot(), 3), 2).run("2 + 2?", backend=backend)
    assert sorted(request.sample for request in backend.calls) == [(i, j) for i in range(3) for j in range(2)]
    assert backend.groups == [6]
    assert [len(candidate.candidates) for candidate in result.candidates] == [3, 3]


def test_one_greedy_sample_is_allowed() -> None:
    backend = FakeBackend("4")
    assert SelfConsistency(ZeroShot(), n=1, temperature=0).run("2 + 2?", backend=backend).answer == "4"
    assert (backend.calls[0].sample, backend.calls[0].sampling.temperature) == ((), 0.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SelfConsistency(CoT(), 5, temperature=0),
        lambda: SelfConsistency(CoT(temperature=0), 5),
        lambda: SelfConsistency(ZeroShot(temperature=0), 2),
        lambda: SelfConsistency(FewShot("arithmetic", temperature=0), 2),
        lambda: SelfConsistency(SelfConsistency(CoT(), 1, temperature=0), 5),
        lambda: SelfConsistency(SelfConsistency(CoT(temperature=0), 1), 5),
    ],
)
def test_many_samples_at_temperature_0_are_refused(make) -> None:
    with pytest.raises(ConfigError, match=r"temperature 0.*same"):
        make()


@pytest.mark.parametrize("n", [0, -1, 1.5])
def test_n_counts(n) -> None:
    with pytest.raises(ConfigError, match="n: "):
        SelfConsistency(CoT(), n)


@pytest.mark.parametrize("adaptive", [0.5, 1, -1, 2])
def test_a_threshold_that_no_lead_or_every_lead_passes_is_refused(adaptive: float) -> None:
    with pytest.raises(ConfigError, match="adaptive: "):
        SelfConsistency(CoT(), adaptive=adaptive)


@pytest.mark.parametrize("vote", ["weighted", "similarity", "overlap"])
def test_only_a_majority_can_be_adaptive(vote) -> None:
    with pytest.raises(ConfigError, match=f'adaptive sampling counts equal answers, which vote="{vote}" does not'):
        SelfConsistency(CoT(), vote=vote, adaptive=0.95, embedder="tf-idf")


def test_an_unknown_vote_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"vote: .*'majority', 'weighted', 'similarity' or 'overlap'"):
        SelfConsistency(CoT(), vote="unanimous")  # type: ignore[arg-type]


# -- sample i is always the same ----------------------------------------------------------------------


def drawn(request: Request) -> Completion:
    """A completion that the request's own seed decides, with a log-probability."""
    answer = request.sample_seed % 3 if request.sampling.temperature else 4
    return Completion(
        text=f"Reasoning {request.sample_seed}. The answer is {answer}.", logprob=-2.0, completion_tokens=4
    )


INNERS = {
    "one stage": ZeroShot(),
    "two stages": CoT(),
    "nested": SelfConsistency(ZeroShot(), 3),
}


@pytest.mark.parametrize("inner", INNERS.values(), ids=INNERS.keys())
def test_more_samples_generate_only_the_new_ones(inner, tmp_path: Path) -> None:
    fake = FakeBackend(drawn)
    backend = CachedBackend(fake, tmp_path / "store.sqlite")
    eight = SelfConsistency(inner, 8).run("2 + 2?", backend=backend)
    paid = len(fake.calls)
    sixteen = SelfConsistency(inner, 16).run("2 + 2?", backend=backend)
    assert sixteen.usage.cached_calls == eight.usage.calls == paid
    assert len(fake.calls) == 2 * paid == sixteen.usage.calls
    assert [c.text for c in sixteen.candidates[:8]] == [c.text for c in eight.candidates]


def test_a_larger_inner_vote_generates_only_the_new_ones(tmp_path: Path) -> None:
    fake = FakeBackend(drawn)
    backend = CachedBackend(fake, tmp_path / "store.sqlite")
    SelfConsistency(SelfConsistency(ZeroShot(), 3), 4).run("2 + 2?", backend=backend)
    SelfConsistency(SelfConsistency(ZeroShot(), 5), 4).run("2 + 2?", backend=backend)
    assert len(fake.calls) == 5 * 4


@pytest.mark.parametrize(
    "other",
    [
        SelfConsistency(ZeroShot(), 10, vote="weighted"),
        SelfConsistency(ZeroShot(), 10, vote="overlap"),
        SelfConsistency(ZeroShot(), 10, adaptive=0.95),
        SelfConsistency(ZeroShot(), 4),
    ],
)
def test_other_votes_over_the_same_samples_cost_nothing(other: SelfConsistency, tmp_path: Path) -> None:
    fake = FakeBackend(drawn)
    backend = CachedBackend(fake, tmp_path / "store.sqlite")
    whole = SelfConsistency(ZeroShot(), 10).run("2 + 2?", backend=backend)
    again = other.run("2 + 2?", backend=backend)
    assert len(fake.calls) == 10
    assert [c.text for c in again.candidates] == [c.text for c in whole.candidates[: len(again.candidates)]]


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> Backend:
    from promptkit import HFBackend

    return HFBackend(str(tiny_model), dtype="float32", batch_size=4)


def test_a_local_model_gives_the_same_first_samples_whatever_n_is(tiny: Backend) -> None:
    for inner in (ZeroShot(max_tokens=12), SelfConsistency(ZeroShot(max_tokens=12), 2)):
        eight = SelfConsistency(inner, 8).run("How many apples?", backend=tiny)
        sixteen = SelfConsistency(inner, 16).run("How many apples?", backend=tiny)
        texts = [c.text for c in sixteen.candidates]
        assert texts[:8] == [c.text for c in eight.candidates]
        assert len(set(texts)) > 8


def test_a_local_model_gives_log_probabilities_and_the_store_keeps_them(tiny: Backend, tmp_path: Path) -> None:
    strategy = SelfConsistency(CoT(max_tokens=12, answer_max_tokens=6), 4, vote="weighted")
    backend = CachedBackend(tiny, tmp_path / "store.sqlite")
    first = strategy.run("How many apples?", backend=backend)
    again = strategy.run("How many apples?", backend=backend)
    assert again.usage.cached_calls == again.usage.calls
    for one, other in zip(first.trace, again.trace, strict=True):
        assert one.completion and other.completion
        assert one.completion.logprob == other.completion.logprob
        sampled = one.request.sampling.temperature != 0
        assert (one.completion.logprob is not None) == sampled
        if sampled:
            assert one.completion.logprob is not None and one.completion.logprob < 0
    assert again.votes == first.votes


# -- weighted votes -----------------------------------------------------------------------------------


def test_a_weighted_vote_weighs_the_sampled_path() -> None:
    """Two answers 1 whose rationales are improbable lose to one 2 whose rationale is probable."""

    def answer(request: Request) -> Completion:
        if request.purpose == "answer":  # greedy: as a local backend, without log-probability
            return Completion(text="2" if "sure" in request.text else "1", completion_tokens=5)
        sure = request.sample == (2,)
        return Completion(text="sure" if sure else "well", logprob=-1.0 if sure else -20.0, completion_tokens=10)

    result = SelfConsistency(CoT(), 3, vote="weighted").run("?", backend=FakeBackend(answer))
    assert result.answer == "2"
    assert [(v.value, v.count) for v in result.votes] == [("2", 1), ("1", 2)]
    assert [v.weight for v in result.votes] == pytest.approx([0.904837, 2 * 0.135335], abs=1e-5)


def test_a_failed_sample_has_no_weight() -> None:
    def answer(request: Request) -> Completion | BackendError:
        return BackendError("busy") if request.sample == (0,) else Completion(text="4", logprob=-1, completion_tokens=1)

    result = SelfConsistency(ZeroShot(), 3, vote="weighted").run("?", backend=FakeBackend(answer))
    assert (result.answer, result.votes[0].count, result.details) == ("4", 2, {"failed_samples": 1})


def test_a_backend_without_log_probabilities_stops_a_weighted_vote_at_once() -> None:
    backend = FakeBackend("4")
    with pytest.raises(ConfigError, match="weighted vote needs the log-probabilities"):
        SelfConsistency(ZeroShot(), 20, vote="weighted").run_many(["1?", "2?"], backend=backend)
    assert len(backend.calls) == 1


def test_a_vote_of_votes_cannot_be_weighted() -> None:
    for inner in (SelfConsistency(CoT(), 3), SelfConsistency(CoT(), 3, vote="weighted")):
        with pytest.raises(ConfigError, match="no probability to weigh it by"):
            SelfConsistency(inner, 3, vote="weighted")


# -- free text ----------------------------------------------------------------------------------------

SUMMARIES = [
    "Ann wants her money back because the kettle leaks.",
    "The weather is fine.",
    "Ann wants her money back, since the kettle leaks.",
    "Ann would like her money back because her kettle leaks.",
]


@pytest.mark.parametrize("vote", ["similarity", "overlap"])
def test_of_free_texts_the_one_closest_to_all_others_is_returned(vote) -> None:
    strategy = SelfConsistency(ZeroShot(extractor="whole"), 4, vote=vote, embedder="tf-idf")
    backend = FakeBackend(lambda request: SUMMARIES[request.sample[0]])
    result = strategy.run(Question(text="Summarise.", kind="text"), backend=backend)
    assert result.text in {SUMMARIES[0], SUMMARIES[2]}
    assert result.votes[-1].value == "the weather is fine"
    assert result.agreement == 1 / 4


def test_the_example_pays_for_each_sample_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(ROOT / "examples" / "self_consistency.py"))["main"]
    fake = FakeBackend(drawn)
    main(CachedBackend(fake, tmp_path / "store.sqlite"))
    shown = capsys.readouterr().out
    assert re.findall(r"of (\d+) samples, (\d+) new", shown)[:3] == [("8", "16"), ("16", "16"), ("16", "0")]
    assert len({request.key for request in fake.calls}) == len(fake.calls)
