"""A model whose next token depends on every token of the row before it, as read back from the cache.

Whatever goes wrong with rows, positions or masks changes the history that it sees, and so all that follows.
"""

import zlib
from types import SimpleNamespace
from typing import Any

import torch
from transformers.cache_utils import DynamicCache

from promptkit.backends.hf import cache
from promptkit.backends.hf.rows import Row
from promptkit.backends.hf.sampling import choose

VOCABULARY = 29
END = 0
_LAYERS = 2
_TABLE = torch.randn(997, VOCABULARY, generator=torch.Generator().manual_seed(1)) * 2


def logits_after(history: list[tuple[int, int]]) -> torch.Tensor:
    """What comes after these (position, token) pairs: `[vocabulary]`."""
    return _TABLE[zlib.crc32(repr(history).encode()) % len(_TABLE)]


class HistoryModel:
    """Called like a causal language model of transformers; it stores tokens as keys and positions as values."""

    device = torch.device("cpu")
    dtype = torch.float32

    def __init__(self, fail_at: dict[int, str] | None = None) -> None:
        """`fail_at`: number of the call → "before" or "after" it has written to the cache."""
        self.config = SimpleNamespace(get_text_config=SimpleNamespace, _attn_implementation=cache._NAME)
        self.calls = 0
        self.prefilled: list[int] = []
        """Tokens of each row that was read with several at once: prompts, their rest after what was kept, guesses."""
        self.decoded: list[tuple[int, int]] = []
        """Rows, and new tokens of each, of every call that was no prefill."""
        self.fail_at = fail_at or {}
        self.most_positions = float("inf")
        """Rows × positions beyond which a call runs out of memory."""

    def __call__(self, **inputs: Any) -> Any:
        return self.forward(**inputs)

    def get_output_embeddings(self) -> None:
        """It has none: all its logits are computed."""

    def forward(
        self,
        input_ids: torch.Tensor,
        past_key_values: Any = None,
        use_cache: bool = False,
        position_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        logits_to_keep: Any = None,
    ) -> Any:
        self.calls += 1
        when = self.fail_at.get(self.calls, "")
        if when == "before" or input_ids.numel() > self.most_positions:
            raise RuntimeError(
                "[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory: 1 bytes"
            )
        assert use_cache
        filled = DynamicCache() if past_key_values is None else past_key_values
        rows, new = input_ids.shape
        if attention_mask is None and (new > 1 or past_key_values is None or not filled.get_seq_length()):
            self.prefilled += [new] * rows
        else:
            self.decoded.append((rows, new))
        if position_ids is not None and new > 1:
            self.prefilled += [sum(place <= places[-1] for place in places) for places in position_ids.tolist()]
        if position_ids is None:
            start = filled.get_seq_length()
            position_ids = torch.arange(start, start + new).expand(rows, new)
        layers: list[tuple[torch.Tensor, torch.Tensor]] = []
        for layer in range(_LAYERS):
            keys = (input_ids + layer).float()[:, None, :, None]
            values = (position_ids + layer).float()[:, None, :, None].expand(-1, -1, -1, 3)
            keys, values = filled.update(keys, values, layer)
            layers.append((keys[:, 0, :, 0] - layer, values[:, 0, :, 0] - layer))
        if when == "after":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 MiB")
        assert all(len(tokens) == rows for tokens, _ in layers), (
            "the cache shows another number of rows than it was asked about"
        )
        kept = range(new)
        if isinstance(logits_to_keep, int):
            kept = range(new)[-logits_to_keep:]
        elif logits_to_keep is not None:
            kept = logits_to_keep.tolist()
        logits = torch.empty(rows, len(kept), VOCABULARY)
        for row in range(rows):
            for place, query in enumerate(kept):
                if attention_mask is None:
                    visible = list(range(layers[0][0].shape[1] - new + query + 1))
                else:
                    visible = (attention_mask[row, 0, query] == 0).nonzero()[:, 0].tolist()
                pasts = [
                    list(zip(positions[row, visible].int().tolist(), tokens[row, visible].int().tolist(), strict=True))
                    for tokens, positions in layers
                ]
                # What fills up a row sees what was never written. Nobody may use its logits.
                here, at = position_ids[row].tolist(), int(position_ids[row, query])
                filler = new > 1 and (at > here[-1] or here.count(at) > 1)
                assert filler or pasts[0] == pasts[1], "the layers disagree"
                logits[row, place] = torch.nan if filler else logits_after(_beginning(row) + pasts[0])
        return SimpleNamespace(logits=logits, past_key_values=filled)


def _beginning(row: int) -> list[tuple[int, int]]:
    """The (position, token) pairs that a row shares with others while it is decoded."""
    ragged = cache._stepping.get()
    for prefix, rows in ragged.prefixes if ragged else []:
        if row in rows.tolist():
            keys, values = prefix.layers[0]
            return list(zip(values[0, 0, :, 0].int().tolist(), keys[0, 0, :, 0].int().tolist(), strict=True))
    return []


def alone(row: Row) -> tuple[list[int], str]:
    """The tokens and finish reason that a row gets by itself, without any cache or batch."""
    twin = make_row(row.prompt, row.max_tokens, row.temperature, row.top_p, row.top_k, row.seed)
    tokens: list[int] = []
    while True:
        (token,), _ = choose(logits_after(list(enumerate([*row.prompt, *tokens])))[None], [twin.sampler])
        tokens.append(token)
        if token == END:
            return tokens, "stop"
        if len(tokens) == row.max_tokens:
            return tokens, "length"


def make_row(
    prompt: list[int],
    max_tokens: int,
    temperature: float = 0.0,
    top_p: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
    stop: tuple[str, ...] = (),
    tag: Any = None,
    parent: str | None = None,
) -> Row:
    return Row(prompt, max_tokens, stop, temperature, top_p, top_k, seed, tag, key=str(tag), parent=parent)
