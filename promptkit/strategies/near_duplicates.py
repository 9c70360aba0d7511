"""Texts that are nearly the same: a demonstration that repeats the question gives its answer away."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable

from promptkit.types import Demonstration

LIMIT = 0.6
"""Share of common word triples (weighted Jaccard index) from which two texts count as nearly the same.

Tried on the public benchmarks. All exact repeats are found (20 in MultiArith, one each in SingleEq and StrategyQA), and
stories told again with one or two other numbers or names: a twin stands before 89 of MultiArith's 600 questions and 5
of SVAMP's 1,000, and no test question of GSM8K has one in the training split. Only one pair is not alike, of six words
each. Where a program made all questions of a few sentences, nearly all count as the same (702 of 750 of BIG-bench's
tracked objects).
"""


class NearDuplicates:
    """Finds which of many texts nearly equal a given one.

    Letter case, punctuation and white space are ignored; numbers are words like others. A word triple weighs the less
    the more of the texts have it (log of the inverse share), so that a sentence which stands in front of all questions
    ("Is this review positive or negative?") does not make short ones alike.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._where: dict[tuple[str, ...], list[int]] = defaultdict(list)
        shingles = [_shingles(text) for text in texts]
        for place, found in enumerate(shingles):
            for shingle in found:
                self._where[shingle].append(place)
        self._unknown = math.log(len(shingles) + 1)
        self._weights = {one: math.log((len(shingles) + 1) / len(places)) for one, places in self._where.items()}
        self._totals = [self._weight(found) for found in shingles]

    def of(self, text: str) -> list[int]:
        """The places of the texts that nearly equal this one."""
        wanted = _shingles(text)
        common: dict[int, float] = defaultdict(float)
        for shingle in wanted:
            for place in self._where.get(shingle, ()):
                common[place] += self._weights[shingle]
        total = self._weight(wanted)
        return sorted(
            place for place, weight in common.items() if weight >= LIMIT * (total + self._totals[place] - weight)
        )

    def _weight(self, shingles: set[tuple[str, ...]]) -> float:
        return sum(self._weights.get(shingle, self._unknown) for shingle in shingles)


def nearly_equal(one: str, other: str) -> bool:
    """Whether two texts are nearly the same."""
    return bool(NearDuplicates([one]).of(other))


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", text.casefold())
    return {tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2))}


def twins(demo: Demonstration, demos: Iterable[Demonstration]) -> bool:
    """Whether a demonstration's question nearly equals that of one of these."""
    return bool(NearDuplicates(other.question for other in demos).of(demo.question))
