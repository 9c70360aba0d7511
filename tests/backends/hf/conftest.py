"""What the tests of local generation share."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from promptkit.backends.hf import HFBackend, cache, engine, forward


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """Models of this size are slower on several threads, and many times slower beside other work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def chat(tiny_model: Path) -> HFBackend:
    return HFBackend(str(tiny_model), dtype="float32", batch_size=3)


@pytest.fixture(scope="module")
def completion(tiny_model: Path) -> HFBackend:
    return HFBackend(str(tiny_model), dtype="float32", batch_size=3, mode="completion")


@pytest.fixture
def variant(tiny_model: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes a copy of the tiny model with another tokenizer or other end tokens."""

    def make(tokenizer: Any = None, ends: list[int] | None = None) -> Path:
        folder = tmp_path / "variant"
        shutil.copytree(tiny_model, folder)
        if tokenizer is not None:
            for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
                (folder / name).unlink(missing_ok=True)
            tokenizer.save_pretrained(folder)
        if ends is not None:
            path = folder / "generation_config.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": ends}))
        return folder

    return make


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that short rows already make the cache grow, need several prefill passes and share what they begin with."""
    monkeypatch.setattr(cache, "_BLOCK", 4)
    monkeypatch.setattr(engine, "_PREFILL_TOKENS", 24)
    monkeypatch.setattr(engine, "_PREFILL_POSITIONS", 96)
    monkeypatch.setattr(forward, "_WORTH_SHARING", 2)
    monkeypatch.setattr(forward, "_WORTH_HOLDING", 3)
    monkeypatch.setattr(forward, "_READ_AT_ONCE", 3)
