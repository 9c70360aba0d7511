"""The texts of a report, each stored once, and their way into a page that no text can break out of."""

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Reference: TypeAlias = int | list[int]
"""Where a text stands in the table; of a long one, where its parts stand."""
_SPLIT = 400
"""Characters from which a text is stored by paragraphs, so that demonstrations shared by many prompts stand once."""
_KNOWN = 40
"""Characters from which a known text is worth looking for."""


@dataclass
class TextTable:
    """Texts by number. Equal texts, and equal paragraphs of long texts, get the same number."""

    texts: list[str] = field(default_factory=list[str])
    _places: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, text: str, known: Sequence[str] = ()) -> Reference:
        """Where the text stands. The parts of a long one, put together, are the text to the letter.

        Args:
            text: any text.
            known: texts that may stand in it, such as what a model wrote before in a prompt that goes on from there.
        """
        if len(text) < _SPLIT:
            return self._place(text)
        parts = [text]
        for part in known:
            if len(part) >= _KNOWN:
                parts = [piece for one in parts for piece in _around(one, part)]
        whole = set(known)
        split = [piece for one in parts for piece in ([one] if one in whole else _paragraphs(one))]
        return [self._place(piece) for piece in split]

    def _place(self, text: str) -> int:
        if text not in self._places:
            self._places[text] = len(self.texts)
            self.texts.append(text)
        return self._places[text]


def _around(text: str, known: str) -> list[str]:
    """The text cut before and after the first place where a known one stands."""
    return [part for part in text.partition(known) if part]


def _paragraphs(text: str) -> list[str]:
    *parts, last = text.split("\n\n")
    return [part for part in [*(f"{part}\n\n" for part in parts), last] if part]


def packed(data: Any) -> str:
    """JSON values as gzip in base64: an alphabet without `<`, `&` or quotes, so that no text ends the element it is in.

    The same data give the same letters.
    """
    content = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(content.encode("ascii"), compresslevel=9, mtime=0)).decode("ascii")


def utf16_span(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """A span in the units in which JavaScript counts: characters beyond U+FFFF are two."""
    start, end = (len(text[:place].encode("utf-16-le", "surrogatepass")) // 2 for place in span)
    return start, end
