"""The backend for local Hugging Face models."""

# pyright: basic

import threading
import time
from collections.abc import Iterator
from typing import Any, cast, get_args

import psutil
import torch

from promptkit import models
from promptkit.backends.base import Answer, Backend, Group, Take
from promptkit.backends.hf.engine import RollingBatch
from promptkit.backends.hf.loading import Quantization, first_line, identity, load
from promptkit.backends.hf.probing import probe
from promptkit.backends.hf.prompts import Mode, render
from promptkit.backends.hf.rows import Row
from promptkit.errors import BackendError, ConfigError, ContextOverflowError
from promptkit.types import LOCAL, Completion, Price, Request

_TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|end_of_turn|>", "<|endoftext|>")
"""Tokens that end an assistant's turn in the common chat formats; models forget to list them as ends of text."""
_DEFAULT_MAX_TOKENS = 512
_PORTION = 16
"""Requests taken on at a time."""


class HFBackend(Backend):
    """Generates with any causal language model that transformers can load, in a rolling batch.

    Args:
        model: a hub id, a folder, the name of an embedded model (`promptkit models list`), or "default".
        mode: "chat" sends the messages through the model's chat template; "completion" sends the plain text of the
            prompt. Unset, "chat", and an error for models without a chat template: a base model must be asked for
            by `mode="completion"`.
        adapter: a PEFT adapter (hub id or folder), merged into the weights where that is possible.
        quantization: "nf4" or "int8", by bitsandbytes; or "w8a8", promptkit's own for CPUs with int8 matrix kernels
            (see `packing`): 8 bits for weights and for what flows into them, a scale for each row of both.
        dtype: "bfloat16", "float16", "float32"; unset, the faster of the first and last on this machine, measured.
        device: such as "cpu" or "cuda:1"; unset, CUDA where there is one.
        revision: branch, tag or commit on the hub.
        batch_size: rows decoded at once; halved whenever memory runs out.
        kv_cache_memory: what the key-value cache may take, in bytes; unset, half of the free memory, and at most 1 GiB
            on a CPU.
        trust_remote_code: whether code that comes with the model may run. Read it first.
        pack_weights: whether linear layers on a CPU are laid out for its matrix kernels (see `packing`).
        progress: told of downloads.

    A request's unset settings mean: temperature 0 (greedy), 512 new tokens, no top-p, no top-k. The defaults that a
    model's `generation_config` suggests (temperatures, repetition penalties) are *not* applied: what was asked for
    is what is done.

    Every sample has its own random stream, seeded by `Request.sample_seed`. The same seed in the same batch gives
    the same text; other neighbours in the batch change the last bits of the logits, so that in bfloat16 a small
    part of all texts differs (see docs/performance.md).

    Raises:
        ModelError: the model, adapter or a needed package cannot be loaded.
        ConfigError: the options make no sense together.
    """

    def __init__(
        self,
        model: str,
        *,
        mode: Mode | None = None,
        adapter: str | None = None,
        quantization: Quantization | None = None,
        dtype: str | None = None,
        device: str | None = None,
        revision: str | None = None,
        batch_size: int = 128,
        kv_cache_memory: int | None = None,
        trust_remote_code: bool = False,
        pack_weights: bool = True,
        progress: models.Progress | None = None,
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, not {batch_size}")
        if kv_cache_memory is not None and kv_cache_memory < 1:
            problem = f"kv_cache_memory must be at least 1 byte, not {kv_cache_memory}"
            raise ConfigError(problem, hint="leave it out for the default")
        if mode not in (None, "chat", "completion"):
            raise ConfigError(f"unknown mode {mode!r}", hint="use chat or completion")
        if quantization not in (None, *get_args(Quantization)):
            raise ConfigError(f"unknown quantization {quantization!r}", hint=f"use {', '.join(get_args(Quantization))}")
        loaded = load(
            model,
            revision=revision,
            dtype=dtype,
            device=device,
            adapter=adapter,
            quantization=quantization,
            trust_remote_code=trust_remote_code,
            pack_weights=pack_weights,
            progress=progress,
        )
        self.model: Any = loaded.model
        self.tokenizer: Any = loaded.tokenizer
        if mode != "completion" and not self.tokenizer.chat_template:
            raise ConfigError(
                f"{loaded.name} has no chat template", hint='ask for mode="completion" (--mode completion)'
            )
        self.mode: Mode = mode or "chat"
        self.adapter = adapter
        self.quantization = quantization
        self.batch_size = batch_size
        self.kv_cache_memory = kv_cache_memory
        self.fingerprint = loaded.fingerprint
        self.name = loaded.name + (f"+{adapter}" if adapter else "") + (f" ({quantization})" if quantization else "")
        self.ability = probe(self.model, self.name)
        """Whether rows of different prompts can be decoded together; tried on this model when it was loaded."""
        self.context = self._context()
        self._ends = self._end_tokens()
        self._turn = threading.Lock()
        """Held while model or tokenizer work, never while a request or answer is handed over."""

    # -- what the scheduler calls -------------------------------------------------------------------

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        """Keep a rolling batch full from `take` and yield each sample as it ends.

        Runs of several threads take turns at the model, step by step, each with a batch of its own.
        """
        batch = RollingBatch(
            self.model,
            ends=self._ends,
            decode=self._decode,
            max_rows=self.batch_size,
            cache_tokens=self._cache_tokens(),
            mixed_up_to=self.ability.mixed_up_to,
            cascade=self.ability.cascade,
            several=self.ability.several,
        )
        while True:
            # A few at a time, since their length decides how many have room: what waits here, waits before the second
            # stages of those that end meanwhile, and these should come soon, while the cache still holds the first.
            while (room := batch.room) and (groups := take(min(room, _PORTION))):
                for group in groups:
                    try:
                        with self._turn:
                            batch.add(self._rows(group))
                    except BackendError as error:
                        yield from ((request, error) for request in group.requests)
            if not batch.live and not batch.waiting:
                return
            try:
                with self._turn:
                    ended = batch.advance()
            except Exception as error:  # models raise whatever they like
                problem = f"{self.name} failed while it generated: {first_line(error)}"
                raise BackendError(problem, hint="try a smaller batch size, or another dtype") from error
            for row, failure in ended:
                request, rendered = cast("tuple[Request, str]", row.tag)
                if failure is not None:
                    yield request, _too_large(row, failure)
                else:
                    yield request, self._completion(row, rendered)

    def identity(self) -> dict[str, Any]:
        """Model, weights, precision and mode."""
        return identity(
            name=self.name,
            fingerprint=self.fingerprint,
            mode=self.mode,
            dtype=self.model.dtype,
            device=self.model.device.type,
            adapter=self.adapter,
            quantization=self.quantization,
        )

    def price(self) -> Price:
        """Nothing a token: it runs on this machine."""
        return LOCAL

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, without special tokens."""
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def close(self) -> None:
        """Drop the weights."""
        self.model = self.tokenizer = None

    # -- prompts ------------------------------------------------------------------------------------

    def render(self, request: Request) -> tuple[str, list[int]]:
        """The prompt as the model sees it, as text and as token ids, special tokens added once."""
        return render(self.tokenizer, request, self.mode, self._ends, self.name)

    def _rows(self, group: Group) -> list[Row]:
        text, ids = self.render(group.first)
        sampling = group.first.sampling
        room = self.context - len(ids)
        if not ids:
            raise BackendError("the prompt is empty", hint="does the template show the question?")
        if room < 1:
            raise ContextOverflowError(
                f"the prompt has {len(ids)} tokens and {self.name} takes {self.context}",
                hint="shorten the question or use fewer demonstrations",
            )
        return [
            Row(
                prompt=ids,
                max_tokens=min(sampling.max_tokens or _DEFAULT_MAX_TOKENS, room),
                stop=sampling.stop,
                temperature=sampling.temperature or 0.0,
                top_p=sampling.top_p if sampling.top_p is not None else 1.0,
                top_k=sampling.top_k,
                seed=request.sample_seed,
                tag=(request, text),
                key=request.key,
                parent=request.parent,
            )
            for request in group.requests
        ]

    def _completion(self, row: Row, rendered: str) -> Completion:
        tokens = row.tokens[:-1] if row.tokens[-1] in self._ends else row.tokens
        text = self._decode(tokens)
        if self.mode == "completion":
            # Many tokenizers drop the space before the first word of what they decode; here it belongs to the text.
            before = self._decode(row.prompt[-8:])
            whole = self._decode(row.prompt[-8:] + tokens)
            text = whole[len(before) :] if whole.startswith(before) else text
        assert row.finish_reason is not None
        finish_reason = row.finish_reason
        if cut := [at for stop in row.stop if (at := text.find(stop)) >= 0]:
            text, finish_reason = text[: min(cut)], "stop"
        return Completion(
            text=text,
            finish_reason=finish_reason,
            prompt_tokens=len(row.prompt),
            completion_tokens=len(row.tokens),
            reused_prompt_tokens=row.reused,
            logprob=row.logprob,
            rendered=rendered,
            seconds=time.perf_counter() - row.started,
        )

    def _decode(self, tokens: list[int]) -> str:
        return self.tokenizer.decode(tokens, skip_special_tokens=True)

    # -- limits ---------------------------------------------------------------------------------------

    def _end_tokens(self) -> frozenset[int]:
        ends = {self.tokenizer.eos_token_id}
        for config in (self.model.generation_config, self.model.config):
            listed = getattr(config, "eos_token_id", None)
            ends.update(listed if isinstance(listed, list) else [listed])
        if self.mode == "chat":
            vocabulary = self.tokenizer.get_vocab()
            ends.update(vocabulary[token] for token in _TURN_ENDS if token in vocabulary)
        return frozenset(token for token in ends if token is not None)

    def _context(self) -> int:
        config = self.model.config.get_text_config()
        limit = getattr(config, "max_position_embeddings", None) or getattr(config, "max_seq_len", None)
        return int(limit or 2**20)

    def _cache_tokens(self) -> int:
        """Positions of key-value cache that the free memory allows."""
        size = self.ability.position_bytes
        if self.kv_cache_memory is not None:
            return max(1, self.kv_cache_memory // size)
        if self.model.device.type == "cuda":
            allowed = torch.cuda.mem_get_info(self.model.device)[0] // 2
        else:
            allowed = min(psutil.virtual_memory().available // 2, 2**30)
        return max(1, allowed // size)


def _too_large(row: Row, failure: Exception) -> BackendError:
    return BackendError(
        f"memory does not suffice for one prompt of {len(row.prompt)} tokens and {row.max_tokens} new ones: "
        f"{first_line(failure)}",
        hint="lower max_tokens, shorten the prompt, or load the model in half precision or quantized",
    )
