"""Which option of a multiple-choice question a text names."""

import re
import string

from promptkit.extract.rules import NEGATED, Found, Reader, trim
from promptkit.extract.text import fold
from promptkit.types import Question

_DEFAULT_COUNT = 5
_LISTED = re.compile(r"(?<!\w)\(([A-Z])\)")
_FILLER = (
    r"[\s:*_\"'“$\\{=-]*+"
    r"(?:(?:the|text|therefore|thus|clearly|probably|likely|option|choice|letter|answer)\b[\s:*_\"'“{]*+){0,4}+"
)
_REASON = r"(?=\s++(?:because|since|as|and|or|which|with|in|is|are|for)\b|\s*+[^\w\s]|\s*+\Z)"


def letters(question: Question) -> str:
    """The capital letters of a question's options.

    As many as it has choices; else those that its text lists as "(A) … (B) …"; else A to E.
    """
    if question.choices:
        return string.ascii_uppercase[: len(question.choices)]
    longest = run = 0
    for letter in _LISTED.findall(question.text):
        run = run + 1 if letter == string.ascii_uppercase[run % 26] else int(letter == "A")
        longest = max(longest, run)
    return string.ascii_uppercase[: longest if longest > 1 else _DEFAULT_COUNT]


class ChoiceReader(Reader):
    """Capital letters A, B, … as far as the question has options, see `letters`.

    The article "A" and the pronoun "I" are no options, nor is the A of "Answer". An option's own text stands for its
    letter where it is given alone or after an answer phrase.
    """

    nouns = r"answer|(?:correct|right|best|final|chosen)\ (?:option|choice|letter)"

    def __init__(self, question: Question) -> None:
        upper = letters(question)
        choices = question.choices[: len(upper)]
        folded = [fold(choice) for choice in choices]
        self._letter_of = {t: upper[i] for i, t in enumerate(folded) if t and folded.count(t) == 1}
        either, plain = f"[{upper}{upper.lower()}]", f"[{upper.replace('A', '').replace('I', '') or 'A'}]"
        self._alone = re.compile(rf"\(?({either})(?:\)|[.:](?=\s|\Z)|\Z)")
        self._any = re.compile(
            rf"\(({either})\)|(?<![\w'’.])({either})\)|(?<!\w)(?i:option|choice|answer)\s([{upper}])(?![\w'’])"
            rf"|(?<![\w'’.&-])(?:({plain})(?![\w'’&-]|\.\w)|((?=[AI])[{upper}])(?=\s*+(?:[.,;:!*\"”}}\]]|\Z))(?!\.\w))"
        )
        self._at_once = re.compile(
            rf"{_FILLER}(?:\(({either})\)|({plain})(?![\w'’])|([{upper}]){_REASON}|({either})(?=\)|\**[.,;:\"'”*}}$]|\s*+\Z))"
        )
        texts = "|".join(re.escape(choice) for choice in sorted(choices, key=len, reverse=True) if choice.strip())
        self._texts = re.compile(rf"(?i)(?<![\w.])(?:{texts})(?!\w|\.\d)") if texts else None

    def canonical(self, value: str) -> str | None:
        """The capital letter of "B", "(b)", "B. …" or of an option's own text."""
        start, end = trim(value, 0, len(value))
        letter = self._alone.match(value, start, end)
        return letter[1].upper() if letter else self._letter_of.get(fold(value[start:end]))

    def values(self, text: str, start: int, end: int) -> list[Found]:
        """Every option that is named by its letter, in order."""
        return [_letter(match) for match in self._any.finditer(text, start, end)]

    def stated(self, text: str, start: int, end: int) -> Found | None:
        """The letter that comes at once, else the one option whose text is there, else the first letter."""
        if NEGATED.match(text, start, end):
            return None
        if letter := self._at_once.match(text, start, end):
            return _letter(letter)
        return self._by_text(text, start, end) or self.first(text, start, end)

    def marked(self, text: str, start: int, end: int) -> Found | None:
        """The letter, perhaps with its text, or the text of one option and nothing else."""
        start, end = trim(text, start, end)
        letter = self._at_once.match(text, start, end)
        if letter and {found.value for found in self.values(text, start, end)} <= {_letter(letter).value}:
            return _letter(letter)
        value = self._letter_of.get(fold(text[start:end])) if end - start < 1000 else None
        return Found(value, start, end) if value else None

    def _by_text(self, text: str, start: int, end: int) -> Found | None:
        matches = list(self._texts.finditer(text, start, end)) if self._texts else []
        letters = {self._letter_of.get(fold(match[0])) for match in matches}
        value = letters.pop() if len(letters) == 1 else None
        return Found(value, *matches[0].span()) if value else None


def _letter(match: re.Match[str]) -> Found:
    group = match.lastindex or 0
    return Found(match[group].upper(), *match.span(group))
