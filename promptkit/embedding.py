"""Texts as vectors, so that their likeness can be measured: by the words they share, or by a sentence encoder."""

import logging
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from promptkit import models
from promptkit.errors import ConfigError, PromptkitError

Vectors: TypeAlias = NDArray[np.float32]
"""One row a text, each of length 1, `[texts, dimensions]`; the likeness of two texts is the product of their rows."""

MINILM = "all-minilm-l6-v2"
TFIDF = "tf-idf"
_EXTRA = "pip install 'promptkit[similarity]'"
_absent: ContextVar[set[str] | None] = ContextVar("_absent", default=None)
"""Within `nothing_fetched`, the encoders that were asked for and are not here."""


class Embedder(Protocol):
    """Turns texts into vectors."""

    def fit(self, texts: Sequence[str]) -> Self:
        """Learn what it needs to know of a collection of texts; `embed` may then be given any text."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts."""
        ...


def embedder(name: str = MINILM) -> Embedder:
    """An embedder by name; it loads its weights when it is first used.

    Args:
        name: "all-minilm-l6-v2" (the sentence encoder of the published Auto-CoT; promptkit fetches it), "tf-idf"
            (shared words; needs no weights), or a folder or hub id that sentence-transformers can load.

    Raises:
        ConfigError: the package it needs is missing.
    """
    absent = _absent.get()
    if absent is not None and name != TFIDF and _would_be_fetched(name):
        absent.add(name)
        return TfIdf()
    return TfIdf() if name == TFIDF else SentenceEncoder(name)


@contextmanager
def nothing_fetched() -> Generator[set[str]]:
    """Within, `embedder` fetches nothing: shared words stand in for an encoder that is not on this machine.

    Yields:
        The names of those encoders, filled as they are asked for.
    """
    absent: set[str] = set()
    outer = _absent.get()
    token = _absent.set(absent)
    try:
        yield absent
    finally:
        _absent.reset(token)
        if outer is not None:
            outer |= absent


def _would_be_fetched(name: str) -> bool:
    if find_spec("sentence_transformers") is None:
        return False  # nothing is loaded without it, and the error says so
    if name in models.ENCODERS:
        return models.local_path(name) is None
    if name.startswith((".", "~", "/")) or Path(name).exists():
        return False
    from huggingface_hub import try_to_load_from_cache

    try:
        kept = (try_to_load_from_cache(one, "config.json") for one in (name, f"sentence-transformers/{name}"))
        return not any(isinstance(path, str) for path in kept)
    except ValueError:  # no possible name
        return False


class TfIdf:
    """Weights of the words and word pairs that texts share (scikit-learn)."""

    def __init__(self) -> None:
        self._vectorizer: Any = None

    def fit(self, texts: Sequence[str]) -> Self:
        """Count in how many of the texts each word occurs."""
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer  # pyright: ignore[reportMissingTypeStubs]
        except ImportError as error:
            raise ConfigError("TF-IDF needs scikit-learn", hint=_EXTRA) from error
        # The most frequent ones only: GSM8K's training split has 130,000, which would be 4 GB of vectors.
        self._vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b", max_features=8192
        )
        # scikit-learn refuses texts of which none has a word; theirs are the zeros that `embed` speaks of.
        self._vectorizer.fit(texts if any(re.search(r"\w", text) for text in texts) else ["_"])
        return self

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts; a text that shares no word with the fitted ones is all zeros."""
        if self._vectorizer is None:
            self.fit(texts)
        return np.asarray(cast(Any, self._vectorizer).transform(texts).toarray(), dtype=np.float32)


class SentenceEncoder:
    """A sentence encoder (sentence-transformers, Reimers and Gurevych, 2019), on the processor, so that every machine
    gives the same vectors. Code that comes with a model is never run.

    Args:
        name: "all-minilm-l6-v2", which promptkit fetches and verifies; or a folder or hub id.
    """

    def __init__(self, name: str = MINILM) -> None:
        self.name = name

    def fit(self, texts: Sequence[str]) -> Self:  # noqa: ARG002 (what the protocol says)
        """Learn nothing: the encoder is trained."""
        return self

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts; of each text the first 256 tokens or so count.

        Raises:
            ConfigError: sentence-transformers is missing, or cannot load the encoder.
            ModelError: the encoder that promptkit fetches cannot be had, or is not the published one.
        """
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        found = _loaded(self.name).encode(
            list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(found, dtype=np.float32)


@lru_cache(maxsize=2)
def _loaded(name: str) -> Any:
    with _quiet():
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ConfigError("sentence encoders need sentence-transformers", hint=_EXTRA) from error
        try:
            source = str(models.ensure(name)) if name in models.ENCODERS else name
            safe = {"use_safetensors": True}  # weights in other files are pickles, which are programs
            return SentenceTransformer(source, device="cpu", trust_remote_code=False, model_kwargs=safe)
        except PromptkitError:
            raise
        except Exception as error:  # the hub's client, transformers and safetensors raise their own
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ConfigError(f"cannot load the sentence encoder {name}: {reason}", hint="check its name") from error


@contextmanager
def _quiet() -> Generator[None]:
    """Without the remarks and bars that loading an encoder prints over ours."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        from transformers.utils import logging as loading

        shown = loading.is_progress_bar_enabled()
        loading.disable_progress_bar()
    except ImportError:
        loading, shown = None, False
    try:
        yield
    finally:
        logging.disable(before)
        if loading and shown:
            loading.enable_progress_bar()
