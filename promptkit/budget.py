"""Budgets: how much a run may spend, what it has spent, and the one way in which it stops early.

A budget that is used up and a person who presses Ctrl-C do the same: nothing new is handed to the backend, what is in
flight is finished and stored, and the questions that were not finished are reported as missing.
"""

import time

from pydantic import Field

from promptkit import prices
from promptkit.backends.base import Answer, Backend
from promptkit.types import LOCAL, Completion, Data, Price


class Budget(Data):
    """What a run may spend; `None` is no limit. Calls that come from a store are free.

    Calls are never exceeded. The others are looked at before each request is handed out, so that what is in flight at
    that moment comes on top: at most the backend's batch or its connections, times a prompt and its token limit.
    """

    max_cost: float | None = Field(default=None, ge=0)
    """US dollars; needs a backend whose price is known."""
    max_tokens: int | None = Field(default=None, ge=0)
    """Prompt and generated tokens together."""
    max_calls: int | None = Field(default=None, ge=0)
    """0 asks nothing and takes what the store has."""
    max_seconds: float | None = Field(default=None, ge=0)
    """Wall-clock seconds from the first request on."""


class Meter:
    """A budget under way. One may be given to several evaluations, which then share it.

    Args:
        budget: what may be spent.

    >>> meter = Meter(Budget(max_calls=100))
    >>> meter.stop("enough is known")  # from another thread, or from a handler of signals
    >>> meter.reason
    'enough is known'
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget or Budget()
        self.calls = 0
        """Answered ones, failed ones too, stored ones not."""
        self.tokens = 0
        self.cost = 0.0
        """US dollars, of what has a known price."""
        self.in_flight = 0
        self.reason = ""
        """Why nothing more is handed out; empty while there is more to be."""
        self.price: Price | None = LOCAL
        """Of the backend that is running."""
        self.running = False
        """Whether requests are being handed out, so that there is something to finish."""
        self._started: float | None = None

    def runs_on(self, backend: Backend) -> None:
        """What is asked from now on costs what this backend costs.

        Raises:
            ConfigError: the cost is limited, and the price is not known.
        """
        self.price = backend.price()
        if self.price is None and self.budget.max_cost is not None:
            raise prices.unknown(backend.name)

    def stop(self, reason: str) -> None:
        """Hand out nothing more. Only an assignment: safe in another thread and in a signal handler."""
        self.reason = self.reason or reason

    def room(self, k: int) -> int:
        """How many of `k` more requests may be handed out now."""
        if self._started is None:
            self._started = time.perf_counter()
        limits = self.budget
        if limits.max_calls is not None and self.calls >= limits.max_calls:
            self.stop(f"the budget of {limits.max_calls} calls is used up")
        if limits.max_tokens is not None and self.tokens >= limits.max_tokens:
            self.stop(f"the budget of {limits.max_tokens} tokens is used up")
        if limits.max_cost is not None and self.cost >= limits.max_cost:
            self.stop(f"the budget of ${limits.max_cost:g} is used up")
        if limits.max_seconds is not None and time.perf_counter() - self._started >= limits.max_seconds:
            self.stop(f"the budget of {limits.max_seconds:g} seconds is used up")
        if self.reason:
            return 0
        return k if limits.max_calls is None else min(k, limits.max_calls - self.calls - self.in_flight)

    def took(self, requests: int) -> None:
        """So many requests were handed out."""
        self.in_flight += requests

    def answered(self, answer: Answer) -> None:
        """One request that was handed out has been answered."""
        self.in_flight -= 1
        if isinstance(answer, Completion):
            if answer.cached:
                return
            self.tokens += answer.prompt_tokens + answer.completion_tokens
            if self.price:
                self.cost += self.price.of(answer.prompt_tokens, answer.completion_tokens)
        self.calls += 1
