"""`python -m promptkit.models.unpack_gguf NAME GGUF FOLDER`: what `promptkit.models.conversion` starts."""

import functools
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from promptkit.models.catalogue import EMBEDDED, EmbeddedModel


def unpack(model: EmbeddedModel, gguf: Path, folder: Path) -> None:
    """Write the model in `gguf`, and its tokenizer, into `folder`; the weights in bfloat16.

    Raises:
        ValueError: the tokenizer in the file is not the published one.
    """
    _read_once()
    tokenizer = _tokenizer(model, gguf)
    weights = _weights(gguf)
    weights.generation_config.eos_token_id = [id for _, id in model.stop_tokens]
    weights.generation_config.pad_token_id = tokenizer.pad_token_id
    weights.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _read_once() -> None:
    """Let the readers that transformers makes for configuration, tokenizer and weights be one, in this process.

    Each would spend a good part of a minute on the 450,000 small arrays of a vocabulary, most of it on `numpy.memmap`,
    whose slices cost several times those of plain arrays.
    """
    import gguf
    import numpy as np

    def mapped(path: str, mode: Any) -> Any:
        return memmap(path, mode=mode).view(np.ndarray)

    memmap = np.memmap
    reader = cast(Any, gguf)
    reader.gguf_reader.np = SimpleNamespace(**(vars(np) | {"memmap": mapped}))
    reader.GGUFReader = functools.cache(gguf.GGUFReader)


def _weights(gguf: Path) -> Any:
    import torch
    import transformers

    options: dict[str, Any] = {}
    if hasattr(transformers, "GgufConfig"):
        # Where GGUF kernels are installed, transformers would keep the weights packed, and packed weights cannot be
        # saved.
        options["quantization_config"] = cast(Any, transformers).GgufConfig(dequantize=True)
    automodel = cast(Any, transformers.AutoModelForCausalLM)
    weights = automodel.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16, **options)
    # It is an ordinary model now, but still marked as a quantized one, which refuses to be saved.
    weights.hf_quantizer = None
    weights.is_quantized = False
    if hasattr(weights.config, "quantization_config"):
        del weights.config.quantization_config
    return weights


def _tokenizer(model: EmbeddedModel, gguf: Path) -> Any:
    from transformers import AutoTokenizer

    tokenizer = cast(Any, AutoTokenizer).from_pretrained(gguf.parent, gguf_file=gguf.name)
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token, _ in model.stop_tokens}
    if not tokenizer.chat_template or ids != dict(model.stop_tokens):
        raise ValueError(f"its tokenizer is not the published one: {ids}, expected {dict(model.stop_tokens)}")
    tokenizer.eos_token = model.stop_tokens[0][0]
    tokenizer.pad_token = model.stop_tokens[-1][0]
    return tokenizer


if __name__ == "__main__":
    unpack(EMBEDDED[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3]))
