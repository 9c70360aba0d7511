"""The ordered rules by which an answer is found, whatever its kind.

A `Reader` knows what an answer of one kind looks like; `by_rules` knows where answers stand: after an answer phrase,
in a box, in bold type, first, last. Each value found keeps its place and the rule that found it.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cache
from typing import ClassVar, NamedTuple, TypeAlias

from promptkit.types import AnswerValue, Extraction

Extractor: TypeAlias = Callable[[str], Extraction | None]
"""Finds the answer in a model's text; `None` where it holds none."""


class Found(NamedTuple):
    """A value in canonical form and where it stands: `text[start:end]`."""

    value: AnswerValue
    start: int
    end: int
    rule: str = ""
    """Set where the reader knows better than the rule that called it ("equation")."""


class Reader(ABC):
    """What answers of one kind look like. All positions are positions in the whole text."""

    nouns: ClassVar[str] = r"answer"
    """What an answer phrase may call the answer (a regular expression without groups)."""

    @abstractmethod
    def canonical(self, value: str) -> AnswerValue | None:
        """The canonical form of an answer that stands alone, or `None` when it is none of this kind."""

    @abstractmethod
    def values(self, text: str, start: int, end: int) -> list[Found]:
        """Every value of this kind in `text[start:end]`, in order."""

    def stated(self, text: str, start: int, end: int) -> Found | None:
        """The value that a sentence gives whose words up to `start` are an answer phrase."""
        return self.first(text, start, end)

    def marked(self, text: str, start: int, end: int) -> Found | None:
        """The value when `text[start:end]` is nothing but a value, as in a box or in bold type."""
        start, end = trim(text, start, end)
        value = self.canonical(text[start:end])
        return None if value is None else Found(value, start, end)

    def first(self, text: str, start: int, end: int) -> Found | None:
        """The first value in `text[start:end]`."""
        return next(iter(self.values(text, start, end)), None)

    def last(self, text: str, start: int, end: int) -> Found | None:
        """The last value in `text[start:end]`."""
        values = self.values(text, start, end)
        return values[-1] if values else None

    def statement_end(self, text: str, start: int, limit: int) -> int:
        """Where the statement that begins at `start` ends; by default the end of the sentence or line."""
        return sentence_end(text, start, limit)


NEGATED = re.compile(r"(?i)\W*+not\b")
"""How a statement begins that says what the answer is not."""

_MARKUP = " \t\r\n*_`\"'“”‘’«»"
_LEAD = re.compile(r"[\s:*_$\\({\[\"'“‘`=~≈>-]*+")
_SENTENCE_END = re.compile(r"(?<!approx)(?<!i\.e)(?<!\be\.g)[.!?](?=[\s\"'”’»*)\]}$]|\Z)|\n")


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Narrow a stretch by the white space, quotes, bold marks and final punctuation around it."""
    while start < end and text[start] in _MARKUP:
        start += 1
    while start < end and (text[end - 1] in _MARKUP or text[end - 1] in ".!,;:…"):
        end -= 1
    return start, end


def sentence_end(text: str, start: int, limit: int) -> int:
    """Where the first sentence or line after `start` ends; blank lines and brackets before it are passed over."""
    lead = _LEAD.match(text, start, limit)
    match = _SENTENCE_END.search(text, lead.end() if lead else start, limit)
    return match.start() if match else limit


_PHRASE = r"""(?ix)
    (?<!\w) (?:NOUNS) (?!\w) (?! \s{1,3}+ (?:choices?|options?|key)\b ) [*_"']{0,3}+
    (?: \s{0,3}+ \( [^()\n]{0,40}+ \) )?+                             # "the answer (arabic numerals) is"
    (?: \s{0,3}+ (?P<colon> [:=] )
      | (?: [\s,*]{1,3}+ [^\s,*.?!:;]{1,20}+ ){0,10}? [\s,*]{1,3}+      # "the answer to life, the universe and … is"
        (?: is | are | was | equals | (?:will|would|must|should)\ be | comes\ to ) \b (?! \s{1,3}+ not\b )
    )"""
_REVERSED = (
    r"(?i)\b(?:is|are)\s{1,3}+(?:the\s{1,3}+(?:[a-z]{1,10}\s{1,3}+)?(?:NOUNS)|(?:the\s{1,3}+)?correct)\b(?!\s*+[:(?])"
)
_CONDITION = re.compile(r"(?i)\b(?:if|whether|suppose|assume|assuming)(?: that)?(?: the| our| my)?(?: \w{1,10})? $")
_HEADED = re.compile(r"(?m)####[ \t]*+(.*)$")
_BOLD = re.compile(r"\*\*(?=[^\s*])([^*\n]{1,200})\*\*")
_LIST_MARK = re.compile(r"\w{1,3}[.)]:?")
_BRACE = re.compile(r"\\boxed\s?\{|\\fbox\s?\{|\\[{}]|[{}]")
_NEW_QUESTION = re.compile(r"(?m)^[ \t>*#]{0,8}(?:Q|Question)(?: ?\d{1,4})?\**:")
_CALCULATION = re.compile(r"<<[^<>\n]{0,80}=[^<>\n]{0,40}>>(?=\s?[-−]?[$€£¥₹]?\.?[0-9])")
"""What GSM8K's solutions note for a calculator before the result itself: "3*6=<<3*6=18>>18"."""


def _phrases(text: str, reader: Reader) -> Iterator[Found]:
    """The values that answer phrases state, the last phrase first. "Answer:" counts only with a bare value."""
    phrases = list(_pattern(_PHRASE, reader.nouns).finditer(text))
    limit = len(text)
    for phrase in reversed(phrases):
        start, end = phrase.end(), reader.statement_end(text, phrase.end(), limit)
        limit = phrase.start()
        asked = text.startswith("?", end) or _CONDITION.search(text[max(0, limit - 30) : limit])
        read = reader.marked if phrase["colon"] else reader.stated
        if not asked and (found := read(text, start, end)):
            yield found
    for phrase in reversed(list(_pattern(_REVERSED, reader.nouns).finditer(text))):
        start = max(phrase.start() - 100, 0)
        stops = list(_SENTENCE_END.finditer(text, start, phrase.start()))
        if found := reader.last(text, stops[-1].end() if stops else start, phrase.start()):
            yield found


@cache
def _pattern(phrase: str, nouns: str) -> re.Pattern[str]:
    return re.compile(phrase.replace("NOUNS", nouns))


def _boxes(text: str) -> list[tuple[int, int]]:
    """The contents of the outermost \\boxed{…}, in one pass over all braces."""
    boxes: list[tuple[int, int]] = []
    opened: list[int | None] = []
    inside = 0
    for brace in _BRACE.finditer(text):
        if brace[0] in ("\\{", "\\}"):
            continue
        if brace[0] == "}":
            start = opened.pop() if opened else None
            if start is not None:
                inside -= 1
                if not inside:
                    boxes.append((start, brace.start()))
        else:
            boxed = brace[0] != "{"
            inside += boxed
            opened.append(brace.end() if boxed else None)
    return boxes


def _explicit(text: str, reader: Reader) -> Extraction | None:
    """The answer that the text marks as its answer: by a phrase, a box, a "####" line or bold type.

    Of "####" lines the first one is read: a base model goes on with problems of its own. It stands for what was said
    before it, as in GSM8K.
    """
    headings = (reader.marked(text, *line.span(1)) for line in _HEADED.finditer(text))
    heading = next((found for found in headings if found), None)
    stated = _stated_or_boxed(text, reader)
    if heading and (stated is None or heading.start > stated.span[0]):
        return _extraction(heading, "marked")
    if stated:
        return stated
    for bold in reversed(list(_BOLD.finditer(text))):
        listed = _LIST_MARK.fullmatch(bold[1]) and text[bold.end() : bold.end() + 2].strip()
        if not listed and (found := reader.marked(text, *bold.span(1))):
            return _extraction(found, "bold")
    return None


def _stated_or_boxed(text: str, reader: Reader) -> Extraction | None:
    for found in _phrases(text, reader):
        return _extraction(found, "phrase")
    for start, end in reversed(_boxes(text)):
        if found := reader.marked(text, start, end) or reader.stated(text, start, end):
            return _extraction(found, "boxed")
    return None


def _extraction(found: Found, rule: str) -> Extraction:
    return Extraction(value=found.value, span=(found.start, found.end), rule=found.rule or rule)


def by_rules(reader: Reader, otherwise: str | None) -> Extractor:
    """An extractor that takes an explicit answer, and `otherwise` the "first" or "last" value of the text.

    A question that a rambling model starts after its answer ("Q: …") is not read, nor are notes for a calculator.
    """

    def read(text: str) -> Extraction | None:
        if explicit := _explicit(text, reader):
            return explicit
        if otherwise is None:
            return None
        if found := reader.marked(text, 0, len(text)):
            return _extraction(found, "only")
        found = reader.first(text, 0, len(text)) if otherwise == "first" else reader.last(text, 0, len(text))
        return _extraction(found, otherwise) if found else None

    def extract(text: str) -> Extraction | None:
        notes = [note.span() for note in _CALCULATION.finditer(text)]
        bare = _CALCULATION.sub(" ", text) if notes else text
        questions = _NEW_QUESTION.finditer(bare) if "Q" in bare else ()
        asked = [question.start() for _, question in zip(range(3), questions, strict=False)]
        found = next(filter(None, (read(bare[:end]) for end in [*asked, len(bare)])), None)
        return moved(found, notes, 1) if found else None

    return extract


def moved(found: Extraction, notes: list[tuple[int, int]], width: int) -> Extraction:
    """What was found in a text that had `width` spaces in place of each of its `notes`, with its span in the whole
    text."""
    start, end = found.span
    for left, right in notes:
        start += (right - left - width) * (start >= left + width)
        end += (right - left - width) * (end > left)
    return found.model_copy(update={"span": (start, end)}) if notes else found
