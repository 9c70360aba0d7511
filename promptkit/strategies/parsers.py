"""Parsers: how the text of a chain's step becomes a value that later steps can use.

What comes out is plain data as JSON knows it: texts, numbers, lists, mappings. What a model wrote is only ever read,
never run. A parser raises `ValueError` for a text that it cannot read; the message is shown to the model.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from promptkit.errors import ConfigError
from promptkit.extract import extractor_for
from promptkit.strategies.item_lists import read_list, read_pairs, read_set
from promptkit.strategies.json_in_text import json_value
from promptkit.types import Question


@dataclass(frozen=True)
class Parser:
    """A way to read a step's text."""

    name: str
    parse: Callable[[str], Any]
    """Text → value; raises `ValueError`, with a message for the model, where the text cannot be read."""
    expected: str
    """What the model is asked for when it tries again: "nothing but …"."""
    gives_list: bool = False
    """Whether a later step can run over its items."""


_REGISTRY: dict[str, Parser] = {}


def register_parser(name: str, parse: Callable[[str], Any], *, expected: str, gives_list: bool = False) -> None:
    """Make an own parser known by a name, for `Step(parse=name)` in Python and in files.

    Args:
        name: not one of promptkit's own; the same function may be registered again, as a notebook does.
        parse: gives a JSON value, or raises `ValueError` with a message that tells the model what is wrong.
        expected: what the model is asked for when it tries again, after the words "nothing but".
        gives_list: whether a later step can run over its items.

    Raises:
        ConfigError: another parser has the name.
    """
    known = _REGISTRY.get(name)
    if known and _origin(known.parse) != _origin(parse):
        raise ConfigError(f"there is a parser {name!r} already", hint="choose another name")
    _REGISTRY[name] = Parser(name, parse, expected, gives_list)


def parser_for(name: str, model: type[BaseModel] | None = None) -> Parser:
    """The parser with this name; `model` is what "json" checks its value with.

    Raises:
        ConfigError: there is none.
    """
    if name not in _REGISTRY:
        raise ConfigError(f"there is no parser {name!r}", hint=f"choose one of {', '.join(_REGISTRY)}")
    if model is None:
        return _REGISTRY[name]
    # A root model stands for a list or a single value, not for an object.
    whole = getattr(model, "__pydantic_root_model__", False)
    wanted = "one JSON value" if whole else f"a JSON object with {', '.join(model.model_fields)}"
    return Parser(name, lambda text: _checked(json_value(text), model), wanted, gives_list=whole)


def _origin(function: Callable[[str], Any]) -> tuple[object, object]:
    return getattr(function, "__module__", None), getattr(function, "__qualname__", function)


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("there is no text")
    return text.strip()


def _number(text: str) -> int | float:
    found = extractor_for(Question(text="?", kind="number"), "lenient")(text)
    if found is None:
        raise ValueError("there is no number in it")
    try:
        value = Fraction(cast("str", found.value))
        return int(value) if value.denominator == 1 else float(value)
    except OverflowError:
        raise ValueError("the number is too large") from None


def _checked(value: Any, model: type[BaseModel]) -> Any:
    try:
        return model.model_validate_json(json.dumps(value)).model_dump(mode="json")
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, found['loc'])) or 'it'}: {found['msg']}" for found in error.errors()[:3]]
        raise ValueError("; ".join(problems)) from error


register_parser("text", _text, expected="the text")
register_parser("number", _number, expected="one number")
register_parser("list", read_list, expected="the items, one a line", gives_list=True)
register_parser("set", read_set, expected="the items, one a line", gives_list=True)
register_parser("pairs", read_pairs, expected="the pairs, one a line, written as: name | name", gives_list=True)
register_parser("json", json_value, expected="one JSON value", gives_list=True)
