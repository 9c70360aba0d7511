"""An extractor: only the last line counts."""

from promptkit import Question
from promptkit.extract import Extractor, extractor_for
from promptkit.types import Extraction


def last_line(question: Question) -> Extractor:
    """What reads the answer to a question from the last line that is not empty."""
    read = extractor_for(question, "lenient")

    def extract(text: str) -> Extraction | None:
        end = len(text.rstrip())
        start = text.rfind("\n", 0, end) + 1
        found = read(text[start:end])
        if found is None:
            return None
        first, last = found.span
        return Extraction(value=found.value, span=(start + first, start + last), rule="last-line")

    return extract
