"""Choosing next tokens for rows that each have settings and a random stream of their own."""

# pyright: basic

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

_CANDIDATES = 64
"""How many of the most likely tokens are looked at first. The tail is drawn from exactly when a draw falls there."""

_BLOCK = 64
"""Logits of which the largest is found first, before a whole row is searched."""

_PIECE = 4
"""Rows of a vocabulary that a CPU's cache holds."""

_NOTHING = -80.0
"""A logarithm whose exponential adds nothing to 1. Those of smaller ones are denormal numbers, which are slow."""


@dataclass(slots=True)
class Sampler:
    """The decoding settings of one row. Its random stream depends on nothing but its seed."""

    temperature: float
    top_p: float
    top_k: int | None
    stream: random.Random


def choose(logits: torch.Tensor, samplers: list[Sampler]) -> tuple[list[int], list[float | None]]:
    """The next token of each row, and its log-probability for rows that sample.

    Args:
        logits: `[rows, vocabulary]`.
        samplers: one a row; temperature 0 takes the most likely token.

    Returns:
        Token ids, and natural log-probabilities under the tempered distribution, before top_k and top_p cut it off
        (`None` for greedy rows).

    Raises:
        ArithmeticError: the logits of a row hold no number to choose by.
    """
    tokens = [0] * len(samplers)
    logprobs: list[float | None] = [None] * len(samplers)
    greedy = [row for row, sampler in enumerate(samplers) if sampler.temperature == 0]
    drawn = [row for row, sampler in enumerate(samplers) if sampler.temperature > 0]
    if greedy:
        remaining = logits if not drawn else logits[greedy]
        picked = _argmax(remaining)
        _check(remaining.gather(-1, picked[:, None]))
        for row, token in zip(greedy, picked.tolist(), strict=True):
            tokens[row] = token
    if drawn:
        remaining = logits if not greedy else logits[drawn]
        for row, (token, logprob) in zip(drawn, _sample(remaining, [samplers[row] for row in drawn]), strict=True):
            tokens[row], logprobs[row] = token, logprob
    return tokens, logprobs


def top(logits: torch.Tensor, count: int) -> torch.Tensor:
    """Where the `count` largest of each row are, the largest first, `[rows, count]` or as many as there are.

    In two levels, which is several times faster for wide rows.
    """
    if logits.shape[-1] % _BLOCK or logits.shape[-1] < _BLOCK * count:
        return logits.topk(min(count, logits.shape[-1])).indices
    blocks = logits.unflatten(-1, (-1, _BLOCK))
    most = blocks.amax(-1).topk(count).indices
    inside = blocks.gather(1, most[:, :, None].expand(-1, -1, _BLOCK)).flatten(1).topk(count).indices
    return most.gather(1, inside // _BLOCK) * _BLOCK + inside % _BLOCK


def _argmax(logits: torch.Tensor) -> torch.Tensor:
    """`argmax(-1)` in two levels, which is several times faster on CPUs for wide vocabularies.

    Of equal logits the first one wins, as with `argmax`.
    """
    if logits.shape[-1] % _BLOCK or logits.device.type != "cpu":
        return logits.argmax(-1)
    blocks = logits.unflatten(-1, (-1, _BLOCK))
    best = blocks.amax(-1).argmax(-1)
    inside = blocks[torch.arange(len(best)), best].argmax(-1)
    return best * _BLOCK + inside


def _check(largest: torch.Tensor) -> None:
    """`largest` is what `max` found: NaN if there is one."""
    if not bool(largest.isfinite().all()):
        raise ArithmeticError("the model computes no numbers any more (NaN or infinity); try another dtype")


@dataclass(slots=True)
class _Candidates:
    """The most likely tokens of a row, the most likely first."""

    tokens: list[int]
    logprobs: np.ndarray
    mass: np.ndarray
    """Their probabilities, summed up."""
    everything: Callable[[], np.ndarray]
    """Computes the log-probabilities of the whole vocabulary."""
    are_all: bool
    """Whether the vocabulary has no other tokens."""


def _sample(logits: torch.Tensor, samplers: list[Sampler]) -> list[tuple[int, float]]:
    """A token of each row with its log-probability; see `choose`."""
    places = top(logits, _CANDIDATES)
    best = logits.gather(-1, places).float()
    largest = best[:, :1]
    _check(largest)
    temperatures = torch.tensor([sampler.temperature for sampler in samplers], device=logits.device)[:, None]
    total = _log_mass(logits, largest, temperatures)

    def everything(row: int) -> np.ndarray:
        tempered = _tempered(logits[row], largest[row], temperatures[row])
        return (tempered - total[row]).double().cpu().numpy()

    logprobs = (_tempered(best, largest, temperatures) - total).double().cpu().numpy()
    mass = np.exp(logprobs).cumsum(-1)
    whole = places.shape[-1] == logits.shape[-1]
    return [
        _draw(sampler, _Candidates(tokens, logprobs[row], mass[row], partial(everything, row), whole))
        for row, (sampler, tokens) in enumerate(zip(samplers, places.tolist(), strict=True))
    ]


def _tempered(logits: torch.Tensor, largest: torch.Tensor, temperatures: torch.Tensor) -> torch.Tensor:
    """The largest becomes 0, so that a tiny temperature cannot make infinities of the others' differences."""
    return (logits.float() - largest).div_(temperatures)


def _log_mass(logits: torch.Tensor, largest: torch.Tensor, temperatures: torch.Tensor) -> torch.Tensor:
    """What the exponentials of the tempered logits sum up to, as a logarithm, `[rows, 1]`."""
    rows = _PIECE if logits.device.type == "cpu" else len(logits)
    pieces = zip(logits.split(rows), largest.split(rows), temperatures.split(rows), strict=True)
    return torch.cat([_tempered(*piece).clamp_min_(_NOTHING).exp_().sum(-1, keepdim=True) for piece in pieces]).log_()


def _draw(sampler: Sampler, likeliest: _Candidates) -> tuple[int, float]:
    """Draw one token by inverting the cumulative distribution, most likely tokens first."""
    draw = sampler.stream.random()
    mass = likeliest.mass[: sampler.top_k]
    complete = likeliest.are_all or (sampler.top_k is not None and sampler.top_k <= len(likeliest.tokens))
    if not complete and sampler.top_k is not None:
        return _draw_from_all(draw, sampler, likeliest.everything())
    total = float(mass[-1]) if complete else 1.0
    if sampler.top_p < 1:
        # The smallest set of tokens whose mass reaches top_p (Holtzman et al., 2020).
        size = int((mass < sampler.top_p * total).sum()) + 1
        if size > len(mass) and not complete:
            return _draw_from_all(draw, sampler, likeliest.everything())
        mass, complete = mass[:size], True
        total = float(mass[-1])
    if not complete and draw * total >= float(mass[-1]):
        logprobs = likeliest.everything()
        tail = np.exp(logprobs)
        tail[likeliest.tokens] = 0
        if tail.any():
            token = _invert(tail.cumsum(), draw * total - float(mass[-1]))
            return token, float(logprobs[token])
    place = _invert(mass, draw * total)
    return likeliest.tokens[place], float(likeliest.logprobs[place])


def _draw_from_all(draw: float, sampler: Sampler, logprobs: np.ndarray) -> tuple[int, float]:
    """The same with the whole vocabulary sorted, for top_k or top_p beyond the first candidates."""
    order = np.argsort(-logprobs, kind="stable")[: sampler.top_k]
    mass = np.exp(logprobs[order]).cumsum()
    mass = mass[: int((mass < sampler.top_p * mass[-1]).sum()) + 1]
    place = _invert(mass, draw * float(mass[-1]))
    return int(order[place]), float(logprobs[order[place]])


def _invert(mass: np.ndarray, draw: float) -> int:
    """The first place whose cumulative mass exceeds `draw`: one that has mass, even if rounding put `draw` too high."""
    place = int(np.searchsorted(mass, draw, side="right"))
    return place if place < len(mass) else int(np.searchsorted(mass, mass[-1]))
