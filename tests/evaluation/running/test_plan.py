"""Plans: what they say is what a run then does."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    Similar,
    ZeroShot,
    evaluate,
    models,
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


def test_each_prompt_is_counted_once_though_many_samples_are_asked() -> None:
    counted: Counter[str] = Counter()

    def noting(request: Request) -> int:
        counted[request.text] += 1
        return words(request)

    named = check({"vote": SelfConsistency(ZeroShot(), n=10)}, [sums(3)])
    (found,) = plan(named, Known(FakeBackend(), noting, lambda text: len(text.split())), {})
    assert found.calls == (30, 30)
    assert list(counted.values()) == [1, 1, 1]
    assert found.prompt_tokens.least == 10 * sum(len(text.split()) for text in counted)


def test_it_says_how_far_it_is() -> None:
    told: list[tuple[str, int, int]] = []
    known = Known(FakeBackend(), words, lambda text: len(text.split()))
    plan(check("zero-shot", [sums(3)]), known, {}, on_progress=lambda *far: told.append(far))
    assert told[0] == ("planning zero-shot on sums", 1, 12)
    assert told[-1] == ("planning zero-shot on sums", 12, 12)
    assert [done for _, done, _ in told] == [*range(1, 13)]


def test_no_encoder_is_fetched_and_what_it_would_decide_is_left_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sentence_transformers", reason="sentence encoders need the extra `similarity`")
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path))
    monkeypatch.setattr(models, "ensure", lambda name: pytest.fail(f"{name} was fetched"))
    strategies = {
        "near": FewShot(Similar(2)),
        "auto": AutoCoT(k=2),
        "by meaning": SelfConsistency(ZeroShot(), n=3, vote="similarity"),
        "by words": FewShot(Similar(2, embedder="tf-idf")),
    }
    near, auto, by_meaning, by_words = planned(strategies, 5, CachedBackend(FakeBackend(), tmp_path / "store.sqlite"))
    assert near.to_fetch == auto.to_fetch == by_meaning.to_fetch == ("all-minilm-l6-v2",)
    assert near.summary()["to_fetch"] == ["all-minilm-l6-v2"]
    assert (near.calls, near.first_calls) == ((5, 5), 5)
    assert (near.first_prompt_tokens, near.stored) == (None, None)
    assert (by_meaning.first_calls, by_meaning.stored) == (15, 0)  # the encoder is asked after the calls
    assert (by_words.to_fetch, by_words.stored) == ((), 0)


def test_a_preparation_that_asks_nothing_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    original = Random.choose

    def noting(self: Random, *args: Any, **options: Any) -> Any:
        made.append(1)
        return original(self, *args, **options)

    monkeypatch.setattr(Random, "choose", noting)
    planned({"drawn": FewShot(Random(2))}, 5)
    assert len(made) == 1


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
