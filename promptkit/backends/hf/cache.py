"""A key-value cache whose rows have lengths of their own, so that rows can enter and leave while others go on.

What many rows begin with (demonstrations) is held once and read by all of them: "cascade" or "shared-prefix"
attention (Ye et al., 2024, FlashInfer; Juravsky et al., 2024, Hydragen).
"""

# pyright: basic

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.cache_utils import Cache, DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

_BLOCK = 128
"""Positions are allocated in blocks of this many."""
KeysAndValues = tuple[torch.Tensor, torch.Tensor]
"""Of one layer, `[1, kv_heads, positions, head_dim]` each."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What a model computed for a text: of a row that ended, or of what many prompts begin with."""

    tokens: list[int]
    layers: list[KeysAndValues]
    """By layer, without the positions of `base`."""
    base: "Kept | None" = None
    """What its text begins with, where that is held already."""

    @property
    def own(self) -> int:
        """Positions that it holds itself."""
        return len(self.tokens) - (len(self.base.tokens) if self.base else 0)

    def shared(self, prompt: list[int]) -> int:
        """How many tokens a prompt begins with that are known here. One token of it is left over, for its logits."""
        size = min(len(self.tokens), len(prompt) - 1)
        if prompt[:size] == self.tokens[:size]:
            return size
        return next(place for place, (a, b) in enumerate(zip(self.tokens, prompt, strict=False)) if a != b)

    def shared_by_all(self, prompts: list[list[int]]) -> int:
        """How many tokens all of these prompts begin with that are known here."""
        # What the first and the last in lexicographic order share with it, all between them share too.
        return min(self.shared(min(prompts)), self.shared(max(prompts)))

    def begins(self, prompt: list[int]) -> bool:
        """Whether a prompt begins with all of it and goes on."""
        return len(prompt) > len(self.tokens) and prompt[: len(self.tokens)] == self.tokens

    def first(self, count: int) -> list[KeysAndValues]:
        """By layer, the first `count` positions, those of `base` included."""
        own = self.beyond_base(count)
        if self.base is None:
            return own
        before = self.base.first(count)
        return [
            (torch.cat((a, keys), 2), torch.cat((b, values), 2))
            for (a, b), (keys, values) in zip(before, own, strict=True)
        ]

    def beyond_base(self, count: int) -> list[KeysAndValues]:
        """By layer, those of the first `count` positions that are not in `base`."""
        end = max(0, count - (len(self.base.tokens) if self.base else 0))
        return [(keys[:, :, :end], values[:, :, :end]) for keys, values in self.layers]


def blocks(capacity: int) -> int:
    """Positions that a row of this capacity takes: whole blocks."""
    return -(-capacity // _BLOCK) * _BLOCK


def held_positions(kept: Iterable[Kept]) -> int:
    """Positions that these hold in all, what several of them begin with once."""
    kept = list(kept)
    bases = {id(one.base): one.base.own for one in kept if one.base}
    return sum(one.own for one in kept) + sum(bases.values())


class _RaggedLayer(DynamicLayer):
    """Keys and values of one model layer, `[rows, kv_heads, capacity, head_dim]`, with one write position a row."""

    def __init__(self, owner: "RaggedCache") -> None:
        super().__init__()
        self.owner = owner
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_args: Any, **_kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new positions of the rows that are read; return these rows up to the longest one."""
        assert self.keys is not None and self.values is not None
        owner = self.owner
        self.keys[owner.row_index, :, owner.positions] = key_states.transpose(1, 2)
        self.values[owner.row_index, :, owner.positions] = value_states.transpose(1, 2)
        read = (slice(owner.first, owner.first + len(owner.row_index)), slice(None), slice(owner.span))
        return self.keys[read], self.values[read]

    def get_seq_length(self) -> int:
        """Positions in use by the longest row, those that are being written included."""
        return self.owner.span


class RaggedCache(Cache):
    """The cache of a rolling batch. Row `i` holds the positions `0 … length_i - 1`, with nothing shifted.

    `reserve` makes room, `put` fills a row with what is known of it, `begin_step` sets where the next forward pass
    writes, `move` copies a row.
    """

    def __init__(self) -> None:
        super().__init__(layers=[])
        self.layers: list[Any] = []
        self.rows = 0
        self.capacity = 0
        self.row_index = torch.empty(0, 1, dtype=torch.long)
        self.positions = torch.empty(0, 1, dtype=torch.long)
        self.first = self.span = 0
        self.prefixes: list[tuple[Kept, torch.Tensor]] = []
        """What groups of the rows that are read begin with, each with their places among these (`[rows]`, long)."""

    def reserve(self, rows: int, capacity: int, like: list[KeysAndValues], live: int, most: int) -> None:
        """Make room for `rows` rows of `capacity` positions, keeping the first `live` rows; layers are shaped `like`
        these.

        Where it has to grow, it takes room for up to twice the rows, but for no more than `most` positions in all.
        A cache left over from much longer rows is given back first.
        """
        capacity = blocks(capacity)
        if not live and self.capacity > 2 * capacity:
            self.release()
        if rows <= self.rows and capacity <= self.capacity:
            return
        rows = max(rows, min(1 << (rows - 1).bit_length(), most // capacity))
        if not self.layers:
            self.layers = [_RaggedLayer(self) for _ in like]
        # Memory may run out on the way: until the last layer is done, count only on what all of them have.
        self.rows, self.capacity = min(self.rows, rows), min(self.capacity, capacity)
        for layer, sources in zip(self.layers, like, strict=True):
            for name, source in zip(("keys", "values"), sources, strict=True):
                old = getattr(layer, name)
                if not live:
                    setattr(layer, name, None)  # free it before its successor is made
                # Zeros, not whatever the memory held: a masked NaN would still poison the sum.
                new = source.new_zeros(rows, source.shape[1], capacity, source.shape[3])
                if live:
                    kept = min(capacity, old.shape[2])
                    new[:live, :, :kept] = old[:live, :, :kept]
                setattr(layer, name, new)
        self.rows, self.capacity = rows, capacity

    def put(self, slot: int, layers: list[KeysAndValues], row: int = 0) -> None:
        """Copy what was computed for a row, its first position first, into `slot`."""
        for layer, (keys, values) in zip(self.layers, layers, strict=True):
            layer.keys[slot, :, : keys.shape[2]] = keys[row]
            layer.values[slot, :, : values.shape[2]] = values[row]

    def copy(self, slot: int, length: int) -> list[KeysAndValues]:
        """Keys and values of the first `length` positions of a row, by layer."""
        where = (slice(slot, slot + 1), slice(None), slice(length))
        return [(layer.keys[where].clone(), layer.values[where].clone()) for layer in self.layers]

    def begin_step(self, positions: torch.Tensor, first: int) -> None:
        """The next forward pass reads rows from `first` on and writes the first of them at `positions[0]`, and so on
        (`[rows, new]`, long)."""
        self.positions, self.first = positions, first
        self.row_index = first + torch.arange(len(positions), device=positions.device)[:, None]
        self.span = int(positions.max()) + 1

    def move(self, source: int, target: int, length: int) -> None:
        """Copy row `source` over row `target`."""
        for layer in self.layers:
            layer.keys[target, :, :length] = layer.keys[source, :, :length]
            layer.values[target, :, :length] = layer.values[source, :, :length]

    def release(self) -> None:
        """Give the memory back."""
        self.layers = []
        self.rows = self.capacity = 0
        self.prefixes = []


_stepping: ContextVar[RaggedCache | None] = ContextVar("_stepping", default=None)


@contextmanager
def stepping(cache: RaggedCache) -> Iterator[None]:
    """In this context the model's attention reads the prefixes of `cache` before its rows."""
    token = _stepping.set(cache)
    try:
        yield
    finally:
        _stepping.reset(token)


def use_cascade(model: Any) -> bool:
    """Make a model call `_attention`, where it takes attention functions at all; see "Attention Interface" in the
    documentation of transformers. Outside of `stepping` that changes nothing."""
    now = getattr(model.config, "_attn_implementation", None)
    if now == _NAME:
        return True
    if now != "sdpa" or not getattr(model, "_can_set_attn_implementation", lambda: True)():
        return False
    AttentionInterface.register(_NAME, _attention)
    AttentionMaskInterface.register(_NAME, sdpa_mask)
    try:
        model.set_attn_implementation(_NAME)
    except (ValueError, AttributeError):
        return False
    return model.config._attn_implementation == _NAME


_NAME = "promptkit"


def _attention(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: Any, **options: Any
) -> tuple[torch.Tensor, None]:
    """Attention of the new positions of each row, `query` `[rows, heads, new, head_dim]`, to its prefix and its own.

    Heads that share keys stand in the place of positions, so that no key is copied for each of them: many times faster
    than `sdpa_attention_forward`, which repeats keys and values wherever there is a mask. The prefix and a row's own
    positions are computed apart, the first for all rows of a prefix at once, and merged by their log-sum-exp.

    Returns:
        `[rows, new, heads, head_dim]`, and no weights.
    """
    cache = _stepping.get()
    if cache is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    rows, heads, new, size = query.shape
    groups, scale = key.shape[1], options.get("scaling") or size**-0.5
    query = query.reshape(rows, groups, heads // groups * new, size)
    mask = attention_mask.repeat(1, 1, heads // groups, 1) if new > 1 else attention_mask
    if not cache.prefixes:
        result = scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
        return result.reshape(rows, heads, new, -1).transpose(1, 2), None
    own, weight = _part(query, key, value, mask, scale)
    for prefix, index in cache.prefixes:
        keys, values = prefix.layers[module.layer_idx]
        side = query[index].transpose(0, 1).flatten(1, 2)[None]
        found, its = (
            part[0].unflatten(1, (len(index), -1)).transpose(0, 1) for part in _part(side, keys, values, None, scale)
        )
        both = torch.logaddexp(weight[index], its)
        own[index] = own[index] * (weight[index] - both).exp_() + found * (its - both).exp_()
    return own.to(query.dtype).reshape(rows, heads, new, -1).transpose(1, 2), None


def _part(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention to some of the positions, and the log-sum-exp of their scores, `[…, 1]`, both in float32."""
    flash = _flash()
    if flash is not None and query.device.type == "cpu" and query.shape[-1] == values.shape[-1]:
        found, weight = flash(query, keys, values, attn_mask=mask, scale=scale)
        return found.float(), weight.float()[..., None]
    scores = (query @ keys.transpose(-1, -2)).float() * scale
    if mask is not None:
        scores += mask
    weight = scores.logsumexp(-1, keepdim=True)
    # None below the least normal number: matrix products with such were up to 25 times slower (docs/performance.md).
    weights = (scores - weight).clamp_(min=-80).exp_()
    return (weights.to(values.dtype) @ values).float(), weight


@lru_cache
def _flash() -> Any:
    """What `scaled_dot_product_attention` calls on a CPU, if it is there: only this tells the log-sum-exp."""
    like = torch.zeros(1, 1, 1, 16)
    try:
        op = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        _, weight = op(like, like, like, attn_mask=like[..., :1], scale=1.0)
    except (AttributeError, RuntimeError, TypeError, ValueError):
        return None
    return op if weight.shape == (1, 1, 1) else None
