"""The forward passes of a batch: rows of any prompts in a ragged cache, or samples of one prompt in the model's own."""

# pyright: basic

import inspect
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, cast

import torch
from transformers.cache_utils import DynamicCache

from promptkit.backends.hf.cache import Kept, RaggedCache, stepping, use_cascade

_WORTH_SHARING = 16
"""Shared tokens from which on a pass of their own pays."""
_WORTH_HOLDING = 128
"""Shared tokens from which on all rows read one copy of them."""
_PREFIXES = 8
"""Prefixes that are remembered: strategies that run side by side have one each."""


@dataclass(frozen=True)
class Need:
    """The room that rows will take when all that were admitted together have entered."""

    rows: int
    capacity: int
    """Positions of the longest row that is not among those entering now, without what it shares."""
    longest: int
    """Positions of the longest one that is, whole."""


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


@torch.inference_mode()
def read_prefix(model: Any, tokens: list[int], known: Kept | None) -> Kept:
    """What the model computes for the first tokens of prompts, going on from what is `known` of them."""
    _, cache, _ = prefill(model, [tokens], known)
    layers = cast("list[Any]", cache.layers)
    return Kept(tokens, [(layer.keys, layer.values) for layer in layers])


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

    # The output layer is a quarter of a small model's work, and its result the largest tensor of all: run it only
    # where a prompt ends. (`logits_to_keep` can name positions, but the same ones for every row.)
    def at_ends(_layer: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (inputs[0][rows, last][:, None], *inputs[1:])

    head = model.get_output_embeddings()
    hook = head.register_forward_pre_hook(at_ends) if isinstance(head, torch.nn.Module) else None
    try:
        logits = model(input_ids=ids, use_cache=True, **{cache_name(model): cache}).logits
    finally:
        if hook is not None:
            hook.remove()
    return logits[:, 0] if logits.shape[1] == 1 else logits[rows, last]


@torch.inference_mode()
def decode(
    model: Any, cache: RaggedCache, tokens: list[list[int]], lengths: list[int], prefixes: list[int]
) -> torch.Tensor:
    """One step for all live rows: row `i` reads `tokens[i]`, as many as the others, from position `lengths[i]` on, and
    the first `prefixes[i]` positions lie in the prefix that it shares.

    Returns:
        The logits after each of these tokens, `[rows, tokens, vocabulary]`.
    """
    ids = torch.tensor(tokens, device=model.device)
    absolute = torch.tensor(lengths, device=model.device)[:, None] + torch.arange(ids.shape[1], device=model.device)
    positions = absolute - torch.tensor(prefixes, device=model.device)[:, None]
    cache.begin_step(positions)
    unseen = torch.arange(cache.span, device=model.device) > positions[:, :, None]
    mask = torch.zeros(unseen.shape, dtype=model.dtype, device=model.device)
    mask = mask.masked_fill_(unseen, torch.finfo(model.dtype).min)[:, None]
    with stepping(cache):
        return model(
            input_ids=ids,
            position_ids=absolute,
            attention_mask=mask,
            use_cache=True,
            **{cache_name(model): cache},
        ).logits


@torch.inference_mode()
def continue_alone(model: Any, tokens: list[list[int]], state: Any = None) -> tuple[torch.Tensor, Any]:
    """Run rows of one length through the model with its own cache or recurrent state, as it comes.

    Args:
        model: any causal language model of transformers.
        tokens: the next tokens of each row.
        state: what the former call returned.

    Returns:
        The logits after the last token of each row, `[rows, vocabulary]`, and the state for the next call.
    """
    name = cache_name(model)
    options: dict[str, Any] = {name: state} if state is not None else {}
    if len(tokens[0]) > 1 and "logits_to_keep" in _parameters(type(_base(model)).forward):
        options["logits_to_keep"] = 1
    output = model(input_ids=torch.tensor(tokens, device=model.device), use_cache=True, **options)
    return output.logits[:, -1], getattr(output, name)


def ropes(config: Any) -> list[dict[str, Any]]:
    """The settings of rotary positions that a configuration holds, for all layers or by kind of layer."""
    parameters = getattr(config, "rope_parameters", None) or {}
    return [parameters, *(inner for inner in parameters.values() if isinstance(inner, dict))]


def cache_name(model: Any) -> str:
    """What the model calls its cache or recurrent state, as an argument and in its output.

    Newer versions of transformers say `cache` for all of them; older ones had a name for each family of models.
    """
    accepted = _parameters(type(_base(model)).forward)
    return next((name for name in _CACHE_NAMES if name in accepted), "past_key_values")


_CACHE_NAMES = ("cache", "past_key_values", "cache_params", "state")


def _base(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model  # an adapter that is not merged


@lru_cache
def _parameters(forward: Any) -> Any:
    """Kept, since looking a signature up takes longer than a small model's layer."""
    return inspect.signature(forward).parameters


class Slots(Protocol):
    """Rows under way in a model, numbered from 0 without gaps."""

    def enter(self, prompts: list[list[int]], copies: list[int], need: Need, kept: Kept | None = None) -> Entered:
        """Append `copies[i]` rows of `prompts[i]`. A single prompt may go on from a row that was `kept`."""
        ...

    def spared(self, prompt: list[int]) -> int:
        """How many positions of a prompt are held already for all rows that begin like it."""
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

    def enter(self, prompts: list[list[int]], copies: list[int], need: Need, kept: Kept | None = None) -> Entered:
        """See `Slots`."""
        known, computed = kept, 0
        if kept is None:
            known, computed = self._beginning(prompts)
        begin = (known.base if kept else known) if known else None
        if begin and not (self._held(begin) and all(map(begin.begins, prompts))):
            begin = None
        logits, filled, reused = prefill(self.model, prompts, known)
        start, live = len(begin.tokens) if begin else 0, len(self.begins)
        capacity = max(need.capacity, need.longest - start)
        self.cache.reserve(need.rows, capacity, filled, live, self.most)
        for place, (prompt, count) in enumerate(zip(prompts, copies, strict=True)):
            slots = range(len(self.begins), len(self.begins) + count)
            self.cache.put(slots, filled, place, start, len(prompt))
            self.begins.extend([begin] * count)
        self._group()
        return Entered(logits, [reused - (0 if place else computed) for place in range(len(prompts))])

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

    def spared(self, prompt: list[int]) -> int:
        """See `Slots`."""
        return max((len(kept.tokens) for kept in self.prefixes if self._held(kept) and kept.begins(prompt)), default=0)

    def shared(self, slot: int) -> int:
        """See `Slots`."""
        begin = self.begins[slot]
        return len(begin.tokens) if begin else 0

    def step(self, tokens: list[list[int]], lengths: list[int]) -> torch.Tensor:
        """See `Slots`."""
        return decode(self.model, self.cache, tokens, lengths, [self.shared(slot) for slot in range(len(tokens))])

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

    def _group(self) -> None:
        """Tell the cache which rows begin with what."""
        rows: dict[int, list[int]] = {}
        for slot, begin in enumerate(self.begins):
            if begin:
                rows.setdefault(id(begin), []).append(slot)
        device = self.model.device
        self.cache.prefixes = [
            (cast("Kept", self.begins[slots[0]]), torch.tensor(slots, device=device)) for slots in rows.values()
        ]

    def clear(self) -> None:
        """See `Slots`."""
        self.cache.release()
        self.begins, self.prefixes = [], []


class AloneSlots:
    """Samples of one prompt, for models whose rows cannot be mixed."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.state: Any = None
        self.texts: list[list[int]] = []
        """What each row has read, to read it again where the frequencies of all its positions change."""
        self.turns_at = [
            int(rope["original_max_position_embeddings"])
            for rope in ropes(model.config.get_text_config())
            if rope.get("rope_type") == "longrope" and rope.get("original_max_position_embeddings")
        ]

    def enter(
        self,
        prompts: list[list[int]],
        copies: list[int],
        need: Need,  # noqa: ARG002
        kept: Kept | None = None,  # noqa: ARG002
    ) -> Entered:
        """See `Slots`."""
        logits, self.state = continue_alone(self.model, prompts)
        self.texts = list(prompts)
        if copies[0] > 1:
            self._select([0] * copies[0])
        return Entered(logits, [0])

    def spared(self, prompt: list[int]) -> int:  # noqa: ARG002
        """See `Slots`."""
        return 0

    def shared(self, slot: int) -> int:  # noqa: ARG002
        """See `Slots`."""
        return 0

    def step(self, tokens: list[list[int]], lengths: list[int]) -> torch.Tensor:
        """See `Slots`. One token of each row at a time."""
        self.texts = [[*text, *more] for text, more in zip(self.texts, tokens, strict=True)]
        if lengths[0] in self.turns_at:
            logits, self.state = continue_alone(self.model, self.texts)
        else:
            logits, self.state = continue_alone(self.model, tokens, self.state)
        return logits[:, None]

    def keep(self, slot: int, tokens: list[int]) -> None:
        """See `Slots`: the model's own state cannot be taken apart."""

    def reorder(self, order: list[int], lengths: list[int]) -> None:  # noqa: ARG002
        """See `Slots`."""
        if order:
            self._select(order)
        else:
            self.clear()

    def clear(self) -> None:
        """See `Slots`."""
        self.state, self.texts = None, []

    def _select(self, order: list[int]) -> None:
        self.texts = [self.texts[place] for place in order]
        self.state.reorder_cache(torch.tensor(order, device=self.model.device))
