"""Answers that are several short strings in any order."""

import re

from promptkit.extract.rules import Found, Reader, sentence_end, trim
from promptkit.extract.text import after_lead, fold

_BULLET = re.compile(r"(?m)^[ \t]*(?:[-*•]|\(?[0-9]{1,3}[.)])[ \t]+")
_BREAKS = (re.compile(r"\n"), re.compile(r";"), re.compile(r",? (?:and|&) |,"))
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_BRACKETS = "()[]{} \t\n"


class SetReader(Reader):
    """Lists with commas, semicolons or "and", or one item a line with or without bullets; order does not count."""

    nouns = r"answers?"

    def canonical(self, value: str) -> tuple[str, ...] | None:
        """The sorted items, each folded and once; the coarsest separator there is splits them."""
        value = re.sub(r"[ \t]+", " ", _BULLET.sub("", value)).strip(_BRACKETS)
        separator = next((found for found in _BREAKS if found.search(value)), _BREAKS[-1])
        return tuple(sorted({item for part in separator.split(value) if (item := fold(part.strip(_BRACKETS)))})) or None

    def values(self, text: str, start: int, end: int) -> list[Found]:
        """The paragraphs, each read as one list; bulleted lines are read without the words around them."""
        found: list[Found] = []
        for paragraph in _PARAGRAPH.split(text[start:end]):
            found += [value] if (value := self._list(text, start, start + len(paragraph))) else []
            gap = _PARAGRAPH.match(text, start + len(paragraph), end)
            start = gap.end() if gap else end
        return found

    def stated(self, text: str, start: int, end: int) -> Found | None:
        """The list that follows the answer phrase."""
        return self._list(text, after_lead(text, start, end), end)

    def marked(self, text: str, start: int, end: int) -> Found | None:
        """The list, when it is all there is."""
        start, end = trim(text, start, end)
        whole = "\n\n" not in text[start:end] and sentence_end(text, start, end) == end
        return self._list(text, start, end) if whole else None

    def statement_end(self, text: str, start: int, limit: int) -> int:
        """A list that begins on a line of its own goes on to the next blank line."""
        lead = re.compile(r"[ \t:*]*\n\s*").match(text, start, limit)
        if not lead:
            return sentence_end(text, start, limit)
        paragraph = _PARAGRAPH.search(text, lead.end(), limit)
        return paragraph.start() if paragraph else limit

    def _list(self, text: str, start: int, end: int) -> Found | None:
        bullets = list(_BULLET.finditer(text, start, end))
        if bullets:
            start = bullets[0].start()
        elif "\n" not in text[start:end]:
            start = max(start, text.rfind(":", start, end) + 1)
        start, end = trim(text, start, end)
        value = self.canonical(text[start:end])
        return Found(value, start, end) if value else None
