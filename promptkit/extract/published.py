"""The answer readings that authors published with their papers, with their faults, to reproduce old tables.

- "published": the cleansing of Kojima et al. (2022) for zero-shot prompts.
- "gsm8k-published": what Cobbe et al. (2021) take from a solution of GSM8K, and by which they labelled those of their
  models: the first `#### 18`.

Their authors compared the values as strings: "18.00" is not "18". Compare with `==`, not with `same`.
"""

import re

from promptkit.errors import ConfigError
from promptkit.extract.choice import letters
from promptkit.extract.rules import Extractor
from promptkit.types import Extraction, Question

_PATTERNS = {
    "number": r"-?\d+\.?\d*",
    "yesno": r"(?<![^\"'\s.:,])(?:[Yy][Ee][Ss]|[Nn][Oo])(?![^\"'\s.:,])",
    "text": r"(?s:.+)",
}
_DROPPED = {"number": re.compile(","), "text": re.compile(r"[\"'.\s]")}
_NOTHING_DROPPED = re.compile(r"(?!)")
_FINAL_OF_GSM8K = re.compile(r"#### (-?[0-9.,]+)")


def published(question: Question) -> Extractor:
    """The published zero-shot cleansing: what comes first, wherever it stands and whatever it belongs to.

    Raises:
        ConfigError: the paper has no task with answers of this kind.
    """
    if question.kind == "choice":
        pattern = f"[{letters(question)}]"
    elif question.kind in _PATTERNS:
        pattern = _PATTERNS[question.kind]
    else:
        raise ConfigError(
            f"no cleansing of {question.kind} answers was published", hint='use the extractor "lenient" or "strict"'
        )
    search, dropped = re.compile(pattern).search, _DROPPED.get(question.kind, _NOTHING_DROPPED)

    def extract(text: str) -> Extraction | None:
        places = [place for place, char in enumerate(text) if not dropped.match(char)]
        match = search("".join(text[place] for place in places))
        if not match:
            return None
        value = match[0].removesuffix(".")
        start, end = places[match.start()], places[match.start() + len(value) - 1] + 1
        return Extraction(value=value.lower() if question.kind == "yesno" else value, span=(start, end), rule="first")

    return extract


def gsm8k_published(question: Question) -> Extractor:
    """The characters of a number after the first "#### ", without commas; nothing else is an answer.

    Neither "####18" nor "#### $18" has one; "#### 18." has "18.", which is not "18".

    Raises:
        ConfigError: the question asks for no number.
    """
    if question.kind != "number":
        raise ConfigError(f"GSM8K has no answers of kind {question.kind}", hint='use the extractor "strict"')

    def extract(text: str) -> Extraction | None:
        found = _FINAL_OF_GSM8K.search(text)
        value = found[1].replace(",", "") if found else ""
        return Extraction(value=value, span=found.span(1), rule="marked") if found and value else None

    return extract
