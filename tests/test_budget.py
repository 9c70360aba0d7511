"""Budgets: what is handed out, what is finished, what is missing, and how it goes on."""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit import (
    AutoCoT,
    CachedBackend,
    Completion,
    FakeBackend,
    OpenAIBackend,
    Request,
    ZeroShot,
    evaluate,
    prices,
)
from promptkit.backends.base import Answer
from promptkit.budget import Budget, Meter
from promptkit.errors import BackendError, ConfigError
from promptkit.evaluation import Run, compare, load_run, verdict
from promptkit.types import Price
from tests.evaluation.running.test_evaluator import right, sums

STRATEGIES = ["zero-shot", "zero-shot-cot", "self-consistency:n=3"]


def long(request: Request) -> Completion:
    """An answer of 7 tokens to a prompt of 11."""
    return Completion(text=right(request), prompt_tokens=11, completion_tokens=7)


class Paid(FakeBackend):
    """A dollar a prompt token, two a generated one."""

    def price(self) -> Price:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Price(prompt=1e6, completion=2e6, source="test")


class Unpriced(FakeBackend):
    """Nobody knows what it costs."""

    def price(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        return None


def parts(runs: Sequence[Run]) -> list[tuple[int, int]]:
    return [(run.n, run.missing) for run in runs]


@cache
def _needed() -> int:
    """Calls of the undisturbed run."""
    backend = FakeBackend(long)
    evaluate(STRATEGIES, sums(6), backend)
    return len(backend.calls)


@settings(deadline=None, max_examples=40)
@given(
    calls=st.none() | st.integers(0, 60),
    tokens=st.none() | st.integers(0, 900),
    cost=st.none() | st.floats(0, 1500),
    batch=st.integers(1, 9),
    window=st.integers(1, 9),
)
def test_never_more_than_the_budget_and_what_is_in_flight(
    calls: int | None, tokens: int | None, cost: float | None, batch: int, window: int
) -> None:
    backend = Paid(long, batch_size=batch)
    meter = Meter(Budget(max_calls=calls, max_tokens=tokens, max_cost=cost))
    runs = evaluate(STRATEGIES, sums(6), backend, budget=meter, window=window)
    made = len(backend.calls)
    assert (meter.calls, meter.tokens, meter.in_flight) == (made, 18 * made, 0)
    assert meter.cost == pytest.approx(25 * made)
    assert calls is None or made <= calls
    # Fewer were made before the last were handed out, and these are at most a batch.
    assert tokens is None or 18 * (made - batch) < max(tokens, 1)
    assert cost is None or 25 * (made - batch) < max(cost, 1)
    assert all(run.n + run.missing == 6 for run in runs)
    assert any(run.missing for run in runs) == (made < _needed())
    assert all(sample.status == "correct" for run in runs for sample in run.samples)


def test_calls_are_used_up_exactly() -> None:
    backend = FakeBackend(right, batch_size=4)
    runs = evaluate(["zero-shot", "direct"], sums(8), backend, budget=Budget(max_calls=13))
    assert len(backend.calls) == 13
    assert parts(runs) == [(8, 0), (5, 3)]
    assert runs[1].stopped == "the budget of 13 calls is used up"


def test_a_strategy_never_sees_that_it_was_stopped() -> None:
    """Self-consistency would vote among the samples that are there, if it was told that others had failed."""
    (run,) = evaluate("self-consistency:n=5", sums(2), FakeBackend(right), budget=Budget(max_calls=4))
    assert parts([run]) == [(0, 2)]
    assert run.count("failed") == 0


def test_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("promptkit.budget.time.perf_counter", lambda: now[0])

    def slow(request: Request) -> str:
        now[0] += 2
        return right(request)

    (run,) = evaluate("zero-shot", sums(8), FakeBackend(slow), budget=Budget(max_seconds=9))
    assert parts([run]) == [(5, 3)]
    assert run.stopped == "the budget of 9 seconds is used up"


def test_stored_completions_are_free_and_served_when_nothing_is_left(tmp_path: Path) -> None:
    backend = CachedBackend(FakeBackend(right, batch_size=4), tmp_path / "store.sqlite")
    evaluate("zero-shot-cot", sums(20), backend)
    inner = backend.inner
    assert isinstance(inner, FakeBackend)
    before = len(inner.calls)
    # In another order, behind questions that are not stored, and with room for few at a time.
    runs = evaluate(["direct", "zero-shot-cot"], sums(20), backend, budget=Budget(max_calls=0), window=3)
    assert parts(runs) == [(0, 20), (20, 0)]
    runs = evaluate(["direct", "zero-shot-cot"], sums(20), backend, budget=Budget(max_calls=5), window=3)
    assert parts(runs) == [(5, 15), (20, 0)]
    assert len(inner.calls) == before + 5
    backend.close()


def test_the_same_call_goes_on_until_it_is_whole_and_repeats_none(tmp_path: Path) -> None:
    backend = CachedBackend(FakeBackend(right, batch_size=4), tmp_path / "store.sqlite")
    inner = backend.inner
    assert isinstance(inner, FakeBackend)
    folder = tmp_path / "r"
    for made in (7, 14, 21):
        runs = evaluate(STRATEGIES, sums(4), backend, budget=Budget(max_calls=7), run_dir=folder)
        assert len(inner.calls) == made
        assert runs[2].missing
        with pytest.raises(ConfigError, match=r"was stopped: the budget of 7 calls is used up; \d questions are miss"):
            load_run(folder / "self-consistency-n=3")
    runs = evaluate(STRATEGIES, sums(4), backend, budget=Budget(max_calls=50), run_dir=folder)
    whole = evaluate(STRATEGIES, sums(4), FakeBackend(right))
    assert [[(s.id, s.answer) for s in run.samples] for run in runs] == [
        [(s.id, s.answer) for s in run.samples] for run in whole
    ]
    keys = [request.key for request in inner.calls]
    assert len(keys) == len(set(keys))
    assert load_run(folder / "self-consistency-n=3").accuracy == 1
    backend.close()


def test_a_whole_run_is_not_lost_to_one_that_was_stopped(tmp_path: Path) -> None:
    evaluate("zero-shot", sums(4), FakeBackend(right), run_dir=tmp_path)
    evaluate("zero-shot", sums(4), FakeBackend(right), run_dir=tmp_path, budget=Budget(max_calls=1))
    assert load_run(tmp_path / "zero-shot").n == 4


def test_a_meter_is_stopped_from_outside_and_shared() -> None:
    meter = Meter()
    backend = FakeBackend(right)

    def enough(_: object) -> None:
        if meter.calls == 3:
            meter.stop("three are enough")

    (run,) = evaluate("zero-shot", sums(8), backend, budget=meter, on_progress=enough)
    assert (parts([run]), run.stopped) == ([(3, 5)], "three are enough")
    (run,) = evaluate("direct", sums(8), backend, budget=meter)
    assert parts([run]) == [(0, 8)]


class Batch(FakeBackend):
    """Has whole batches in flight, and is stopped in the middle of the second."""

    meter = Meter()

    def generate(self, requests: Sequence[Request]) -> Sequence[Answer]:
        if self.calls:
            self.meter.stop("it was interrupted")
        return super().generate(requests)


def test_what_is_in_flight_is_finished() -> None:
    backend = Batch(right, batch_size=4)
    (run,) = evaluate("zero-shot", sums(20), backend, budget=backend.meter)
    assert parts([run]) == [(8, 12)]


def test_preparation_counts_and_may_be_what_is_missing() -> None:
    backend = FakeBackend("First 1 + 1 is 2.\nThe answer is 2.")
    meter = Meter(Budget(max_calls=2))
    runs = evaluate({"auto": AutoCoT(k=2, embedder="tf-idf"), "plain": ZeroShot()}, sums(4), backend, budget=meter)
    assert meter.calls == 2
    assert parts(runs) == [(0, 4), (0, 4)]


def test_failed_calls_count() -> None:
    def fail(_: Request) -> BackendError:
        return BackendError("no")

    (run,) = evaluate("zero-shot", sums(5), FakeBackend(fail), budget=Budget(max_calls=2))
    assert (run.count("failed"), run.missing) == (2, 3)


def test_a_limited_cost_needs_a_known_price() -> None:
    pytest.importorskip("genai_prices", reason="list prices need the extra `prices`")
    backend = Unpriced(right)
    with pytest.raises(ConfigError, match="its cost cannot be limited") as caught:
        evaluate("zero-shot", sums(3), backend, budget=Budget(max_cost=1))
    assert not backend.calls
    assert "limit calls or tokens" in caught.value.hint
    (run,) = evaluate("zero-shot", sums(3), backend, budget=Budget(max_calls=9))
    assert run.cost is None
    assert run.summary()["usage"]["cost"] is None


def test_a_limited_cost_needs_the_list_of_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    prices.listed.cache_clear()
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    backend = OpenAIBackend("gpt-4o-mini", base_url="http://127.0.0.1:9/v1")
    assert prices.listed("gpt-4o-mini") is None
    prices.listed.cache_clear()
    with pytest.raises(ConfigError, match=r"needs the list of prices \(pip install \"promptkit\[prices\]\"\)"):
        evaluate("zero-shot", sums(3), backend, budget=Budget(max_cost=1))


def test_the_ledger_keeps_stored_tokens_apart(tmp_path: Path) -> None:
    backend = CachedBackend(Paid(long), tmp_path / "store.sqlite")
    evaluate("zero-shot", sums(3), backend)
    (run,) = evaluate("zero-shot", sums(5), backend, run_dir=tmp_path / "r")
    assert run.summary()["usage"] == {
        "calls": 5,
        "prompt_tokens": 55,
        "completion_tokens": 35,
        "cached_calls": 3,
        "cached_prompt_tokens": 33,
        "cached_completion_tokens": 21,
        "reused_prompt_tokens": 0,
        "uncounted_calls": 0,
        "cost": 5 * 25,
        "paid": 2 * 25,
    }
    again = load_run(tmp_path / "r/zero-shot")
    assert (again.cost, again.paid) == (125, 50)
    backend.close()


def test_a_part_is_never_shown_as_the_whole() -> None:
    runs = evaluate(["zero-shot", "direct"], sums(8), FakeBackend(right), budget=Budget(max_calls=13))
    summary = runs[1].summary()
    assert (summary["accuracy"], summary["ci95"], summary["n"], summary["missing"]) == (None, None, 5, 3)
    assert summary["stopped"] == "the budget of 13 calls is used up"
    said = verdict(runs)
    assert said.startswith("Stopped, as the budget of 13 calls is used up: 3 of 8 questions of direct are missing.")
    assert "Of those that are whole: Only zero-shot was run" in said
    with pytest.raises(ConfigError, match="different questions"):
        compare(*runs)
