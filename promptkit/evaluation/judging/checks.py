"""What a rubric may have checked by code: a fixed set of checks, named in the file. No file brings code of its own."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from promptkit.errors import ConfigError

Check: TypeAlias = Callable[[str], bool]
"""Whether a text passes."""

_CLOSERS = "\"'”’»)]}*_"
_END = re.compile(rf"[.!?…]+[{re.escape(_CLOSERS)}]*(?=\s|\Z)")
_ABBREVIATED = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|approx|etc|jr|sr|e\.g|i\.e|a\.m|p\.m|u\.s|ca|fig)|(?<![\w.])[A-Za-z]|(?:^|\n)\s*\d{1,3})\.\Z",
    re.IGNORECASE,
)
_ALWAYS_GOES_ON = re.compile(r"\b(?:mr|mrs|ms|dr|prof|st|vs|approx|e\.g|i\.e|ca|fig)\.\Z", re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """The sentences of an English text.

    A sentence ends with a full stop, question or exclamation mark before white space, or with its line; what is left
    without a mark is one too. Full stops of titles ("Mr."), initials, list numbers and abbreviations do not end one,
    nor does any mark before a lower-case letter. A line without a letter or digit is none.
    """
    found: list[str] = []
    for line in text.splitlines():
        start = 0
        for end in _END.finditer(line):
            if not _goes_on(line[start : end.end()], line[end.end() :].lstrip()):
                found.append(line[start : end.end()].strip())
                start = end.end()
        found.append(line[start:].strip())
    return [one for one in found if any(char.isalnum() for char in one)]


def _goes_on(before: str, after: str) -> bool:
    if not after:
        return False
    first = after.lstrip("\"'“‘«([*_")[:1]
    numbered = first.isdigit() and re.search(r"(?i)\bno\.\Z", before)
    if first.islower() or numbered or _ALWAYS_GOES_ON.search(before):
        return True
    # "at 5 p.m. The shop", but "J. Smith" and "1. Buy milk"
    ends_with_time = re.search(r"(?i)\b(?:a\.m|p\.m|etc|u\.s)\.\Z", before)
    return bool(_ABBREVIATED.search(before)) and not ends_with_time


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f"the check {name!r} needs a whole number, not {value!r}", hint=f"such as {name}: 2")
    return value


def _texts(name: str, value: Any) -> list[str]:
    given = cast("list[Any]", value) if isinstance(value, list) else [value]
    if not given or not all(isinstance(one, str) and one for one in given):
        hint = f'write {name}: "refund", or {name}: [refund, days]'
        raise ConfigError(f"the check {name!r} needs a text or a list of texts, not {value!r}", hint=hint)
    return [one.casefold() for one in given]


def _sentences(name: str, value: Any) -> Check:
    wanted = _count(name, value)
    return lambda text: len(sentences(text)) == wanted


def _at_most(measure: Callable[[str], int]) -> Callable[[str, Any], Check]:
    def make(name: str, value: Any) -> Check:
        limit = _count(name, value)
        return lambda text: measure(text) <= limit

    return make


def _min_words(name: str, value: Any) -> Check:
    least = _count(name, value)
    return lambda text: len(text.split()) >= least


def _contains(name: str, value: Any) -> Check:
    wanted = _texts(name, value)
    return lambda text: all(one in text.casefold() for one in wanted)


def _lacks(name: str, value: Any) -> Check:
    unwanted = _texts(name, value)
    return lambda text: not any(one in text.casefold() for one in unwanted)


_CHECKS: dict[str, Callable[[str, Any], Check]] = {
    "sentences": _sentences,
    "max_sentences": _at_most(lambda text: len(sentences(text))),
    "max_words": _at_most(lambda text: len(text.split())),
    "min_words": _min_words,
    "max_characters": _at_most(len),
    "contains": _contains,
    "lacks": _lacks,
}


def check_for(settings: Mapping[str, Any]) -> Check:
    """The check that a rubric names: `{sentences: 2}`. Several settings must all be met.

    - sentences: exactly so many; max_sentences: at most so many.
    - max_words, min_words: words between white space. max_characters: with spaces.
    - contains: every one of these texts; lacks: none of them. Case does not count.

    Raises:
        ConfigError: there is no such check, or its setting makes no sense.
    """
    if not settings:
        raise ConfigError("a check is empty", hint="write for example check: {sentences: 2}")
    for name in settings:
        if name not in _CHECKS:
            raise ConfigError(f"there is no check {name!r}", hint=f"choose one of {', '.join(_CHECKS)}")
    checks = [_CHECKS[name](name, value) for name, value in settings.items()]
    return lambda text: all(check(text) for check in checks)
