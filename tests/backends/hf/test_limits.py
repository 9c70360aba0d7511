"""`HFBackend` at its limits: the context, memory, stages that go on, and faults of the model."""

from pathlib import Path
from typing import Any

import pytest
import torch

from promptkit import CoT
from promptkit.backends.hf import HFBackend, forward
from promptkit.backends.hf.engine import RollingBatch
from promptkit.errors import BackendError, ConfigError, ContextOverflowError
from promptkit.types import Completion
from tests.backends.hf.running import PROMPTS, complete, outcomes, request, texts


def test_samples_of_a_prompt_are_prefilled_once(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = HFBackend(str(tiny_model), dtype="float32", batch_size=16, mode="completion")
    passes: list[list[int]] = []
    original = forward.prefill

    def counted(model: Any, prompts: list[list[int]], _: Any) -> Any:
        passes.append([len(prompt) for prompt in prompts])
        return original(model, prompts)

    monkeypatch.setattr(forward, "prefill", counted)
    requests = [request(text, s, temperature=1.0, max_tokens=6) for text in PROMPTS[:2] for s in range(8)]
    answers = complete(backend, requests)
    assert passes == [[answers[0].prompt_tokens, answers[8].prompt_tokens]]
    assert len({answer.text for answer in answers}) > 8


def test_a_prompt_beyond_the_context_fails_alone(completion: HFBackend) -> None:
    context = completion.context
    assert context == 1024
    ids = completion.tokenizer("0" * 5000)["input_ids"]
    per_token = 5000 / len(ids)
    long = request("0" * int(context * per_token + 10), max_tokens=5)
    answers = outcomes(completion, [request("Q: a", max_tokens=5), long, request("Q: b", max_tokens=5)])
    assert isinstance(answers[1], ContextOverflowError)
    assert "1024" in str(answers[1])
    assert isinstance(answers[0], Completion)
    assert isinstance(answers[2], Completion)


def test_a_text_that_reaches_the_end_of_the_context_is_cut_there(completion: HFBackend) -> None:
    text = "0 " * 600
    while len(completion.tokenizer(text)["input_ids"]) > 1020:
        text = text[:-2]
    (answer,) = complete(completion, [request(text, max_tokens=50)])
    assert answer.finish_reason == "length"
    assert answer.prompt_tokens + answer.completion_tokens == 1024


def test_running_out_of_memory_gives_the_same_texts(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = HFBackend(str(tiny_model), dtype="float32", batch_size=8)
    requests = [request(p, s, temperature=1.0, max_tokens=8) for p in PROMPTS for s in range(2)]
    expected = texts(backend, requests)
    original, calls = forward.decode, iter(range(1000))

    def limited(model: Any, cache: Any, tokens: list[list[int]], *others: Any) -> Any:
        if next(calls) in (2, 9) or len(tokens) > 5:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory")
        return original(model, cache, tokens, *others)

    monkeypatch.setattr(forward, "decode", limited)
    assert texts(backend, requests) == expected


def test_a_second_stage_goes_on_from_the_first_with_the_same_texts(
    completion: HFBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [f"{number} apples and {number + 3} pears: how many pieces of fruit are there?" for number in range(6)]
    went_on: list[int] = []
    original = forward.MixedSlots.enter

    def watched(slots: Any, prompts: Any, copies: Any, need: Any, kept: Any) -> Any:
        went_on.append(len(kept))
        return original(slots, prompts, copies, need, kept)

    def all_texts() -> list[list[str]]:
        results = CoT(max_tokens=20, answer_max_tokens=5).run_many(questions, backend=completion)
        return [[call.completion.text for call in result.trace if call.completion] for result in results]

    monkeypatch.setattr(forward.MixedSlots, "enter", watched)
    kept = all_texts()
    assert any(went_on), "this model's nonsense is not always read back as the same tokens, but some of it is"
    monkeypatch.setattr(RollingBatch, "_known", lambda *_: None)
    assert all_texts() == kept


def test_what_memory_does_not_suffice_for_fails_alone(completion: HFBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    original = forward.prefill

    def limited(model: Any, prompts: list[list[int]], kept: Any = None) -> Any:
        if max(map(len, prompts)) > 60:
            raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 9 GiB.")
        return original(model, prompts, kept)

    requests = [request(prompt, max_tokens=4) for prompt in PROMPTS]
    expected = texts(completion, requests)
    monkeypatch.setattr(forward, "prefill", limited)
    answers = outcomes(completion, [*requests[:2], request("a b c " * 60, max_tokens=4), *requests[2:]])
    error = answers.pop(2)
    assert isinstance(error, BackendError)
    assert "memory" in error.message
    assert "\n" not in error.message
    lengths = [len(completion.render(asked)[1]) for asked in requests]
    for answer, text, length in zip(answers, expected, lengths, strict=True):
        assert length > 60 or (isinstance(answer, Completion) and answer.text == text)


def test_a_fault_of_the_model_ends_the_run_as_our_error(completion: HFBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise IndexError("index out of range in self")

    monkeypatch.setattr(forward, "decode", broken)
    with pytest.raises(BackendError, match="index out of range"):
        outcomes(completion, [request("Q: a", max_tokens=4)])


def test_the_cache_gets_the_bytes_it_was_given(tiny_model: Path) -> None:
    backend = HFBackend(str(tiny_model), dtype="float32", kv_cache_memory=100_000)
    layers, heads, width = 2, 2, 16
    assert backend.ability.position_bytes == 2 * layers * heads * width * 4
    assert backend._cache_tokens() == 100_000 // backend.ability.position_bytes
    requests = [request(p, max_tokens=30) for p in PROMPTS]
    assert texts(backend, requests) == texts(HFBackend(str(tiny_model), dtype="float32"), requests)
    with pytest.raises(ConfigError, match="kv_cache_memory must be at least 1 byte, not 0"):
        HFBackend(str(tiny_model), kv_cache_memory=0)
