"""`HFBackend`: each request gets exactly what it asked for, whoever else is in the batch."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from promptkit.backends.hf import HFBackend
from promptkit.errors import ConfigError
from promptkit.types import Request
from tests.backends.hf.running import PROMPTS, complete, greedy, request, texts

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
