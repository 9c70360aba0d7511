"""Forward passes of samples of one prompt in the model's own cache or state, for models whose rows cannot be mixed."""

# pyright: basic

from collections.abc import Sequence
from typing import Any

import torch

from promptkit.backends.hf.cache import Kept
from promptkit.backends.hf.forward import Entered, Need, accepted, cache_name


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
        kept: Sequence[Kept] = (),  # noqa: ARG002
    ) -> Entered:
        """See `Slots`."""
        logits, self.state = continue_alone(self.model, prompts)
        self.texts = list(prompts)
        if copies[0] > 1:
            self._select([0] * copies[0])
        return Entered(logits, [0])

    def spared(self, prompt: list[int], kept: Kept | None = None) -> int:  # noqa: ARG002
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
    if len(tokens[0]) > 1 and "logits_to_keep" in accepted(model):
        options["logits_to_keep"] = 1
    output = model(input_ids=torch.tensor(tokens, device=model.device), use_cache=True, **options)
    return output.logits[:, -1], getattr(output, name)


def ropes(config: Any) -> list[dict[str, Any]]:
    """The settings of rotary positions that a configuration holds, for all layers or by kind of layer."""
    parameters = getattr(config, "rope_parameters", None) or {}
    return [parameters, *(inner for inner in parameters.values() if isinstance(inner, dict))]
