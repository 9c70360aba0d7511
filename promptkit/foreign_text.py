"""Text that a model or a file brought, made safe for a terminal."""

import re
import unicodedata

ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # colours, cursor
    r"|\x1b\][^\x07\x1b]*+(?:\x07|\x1b\\)?"  # titles, links
    r"|\x1b[PX^_][^\x1b]*+\x1b\\"  # strings to the terminal
    r"|\x1b[^\x1b\n]?"
)
"""Escape codes of a terminal (ECMA-48), whole or broken off; what they hold is not shown."""


def plain(text: str) -> str:
    """Foreign text made safe for a terminal: control characters and escape sequences are taken out."""
    return "".join(_printable(char) for char in ESCAPE.sub("", text))


def flat(text: str) -> str:
    """Foreign text, safe for a terminal and on one line; a space at an end stays, for texts that are put together."""
    return re.sub(r"\s+", " ", plain(text))


def one_line(text: str) -> str:
    """Foreign text, safe for a terminal and on one line."""
    return flat(text).strip()


def _printable(char: str) -> str:
    if char in "\n\t" or char.isprintable():
        return char
    return " " if unicodedata.category(char) in ("Zs", "Zl", "Zp") else ""
