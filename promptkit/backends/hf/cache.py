"""A key-value cache whose rows have lengths of their own, so that rows can enter and leave while others go on."""

# pyright: basic

from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

_BLOCK = 128
"""Positions are allocated in blocks of this many."""


def blocks(capacity: int) -> int:
    """Positions that a row of this capacity takes: whole blocks."""
    return -(-capacity // _BLOCK) * _BLOCK


class _RaggedLayer(DynamicLayer):
    """Keys and values of one model layer, `[rows, kv_heads, capacity, head_dim]`, with one write position a row."""

    def __init__(self, owner: "RaggedCache") -> None:
        super().__init__()
        self.owner = owner
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_args: Any, **_kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write one new position for each live row; return the live rows up to the longest one."""
        assert self.keys is not None and self.values is not None
        owner = self.owner
        self.keys[owner.row_index, :, owner.positions] = key_states[:, :, 0]
        self.values[owner.row_index, :, owner.positions] = value_states[:, :, 0]
        rows = len(owner.row_index)
        return self.keys[:rows, :, : owner.span], self.values[:rows, :, : owner.span]

    def get_seq_length(self) -> int:
        """Positions in use by the longest row, the one that is being written included."""
        return self.owner.span


class RaggedCache(Cache):
    """The cache of a rolling batch. Row `i` holds the positions `0 … length_i - 1`, with nothing shifted.

    `reserve` makes room, `put` fills rows from a prefill, `begin_step` sets where the next decode step writes, `move`
    closes a gap.
    """

    def __init__(self) -> None:
        super().__init__(layers=[])
        self.layers: list[Any] = []
        self.rows = 0
        self.capacity = 0
        self.row_index = torch.empty(0, dtype=torch.long)
        self.positions = torch.empty(0, dtype=torch.long)
        self.span = 0

    def reserve(self, rows: int, capacity: int, like: DynamicCache, live: int, most: int) -> None:
        """Make room for `rows` rows of `capacity` positions, keeping the first `live` rows.

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
            self.layers = [_RaggedLayer(self) for _ in like.layers]
        # Memory may run out on the way: until the last layer is done, count only on what all of them have.
        self.rows, self.capacity = min(self.rows, rows), min(self.capacity, capacity)
        for layer, source in zip(self.layers, like.layers, strict=True):
            for name in ("keys", "values"):
                shape, old = getattr(source, name).shape, getattr(layer, name)
                if not live:
                    setattr(layer, name, None)  # free it before its successor is made
                # Zeros, not whatever the memory held: a masked NaN would still poison the sum.
                new = getattr(source, name).new_zeros(rows, shape[1], capacity, shape[3])
                if live:
                    kept = min(capacity, old.shape[2])
                    new[:live, :, :kept] = old[:live, :, :kept]
                setattr(layer, name, new)
        self.rows, self.capacity = rows, capacity

    def put(self, slots: range, prefill: DynamicCache, row: int, length: int) -> None:
        """Copy the first `length` positions of a prefilled row into each of `slots`."""
        sources: list[Any] = prefill.layers
        for layer, source in zip(self.layers, sources, strict=True):
            layer.keys[slots.start : slots.stop, :, :length] = source.keys[row, :, :length]
            layer.values[slots.start : slots.stop, :, :length] = source.values[row, :, :length]

    def copy(self, slot: int, length: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Keys and values of the first `length` positions of a row, by layer."""
        where = (slice(slot, slot + 1), slice(None), slice(length))
        return [(layer.keys[where].clone(), layer.values[where].clone()) for layer in self.layers]

    def begin_step(self, positions: torch.Tensor) -> None:
        """The next forward pass writes row `i` at `positions[i]` (`[live]`, long)."""
        self.positions = positions
        self.row_index = torch.arange(len(positions), device=positions.device)
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
