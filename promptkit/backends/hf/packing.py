"""Linear layers laid out, or quantized, for the processor's matrix kernels.

PyTorch's plain `linear` on CPUs lets oneDNN reorder the weights at every call, or hands float32 to another library;
laying them out once makes a decode step 1.2 to 4 times faster (see docs/performance.md), with the same results in
bfloat16. The operators are private to PyTorch (its own compiler uses them), so each layer is tried before it is
replaced, and any doubt leaves the layer as it was.
"""

# pyright: basic

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn

from promptkit.backends.hf.sampling import top

Better = TypeVar("Better", bound=nn.Module)

_ROWS = 64
"""Rows that the layout is made for; other numbers work as well, a little slower."""

_CANDIDATES = 32
"""Tokens that are scored anew where the output layer is in 8 bits."""


class W8A8Linear(nn.Module):
    """`nn.Linear` for inference in 8-bit integers: a scale for each output of the weight, found once, and one for
    each row of the inputs, found at each call, so that no row of a batch changes another one's precision.

    "W8A8, dynamic, per token": Dettmers et al., 2022 (LLM.int8()), without its outlier columns; Xiao et al., 2023
    (SmoothQuant), table 2.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.bias = linear.bias
        weight = linear.weight.detach().float()
        self.scale = _scale(weight)
        self.integers = (weight / self.scale).round().to(torch.int8)

    @property
    def weight(self) -> torch.Tensor:
        """The weight as it is used."""
        return self.integers * self.scale

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """As `nn.Linear.forward`."""
        rows = inputs.reshape(-1, self.in_features).float()
        scale = _scale(rows)
        sums = torch.ops.aten._int_mm((rows / scale).round_().to(torch.int8), self.integers.t())
        # The floats take the place of the integers: for a vocabulary, new memory costs as much as the product.
        result = sums.view(torch.float32).copy_(sums).mul_(scale).mul_(self.scale.t())
        if self.bias is not None:
            result += self.bias
        return result.to(inputs.dtype).reshape(*inputs.shape[:-1], self.out_features)


class W8A8Head(W8A8Linear):
    """An output layer whose most likely tokens are found in 8-bit integers and then scored with its plain weights.

    Their logits are those of the plain layer, so 8 bits decide which tokens are candidates, never which of them wins.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__(linear)
        self.whole = linear.weight

    @property
    def weight(self) -> torch.Tensor:
        """The weight as it was, which the embedding may share."""
        return self.whole

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """As `nn.Linear.forward`."""
        logits = super().forward(inputs)
        best = top(logits.reshape(-1, self.out_features), _CANDIDATES)
        rows = inputs.reshape(-1, self.in_features, 1)
        scores = torch.matmul(self.whole[best], rows).squeeze(-1)
        if self.bias is not None:
            scores += self.bias[best]
        return logits.reshape(-1, self.out_features).scatter_(-1, best, scores).reshape(logits.shape)


def _scale(rows: torch.Tensor) -> torch.Tensor:
    """What a step of the integers −127 … 127 is worth in each row, `[rows, 1]`."""
    return rows.abs().amax(-1, keepdim=True).clamp_min_(1e-8) / 127


class PackedLinear(nn.Module):
    """`nn.Linear` for inference with a reordered weight."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.bias = linear.bias
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _ROWS)

    @property
    def weight(self) -> torch.Tensor:
        """The plain weight, laid out anew at each use: some models take it past `forward` (Mamba does)."""
        return self.packed.to_dense()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """As `nn.Linear.forward`."""
        return torch.ops.mkldnn._linear_pointwise(inputs, self.packed, self.bias, "none", [], "")


@torch.inference_mode()
def pack(model: Any) -> int:
    """Replace the linear layers of a model on a CPU, in place, one at a time so that little memory is needed.

    Subclasses of `nn.Linear` and layers that do not compute the same afterwards stay. An output layer that shares its
    weight with the embedding gets a copy of its own.

    Returns:
        The number of layers replaced.
    """
    if model.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return 0
    return _replace(model, packed)


@torch.inference_mode()
def quantize(model: Any) -> int:
    """Replace the linear layers of a model on a CPU by `W8A8Linear`, in place, and its output layer by `W8A8Head`.

    Returns:
        The number of layers replaced.
    """
    head = model.get_output_embeddings()
    return _replace(model, lambda layer: _quantized(layer, W8A8Head if layer is head else W8A8Linear))


def _replace(model: Any, better_than: Callable[[nn.Linear], nn.Module | None]) -> int:
    replaced = 0
    for parent in model.modules():
        for name, layer in list(parent.named_children()):
            if type(layer) is nn.Linear and (better := better_than(layer)) is not None:
                setattr(parent, name, better)
                replaced += 1
    return replaced


def packed(layer: nn.Linear) -> PackedLinear | None:
    """The packed form of a layer, or `None` where this build or processor has none that computes the same."""
    return _same(layer, PackedLinear, 0.01)


def _quantized(layer: nn.Linear, kind: type[W8A8Linear]) -> W8A8Linear | None:
    """The quantized form of a layer, or `None` where it computes something else: few layers are that uneven."""
    return _same(layer, kind, 0.1)


def _same(layer: nn.Linear, kind: type[Better], tolerance: float) -> Better | None:
    inputs = torch.linspace(-1, 1, 2 * layer.in_features, dtype=layer.weight.dtype).reshape(1, 2, layer.in_features)
    try:
        better = kind(layer)
        plain, new = layer(inputs).float(), better(inputs).float()
    except (AttributeError, RuntimeError, NotImplementedError):
        return None
    return better if (plain - new).norm() <= tolerance * plain.norm() + 1e-6 else None
