"""One sample of one prompt on its way through a rolling batch."""

import random
import time
from dataclasses import dataclass, field
from typing import Any

from promptkit.backends.hf.sampling import Sampler
from promptkit.types import FinishReason


@dataclass(eq=False)
class Row:
    """One sample under way."""

    prompt: list[int]
    max_tokens: int
    stop: tuple[str, ...]
    temperature: float
    top_p: float
    top_k: int | None
    seed: int
    tag: Any
    """Whatever the caller wants to find again."""
    key: str = ""
    """Its name, for prompts that go on from it."""
    parent: str | None = None
    """The key of the row that this prompt goes on from."""
    started: float = field(default_factory=time.perf_counter)
    spared: int = 0
    """Positions of its prompt that were held for several rows already when it was admitted."""
    reused: int = 0
    """Tokens of its prompt that were not computed for it."""
    tokens: list[int] = field(default_factory=list[int])
    logprob: float | None = None
    finish_reason: FinishReason | None = None
    sampler: Sampler = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget what was generated. The same seed will give the same tokens again."""
        self.tokens = []
        self.logprob = None
        self.finish_reason = None
        self.sampler = Sampler(self.temperature, self.top_p, self.top_k, random.Random(self.seed))

    @property
    def length(self) -> int:
        """Positions of the cache in use: everything but the newest token, which the next step writes."""
        return len(self.prompt) + len(self.tokens) - 1

    @property
    def capacity(self) -> int:
        """Positions that it may come to use."""
        return len(self.prompt) + self.max_tokens

    def same_prompt(self, other: "Row") -> bool:
        """Whether one prefill serves both."""
        return self.prompt is other.prompt or self.prompt == other.prompt

    def reads_on(self, guess: int) -> bool:
        """Whether it has not ended and its newest token is the one that was guessed."""
        return self.finish_reason is None and self.tokens[-1] == guess
