"""Whether a difference is more than chance: the test of discordant pairs, and the correction for several tests."""

from collections.abc import Sequence
from typing import Any, cast

import scipy.special as _untyped  # pyright: ignore[reportMissingTypeStubs]

_special = cast("Any", _untyped)  # scipy has no type stubs
ALPHA = 0.05
"""A difference with a p-value below counts as shown."""


def mcnemar_exact(fixed: int, broken: int) -> float:
    """Two-sided p-value that the discordant pairs are a fair coin's (McNemar 1947, exact binomial form).

    Without discordant pairs it is 1.
    """
    if fixed < 0 or broken < 0:
        raise ValueError("counts of pairs are not negative")
    return min(1.0, 2 * float(_special.bdtr(min(fixed, broken), fixed + broken, 0.5)))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of a family of tests, in the order given, corrected for there being several (Holm 1979).

    Calling those below 0.05 real makes a single false alarm in the whole family as rare as it is in one test.

    Raises:
        ValueError: a p-value is not within 0 and 1.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError("a p-value lies between 0 and 1")
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected
