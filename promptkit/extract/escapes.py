"""Escape codes of a terminal in what a model wrote: they show nothing, so a reader passes over them."""

from promptkit.extract.rules import Extractor, moved
from promptkit.foreign_text import ESCAPE
from promptkit.types import Extraction


def without_escapes(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without its escape codes, whose digits are no numbers ("\\x1b[31m"), and where those stood in it."""
    codes = [code.span() for code in ESCAPE.finditer(text)]
    return ESCAPE.sub("", text) if codes else text, codes


def past_escapes(extract: Extractor) -> Extractor:
    """The extractor that reads a text as a terminal shows it; its spans are places in the whole text."""

    def read(text: str) -> Extraction | None:
        shown, codes = without_escapes(text)
        found = extract(shown)
        return moved(found, codes, 0) if found else None

    return read
