"""Rolling batches of a model that tells whether rows mix: making them, feeding them, and what must come out."""

import random
from typing import Any

from promptkit.backends.hf.engine import RollingBatch
from promptkit.backends.hf.rows import Row
from tests.backends.hf.history_model import END, VOCABULARY, alone, make_row


def batch_of(model: Any, **options: Any) -> RollingBatch:
    options = {"ends": frozenset({END}), "decode": str, "max_rows": 4, "cache_tokens": 10_000} | options
    return RollingBatch(model, **options)


def run(batch: RollingBatch, rows: list[Row]) -> dict[int, tuple[Row, Exception | None]]:
    """Feed rows as there is room until all have ended; tag → outcome."""
    waiting, ended = list(rows), {}
    for _ in range(5000):
        taken, waiting = waiting[: batch.room], waiting[batch.room :]
        batch.add(taken)
        if not (waiting or batch.waiting or batch.live):
            return ended
        for row, error in batch.advance():
            assert row.tag not in ended, "a row ended twice"
            ended[row.tag] = (row, error)
    raise AssertionError("the batch makes no progress")


def random_rows(seed: int, count: int, longest: int = 12) -> list[Row]:
    draw = random.Random(seed)
    return [
        make_row(
            [draw.randrange(1, VOCABULARY) for _ in range(draw.randint(1, longest))],
            draw.randint(1, 10),
            temperature=draw.choice([0.0, 0.7, 1.5]),
            top_k=draw.choice([None, 3]),
            seed=draw.randrange(1000),
            tag=tag,
        )
        for tag in range(count)
    ]


def assert_as_alone(ended: dict[int, tuple[Row, Exception | None]], rows: list[Row]) -> None:
    assert set(ended) == {row.tag for row in rows}
    for row, error in ended.values():
        assert error is None
        assert (row.tokens, row.finish_reason) == alone(row)
