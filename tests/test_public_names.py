"""What scripts may rely on: the names of the package."""

import ast
from importlib import import_module

import pytest

import promptkit
from tests.isolation import ROOT

FIXED = {
    *("ZeroShot", "FewShot", "CoT", "SelfConsistency", "HFBackend", "OpenAIBackend", "FakeBackend"),
    *("Question", "Result", "evaluate", "compare"),
}
"""Those of the design that exist so far."""


@pytest.mark.parametrize("name", promptkit.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    value = getattr(promptkit, name)
    if name not in ("Flow",):  # an alias has no name of its own
        assert value.__name__ == name
        assert value.__module__.startswith("promptkit.")
        assert value.__doc__


def test_the_names_of_the_design_are_there() -> None:
    assert set(promptkit.__all__) >= FIXED


def test_all_is_sorted_without_doubles_and_what_dir_shows() -> None:
    assert list(promptkit.__all__) == sorted(set(promptkit.__all__))
    assert set(promptkit.__all__) <= set(dir(promptkit))


def test_type_checkers_see_the_same_names_from_the_same_places() -> None:
    source = ast.parse((ROOT / "promptkit" / "__init__.py").read_text(encoding="utf-8"))
    (typing,) = [node for node in source.body if isinstance(node, ast.If)]
    for imported in typing.body:
        assert isinstance(imported, ast.ImportFrom)
        for alias in imported.names:
            assert getattr(promptkit, alias.name) is getattr(import_module(str(imported.module)), alias.name)
    seen = [alias.name for node in typing.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(seen) == list(promptkit.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'promptkit' has no attribute 'Zeroshot'"):
        _ = promptkit.Zeroshot  # type: ignore[attr-defined]
