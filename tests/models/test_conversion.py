"""A GGUF file becomes a folder that transformers loads: same weights, same special tokens."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from promptkit.errors import ModelError
from promptkit.models import conversion
from promptkit.models.catalogue import EMBEDDED
from promptkit.models.conversion import convert
from promptkit.models.unpack_gguf import unpack
from tests.models.model_sources import tiny

CONTROL, NORMAL = 3, 1


def write_gguf(folder: Path, path: Path, chat_template: str) -> None:
    """Write a Qwen2 model of transformers as GGUF, in float32."""
    import gguf
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    bpe = json.loads((folder / "tokenizer.json").read_text())["model"]
    config = model.config
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    tokens = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    writer.add_token_list(tokens)
    writer.add_token_types([CONTROL if token in tokenizer.all_special_tokens else NORMAL for token in tokens])
    writer.add_token_merges([" ".join(merge) if isinstance(merge, list) else merge for merge in bpe["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_chat_template(chat_template)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), tensor.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def converted(tiny_model: Path, tmp_path: Path) -> Callable[[str, int], Path]:
    """Converts the tests' tiny model, given a chat template and the id that `<|im_end|>` should have."""

    def run(chat_template: str, stop_id: int) -> Path:
        gguf, folder = tmp_path / "tiny.gguf", tmp_path / "converted"
        write_gguf(tiny_model, gguf, chat_template)
        folder.mkdir()
        wanted = dataclasses.replace(tiny(), stop_tokens=(("<|im_end|>", stop_id), ("<|endoftext|>", 0)))
        unpack(wanted, gguf, folder)
        return folder

    return run


def test_weights_and_special_tokens_stay_the_same(converted: Callable[[str, int], Path], tiny_model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = converted("{{ messages[0].content }}", 2)
    before: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.bfloat16)
    after: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
    assert after.dtype == torch.bfloat16
    ids = torch.arange(40)[None]
    torch.testing.assert_close(after(ids).logits, before(ids).logits)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    assert (tokenizer.eos_token_id, tokenizer.pad_token_id) == (2, 0)
    assert tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False) == "hi"
    assert after.generation_config.eos_token_id == [2, 0]
    assert after.generation_config.pad_token_id == 0


def test_other_special_tokens_are_refused(converted: Callable[[str, int], Path]) -> None:
    with pytest.raises(ValueError, match="not the published one"):
        converted("{{ messages }}", 5)


def test_what_is_no_gguf_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    gguf = tmp_path / "broken.gguf"
    gguf.write_bytes(b"GGUF, but not really")
    with pytest.raises(ModelError, match=r"transformers cannot convert broken\.gguf: ") as caught:
        convert(EMBEDDED["smollm2-135m"], gguf, tmp_path / "converted", None)
    assert "\n" not in str(caught.value)


def test_a_conversion_that_is_killed_says_how_much_memory_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=-9, stderr=""))
    with pytest.raises(ModelError, match=r"was killed \(signal 9\)") as caught:
        convert(EMBEDDED["smollm2-135m"], tmp_path / "x.gguf", tmp_path / "converted", None)
    assert "GB of memory" in caught.value.hint
