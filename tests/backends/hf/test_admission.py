"""When the rolling batch takes rows on: the second stage of a question soon after its first, while that is kept."""

import heapq

from promptkit.backends.hf.engine import RollingBatch
from promptkit.backends.hf.rows import Row
from tests.backends.hf.history_model import END, HistoryModel, make_row

_BLOCK = 128


def two_stages(batch: RollingBatch, questions: int, at_once: int) -> list[Row]:
    """Ask each question and go on from its text, older questions first, as the scheduler does; the second rows."""
    pending = [(number, make_row([1 + number % 7] * 20 + [number], 100, tag=number)) for number in range(questions)]
    second: list[Row] = []
    for _ in range(20_000):
        while pending and batch.room:
            taken = [heapq.heappop(pending)[1] for _ in range(min(batch.room, at_once, len(pending)))]
            batch.add(taken)
        if not batch.live and not batch.waiting:
            return second
        for row, error in batch.advance():
            assert error is None
            if row.parent:
                second.append(row)
                continue
            prompt = [*row.prompt, *row.tokens, 9, 9]
            child = make_row(prompt, 5, tag=row.tag + questions, parent=str(row.tag))
            heapq.heappush(pending, (row.tag, child))
    raise AssertionError("the batch makes no progress")


def test_second_stages_are_read_while_the_first_is_kept_though_memory_limits_the_rows() -> None:
    batch = RollingBatch(HistoryModel(), ends=frozenset({END}), decode=str, max_rows=64, cache_tokens=12 * 2 * _BLOCK)
    second = two_stages(batch, 90, at_once=16)
    assert len(second) == 90
    assert sum(row.reused >= len(row.prompt) - 3 for row in second) >= 85


def test_no_more_is_taken_on_than_memory_has_room_for() -> None:
    batch = RollingBatch(HistoryModel(), ends=frozenset({END}), decode=str, max_rows=64, cache_tokens=8 * _BLOCK)
    assert batch.room == 64, "nothing is known of how long the rows will be"
    batch.add([make_row([1, 2, 3], 50, tag=0)])
    assert batch.room == 7
    batch.add([make_row([1, 2, 3], 200, tag=1)])
    assert batch.room == 2, "all rows are as long as the longest"
