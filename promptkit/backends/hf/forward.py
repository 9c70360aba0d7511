"""The forward passes of a batch whose rows have any prompts and lengths, in a ragged cache."""

# pyright: basic

import inspect
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, cast

import torch
from transformers.cache_utils import DynamicCache

from promptkit.backends.hf.cache import Kept, KeysAndValues, RaggedCache, stepping, use_cascade

_WORTH_SHARING = 16
"""Shared tokens from which on a pass of their own pays."""
_WORTH_HOLDING = 128
"""Shared tokens from which on all rows read one copy of them."""
_READ_AT_ONCE = 256
"""Positions of a row that are read at once where it goes on: each has a mask over all before it."""
_PREFIXES = 8
"""Prefixes that are remembered: strategies that run side by side have one each."""


@dataclass(frozen=True)
class Need:
    """The room that rows will take when all that were admitted together have entered."""

    rows: int
    capacity: int
    """Positions of the longest row that is not among those entering now, without what it shares."""
    entering: list[int]
    """Positions of the longest row of each prompt that is, whole."""


@dataclass(frozen=True)
class Entered:
    """What a prefill gave."""

    logits: torch.Tensor
    """After each prompt, `[prompts, vocabulary]`."""
    reused: list[int]
    """How many tokens of each prompt were not computed for it."""


@torch.inference_mode()
def prefill(model: Any, prompts: list[list[int]], kept: Kept | None = None) -> tuple[torch.Tensor, DynamicCache, int]:
    """Run prompts of different lengths in one pass, but for what all of them share with what is `kept`.

    Padding stands on the right, where causal attention cannot see it, so no mask is needed.

    Returns:
        The logits after the last token of each prompt, `[prompts, vocabulary]`, the filled cache, and how many tokens
        of each prompt were not computed again.
    """
    cache = DynamicCache()
    known = kept.shared_by_all(prompts) if kept else 0
    if kept and known:
        for place, (keys, values) in enumerate(kept.first(known)):
            count = len(prompts)
            cache.update(keys.expand(count, -1, -1, -1), values.expand(count, -1, -1, -1), place)
    return _read(model, [prompt[known:] for prompt in prompts], cache), cache, known


def computed(cache: DynamicCache, start: int = 0, end: int | None = None) -> list[KeysAndValues]:
    """What a prefill computed, by layer, of the positions `start … end - 1`."""
    layers = cast("list[Any]", cache.layers)
    return [(layer.keys[:, :, start:end], layer.values[:, :, start:end]) for layer in layers]


@torch.inference_mode()
def read_prefix(model: Any, tokens: list[int], known: Kept | None) -> Kept:
    """What the model computes for the first tokens of prompts, going on from what is `known` of them."""
    return Kept(tokens, computed(prefill(model, [tokens], known)[1]))


def shared_prefix(prompts: list[list[int]]) -> int:
    """How many tokens all prompts begin with (chat head, demonstrations); 0 where a pass of their own saves little.

    At least one token of each prompt is left over, for its logits.
    """
    if len(prompts) < 2:
        return 0
    # What the first and the last in lexicographic order share, all between them share too.
    first, last = min(prompts), max(prompts)
    shared = next(
        (place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first)
    )
    shared = min(shared, min(map(len, prompts)) - 1)
    return shared if shared >= _WORTH_SHARING else 0


def _read(model: Any, tokens: list[list[int]], cache: DynamicCache) -> torch.Tensor:
    """Run rows of tokens after what the cache holds; the logits after the last token of each."""
    longest = max(map(len, tokens))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in tokens], device=model.device)
    rows = torch.arange(len(tokens), device=model.device)
    last = torch.tensor([len(row) - 1 for row in tokens], device=model.device)

    with _outputs_at(model, rows, last):
        logits = model(input_ids=ids, use_cache=True, **{cache_name(model): cache}).logits
    return logits[:, 0] if logits.shape[1] == 1 else logits[rows, last]


@contextmanager
def _outputs_at(model: Any, rows: Any, places: Any) -> Iterator[None]:
    """Run the output layer only at one place of each row (indices).

    It is a quarter of a small model's work, and its result the largest tensor of all. (`logits_to_keep` can name
    positions, but the same ones for every row.)
    """

    def there(_layer: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (inputs[0][rows, places][:, None], *inputs[1:])

    head = model.get_output_embeddings()
    hook = head.register_forward_pre_hook(there) if isinstance(head, torch.nn.Module) else None
    try:
        yield
    finally:
        if hook is not None:
            hook.remove()


@torch.inference_mode()
def decode(
    model: Any,
    cache: RaggedCache,
    tokens: list[list[int]],
    places: list[list[int]],
    prefixes: list[int],
    first: int = 0,
) -> torch.Tensor:
    """One step of rows from slot `first` on: each reads its tokens, as many as the others, at these places of its text,
    of which the first `prefixes[i]` lie in what it shares.

    Returns:
        The logits after each token, `[rows, tokens, vocabulary]`.
    """
    absolute = torch.tensor(places, device=model.device)
    positions = absolute - torch.tensor(prefixes, device=model.device)[:, None]
    cache.begin_step(positions, first)
    unseen = torch.arange(cache.span, device=model.device) > positions[:, :, None]
    mask = torch.zeros(unseen.shape, dtype=model.dtype, device=model.device)
    mask = mask.masked_fill_(unseen, torch.finfo(model.dtype).min)[:, None]
    with stepping(cache):
        return model(
            input_ids=torch.tensor(tokens, device=model.device),
            position_ids=absolute,
            attention_mask=mask,
            use_cache=True,
            **{cache_name(model): cache},
        ).logits


def cache_name(model: Any) -> str:
    """What the model calls its cache or recurrent state, as an argument and in its output.

    Newer versions of transformers say `cache` for all of them; older ones had a name for each family of models.
    """
    return next((name for name in _CACHE_NAMES if name in accepted(model)), "past_key_values")


_CACHE_NAMES = ("cache", "past_key_values", "cache_params", "state")


def accepted(model: Any) -> Collection[str]:
    """The names of the arguments that the model takes, below an adapter that is not merged."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return _parameters(type(base).forward)


@lru_cache
def _parameters(forward: Any) -> Collection[str]:
    """Kept, since looking a signature up takes longer than a small model's layer."""
    return inspect.signature(forward).parameters


class Slots(Protocol):
    """Rows under way in a model, numbered from 0 without gaps."""

    def enter(self, prompts: list[list[int]], copies: list[int], need: Need, kept: Sequence[Kept] = ()) -> Entered:
        """Append a row for each prompt, and then `copies[i] - 1` more of each. The prompts may go on from rows that
        were `kept`, each from one."""
        ...

    def spared(self, prompt: list[int], kept: Kept | None = None) -> int:
        """How many positions of a prompt, which may go on from a row, are held already for all that begin like it."""
        ...

    def shared(self, slot: int) -> int:
        """How many positions of a row lie in what it shares with others."""
        ...

    def step(self, tokens: list[list[int]], lengths: list[int]) -> torch.Tensor:
        """Read the next tokens of each row, as many of one as of another, from position `lengths[i]` on.

        What is read again at the same position replaces what was read there, in slots that mix rows.

        Returns:
            The logits after each, `[rows, tokens, vocabulary]`.
        """
        ...

    def keep(self, slot: int, tokens: list[int]) -> Kept | None:
        """What is known of a row that has read these tokens, for `enter`; `None` where that cannot be had."""
        ...

    def reorder(self, order: list[int], lengths: list[int]) -> None:
        """Row `i` is from now on the former row `order[i]`; the other rows are gone."""
        ...

    def clear(self) -> None:
        """Forget all rows and give their memory back."""
        ...


class MixedSlots:
    """Rows of any prompts and lengths, in a ragged cache.

    Args:
        model: the model.
        most: positions that the cache may hold. One long row may exceed that.
        cascade: whether what many rows begin with is held once for all of them.
        from_tokens: from how many shared tokens on.
    """

    def __init__(self, model: Any, most: int, cascade: bool = True, from_tokens: int | None = None) -> None:
        self.model = model
        self.most = most
        self.cascade = cascade and use_cascade(model)
        self.from_tokens = _WORTH_HOLDING if from_tokens is None else from_tokens
        self.cache = RaggedCache()
        self.prefixes: list[Kept] = []
        """What prompts began with lately, the newest last."""
        self.begins: list[Kept | None] = []
        """What each live row shares with others."""

    def enter(self, prompts: list[list[int]], copies: list[int], need: Need, kept: Sequence[Kept] = ()) -> Entered:
        """See `Slots`."""
        live = len(self.begins)
        if kept:
            begins = [self._once(one.base, [prompt]) for one, prompt in zip(kept, prompts, strict=True)]
            reused = [one.shared(prompt) for one, prompt in zip(kept, prompts, strict=True)]
            self._make_room(need, begins, kept[0].layers)
            for slot, (one, begin, count) in enumerate(zip(kept, begins, reused, strict=True), live):
                self.cache.put(slot, one.beyond_base(count) if begin else one.first(count))
            logits = self._go_on(prompts, reused, live)
        else:
            known, new = self._beginning(prompts)
            begins = [self._once(known, prompts)] * len(prompts)
            logits, filled, shared = prefill(self.model, prompts, known)
            reused = [shared - (0 if place else new) for place in range(len(prompts))]
            self._make_room(need, begins, computed(filled))
            for place, prompt in enumerate(prompts):
                self.cache.put(live + place, computed(filled, self.shared(live + place), len(prompt)), place)
        for place, count in enumerate(copies):
            for _ in range(count - 1):
                length = len(prompts[place]) - self.shared(live + place)
                self.cache.move(live + place, len(self.begins), length)
                self.begins.append(begins[place])
        self._group()
        return Entered(logits, reused)

    def _once(self, base: Kept | None, prompts: list[list[int]]) -> Kept | None:
        """This beginning, if the prompts begin with all of it and it is worth holding once for all rows."""
        return base if base and self._held(base) and all(map(base.begins, prompts)) else None

    def _make_room(self, need: Need, begins: list[Kept | None], like: list[KeysAndValues]) -> None:
        """Reserve what is needed, and append rows that begin so."""
        live = len(self.begins)
        own = [whole - (len(begin.tokens) if begin else 0) for whole, begin in zip(need.entering, begins, strict=True)]
        self.cache.reserve(need.rows, max(need.capacity, *own), like, live, self.most)
        self.begins.extend(begins)

    def _go_on(self, prompts: list[list[int]], read: list[int], first: int) -> torch.Tensor:
        """Read the rest of prompts whose first `read[i]` tokens are in the slots from `first` on; the logits after."""
        most = max(len(prompt) - count for prompt, count in zip(prompts, read, strict=True))
        # A shorter rest is filled up before it. What is read there stands where the row's first token will.
        rests = [(prompt, count, most + count - len(prompt)) for prompt, count in zip(prompts, read, strict=True)]
        places = [[len(prompt)] * more + list(range(count, len(prompt))) for prompt, count, more in rests]
        tokens = [[0] * more + prompt[count:] for prompt, count, more in rests]
        shared = [self.shared(slot) for slot in range(first, len(self.begins))]
        self._group(first)
        parts = [slice(start, start + _READ_AT_ONCE) for start in range(0, most, _READ_AT_ONCE)]
        pieces = [([row[part] for row in tokens], [row[part] for row in places]) for part in parts]
        with _outputs_at(self.model, slice(None), -1):
            return [decode(self.model, self.cache, *piece, shared, first)[:, -1] for piece in pieces][-1]

    def _beginning(self, prompts: list[list[int]]) -> tuple[Kept | None, int]:
        """What all prompts begin with, computed where it was not known and pays, and how many tokens that took."""
        ends = [min(prompts), max(prompts)]
        known = max(self.prefixes, key=lambda kept: (kept.shared_by_all(ends), -len(kept.tokens)), default=None)
        have = known.shared_by_all(ends) if known else 0
        shared = shared_prefix(prompts)
        if shared - have < _WORTH_SHARING:
            if known is None or have < _WORTH_SHARING:
                return None, 0
            if have < len(known.tokens):
                known = Kept(known.tokens[:have], known.first(have))
            shared = have
        else:
            known = read_prefix(self.model, prompts[0][:shared], known if have else None)
        others = [kept for kept in self.prefixes if kept.tokens != known.tokens]
        self.prefixes = [*others[1 - _PREFIXES :], known]
        return known, shared - have

    def _held(self, prefix: Kept) -> bool:
        return self.cascade and len(prefix.tokens) >= self.from_tokens

    def spared(self, prompt: list[int], kept: Kept | None = None) -> int:
        """See `Slots`."""
        if kept:
            return len(base.tokens) if (base := self._once(kept.base, [prompt])) else 0
        return max((len(kept.tokens) for kept in self.prefixes if self._held(kept) and kept.begins(prompt)), default=0)

    def shared(self, slot: int) -> int:
        """See `Slots`."""
        begin = self.begins[slot]
        return len(begin.tokens) if begin else 0

    def step(self, tokens: list[list[int]], lengths: list[int]) -> torch.Tensor:
        """See `Slots`."""
        places = [[length + new for new in range(len(tokens[0]))] for length in lengths]
        shared = [self.shared(slot) for slot in range(len(tokens))]
        return decode(self.model, self.cache, tokens, places, shared)

    def keep(self, slot: int, tokens: list[int]) -> Kept | None:
        """See `Slots`."""
        return Kept(tokens, self.cache.copy(slot, len(tokens) - self.shared(slot)), self.begins[slot])

    def reorder(self, order: list[int], lengths: list[int]) -> None:
        """See `Slots`. A row moves only into the place of one that is gone."""
        for target, source in enumerate(order):
            if target != source:
                assert source >= len(order), "a row would be overwritten before it is moved"
                self.cache.move(source, target, lengths[target] - self.shared(source))
        self.begins = [self.begins[source] for source in order]
        self._group()

    def _group(self, first: int = 0) -> None:
        """Tell the cache which of the rows from slot `first` on, which are read next, begin with what."""
        groups: dict[int, tuple[Kept, list[int]]] = {}
        for place, begin in enumerate(self.begins[first:]):
            if begin:
                groups.setdefault(id(begin), (begin, []))[1].append(place)
        device = self.model.device
        self.cache.prefixes = [(begin, torch.tensor(rows, device=device)) for begin, rows in groups.values()]

    def clear(self) -> None:
        """See `Slots`."""
        self.cache.release()
        self.begins, self.prefixes = [], []
