"""Finding the answer in what a model wrote, and telling whether two answers are the same.

    extract = extractor_for(Question(text="What is 6 times 7?"))
    extract("6 times 7 is 42, so the answer is 42.")   # Extraction(value="42", span=(34, 36), rule="phrase")

Every answer found keeps its place in the text and the rule that found it, so that a person can check the reading.
"""

import re
from collections.abc import Callable
from fractions import Fraction

from promptkit import plugins
from promptkit.errors import ConfigError
from promptkit.extract.choice import ChoiceReader
from promptkit.extract.date import DateReader
from promptkit.extract.escapes import past_escapes, without_escapes
from promptkit.extract.expression import ExpressionReader
from promptkit.extract.grid import GridReader
from promptkit.extract.number import NumberReader
from promptkit.extract.published import gsm8k_published, published
from promptkit.extract.rules import Extractor, Reader, by_rules, moved, trim
from promptkit.extract.sets import SetReader
from promptkit.extract.text import LabelReader, TextReader, YesNoReader
from promptkit.types import AnswerValue, Extraction, Kind, Question

__all__ = ["OWN", "Extractor", "canonical", "extractor_for", "is_name", "names", "same", "values"]

_READERS: dict[Kind, Callable[[Question], Reader]] = {
    "number": lambda _: NumberReader(),
    "choice": ChoiceReader,
    "label": LabelReader,
    "yesno": lambda _: YesNoReader(),
    "date": lambda _: DateReader(),
    "text": lambda _: TextReader(),
    "set": lambda _: SetReader(),
    "expression": lambda _: ExpressionReader(),
    "grid": lambda _: GridReader(),
}
_EXTRACTORS: dict[str, Callable[[Question], Extractor]] = {
    "strict": lambda question: by_rules(_reader(question), otherwise=None),
    "lenient": lambda question: by_rules(_reader(question), otherwise="last"),
    "answer": lambda question: by_rules(_reader(question), otherwise="first"),
    "published": published,
    "gsm8k-published": gsm8k_published,
    "whole": lambda question: _whole(_reader(question)),
}
OWN = tuple(_EXTRACTORS)
"""The names of promptkit's own extractors."""
_NUMBER = re.compile(r"-?[0-9]{1,200}(?:\.[0-9]{1,200}|/0*[1-9][0-9]{0,199})?")


def names() -> tuple[str, ...]:
    """The names that `extractor_for` knows, those of plugins last."""
    return (*_EXTRACTORS, *(name for name in plugins.names("extractors") if name not in _EXTRACTORS))


def is_name(name: str) -> bool:
    """Whether `extractor_for` knows the name."""
    return name in _EXTRACTORS or name in names()


def extractor_for(question: Question, name: str | None = None) -> Extractor:
    """The extractor that reads answers to a question of this kind.

    Args:
        question: its kind, and its choices or labels where it has any, say what an answer looks like.
        name: which rules to apply; without a name, "lenient".

            - "strict": only an answer that the text marks as such, by an answer phrase ("the answer is 42"), a box
              (`\\boxed{42}`), a `#### 42` line or bold type (`**42**`).
            - "lenient": the same, else the last value of the text, but 57 in "= 57 seats after the 2nd stop". For texts
              that reason.
            - "answer": the same, else the first value, or what the equation that begins with it comes to. For texts
              that follow an answer trigger, as the second stage of zero-shot CoT (Kojima et al., 2022).
            - "published": the cleansing of Kojima et al. with its faults, to reproduce published tables. Its values
              are not canonical; compare them with `==`.
            - "gsm8k-published": what follows the first `#### `, as Cobbe et al. label solutions; again for `==`.
            - "whole": the whole text, for free text such as summaries and for models that give the answer alone.
            - or one that a plugin brings.

            Promptkit's own read past the escape codes of terminals: no digit of "\\x1b[31m" is a number.

    Raises:
        ConfigError: the name is unknown, the question lacks what its kind needs, or the plugin cannot be used.
    """
    if make := _EXTRACTORS.get("lenient" if name is None else name):
        return past_escapes(make(question))
    plugin = plugins.find("extractors", str(name))
    if plugin is None:
        raise ConfigError(f"there is no extractor {name!r}", hint=f"choose one of {', '.join(names())}")
    return _plugged(plugin, question)


def canonical(value: str, question: Question) -> AnswerValue | None:
    """The canonical form of a right answer as a data set or a person gives it, or `None` when it is none.

    number: an exact decimal, or "p/q" in lowest terms where no decimal is exact; units are dropped.
    choice: the capital letter. label: the label as the question spells it. yesno: "yes" or "no". date: YYYY-MM-DD.
    text: case-folded, without surrounding quotes and final punctuation. set: the sorted tuple of such texts.
    expression: the arithmetic expression in one form; a number alone is one. grid: the rows in lower case.
    """
    return _reader(question).canonical(without_escapes(value)[0])


def values(text: str, question: Question) -> list[Extraction]:
    """Every value in a text that could answer the question, in order; no rule says which of them does."""
    shown, codes = without_escapes(text)
    found = _reader(question).values(shown, 0, len(shown))
    read = (Extraction(value=one.value, span=(one.start, one.end), rule="any") for one in found)
    return [moved(one, codes, 0) for one in read]


def same(a: AnswerValue, b: AnswerValue) -> bool:
    """Whether two answers are the same: numbers by exact value, everything else as canonical forms."""
    if a == b or isinstance(a, tuple) or isinstance(b, tuple):
        return a == b
    return bool(_NUMBER.fullmatch(a) and _NUMBER.fullmatch(b)) and Fraction(a) == Fraction(b)


def _whole(reader: Reader) -> Extractor:
    def extract(text: str) -> Extraction | None:
        value = reader.canonical(text)
        return None if value is None else Extraction(value=value, span=trim(text, 0, len(text)), rule="whole")

    return extract


def _plugged(plugin: plugins.Plugin, question: Question) -> Extractor:
    """The extractor of a plugin, whose faults are told as its own."""
    make = plugin.load()
    try:
        extract = make(question)
    except ConfigError:
        raise
    except Exception as error:
        raise plugin.refused(f"it made no extractor: {type(error).__name__}: {error}") from error

    def guarded(text: str) -> Extraction | None:
        try:
            found = extract(text)
        except Exception as error:
            raise plugin.refused(f"it failed on a text: {type(error).__name__}: {error}") from error
        if found is not None and not isinstance(found, Extraction):
            raise plugin.refused(f"it gave a {type(found).__name__}, not an Extraction or None")
        return found

    return guarded


def _reader(question: Question) -> Reader:
    return _READERS[question.kind](question)
