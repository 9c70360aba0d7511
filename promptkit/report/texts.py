"""The texts of a report, each stored once, and their way into a page that no text can break out of."""

import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Reference: TypeAlias = int | list[int]
"""Where a text stands in the table; of a long one, where its parts stand."""
_SPLIT = 400
"""Characters from which a text is stored by paragraphs, so that demonstrations shared by many prompts stand once."""


@dataclass
class TextTable:
    """Texts by number. Equal texts, and equal paragraphs of long texts, get the same number."""

    texts: list[str] = field(default_factory=list[str])
    _places: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, text: str) -> Reference:
        """Where the text stands. The parts of a long one, put together, are the text to the letter."""
        if len(text) < _SPLIT:
            return self._place(text)
        *parts, last = text.split("\n\n")
        return [self._place(part) for part in [*(f"{part}\n\n" for part in parts), last] if part]

    def _place(self, text: str) -> int:
        if text not in self._places:
            self._places[text] = len(self.texts)
            self.texts.append(text)
        return self._places[text]


def packed(data: Any) -> str:
    """JSON values as gzip in base64: an alphabet without `<`, `&` or quotes, so that no text ends the element it is in.

    The same data give the same letters.
    """
    content = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(content.encode("ascii"), compresslevel=6, mtime=0)).decode("ascii")


def utf16_span(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """A span in the units in which JavaScript counts: characters beyond U+FFFF are two."""
    start, end = (len(text[:place].encode("utf-16-le", "surrogatepass")) // 2 for place in span)
    return start, end
