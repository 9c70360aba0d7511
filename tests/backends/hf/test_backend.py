"""`HFBackend`: each request gets exactly what it asked for, whoever else is in the batch."""

import asyncio
import json
import shutil
import threading
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
from tests.backends.hf.running import complete, greedy, outcomes, request, texts

PROMPTS = [
    "Q: a",
    "How many apples are there?",
    "The answer (arabic numerals) is",
    "Let's think step by step. " * 6,
    "0123456789",
    "Q: How many? A:",
    "step",
    "apples " * 20,
]


@pytest.fixture(scope="module")
def chat(tiny_model: Path) -> HFBackend:
    return HFBackend(str(tiny_model), dtype="float32", batch_size=3)


@pytest.fixture(scope="module")
def completion(tiny_model: Path) -> HFBackend:
    return HFBackend(str(tiny_model), dtype="float32", batch_size=3, mode="completion")


@pytest.fixture
def variant(tiny_model: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes a copy of the tiny model with another tokenizer or other end tokens."""

    def make(tokenizer: Any = None, ends: list[int] | None = None) -> Path:
        folder = tmp_path / "variant"
        shutil.copytree(tiny_model, folder)
        if tokenizer is not None:
            for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
                (folder / name).unlink(missing_ok=True)
            tokenizer.save_pretrained(folder)
        if ends is not None:
            path = folder / "generation_config.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": ends}))
        return folder

    return make


# -- greedy texts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["chat", "completion"])
def test_greedy_texts_equal_generate_token_for_token(mode: str, chat: HFBackend, completion: HFBackend) -> None:
    backend = chat if mode == "chat" else completion
    requests = [request(prompt, max_tokens=5 + 9 * (place % 4)) for place, prompt in enumerate(PROMPTS)]
    answers = complete(backend, requests)
    assert [(answer.text, answer.completion_tokens) for answer in answers] == [
        greedy(backend, asked) for asked in requests
    ]
    assert len({answer.text for answer in answers}) > len(PROMPTS) // 2


def test_greedy_texts_of_a_real_model_equal_generate(smollm2: Path) -> None:
    backend = HFBackend(str(smollm2), dtype="float32", batch_size=2)
    requests = [
        request("What is the capital of France?", max_tokens=24),
        request("Tom has 3 apples and buys 4 more. How many apples has he now?\n\nLet's think.", max_tokens=30),
        request("Say hello.", max_tokens=12),
    ]
    answers = complete(backend, requests)
    assert [(answer.text, answer.completion_tokens) for answer in answers] == [
        greedy(backend, asked) for asked in requests
    ]
    assert "Paris" in answers[0].text
    assert answers[0].finish_reason == "stop"


def test_a_real_model_is_batched_in_half_precision(smollm2: Path) -> None:
    backend = HFBackend(str(smollm2), dtype="bfloat16")
    assert backend.ability.mixed_up_to > backend.context
    assert "Paris" in texts(backend, [request("What is the capital of France?", max_tokens=24)])[0]


# -- settings a row -------------------------------------------------------------------------------------


def varied(stop: str) -> list[Request]:
    settings: list[dict[str, Any]] = [
        {"temperature": 0.0, "max_tokens": 20},
        {"temperature": 0.5, "max_tokens": 17, "seed": 1},
        {"temperature": 2.0, "max_tokens": 23, "seed": 1},
        {"temperature": 1.5, "top_p": 0.3, "max_tokens": 20, "seed": 1},
        {"temperature": 1.5, "top_k": 2, "max_tokens": 20, "seed": 1},
        {"temperature": 1.5, "max_tokens": 20, "seed": 2},
        {"max_tokens": 20, "stop": (stop,)},
        {"max_tokens": 3},
        {"temperature": 1.5, "top_k": 100, "top_p": 0.9, "max_tokens": 11, "seed": 7},
    ]
    return [request("How many apples are there?", **values) for values in settings]


def test_no_request_gets_the_settings_of_another(tiny_model: Path) -> None:
    alone = HFBackend(str(tiny_model), dtype="float32", batch_size=1)
    full = texts(alone, [request("How many apples are there?", max_tokens=20)])[0]
    requests = varied(stop=full[6:9])
    expected = [complete(alone, [asked])[0] for asked in requests]
    assert len({answer.text for answer in expected}) == len(requests)
    for size in (2, 5, 16):
        together = HFBackend(str(tiny_model), dtype="float32", batch_size=size)
        for order in (requests, requests[::-1]):
            found = complete(together, order)
            if order is not requests:
                found = found[::-1]
            for answer, other in zip(found, expected, strict=True):
                assert (answer.text, answer.completion_tokens, answer.finish_reason) == (
                    other.text,
                    other.completion_tokens,
                    other.finish_reason,
                )


def test_seed_and_sample_choose_the_stream(chat: HFBackend) -> None:
    def draw(seed: int, samples: range) -> list[str]:
        return texts(chat, [request("Q: a", s, seed=seed, temperature=1.0, max_tokens=20) for s in samples])

    first = draw(0, range(4))
    assert len(set(first)) == 4
    assert draw(0, range(4)) == first
    assert draw(0, range(2)) == first[:2]
    assert not set(draw(1, range(4))) & set(first)


def test_unset_settings_mean_greedy(chat: HFBackend) -> None:
    assert texts(chat, [request("Q: a", max_tokens=9)]) == texts(chat, [request("Q: a", max_tokens=9, temperature=0)])


def test_log_probabilities_are_those_of_the_model(chat: HFBackend) -> None:
    asked = request("Q: a", 0, temperature=0.9, max_tokens=1, seed=3)
    (answer,) = complete(chat, [asked])
    with torch.inference_mode():
        logits = chat.model(torch.tensor([chat.render(asked)[1]])).logits[0, -1]
    expected = (logits / 0.9).log_softmax(-1)
    assert answer.logprob is not None
    assert min(abs(answer.logprob - value) for value in expected.tolist()) < 1e-5
    assert complete(chat, [request("Q: a", max_tokens=2)])[0].logprob is None


# -- ends -----------------------------------------------------------------------------------------------


def test_a_stop_string_is_cut_exactly_wherever_it_lies(chat: HFBackend) -> None:
    (whole,) = complete(chat, [request("How many?", max_tokens=24)])
    assert whole.finish_reason == "length"
    assert whole.completion_tokens == 24
    stops = [whole.text[place : place + size] for place in range(0, len(whole.text) - 6, 3) for size in (1, 2, 5)]
    requests = [request("How many?", max_tokens=24, stop=(stop, "never there")) for stop in dict.fromkeys(stops)]
    answers = complete(chat, requests)
    for asked, answer in zip(requests, answers, strict=True):
        assert answer.text == whole.text[: whole.text.find(asked.sampling.stop[0])]
        assert answer.finish_reason == "stop"
        assert answer.completion_tokens <= 24
    assert min(answer.completion_tokens for answer in answers) < 5
    assert any(answer.text for answer in answers)


def test_of_several_stop_strings_the_first_in_the_text_counts(chat: HFBackend) -> None:
    (whole,) = complete(chat, [request("How many?", max_tokens=24)])
    late, early = whole.text[12:16], whole.text[4:7]
    answer = complete(chat, [request("How many?", max_tokens=24, stop=(late, early))])[0]
    assert answer.text == whole.text[: min(whole.text.find(late), whole.text.find(early))]
    # Two that are complete with the same token: the longer one began earlier.
    short, long = whole.text[11:13], whole.text[8:13]
    assert whole.text.find(short) > whole.text.find(long)
    answer = complete(chat, [request("How many?", max_tokens=24, stop=(short, long))])[0]
    assert answer.text == whole.text[: whole.text.find(long)]


def test_the_end_token_ends_the_text_and_is_counted_but_not_shown(
    variant: Callable[..., Path], chat: HFBackend
) -> None:
    asked = request("How many apples are there?", max_tokens=24)
    (whole,) = complete(chat, [asked])
    ids = chat.render(asked)[1]
    with torch.inference_mode():
        output = chat.model.generate(torch.tensor([ids]), max_new_tokens=24, do_sample=False)[0, len(ids) :].tolist()
    end = next(token for place, token in enumerate(output) if place >= 5 and token not in output[:place])
    at = output.index(end)
    backend = HFBackend(str(variant(ends=[end])), dtype="float32")
    answer, cut = complete(backend, [asked, request("How many apples are there?", max_tokens=at)])
    assert answer.text == chat.tokenizer.decode(output[:at])
    assert whole.text.startswith(answer.text)
    assert (answer.finish_reason, answer.completion_tokens) == ("stop", at + 1)
    assert (cut.text, cut.finish_reason, cut.completion_tokens) == (answer.text, "length", at)


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

    def limited(model: Any, cache: Any, tokens: list[int], lengths: list[int], prefixes: list[int]) -> Any:
        if next(calls) in (2, 9) or len(tokens) > 5:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory")
        return original(model, cache, tokens, lengths, prefixes)

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
    backend = HFBackend(str(tiny_model), dtype="float32", cache_bytes=100_000)
    layers, heads, width = 2, 2, 16
    assert backend.ability.position_bytes == 2 * layers * heads * width * 4
    assert backend._cache_tokens() == 100_000 // backend.ability.position_bytes
    requests = [request(p, max_tokens=30) for p in PROMPTS]
    assert texts(backend, requests) == texts(HFBackend(str(tiny_model), dtype="float32"), requests)


# -- the rest -------------------------------------------------------------------------------------------


def test_identity_tells_apart_what_changes_texts(chat: HFBackend, completion: HFBackend, tiny_model: Path) -> None:
    again = HFBackend(str(tiny_model), dtype="float32", batch_size=9)
    assert again.identity() == chat.identity()
    assert json.loads(json.dumps(chat.identity())) == chat.identity()
    assert completion.identity() != chat.identity()
    half = HFBackend(str(tiny_model), dtype="bfloat16")
    assert {key for key, value in half.identity().items() if value != chat.identity()[key]} == {"dtype"}


def test_identity_holds_no_secret(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert "hf_secret" not in json.dumps(HFBackend(str(tiny_model), dtype="float32").identity())


def test_half_precision_generates(tiny_model: Path) -> None:
    backend = HFBackend(str(tiny_model), dtype="bfloat16", batch_size=3)
    assert backend.ability.mixed_up_to > 1024
    assert len(texts(backend, [request(p, max_tokens=5) for p in PROMPTS])) == len(PROMPTS)


def test_it_works_in_a_thread_and_while_an_event_loop_runs(chat: HFBackend) -> None:
    requests = [request(prompt, max_tokens=6) for prompt in PROMPTS[:3]]
    expected = texts(chat, requests)
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.append(texts(chat, requests)))
    thread.start()
    thread.join()

    async def inside() -> list[list[str]]:
        return [texts(chat, requests), await asyncio.to_thread(texts, chat, requests)]

    assert [*found, *asyncio.run(inside())] == [expected] * 3


def test_an_abandoned_run_leaves_nothing_behind(chat: HFBackend) -> None:
    expected = texts(chat, [request("Q: a", max_tokens=6)])

    def take(k: int) -> list[Any]:
        from promptkit.backends.base import Group

        return [Group((request(f"{k} {len(pulled)}", max_tokens=3),))] if not pulled.append(k) else []

    pulled: list[int] = []
    running = iter(chat.serve(take))
    next(running)
    running.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert texts(chat, [request("Q: a", max_tokens=6)]) == expected


def test_close_drops_the_weights(tiny_model: Path) -> None:
    import gc
    import weakref

    backend = HFBackend(str(tiny_model), dtype="float32")
    complete(backend, [request("Q: a", max_tokens=2)])
    weights = weakref.ref(backend.model)
    backend.close()
    gc.collect()
    assert weights() is None


@pytest.mark.parametrize(
    ("options", "message"),
    [({"batch_size": 0}, "batch_size"), ({"mode": "talk"}, "mode"), ({"quantization": "int3"}, "quantization")],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_loaded(options: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        HFBackend("no/such-model", **options)
