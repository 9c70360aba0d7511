"""The forward passes of a batch: rows of any prompts in a ragged cache, or samples of one prompt in the model's own."""

# pyright: basic

import inspect
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import torch
from transformers.cache_utils import DynamicCache

from promptkit.backends.hf.cache import RaggedCache

_WORTH_SHARING = 16
"""Shared tokens from which on a pass of their own pays."""


@dataclass(frozen=True)
class Kept:
    """What the cache held of a row that ended, for a prompt that goes on from there."""

    tokens: list[int]
    layers: list[tuple[torch.Tensor, torch.Tensor]]
    """Keys and values, `[1, kv_heads, len(tokens), head_dim]` each."""

    def shared(self, prompt: list[int]) -> int:
        """How many tokens a prompt begins with that are known here. One token of it is left over, for its logits."""
        pairs = zip(self.tokens, prompt[:-1], strict=False)
        return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(self.tokens), len(prompt) - 1))


@torch.inference_mode()
def prefill(model: Any, prompts: list[list[int]], kept: Kept | None = None) -> tuple[torch.Tensor, DynamicCache]:
    """Run prompts of different lengths in one pass, and what all of them begin with only once.

    Padding stands on the right, where causal attention cannot see it, so no mask is needed.

    Args:
        model: the model.
        prompts: their token ids.
        kept: of a row that a single prompt goes on from: what they share is not computed again.

    Returns:
        The logits after the last token of each prompt, `[prompts, vocabulary]`, and the filled cache.
    """
    cache = DynamicCache()
    if kept is not None:
        (prompt,) = prompts
        known = kept.shared(prompt)
        for place, (keys, values) in enumerate(kept.layers):
            cache.update(keys[:, :, :known], values[:, :, :known], place)
        return _read(model, [prompt[known:]], cache), cache
    shared = shared_prefix(prompts)
    if shared:
        _read(model, [prompts[0][:shared]], cache)
        cache.batch_repeat_interleave(len(prompts))
    return _read(model, [prompt[shared:] for prompt in prompts], cache), cache


def shared_prefix(prompts: list[list[int]]) -> int:
    """How many tokens all prompts begin with (chat head, demonstrations); 0 where running them once saves little.

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
def decode(model: Any, cache: RaggedCache, tokens: list[int], lengths: list[int]) -> torch.Tensor:
    """One step for all live rows: row `i` reads `tokens[i]` at position `lengths[i]`.

    Returns:
        The next logits, `[rows, vocabulary]`.
    """
    positions = torch.tensor(lengths, device=model.device)
    cache.begin_step(positions)
    unseen = torch.arange(cache.span, device=model.device) > positions[:, None]
    mask = torch.zeros(unseen.shape, dtype=model.dtype, device=model.device)
    mask = mask.masked_fill_(unseen, torch.finfo(model.dtype).min)[:, None, None, :]
    output = model(
        input_ids=torch.tensor(tokens, device=model.device)[:, None],
        position_ids=positions[:, None],
        attention_mask=mask,
        use_cache=True,
        **{cache_name(model): cache},
    )
    return output.logits[:, -1]


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

    def enter(
        self, prompts: list[list[int]], copies: list[int], rows: int, capacity: int, kept: Kept | None = None
    ) -> torch.Tensor:
        """Append `copies[i]` rows of `prompts[i]`.

        `rows` rows of at most `capacity` positions will soon be there in all. A single prompt may go on from a row
        that was `kept`.

        Returns:
            The logits after each prompt, `[prompts, vocabulary]`.
        """
        ...

    def step(self, tokens: list[int], lengths: list[int]) -> torch.Tensor:
        """Read the next token of each row, at position `lengths[i]`; return the logits after it."""
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
    """Rows of any prompts and lengths, in a cache of at most `most` positions. One long row may exceed that."""

    def __init__(self, model: Any, most: int) -> None:
        self.model = model
        self.most = most
        self.cache = RaggedCache()
        self.live = 0

    def enter(
        self, prompts: list[list[int]], copies: list[int], rows: int, capacity: int, kept: Kept | None = None
    ) -> torch.Tensor:
        """See `Slots`."""
        logits, filled = prefill(self.model, prompts, kept)
        self.cache.reserve(rows, capacity, filled, self.live, self.most)
        slot = self.live
        for place, (prompt, count) in enumerate(zip(prompts, copies, strict=True)):
            self.cache.put(range(slot, slot + count), filled, place, len(prompt))
            slot += count
        self.live = slot
        return logits

    def step(self, tokens: list[int], lengths: list[int]) -> torch.Tensor:
        """See `Slots`."""
        return decode(self.model, self.cache, tokens, lengths)

    def keep(self, slot: int, tokens: list[int]) -> Kept | None:
        """See `Slots`."""
        return Kept(tokens, self.cache.copy(slot, len(tokens)))

    def reorder(self, order: list[int], lengths: list[int]) -> None:
        """See `Slots`. A row moves only into the place of one that is gone."""
        for target, source in enumerate(order):
            if target != source:
                assert source >= len(order), "a row would be overwritten before it is moved"
                self.cache.move(source, target, lengths[target])
        self.live = len(order)

    def clear(self) -> None:
        """See `Slots`."""
        self.cache.release()
        self.live = 0


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
        rows: int,  # noqa: ARG002
        capacity: int,  # noqa: ARG002
        kept: Kept | None = None,  # noqa: ARG002
    ) -> torch.Tensor:
        """See `Slots`."""
        logits, self.state = continue_alone(self.model, prompts)
        self.texts = list(prompts)
        if copies[0] > 1:
            self._select([0] * copies[0])
        return logits

    def step(self, tokens: list[int], lengths: list[int]) -> torch.Tensor:
        """See `Slots`."""
        self.texts = [[*text, token] for text, token in zip(self.texts, tokens, strict=True)]
        if lengths[0] in self.turns_at:
            logits, self.state = continue_alone(self.model, self.texts)
        else:
            logits, self.state = continue_alone(self.model, [[token] for token in tokens], self.state)
        return logits

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
