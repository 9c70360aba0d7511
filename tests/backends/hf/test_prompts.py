"""What `HFBackend` makes of a request before the model reads it: chat, completion mode, first and last tokens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from promptkit.backends.hf import HFBackend, forward
from promptkit.errors import BackendError, ConfigError
from promptkit.types import Completion, Message, Request, Sampling
from tests.backends.hf.running import PROMPTS, complete, outcomes, request, texts


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
