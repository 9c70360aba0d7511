"""Weights are read from safetensors only: the older files are pickles, which are programs."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from promptkit.errors import ConfigError, ModelError

torch = pytest.importorskip("torch")


class Evil:
    """A pickle that leaves a file where it is opened."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (eval, ("__import__('pathlib').Path('pwned').touch()",))


@pytest.fixture
def pickled(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose weights are such a file."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    (folder / "model.safetensors").unlink()
    torch.save({"weight": Evil()}, folder / "pytorch_model.bin")
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_language_model(pickled: Path) -> None:
    from promptkit.backends.hf import HFBackend

    with pytest.raises(ModelError, match="safetensors"):
        HFBackend(str(pickled))
    assert not (pickled.parent / "pwned").exists()


def test_a_sentence_encoder(pickled: Path) -> None:
    pytest.importorskip("sentence_transformers")
    from promptkit.embedding import embedder

    with pytest.raises(ConfigError, match="cannot load the sentence encoder"):
        embedder(str(pickled)).embed(["a text"])
    assert not (pickled.parent / "pwned").exists()
