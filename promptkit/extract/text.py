"""Answers in words: labels of a given set, yes or no, short strings."""

import re
from typing import ClassVar

from promptkit.extract.rules import NEGATED, Found, Reader, sentence_end, trim
from promptkit.types import Question

_EDGES = " \"'“”‘’«»*_`"
_FINAL = ".!?,;:…"
_QUOTED = re.compile(r"[\"“«`]([^\"”»`\n]{1,200})[\"”»`]|(?<!\w)['‘]([^'’\n]{1,200})['’](?!\w)")


def fold(text: str) -> str:
    """Case-folded, white space collapsed, quotes around it and final punctuation dropped."""
    while True:
        folded = " ".join(text.casefold().split()).strip(_EDGES).rstrip(_FINAL)
        if folded == text:
            return folded
        text = folded


class LabelReader(Reader):
    """The labels of the question as whole words, the longest that fits; "not positive" is no "positive"."""

    nouns = r"answer|label|sentiment|class|classification|category|prediction"
    _DENIED = re.compile(
        r"(?i)(?:\bnot|n't|n’t|\bnon|\bnever|\bneither|\bnor)"
        r"(?:[\s-]+(?:a|an|the|really|very|so|at all|entirely))?[\s\"'*-]*\Z"
    )

    def __init__(self, question: Question) -> None:
        self._labels = {fold(label): label for label in question.labels}
        words = sorted((re.escape(label).replace(r"\ ", r"\s+") for label in question.labels), key=len, reverse=True)
        self._any = re.compile(rf"(?i)(?<!\w)(?:{'|'.join(words)})(?!\w)")

    def canonical(self, value: str) -> str | None:
        """The label as the question spells it."""
        return self._labels.get(fold(value))

    def values(self, text: str, start: int, end: int) -> list[Found]:
        """Every label that is not denied, in order."""
        return [
            Found(label, *match.span())
            for match in self._any.finditer(text, start, end)
            if (label := self._labels.get(fold(match[0])))
            and not self._DENIED.search(text[max(0, match.start() - 30) : match.start()])
        ]


class YesNoReader(Reader):
    """A "yes" or "no" that answers; "no longer" and "there are no apples" do not."""

    _CANONICAL: ClassVar = {"yes": "yes", "no": "no", "true": "yes", "false": "no"}
    _AT_ONCE = re.compile(
        r"(?ia)[\s:*_\"'“`({$\\=-]*+"
        r"(?:(?:text|a|simply|clearly|definitely|probably|therefore|thus|again|also)\b[\s,:*_\"'“{]*+){0,3}+"
        r"(?:(yes)\b|(no)\b(?!\s++(?!because|since|as\b|it\b|there\b|he\b|she\b|they\b)\w|-))"
    )
    _ANY = re.compile(
        r"(?ima)(?:^|(?<=[.!?:,])|(?<=\bso)|(?<=\bthus)|(?<=therefore)|(?<=hence)|(?<=\bis)|(?<=\bbe))[ \t*_\"'“`(]*+"
        r"(?:(yes)\b|(no)\b(?=[*_\"'”`)\s]*+(?:[.,;:!)—–]|\Z|\n)|\s(?:it|there|he|she|they|we|because)\b))"
    )

    def canonical(self, value: str) -> str | None:
        """The word in lower case; the booleans of some datasets are read too."""
        return self._CANONICAL.get(fold(value))

    def values(self, text: str, start: int, end: int) -> list[Found]:
        """Every "yes" and "no" that stands where a sentence answers."""
        return [_word(match) for match in self._ANY.finditer(text, start, end)]

    def stated(self, text: str, start: int, end: int) -> Found | None:
        """The "yes" or "no" that follows at once."""
        match = self._AT_ONCE.match(text, start, end)
        return _word(match) if match else None


def _word(match: re.Match[str]) -> Found:
    group = match.lastindex or 0
    return Found(match[group].lower(), *match.span(group))


class TextReader(Reader):
    """Short strings, compared without regard to case, quotes and final punctuation."""

    _LONGEST = 8  # words of an answer that nothing marks as one

    def canonical(self, value: str) -> str | None:
        """The folded string, or `None` when nothing is left of it."""
        return fold(value) or None

    def values(self, text: str, start: int, end: int) -> list[Found]:
        """The quoted strings, in order."""
        found = (_text(text, *match.span(match.lastindex or 0)) for match in _QUOTED.finditer(text, start, end))
        return [value for value in found if value]

    def stated(self, text: str, start: int, end: int) -> Found | None:
        """What the sentence says, or the quoted string that it begins with."""
        if NEGATED.match(text, start, end):
            return None
        start = after_lead(text, start, end)
        quoted = _QUOTED.match(text, start, end)
        return _text(text, *(quoted.span(quoted.lastindex or 0) if quoted else (start, end)))

    def marked(self, text: str, start: int, end: int) -> Found | None:
        """The string, when it is short and on one line."""
        start, end = trim(text, start, end)
        words = text[start:end].split(maxsplit=self._LONGEST)
        prose = len(words) > self._LONGEST or any(word.endswith((":", ".", "?", "!")) for word in words[:-1])
        return None if prose or "\n" in text[start:end] else _text(text, start, end)

    def first(self, text: str, start: int, end: int) -> Found | None:
        """The first sentence or line."""
        return self.stated(text, start, sentence_end(text, start, end))

    def last(self, text: str, start: int, end: int) -> Found | None:
        """The last quoted string of the last line, else what follows its colon, else the line if it is short."""
        _, last = trim(text, start, end)
        line = max(text.rfind("\n", start, last) + 1, start)
        if quoted := self.values(text, line, end):
            return quoted[-1]
        line = max(text.rfind(":", line, last) + 1, line)
        return _text(text, line, last) if len(text[line:last].split()) <= self._LONGEST else None


def after_lead(text: str, start: int, end: int) -> int:
    """Where an answer begins after its phrase: behind colons, bold marks and white space."""
    while start < end and text[start] in " \t\r\n:*_=$":
        start += 1
    return start


def _text(text: str, start: int, end: int) -> Found | None:
    start, end = trim(text, start, end)
    return Found(value, start, end) if (value := fold(text[start:end])) else None
