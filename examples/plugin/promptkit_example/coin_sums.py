"""A benchmark: sums of coins, made up from a seed. (With a file: `packaged=` and its absolute path.)"""

import random

from promptkit.evaluation.benchmarks import Known


def _make(size: int, seed: int) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for number in range(size):
        drawn = random.Random(f"{seed}-{number}")  # the first questions are the same, however many there are
        pens, pen, books, book = (drawn.randint(2, 9) for _ in range(4))
        text = f"A pen costs {pen} coins and a book {book}. What do {pens} pens and {books} books cost together?"
        rows.append({"question": text, "answer": str(pens * pen + books * book)})
    return rows


COIN_SUMS = Known("coin-sums", "number", None, "CC0-1.0", "made up by promptkit-example", make=_make)
