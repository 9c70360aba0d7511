"""What is known of a model that is not loaded: its name and price, its prompts in tokens, and what is stored of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit import prices
from promptkit.backends import check_spec, find_local, is_plugged
from promptkit.backends.base import Backend
from promptkit.backends.cached import CachedBackend
from promptkit.errors import ModelError
from promptkit.models import DEFAULT
from promptkit.paths import completions_path
from promptkit.types import LOCAL, Price, Request

_CHARACTERS = 4
"""A token's, where the tokenizer is not known."""
_RUNS = Path("runs")
_NEWEST = 50
"""Earlier runs that are looked at for a model's speed."""


@dataclass(frozen=True)
class Known:
    """What is known of a model that is not loaded."""

    backend: Backend
    """For its name, its price and, where it remembers, what it has. It generates nothing."""
    prompt_tokens: Callable[[Request], int]
    count_tokens: Callable[[str], int]
    tokens_per_second: float | None = None
    """Of earlier runs."""
    note: str = ""
    """How tokens are counted, where that is a guess."""


class Absent(Backend):
    """A model of which only the name and the price are known."""

    def __init__(self, name: str, price: Price | None) -> None:
        self.name = name
        self._price = price

    def price(self) -> Price | None:
        """The one that was given."""
        return self._price


def known_of(spec: str, *, cache: bool = True, base_urls: Sequence[str] | None = None, **options: Any) -> Known:
    """What is known of the model that a spec names. No weights are loaded or fetched.

    Args:
        spec: as of `--backend`.
        cache: whether to look into the store.
        base_urls: of the servers, where they are not OpenAI's own.
        options: of the backend; those that are `None` are left out.

    Raises:
        ConfigError: the text names no backend, or an option makes no sense.
        ModelError: there is no such folder, or the packages for local models are not installed.
    """
    model = check_spec(spec)
    if spec.startswith("openai:"):
        price = prices.listed_at(model, base_urls) if base_urls else prices.listed(model)
        return _guessed(Absent(model, price), "the tokenizer is the server's")
    if is_plugged(spec):
        return _guessed(Absent(model, None), "a plugin's backend is not asked before a run")
    name = DEFAULT if model == "default" else model
    find_local(name)
    from promptkit.backends.hf.unloaded import UnloadedHF

    try:
        found = UnloadedHF(name, **{option: value for option, value in options.items() if value is not None})
    except ModelError as error:
        return _guessed(Absent(name, LOCAL), str(error))
    store = completions_path()
    where = CachedBackend(found, store) if cache and store.exists() else found
    return Known(where, found.prompt_tokens, found.count_tokens, _speed(found.identity()))


def _guessed(backend: Backend, why: str) -> Known:
    note = f"Tokens are a guess, a quarter of the characters: {why}."
    return Known(backend, lambda request: _guess(request.text), _guess, note=note)


def _guess(text: str) -> int:
    return -(-len(text) // _CHARACTERS)


def _speed(identity: dict[str, Any]) -> float | None:
    """Tokens a second in earlier runs of this model, from the run folders below the working folder."""
    tokens = seconds = 0.0
    for path in sorted(_RUNS.glob("*/*/manifest.json"))[-_NEWEST:]:
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if manifest["backend"] == identity:
                usage = manifest["result"]["usage"]
                tokens += usage["completion_tokens"] - usage.get("cached_completion_tokens", 0)
                seconds += manifest["seconds"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return tokens / seconds if seconds and tokens else None
