"""JSON that stands in what a model wrote. It is decoded, never run."""

import json
import re
from typing import Any, NoReturn, cast

_FENCE = re.compile(r"```[^\n`]*\n(.*?)```", re.DOTALL)
_MAX_STARTS = 100
"""How many brackets of a text are tried as the beginning of a value."""


def json_value(text: str) -> Any:
    """The JSON value of a text: in a fence, the whole text, or the first list or object that stands in it.

    Raises:
        ValueError: there is none.
    """
    for whole in (*_FENCE.findall(text), text):
        value, found = _decoded(whole.strip())
        if found:
            return value
    for _, bracket in zip(range(_MAX_STARTS), re.finditer(r"[\[{]", text), strict=False):
        value, found = _decoded(text, bracket.start())
        if found:
            return value
    raise ValueError("there is no valid JSON in it")


def json_array(text: str) -> list[Any] | None:
    """The list that a text is, fenced or not, or the only list in the object that it is; `None` for other texts."""
    fence = _FENCE.search(text)
    value, _ = _decoded((fence[1] if fence else text).strip())
    if isinstance(value, dict):
        lists: list[Any] = [item for item in cast("dict[str, Any]", value).values() if isinstance(item, list)]
        value = lists[0] if len(lists) == 1 else None
    return cast("list[Any]", value) if isinstance(value, list) else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _decoded(text: str, start: int | None = None) -> tuple[Any, bool]:
    """The value that the whole text is, or that begins at `start`, and whether there is one."""
    try:
        value = _DECODER.decode(text) if start is None else _DECODER.raw_decode(text, start)[0]
        json.dumps(value, ensure_ascii=False).encode()  # half a character, which JSON can write, is no text
    except (ValueError, RecursionError):
        return None, False
    return value, True
