"""Whatever the architecture: texts equal `generate`, or loading says why not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from promptkit.backends.hf import HFBackend, forward
from promptkit.errors import ModelError
from tests.backends.hf.running import greedy, request, texts

PROMPTS = (
    "Q: a",
    "How many apples?",
    "Q: How many apples are there? A: Let's think",
    " ".join(str(7 * number) for number in range(25)),
    "0 1 2 3 4 5 6",
)
SMALL = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}
MOE = {"num_experts_per_tok": 2, "moe_intermediate_size": 48, "shared_expert_intermediate_size": 48}

# name → (model_type, configuration, whether rows of different prompts can be decoded together)
ARCHITECTURES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "llama": ("llama", SMALL, True),
    "llama with dynamic frequencies": (
        "llama",
        SMALL | {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}},
        True,
    ),
    "qwen2": ("qwen2", SMALL, True),
    "qwen3": ("qwen3", SMALL | {"head_dim": 16}, True),
    "gpt2": ("gpt2", {"n_embd": 64, "n_layer": 3, "n_head": 4, "n_positions": 256}, True),
    "mistral, all within the window": ("mistral", SMALL | {"sliding_window": 200}, True),
    "mistral, some beyond the window": ("mistral", SMALL | {"sliding_window": 40}, True),
    "mistral, all beyond the window": ("mistral", SMALL | {"sliding_window": 8}, False),
    "gemma2": ("gemma2", SMALL | {"head_dim": 16, "sliding_window": 40, "attn_logit_softcapping": 5.0}, True),
    "gemma3": ("gemma3_text", SMALL | {"head_dim": 16, "sliding_window": 12}, False),
    "phi3": ("phi3", SMALL | {"sliding_window": 40}, True),
    "phi3 with frequencies for long texts": (
        "phi3",
        SMALL
        | {"original_max_position_embeddings": 40}
        | {
            "rope_parameters": {
                "rope_type": "longrope",
                "rope_theta": 10000.0,
                "short_factor": [1.0] * 8,
                "long_factor": [4.0] * 8,
                "original_max_position_embeddings": 40,
            }
        },
        True,
    ),
    "gpt-neox": ("gpt_neox", SMALL, True),
    "gpt-neo, some beyond the window": (
        "gpt_neo",
        {"hidden_size": 64, "num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]]}
        | {"window_size": 40, "max_position_embeddings": 256},
        True,
    ),
    "opt": ("opt", SMALL | {"ffn_dim": 96, "word_embed_proj_dim": 64}, True),
    "bloom": ("bloom", {"hidden_size": 64, "n_layer": 3, "n_head": 4}, False),
    "falcon": ("falcon", SMALL | {"new_decoder_architecture": True, "num_kv_heads": 2}, True),
    "falcon with alibi": ("falcon", SMALL | {"alibi": True}, False),
    "mamba": ("mamba", {"hidden_size": 64, "num_hidden_layers": 2, "state_size": 8}, False),
    "mixtral": ("mixtral", SMALL | MOE | {"num_local_experts": 4}, True),
    "qwen2-moe": ("qwen2_moe", SMALL | MOE | {"num_experts": 4, "decoder_sparse_step": 1}, True),
    "lfm2, convolutions and attention": (
        "lfm2",
        SMALL | {"layer_types": ["conv", "full_attention", "conv"], "block_ff_dim": 96},
        False,
    ),
}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Callable[..., Path]:
    """Makes a folder with a seeded random model of an architecture and the tiny model's tokenizer."""

    def make(model_type: str, options: dict[str, Any]) -> Path:
        tokenizer = AutoTokenizer.from_pretrained(tiny_model)
        ids = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
        config = AutoConfig.for_model(model_type, vocab_size=len(tokenizer), **ids, **options)
        with torch.random.fork_rng():
            torch.manual_seed(1)
            model = AutoModelForCausalLM.from_config(config)
            for name, weight in model.named_parameters():
                # The usual start values make all attention even, which would hide positions and windows gone wrong.
                if weight.ndim > 1 and "embed" not in name and "wte" not in name and "conv" not in name:
                    weight.data.mul_(3)
        folder = tmp_path_factory.mktemp("architecture")
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_texts_equal_generate(name: str, build: Callable[..., Path]) -> None:
    model_type, options, mixed = ARCHITECTURES[name]
    backend = HFBackend(str(build(model_type, options)), mode="completion", dtype="float32", batch_size=3)
    assert (backend.ability.mixed_up_to > 0) is mixed
    assert backend.ability.several is mixed
    requests = [request(prompt, max_tokens=12) for prompt in PROMPTS]
    expected = [greedy(backend, asked)[0] for asked in requests]
    assert texts(backend, requests) == expected
    assert len(set(expected)) > 1

    # So cold that every sample is the greedy text, but drawn, from one prefill, and ending at different times.
    samples = [
        request(prompt, sample, max_tokens=tokens, temperature=1e-4)
        for prompt in PROMPTS[1:3]
        for tokens in (3, 12)
        for sample in range(3)
    ]
    assert texts(backend, samples) == [greedy(backend, asked)[0] for asked in samples]


CASCADING = ("llama", "qwen2", "qwen3", "gpt2", "gpt-neox", "opt", "mixtral", "qwen2-moe")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_many_begin_with_is_held_once_and_changes_no_text(
    name: str, build: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model_type, options, _ = ARCHITECTURES[name]
    monkeypatch.setattr(forward, "_WORTH_HOLDING", 8)
    backend = HFBackend(str(build(model_type, options)), mode="completion", dtype="float32", batch_size=4)
    assert backend.ability.cascade or name not in CASCADING
    heads = ("How many apples are there? Let's think step by step. ", "Q: Ann has 3 boxes of 12 eggs and breaks 5. ")
    ends = ("A: How", "A: apples and other", "Q: step", "How many", "12 eggs")
    requests = [request(head + end, max_tokens=10) for end in ends for head in heads]
    used: list[int] = []
    decode = forward.decode

    def watched(model: Any, cache: Any, tokens: Any, lengths: Any, prefixes: list[int]) -> torch.Tensor:
        used.extend(prefixes)
        return decode(model, cache, tokens, lengths, prefixes)

    monkeypatch.setattr(forward, "decode", watched)
    assert texts(backend, requests) == [greedy(backend, asked)[0] for asked in requests]
    assert (max(used, default=0) >= 8) is (backend.ability.cascade and backend.ability.mixed_up_to > 100)


def test_a_text_that_grows_into_other_frequencies_equals_generate(build: Callable[..., Path]) -> None:
    """Phi-3 turns all positions by other frequencies from a length on: what the cache holds is void there."""
    model_type, options, _ = ARCHITECTURES["phi3 with frequencies for long texts"]
    backend = HFBackend(str(build(model_type, options)), mode="completion", dtype="float32", batch_size=3)
    prompt = (
        "Q: How many apples are there? A: Let's think step by step. "
        "How many apples and how many other apples are there? A: Let us think"
    )
    ids = backend.tokenizer(prompt)["input_ids"]
    prompts = [backend.tokenizer.decode(ids[:length]) for length in (28, 31, 34, 37, 39, 40, 41)]
    lengths = [len(backend.tokenizer(text)["input_ids"]) for text in prompts]
    assert min(lengths) < 40 < max(lengths)
    requests = [request(text, max_tokens=16) for text in prompts]
    assert texts(backend, requests) == [greedy(backend, asked)[0] for asked in requests]
    samples = [
        request(prompts[1], place, max_tokens=tokens, temperature=1e-4) for place, tokens in enumerate((4, 16, 16))
    ]
    assert texts(backend, samples) == [greedy(backend, asked)[0] for asked in samples]


def test_an_encoder_is_refused(build: Callable[..., Path]) -> None:
    folder = build("bert", {key: SMALL[key] for key in SMALL if "key_value" not in key} | {"is_decoder": False})
    with pytest.raises(ModelError, match="cache"):
        HFBackend(str(folder), mode="completion", dtype="float32")


def test_a_model_without_all_its_weights_is_refused(build: Callable[..., Path]) -> None:
    folder = build("llama", SMALL)
    config = AutoConfig.from_pretrained(folder)
    config.num_hidden_layers = 4
    config.save_pretrained(folder)
    with pytest.raises(ModelError, match="lacks weights"):
        HFBackend(str(folder), mode="completion", dtype="float32")


def test_a_model_that_computes_no_numbers_is_refused(build: Callable[..., Path]) -> None:
    folder = build("llama", SMALL)
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(folder)
    model.model.norm.weight.data[0] = float("nan")
    model.save_pretrained(folder)
    with pytest.raises(ModelError, match="no numbers in float32"):
        HFBackend(str(folder), mode="completion", dtype="float32")
