"""What is known of a local model without its weights: its prompts in tokens, and the key of its stored completions."""

# pyright: basic

from typing import Any

import torch
from transformers import AutoConfig, AutoTokenizer

from promptkit import models
from promptkit.backends.base import Backend
from promptkit.backends.hf import loading
from promptkit.backends.hf.prompts import Mode, render
from promptkit.errors import ConfigError, ModelError
from promptkit.types import LOCAL, Price, Request


class UnloadedHF(Backend):
    """The tokenizer and the identity of a model, for planning. It generates nothing.

    Embedded models must be on this machine; of one on the hub, tokenizer and configuration are fetched.

    Args:
        model: as of `HFBackend`, and so the other arguments.

    Raises:
        ModelError: it is not here, or its tokenizer cannot be read.
    """

    def __init__(
        self,
        model: str,
        *,
        mode: Mode | None = None,
        adapter: str | None = None,
        quantization: str | None = None,
        dtype: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        name = models.DEFAULT if model == "default" else model
        source = models.local_path(name) if name in models.EMBEDDED else loading.find(name)
        if source is None:
            raise ModelError(f"{name} is not on this machine", hint=f"promptkit models pull {name}")
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(source, trust_remote_code=trust_remote_code)
            config: Any = AutoConfig.from_pretrained(source, trust_remote_code=trust_remote_code)
        except Exception as error:  # damaged files make the libraries below raise errors of their own
            problem = f"cannot read the tokenizer of {name}: {loading.first_line(error)}"
            raise ModelError(problem, hint="are its files complete?") from error
        if mode != "completion" and not self.tokenizer.chat_template:
            raise ConfigError(f"{name} has no chat template", hint='ask for mode="completion" (--mode completion)')
        self.mode: Mode = mode or "chat"
        self.name = name + (f"+{adapter}" if adapter else "") + (f" ({quantization})" if quantization else "")
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
        self._ends = frozenset([self.tokenizer.eos_token_id, *ends])
        self._identity = loading.identity(
            name=self.name,
            fingerprint=loading.fingerprint(source, name, None, adapter),
            mode=self.mode,
            dtype=loading.precision(dtype, device),
            device=device.type,
            adapter=adapter,
            quantization=quantization,
        )

    def identity(self) -> dict[str, Any]:
        """That of the loaded model."""
        return self._identity

    def prompt_tokens(self, request: Request) -> int:
        """Tokens of the prompt as the model sees it."""
        return len(render(self.tokenizer, request, self.mode, self._ends, self.name)[1])

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, without special tokens."""
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def price(self) -> Price:
        """Nothing a token: it runs on this machine."""
        return LOCAL
