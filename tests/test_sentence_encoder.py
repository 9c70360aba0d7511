"""The sentence encoder: normalised, deterministic vectors, offline; and likeness that makes sense."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from promptkit import AutoCoT, FakeBackend, FewShot, Question, Similar, Strategy, embedding, models
from promptkit.errors import ConfigError, ModelError
from promptkit.strategies.pool import Pool
from promptkit.types import PoolItem
from tests.isolation import USER_FOLDERS

TEXTS = [
    "Q: Ann has 3 boxes of 12 eggs. How many eggs?\nA:",
    "Q: There are 4 crates with 20 bottles each. How many bottles are there?\nA:",
    "Q: Which letters come last in the names Olga and Brent?\nA:",
    "word " * 600,
]


@pytest.fixture(scope="module")
def encoder() -> embedding.Embedder:
    """The published encoder, from the user's own cache: fetched there by pip the first time."""
    pytest.importorskip("sentence_transformers")
    with pytest.MonkeyPatch.context() as patch:
        kept = USER_FOLDERS["PROMPTKIT_CACHE"]
        patch.setenv("PROMPTKIT_CACHE", kept) if kept else patch.delenv("PROMPTKIT_CACHE", raising=False)
        try:
            folder = models.ensure(embedding.MINILM)
        except ModelError as error:
            pytest.skip(f"the encoder cannot be had here: {error}")
    return embedding.embedder(str(folder))


def test_vectors_have_length_one_and_stay_the_same(encoder: embedding.Embedder) -> None:
    vectors = encoder.embed(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((4, 384), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert np.array_equal(vectors, encoder.embed(TEXTS))
    assert encoder.embed(TEXTS[::-1])[::-1] == pytest.approx(vectors, abs=1e-5)
    assert encoder.embed([TEXTS[2]])[0] == pytest.approx(vectors[2], abs=1e-5)


def test_questions_of_one_sort_are_alike(encoder: embedding.Embedder) -> None:
    eggs, bottles, letters, _ = encoder.fit(TEXTS).embed(TEXTS)
    assert eggs @ bottles > eggs @ letters + 0.1


def test_it_is_the_mean_of_the_tokens_as_published(encoder: embedding.Embedder) -> None:
    import torch
    import transformers

    library: Any = transformers
    folder = encoder.name  # type: ignore[attr-defined]
    tokens: Any = library.AutoTokenizer.from_pretrained(folder)(
        TEXTS, padding=True, truncation=True, max_length=256, return_tensors="pt"
    )
    with torch.no_grad():
        states = library.AutoModel.from_pretrained(folder)(**tokens).last_hidden_state
    mask = tokens["attention_mask"][..., None].float()
    means = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1)).numpy()
    assert encoder.embed(TEXTS) == pytest.approx(means, abs=1e-5)


def test_no_texts_no_vectors() -> None:
    assert embedding.SentenceEncoder().embed([]).shape[0] == 0


def test_what_is_no_encoder_is_an_error_of_one_line(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    with pytest.raises(ConfigError, match="cannot load the sentence encoder") as caught:
        embedding.embedder(str(tmp_path / "nothing")).embed(["a"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", [["sentence_transformers"], ["sentence_transformers", "transformers"]])
def test_without_the_package_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch, missing: list[str]) -> None:
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, f"{name}.utils", raising=False)
    with pytest.raises(ConfigError, match="sentence-transformers") as caught:
        embedding.SentenceEncoder("somewhere/else").embed(["a"])
    assert "promptkit[similarity]" in caught.value.hint


@pytest.mark.parametrize("strategy", [AutoCoT(k=1, embedder="tf-idf"), FewShot(Similar(1, embedder="tf-idf"))], ids=str)
def test_words_are_not_counted_without_scikit_learn(monkeypatch: pytest.MonkeyPatch, strategy: Strategy) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction.text", None)
    item = PoolItem(question=Question(text="Two and two?", kind="number"), answer="4")
    with pytest.raises(ConfigError, match=r"TF-IDF needs scikit-learn \(pip install 'promptkit\[similarity\]'\)"):
        strategy.run("One and two?", backend=FakeBackend("3"), pool=Pool((item,), "here"))


def test_an_encoder_that_cannot_be_had_is_no_wrong_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong when promptkit fetched it is told as it is, with its own next step."""
    pytest.importorskip("sentence_transformers")

    def away(name: str) -> Path:
        raise ModelError(f"cannot download {name}", hint="connect to the network")

    monkeypatch.setattr(models, "ensure", away)
    monkeypatch.setattr(embedding, "_loaded", embedding._loaded.__wrapped__)  # it may have been loaded before
    with pytest.raises(ModelError, match=r"^cannot download all-minilm-l6-v2 \(connect to the network\)$"):
        embedding.embedder().embed(["a"])


def test_importing_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'sklearn', 'transformers', 'sentence_transformers', 'scipy'}"
    code = f"import sys, promptkit.embedding; sys.exit(' '.join({heavy} & set(sys.modules)) or 0)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
