"""Answers that are a square of letters, as a filled crossword."""

import re

from promptkit.extract.rules import Found, Reader

_LINE = re.compile(r"(?m)^[ \t>*|]*(?:[hH]?[0-9][.:)][ \t]*)?(?P<row>[A-Za-z_](?:[ \t|]*[A-Za-z_])*)[ \t|.*]*$")
_WORDS = re.compile(r"(?<![\w'’-])[A-Za-z_]+(?:(?:[ \t]*[,/;][ \t]*|[ \t]+)[A-Za-z_]+)*(?![\w'’-])")
_SMALLEST, _LARGEST = 4, 15


class GridReader(Reader):
    """As many rows as each has letters: one a line, with or without space between the letters, or all on one line.

    "_" is an empty square. In canonical form the rows are in lower case with a space between: "stare canal abode …".
    """

    nouns = r"answer|grid|board|output|solution"

    def canonical(self, value: str) -> str | None:
        """The rows, when there is nothing else."""
        values = self.values(value, 0, len(value))
        alone = len(values) == 1 and not re.search(r"\w", value[: values[0].start] + value[values[0].end :])
        return str(values[0].value) if alone else None

    def values(self, text: str, start: int, end: int) -> list[Found]:
        """Every square, in order."""
        lines = [(match.span("row"), _letters(match["row"])) for match in _LINE.finditer(text, start, end)]
        found: list[Found] = []
        for words in _WORDS.finditer(text, start, end):
            rows = re.findall(r"[A-Za-z_]+", words[0])
            found += [Found(_form(rows), *words.span())] if _square(rows) else []
        place = 0
        while place < len(lines):
            size = len(lines[place][1])
            block = lines[place : place + size]
            rows = [row for _, row in block]
            first, last = block[0][0], block[-1][0]
            if _square(rows) and text.count("\n", first[0], last[1]) == size - 1:
                found.append(Found(_form(rows), first[0], last[1]))
                place += size
            else:
                place += 1
        return sorted(found, key=lambda one: one.start)

    def marked(self, text: str, start: int, end: int) -> Found | None:
        """The square, when there is nothing else."""
        values = self.values(text, start, end)
        return values[0] if values and self.canonical(text[start:end]) else None

    def statement_end(self, text: str, start: int, limit: int) -> int:  # noqa: ARG002
        """The rows may begin on the next line."""
        return limit


def _letters(row: str) -> str:
    return re.sub(r"[^A-Za-z_]", "", row)


def _square(rows: list[str]) -> bool:
    return _SMALLEST <= len(rows) <= _LARGEST and all(len(row) == len(rows) for row in rows)


def _form(rows: list[str]) -> str:
    return " ".join(rows).lower()
