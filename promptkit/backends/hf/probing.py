"""Trying a model when it is loaded: does it compute the same in a batch as alone?"""

# pyright: basic

from dataclasses import dataclass
from typing import Any

import torch

from promptkit.backends.hf.alone import AloneSlots, ropes
from promptkit.backends.hf.forward import MixedSlots, Need
from promptkit.backends.hf.packing import W8A8Linear
from promptkit.errors import ModelError

_FOREIGN = (
    TypeError,
    ValueError,
    RuntimeError,
    AttributeError,
    IndexError,
    KeyError,
    NotImplementedError,
    AssertionError,
)
_SHARED = 18
"""Tokens that both prompts begin with, so that sharing their prefill is tried too."""
_LENGTHS = (_SHARED + 4, _SHARED + 9)
_WINDOWS = (
    "sliding_window",
    "window_size",
    "attention_window_size",
    "attention_chunk_size",
    "local_attention",
    "local_window_size",
)
"""How configurations call the number of positions that a layer with local attention sees."""
_STEPS = 2


@dataclass(frozen=True)
class Ability:
    """What a model can do in a batch."""

    mixed_up_to: int
    """Rows of at most this many positions may be decoded together whatever their prompts; 0: only samples of one
    prompt may."""
    position_bytes: int
    """What the cache takes for one position of one row."""
    cascade: bool = False
    """Whether what many rows begin with may be held once for all of them."""
    several: bool = False
    """Whether rows may read several tokens in a step."""


@torch.inference_mode()
def probe(model: Any, name: str) -> Ability:
    """Try a model on short prompts: together, alone with its cache, and without a cache, which is the truth.

    Models with recurrent state, ALiBi or masks of their own fail the first and are decoded one prompt at a time. A
    sliding window or a frequency that changes with the length is none within its bounds, so it is mixed up to there.

    Raises:
        ModelError: it cannot generate at all, or the result would be wrong.
    """
    size = int(model.config.get_text_config().vocab_size)
    prompts = [[(7 * place + 3 + (place >= _SHARED) * length) % size for place in range(length)] for length in _LENGTHS]
    tokens = [[5 % size, 11 % size], [9 % size, 2 % size]]
    # Measured on SmolLM2 and Qwen2.5: rounding in half precision moves logits by up to 13 % on such nonsense, wrong
    # positions by 40 to 160 %.
    quantized = getattr(model, "is_quantized", False) or any(isinstance(part, W8A8Linear) for part in model.modules())
    exact = model.dtype == torch.float32 and not quantized
    tolerance = 0.001 if exact else 0.3
    try:
        truth = [
            model(input_ids=torch.tensor([[*prompt, *more]], device=model.device)).logits[0, -1 - _STEPS :].float()
            for prompt, more in zip(prompts, tokens, strict=True)
        ]
    except _FOREIGN as error:
        problem = f"{name} cannot be run: {type(error).__name__}: {error}"
        raise ModelError(problem, hint="does this version of transformers know such models?") from error
    if not all(logits.isfinite().all() for logits in truth):
        raise ModelError(
            f"{name} computes no numbers in {str(model.dtype).removeprefix('torch.')}", hint="use another dtype"
        )
    error, position_bytes = _alone(model, name, prompts, tokens, truth)
    if error > tolerance:
        raise ModelError(
            f"{name} computes something else with its cache than without, so its texts would be wrong",
            hint="is it a causal language model?",
        )
    limit = _limit(model.config.get_text_config())
    if limit <= max(_LENGTHS) + _STEPS or _mixed(model, False, prompts, tokens, truth) > tolerance:
        return Ability(0, position_bytes)
    cascade = _mixed(model, True, prompts, tokens, truth) <= tolerance
    several = _mixed(model, cascade, prompts, tokens, truth, at_once=_STEPS) <= tolerance
    return Ability(limit, position_bytes, cascade, several)


def _alone(model: Any, name: str, prompts: Any, tokens: Any, truth: Any) -> tuple[float, int]:
    """The largest relative error when each prompt is decoded alone, two samples of it; and the bytes of a position."""
    errors: list[float] = []
    slots = AloneSlots(model)
    try:
        for prompt, more, expected in zip(prompts, tokens, truth, strict=True):
            found = [slots.enter([prompt], [2], Need(2, 0, [0])).logits[0]]
            for step, token in enumerate(more):
                found.extend(slots.step([[token], [token]], [len(prompt) + step] * 2)[1])
            errors.append(_error(torch.stack(found), expected))
            position_bytes = _bytes(slots.state) // (2 * (len(prompt) + len(more)))
            slots.clear()
    except _FOREIGN as error:
        raise ModelError(
            f"{name} cannot generate with a cache: {type(error).__name__}: {error}",
            hint="promptkit runs causal language models that support use_cache",
        ) from error
    return max(errors), max(1, position_bytes)


def _mixed(model: Any, cascade: bool, prompts: Any, tokens: Any, truth: Any, at_once: int = 1) -> float:
    """The largest relative error when the prompts are decoded together, so many tokens a step; infinite when that
    cannot be done."""
    slots = MixedSlots(model, 0, cascade, from_tokens=_SHARED)
    if cascade and not slots.cascade:
        return float("inf")
    try:
        found = [slots.enter(prompts, [1, 1], Need(2, 0, [length + _STEPS for length in _LENGTHS])).logits]
        for step in range(0, _STEPS, at_once):
            lengths = [len(prompt) + step for prompt in prompts]
            found.extend(slots.step([more[step : step + at_once] for more in tokens], lengths).unbind(1))
    except _FOREIGN:
        return float("inf")
    return max(_error(torch.stack(found)[:, row], expected) for row, expected in enumerate(truth))


def _error(found: torch.Tensor, expected: torch.Tensor) -> float:
    """How far logits are from the expected ones, in parts of these; infinite when they are not numbers."""
    spread = (expected - expected.mean(-1, keepdim=True)).norm(dim=-1)
    error = float(((found.float() - expected).norm(dim=-1) / spread.clamp(min=1e-9)).max())
    return error if error == error else float("inf")


def _limit(config: Any) -> int:
    """Up to how many positions every layer sees all of a row, by what the configuration says."""
    windows = [getattr(config, key, None) for key in _WINDOWS]
    if getattr(config, "use_sliding_window", True) is False:
        windows = windows[1:]
    for rope in ropes(config):
        if rope.get("rope_type") in ("dynamic", "longrope"):
            windows.append(rope.get("original_max_position_embeddings") or config.max_position_embeddings)
    return min((int(window) for window in windows if isinstance(window, int | float)), default=2**31)


def _bytes(state: Any) -> int:
    """Bytes of all tensors in a cache or state."""
    seen: dict[int, int] = {}

    def walk(thing: Any, depth: int) -> None:
        if isinstance(thing, torch.Tensor):
            seen[id(thing)] = thing.nbytes
        elif depth:
            inner = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list | tuple) else ()
            for item in [*inner, *getattr(thing, "__dict__", {}).values()]:
                walk(item, depth - 1)

    walk(state, 4)
    return sum(seen.values())
