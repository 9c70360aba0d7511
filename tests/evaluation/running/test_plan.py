"""Plans: what they say is what a run then does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from promptkit import (
    AutoCoT,
    CachedBackend,
    Completion,
    CoT,
    FakeBackend,
    FewShot,
    Random,
    Request,
    SelfConsistency,
    evaluate,
)
from promptkit.backends.base import Backend
from promptkit.evaluation.benchmarks.pools import pool_for
from promptkit.evaluation.running.inputs import Strategies, check
from promptkit.evaluation.running.plan import Plan, plan
from promptkit.evaluation.running.unloaded import Known
from promptkit.strategies import TreeOfThoughts
from promptkit.types import Price
from tests.evaluation.running.test_evaluator import right, sums


def words(request: Request) -> int:
    return len(request.text.split())


def planned(strategies: Strategies, n: int = 6, backend: Backend | None = None) -> list[Plan]:
    named = check(strategies, [sums(n)])
    pools = {"sums": pool_for(named[0][1])}
    return plan(named, Known(backend or FakeBackend(), words, lambda text: len(text.split())), pools)


DETERMINISTIC = ["direct", "zero-shot", "zero-shot-cot", "manual-cot", "few-shot", "self-consistency:n=4"]


def test_calls_and_first_prompts_are_those_of_the_run() -> None:
    plans = planned(DETERMINISTIC)
    runs = evaluate(DETERMINISTIC, sums(6), FakeBackend(right))
    for found, run in zip(plans, runs, strict=True):
        assert found.calls == (run.usage.calls, run.usage.calls)
        first = {
            call.request.key: call.completion
            for sample in run.samples
            for call in sample.calls
            if call.request.parent is None
        }
        assert found.first_calls == len(first)
        assert found.first_prompt_tokens == sum(made.prompt_tokens for made in first.values() if made)
        assert found.prompt_tokens.least <= run.usage.prompt_tokens <= found.prompt_tokens.most


def rambling(request: Request) -> Completion:
    limit = request.sampling.max_tokens or 512
    text = "well " * (limit - 4) + "The answer is 3."
    return Completion(text=text, prompt_tokens=words(request), completion_tokens=limit)


def curt(request: Request) -> Completion:
    return Completion(text="7", prompt_tokens=words(request), completion_tokens=1)


@pytest.mark.parametrize("model", [rambling, curt, right])
def test_bounds_hold_what_models_do(model: Callable[[Request], Completion]) -> None:
    strategies = {
        "cot": CoT(),
        "adaptive": SelfConsistency(CoT(), n=8, adaptive=0.95),
        "tree": TreeOfThoughts(),
    }
    for found, run in zip(planned(strategies, 3), evaluate(strategies, sums(3), FakeBackend(model)), strict=True):
        usage = run.usage
        assert found.calls.least <= usage.calls <= found.calls.most
        assert found.prompt_tokens.least <= usage.prompt_tokens <= found.prompt_tokens.most
        assert found.completion_tokens.least <= usage.completion_tokens <= found.completion_tokens.most


def test_what_depends_on_the_answers_has_bounds() -> None:
    (adaptive,) = planned({"adaptive": SelfConsistency(CoT(), n=20, adaptive=0.95)}, 1)
    assert adaptive.calls.least < adaptive.calls.most == 40


def test_preparation_is_counted() -> None:
    auto, drawn = planned({"auto": AutoCoT(k=2, embedder="tf-idf"), "drawn": FewShot(Random(2))}, 5)
    assert auto.calls.least == 5 + 2 * 2
    assert auto.calls.most > auto.calls.least
    assert (auto.first_calls, auto.stored) == (None, None)
    assert (drawn.calls.least, drawn.first_calls) == (5, 5)


def test_stored_first_calls_are_told(tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    evaluate("zero-shot-cot", sums(4), CachedBackend(FakeBackend(right), store))
    inner = FakeBackend(right)
    found, other = planned(["zero-shot-cot", "direct"], 6, CachedBackend(inner, store))
    assert (found.first_calls, found.stored, other.stored) == (6, 4, 0)
    assert not inner.calls


def test_cost_and_time() -> None:
    class Paid(FakeBackend):
        def price(self) -> Price:
            return Price(prompt=1e6, completion=2e6, source="test")

    (found,) = planned("zero-shot", 6, Paid())
    assert found.cost == (
        found.prompt_tokens.least + 2 * found.completion_tokens.least,
        found.prompt_tokens.most + 2 * found.completion_tokens.most,
    )
    assert found.seconds is None
    assert found.summary()["calls"] == [6, 6]
