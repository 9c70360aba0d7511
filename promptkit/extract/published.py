"""The answer cleansing of Kojima et al. (2022) for zero-shot prompts, with its faults, to reproduce old tables.

Its authors compared the values as strings: "18.00" is not "18". Compare with `==`, not with `same`.
"""

import re

from promptkit.errors import ConfigError
from promptkit.extract.choice import letters
from promptkit.extract.rules import Extractor
from promptkit.types import Extraction, Question

_PATTERNS = {
    "number": r"-?\d+\.?\d*",
    "yesno": r"(?ia)(?<![^\"'\s.:,])(?:yes|no)(?![^\"'\s.:,])",
    "text": r"[^\"'.\s](?s:.*[^\"'.\s])?",
}
_DROPPED = {"number": ",", "text": "\"'. \t\n\r\f\v"}


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
    search, dropped = re.compile(pattern).search, _DROPPED.get(question.kind, "")

    def extract(text: str) -> Extraction | None:
        places = [place for place, char in enumerate(text) if char not in dropped]
        match = search("".join(text[place] for place in places))
        if not match:
            return None
        value = match[0].removesuffix(".")
        start, end = places[match.start()], places[match.start() + len(value) - 1] + 1
        return Extraction(value=value.lower() if question.kind == "yesno" else value, span=(start, end), rule="first")

    return extract
