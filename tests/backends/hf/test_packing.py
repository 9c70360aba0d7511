"""8-bit layers: near the plain ones, and no row changes another."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from promptkit.backends.hf import HFBackend
from promptkit.backends.hf.packing import W8A8Head, W8A8Linear, quantize
from promptkit.errors import ConfigError
from tests.backends.hf.running import request, texts


def layer_and_rows(seed: int, rows: int) -> tuple[nn.Linear, torch.Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Linear(64, 48, bias=bool(seed % 2)), torch.randn(rows, 64)


@given(st.integers(0, 1000), st.integers(1, 40))
@torch.inference_mode()
def test_a_quantized_layer_is_near_the_plain_one(seed: int, rows: int) -> None:
    layer, inputs = layer_and_rows(seed, rows)
    expected, found = layer(inputs), W8A8Linear(layer)(inputs)
    assert found.shape == expected.shape
    assert (found - expected).norm() <= 0.02 * expected.norm()


@given(st.integers(0, 1000), st.floats(1, 1e6))
@torch.inference_mode()
def test_a_row_is_the_same_whatever_its_neighbours_are(seed: int, factor: float) -> None:
    layer, inputs = layer_and_rows(seed, 6)
    quantized = W8A8Linear(layer)
    louder = inputs.clone()
    louder[1:] *= factor
    assert torch.equal(quantized(inputs)[0], quantized(louder)[0])


@torch.inference_mode()
def test_shapes_dtypes_and_rows_of_nothing_are_kept() -> None:
    layer = nn.Linear(64, 48, dtype=torch.bfloat16)
    quantized = W8A8Linear(layer)
    assert quantized(torch.zeros(2, 3, 64, dtype=torch.bfloat16)).dtype == torch.bfloat16
    assert torch.equal(quantized(torch.zeros(2, 3, 64, dtype=torch.bfloat16)), layer.bias.expand(2, 3, 48))
    assert (quantized.weight - layer.weight).abs().max() <= quantized.scale.max()


@given(st.integers(0, 1000), st.sampled_from([40, 192, 4160]))
@torch.inference_mode()
def test_the_likeliest_tokens_of_an_8_bit_output_layer_have_the_logits_of_the_plain_one(seed: int, words: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layer, inputs = nn.Linear(64, words, bias=bool(seed % 2)), torch.randn(3, 2, 64)
    head = W8A8Head(layer)
    assert head.weight is layer.weight, "an embedding may share it"
    expected, found = layer(inputs), head(inputs)
    best = expected.topk(8)
    assert torch.equal(found.topk(8).indices, best.indices)
    torch.testing.assert_close(found.gather(-1, best.indices), best.values)
    assert (found - expected).norm() <= 0.02 * expected.norm()


def test_all_layers_of_a_model_are_quantized_and_its_embedding_stays(tiny_model: Path) -> None:
    backend = HFBackend(str(tiny_model), dtype="float32", quantization="w8a8")
    kinds = [type(part) for part in backend.model.model.modules()]
    assert kinds.count(W8A8Linear) == 7 * backend.model.config.num_hidden_layers
    assert nn.Linear not in kinds
    assert type(backend.model.lm_head) is W8A8Head
    assert type(backend.model.get_input_embeddings()) is nn.Embedding
    assert quantize(backend.model) == 0, "what is quantized already stays"
    assert backend.name.endswith("(w8a8)")
    assert backend.identity()["quantization"] == "w8a8"


def test_a_quantized_model_answers_alone_as_in_a_batch(tiny_model: Path) -> None:
    requests = [request(text, max_tokens=8) for text in ("Q: a", "How many apples?", "step by step " * 5)]
    together = texts(HFBackend(str(tiny_model), dtype="float32", quantization="w8a8", batch_size=3), requests)
    alone = texts(HFBackend(str(tiny_model), dtype="float32", quantization="w8a8", batch_size=1), requests)
    assert together == alone


def test_w8a8_on_another_device_is_refused(tiny_model: Path) -> None:
    with pytest.raises(ConfigError, match="w8a8 is for CPUs"):
        HFBackend(str(tiny_model), device="meta", quantization="w8a8")
