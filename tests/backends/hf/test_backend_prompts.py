"""`HFBackend`: prompts as the model sees them, and the limits of context and memory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from promptkit import CoT
from promptkit.backends.hf import HFBackend, forward
from promptkit.backends.hf.engine import RollingBatch
from promptkit.errors import BackendError, ConfigError, ContextOverflowError
from promptkit.types import Completion, Message, Request, Sampling
from tests.backends.hf.running import PROMPTS, complete, outcomes, request, texts

# -- prompts --------------------------------------------------------------------------------------------


def test_tokens_are_counted_without_padding(completion: HFBackend) -> None:
    requests = [request(prompt, max_tokens=4) for prompt in PROMPTS]
    counts = [len(completion.tokenizer(prompt)["input_ids"]) for prompt in PROMPTS]
    assert len(set(counts)) > 4
    assert [answer.prompt_tokens for answer in complete(completion, requests)] == counts
    assert completion.count_tokens("Q: How many?") == len(completion.tokenizer("Q: How many?")["input_ids"])


def test_rendered_is_what_the_model_saw(
    chat: HFBackend, completion: HFBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[int]] = []
    original = forward.prefill

    def watched(model: Any, prompts: list[list[int]], _: Any) -> Any:
        seen.extend(prompts)
        return original(model, prompts)

    monkeypatch.setattr(forward, "prefill", watched)
    (told,) = complete(chat, [request("Why?", max_tokens=1)])
    assert told.rendered == "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
    (plain,) = complete(completion, [request("Why?", max_tokens=1)])
    assert plain.rendered == "Why?"
    assert [chat.tokenizer.decode(ids) for ids in seen] == [told.rendered, plain.rendered]
    assert [told.prompt_tokens, plain.prompt_tokens] == [len(ids) for ids in seen]


def test_a_last_message_of_the_assistant_is_continued(chat: HFBackend) -> None:
    messages = (Message(role="user", content="Why?"), Message(role="assistant", content="Let's think"))
    (answer,) = complete(chat, [Request(messages=messages, sampling=Sampling(max_tokens=2))])
    assert answer.rendered == "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\nLet's think"


def test_completion_mode_sends_the_wording_for_it(completion: HFBackend) -> None:
    asked = Request(
        messages=(Message(role="user", content="Why?"),), prompt="Q: Why?\nA:", sampling=Sampling(max_tokens=1)
    )
    assert complete(completion, [asked])[0].rendered == "Q: Why?\nA:"


def with_ends(tiny_model: Path, single: str, **tokens: str) -> Any:
    """The tiny model's tokenizer, made to add special tokens to every text."""
    inner = Tokenizer.from_file(str(tiny_model / "tokenizer.json"))
    ids = {"<|endoftext|>": inner.token_to_id("<|endoftext|>"), "<|im_end|>": inner.token_to_id("<|im_end|>")}
    inner.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single=single, special_tokens=list(ids.items())),
        ]
    )
    template = "<|endoftext|>{% for m in messages %}{{ m['content'] }}{% endfor %}"
    return PreTrainedTokenizerFast(tokenizer_object=inner, chat_template=template, **tokens)


def test_the_begin_token_stands_there_once(tiny_model: Path, variant: Callable[..., Path]) -> None:
    tokenizer = with_ends(tiny_model, "<|endoftext|> $A", bos_token="<|endoftext|>", eos_token="<|im_end|>")
    folder = str(variant(tokenizer))
    for mode in ("chat", "completion"):
        backend = HFBackend(folder, dtype="float32", mode=mode)  # pyright: ignore[reportArgumentType]
        text, ids = backend.render(request("Why?"))
        assert ids.count(tokenizer.bos_token_id) == 1
        assert ids[0] == tokenizer.bos_token_id
        assert text == "<|endoftext|>Why?"
        assert complete(backend, [request("Why?", max_tokens=1)])[0].prompt_tokens == len(ids)


def test_a_tokenizer_that_closes_texts_does_not_end_them_before_they_begin(
    tiny_model: Path, variant: Callable[..., Path], completion: HFBackend
) -> None:
    tokenizer = with_ends(tiny_model, "$A <|im_end|>", eos_token="<|im_end|>")
    backend = HFBackend(str(variant(tokenizer)), dtype="float32", mode="completion")
    assert backend.tokenizer("Why?")["input_ids"][-1] == tokenizer.eos_token_id
    assert backend.render(request("Why?"))[0] == "Why?"
    # What the user wrote stays.
    assert completion.render(request("Why?<|im_end|>"))[0] == "Why?<|im_end|>"
    assert backend.render(request("Why?<|im_end|>"))[0] == "Why?<|im_end|>"


def test_a_continuation_keeps_its_first_space(tiny_model: Path) -> None:
    inner = Tokenizer.from_file(str(tiny_model / "tokenizer.json"))
    # Like Llama's first tokenizers: the decoder drops one space at the start of whatever it decodes.
    inner.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Strip(" ", 1, 0)])
    backend = HFBackend(str(tiny_model), dtype="float32", mode="completion")
    backend.tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|im_end|>")
    assert backend.tokenizer.decode(backend.tokenizer(" apples")["input_ids"]) == "apples"
    plain = HFBackend(str(tiny_model), dtype="float32", mode="completion")
    requests = [request("Q: a", sample, temperature=3.0, max_tokens=4) for sample in range(150)]
    expected = texts(plain, requests)
    assert any(text.startswith(" ") for text in expected)
    assert texts(backend, requests) == expected


def test_a_prompt_of_nothing_is_an_error_of_its_own(completion: HFBackend) -> None:
    empty = Request(messages=(Message(role="user", content="x"),), prompt="", sampling=Sampling(max_tokens=2))
    error, answer = outcomes(completion, [empty, request("Why?", max_tokens=2)])
    assert isinstance(error, BackendError)
    assert isinstance(answer, Completion)


def test_messages_that_the_template_refuses_are_an_error_of_their_own(
    tiny_model: Path, variant: Callable[..., Path]
) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = (
        "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "{{ m['content'] }}{% endfor %}"
    )
    backend = HFBackend(str(variant(tokenizer)), dtype="float32")
    system = Request(messages=(Message(role="system", content="Be brief."), Message(role="user", content="Why?")))
    error, answer = outcomes(backend, [system, request("Why?", max_tokens=2)])
    assert isinstance(error, BackendError)
    assert "no system role" in str(error)
    assert isinstance(answer, Completion)


@pytest.mark.parametrize("mode", [None, "chat"])
def test_chat_without_a_template_is_refused(mode: Any, tiny_model: Path, variant: Callable[..., Path]) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = None
    folder = str(variant(tokenizer))
    with pytest.raises(ConfigError, match="no chat template"):
        HFBackend(folder, dtype="float32", mode=mode)
    assert complete(HFBackend(folder, dtype="float32", mode="completion"), [request("Why?", max_tokens=1)])


# -- limits ---------------------------------------------------------------------------------------------


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

    def limited(model: Any, cache: Any, tokens: list[int], lengths: list[int]) -> Any:
        if next(calls) in (2, 9) or len(tokens) > 5:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory")
        return original(model, cache, tokens, lengths)

    monkeypatch.setattr(forward, "decode", limited)
    assert texts(backend, requests) == expected


def test_a_second_stage_goes_on_from_the_first_with_the_same_texts(
    completion: HFBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [f"{number} apples and {number + 3} pears: how many pieces of fruit are there?" for number in range(6)]
    went_on: list[bool] = []
    original = forward.prefill

    def watched(model: Any, prompts: list[list[int]], kept: Any) -> Any:
        went_on.append(kept is not None)
        return original(model, prompts, kept)

    def all_texts() -> list[list[str]]:
        results = CoT(max_tokens=20, answer_max_tokens=5).run_many(questions, backend=completion)
        return [[call.completion.text for call in result.trace if call.completion] for result in results]

    monkeypatch.setattr(forward, "prefill", watched)
    kept = all_texts()
    assert True in went_on, "this model's nonsense is not always read back as the same tokens, but some of it is"
    monkeypatch.setattr(RollingBatch, "_known", lambda *_: None)
    assert all_texts() == kept


def test_what_memory_does_not_suffice_for_fails_alone(completion: HFBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    original = forward.prefill

    def limited(model: Any, prompts: list[list[int]], _: Any) -> Any:
        if max(map(len, prompts)) > 60:
            raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 9 GiB.")
        return original(model, prompts)

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
    backend = HFBackend(str(tiny_model), dtype="float32", cache_bytes=100_000)
    layers, heads, width = 2, 2, 16
    assert backend.ability.position_bytes == 2 * layers * heads * width * 4
    assert backend._cache_tokens() == 100_000 // backend.ability.position_bytes
    requests = [request(p, max_tokens=30) for p in PROMPTS]
    assert texts(backend, requests) == texts(HFBackend(str(tiny_model), dtype="float32"), requests)
