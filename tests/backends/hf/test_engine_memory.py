"""The rolling batch and memory: what runs out of it, what the cache holds, and in which turn rows enter."""

from typing import Any

import pytest
import torch

from promptkit.backends.hf import cache, engine, forward
from tests.backends.hf.history_model import HistoryModel, alone, make_row
from tests.backends.hf.rolling import assert_as_alone, batch_of, random_rows, run

pytestmark = pytest.mark.usefixtures("small_blocks")


@pytest.mark.parametrize("mixed_up_to", [0, 2**31])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", [1, 2, 3, 5, 8])
def test_running_out_of_memory_once_changes_no_text(call: int, when: str, mixed_up_to: int) -> None:
    rows = random_rows(11, 10)
    batch = batch_of(HistoryModel({call: when}), mixed_up_to=mixed_up_to)
    assert_as_alone(run(batch, rows), rows)


def test_memory_for_few_rows_halves_the_batch() -> None:
    model = HistoryModel()
    model.most_positions = 24
    rows = [make_row([tag + 1, 5], 10, 0.8, seed=tag, tag=tag) for tag in range(12)]
    for row in rows:
        row.restart()
    batch = batch_of(model, max_rows=12)
    original, sizes = forward.decode, []

    def limited(model: Any, cache: Any, tokens: list[list[int]], *others: Any) -> torch.Tensor:
        if len(tokens) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB")
        sizes.append(len(tokens))
        return original(model, cache, tokens, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forward, "decode", limited)
        assert_as_alone(run(batch, rows), rows)
    assert batch.max_rows == 3
    assert max(sizes) == 3


@pytest.mark.parametrize("mixed_up_to", [0, 2**31])
def test_a_prompt_too_large_for_memory_fails_alone(mixed_up_to: int) -> None:
    model = HistoryModel()
    model.most_positions = 20
    rows = random_rows(3, 12, longest=5)
    rows.insert(4, make_row(list(range(1, 22)), 5, tag=99))
    batch = batch_of(model, max_rows=6, mixed_up_to=mixed_up_to)
    ended = run(batch, rows)
    failed, error = ended.pop(99)
    assert failed.prompt == list(range(1, 22))
    assert isinstance(error, RuntimeError)
    assert_as_alone(ended, [row for row in rows if row.tag != 99])
    assert batch.max_rows > 1, "one prompt must not slow the rest of the run down"


def test_a_row_that_outgrows_memory_fails_alone() -> None:
    rows = random_rows(8, 9, longest=5)
    growing = (make_row([9] * 9, 10, seed=seed, temperature=1.0, tag=99) for seed in range(100))
    rows.insert(2, next(row for row in growing if len(alone(row)[0]) == 10))
    original = forward.decode

    def limited(model: Any, cache: Any, tokens: Any, places: list[list[int]], *others: Any) -> torch.Tensor:
        if max(max(row) for row in places) > 16:
            raise MemoryError
        return original(model, cache, tokens, places, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forward, "decode", limited)
        ended = run(batch_of(HistoryModel()), rows)
    assert isinstance(ended.pop(99)[1], MemoryError)
    assert_as_alone(ended, [row for row in rows if row.tag != 99])


def test_when_no_row_fits_each_fails_after_few_attempts() -> None:
    model = HistoryModel(dict.fromkeys(range(1, 1000), "before"))
    ended = run(batch_of(model, max_rows=16), random_rows(1, 30))
    assert len(ended) == 30
    assert all(error is not None for _, error in ended.values())
    assert model.calls < 60


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory: you"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9.05 GB, max allowed: 9.07 GB)"), True),
        (RuntimeError("expected a preallocated output of size 3"), False),
        (RuntimeError("The size of tensor a (4) must match the size of tensor b (5)"), False),
        (ValueError("allocation order is wrong"), False),
    ],
)
def test_only_memory_trouble_is_taken_for_it(error: Exception, memory: bool) -> None:
    assert engine._out_of_memory(error) is memory


def test_other_errors_are_not_hidden() -> None:
    class Broken(HistoryModel):
        def forward(self, **_: Any) -> Any:
            raise RuntimeError("unallocated expert 3")

    batch = batch_of(Broken())
    batch.add(random_rows(1, 3))
    with pytest.raises(RuntimeError, match="unallocated"):
        batch.advance()


def test_the_cache_keeps_to_its_share_of_memory() -> None:
    rows = random_rows(2, 30)
    batch = batch_of(HistoryModel(), max_rows=30, cache_tokens=100)
    waiting, most = list(rows), 0
    batch.add(waiting)
    while batch.live or batch.waiting:
        batch.advance()
        most = max(most, batch._mixed.cache.rows * batch._mixed.cache.capacity)
    assert 50 < most <= 100
    assert all((row.tokens, row.finish_reason) == alone(row) for row in rows)


def test_the_cache_counts_whole_blocks() -> None:
    batch = batch_of(HistoryModel(), cache_tokens=20)
    batch.add([make_row([1], 4, tag=tag) for tag in range(4)])
    batch.advance()
    assert batch._mixed.cache.rows * batch._mixed.cache.capacity <= 20


def test_rows_that_start_again_keep_their_turn() -> None:
    batch = batch_of(HistoryModel({3: "before"}))
    rows = [make_row([1 + tag] * (6 - tag), 9, tag=tag) for tag in range(4)]
    batch.add(rows)
    batch.advance()
    before = list(batch.live)
    assert [row.tag for row in before] == [3, 2, 1, 0]
    batch.advance()
    assert [*batch.live, *batch.waiting] == before
    assert all(not row.tokens for row in batch.waiting)


def test_growing_that_runs_out_of_memory_half_way_leaves_a_cache_that_works() -> None:
    class Like:
        """Keys or values of a prefill, on a machine with memory for so many tensors."""

        def __init__(self, most: float = float("inf")) -> None:
            self.shape, self.most = (1, 1, 1, 1), most

        def layers(self) -> Any:
            return [(self, self), (self, self)]

        def new_zeros(self, *shape: int) -> torch.Tensor:
            self.most -= 1
            if self.most < 0:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return torch.zeros(shape)

    made: Any = cache.RaggedCache()
    made.reserve(2, 8, Like().layers(), live=0, most=1000)
    for layer in made.layers:
        layer.keys[:2] = layer.values[:2] = torch.arange(16.0).reshape(2, 1, 8, 1)
    with pytest.raises(torch.OutOfMemoryError):
        made.reserve(8, 4, Like(most=1).layers(), live=1, most=1000)
    made.reserve(2, 8, Like().layers(), live=1, most=1000)
    for layer in made.layers:
        assert layer.keys.shape[0] >= 2
        assert layer.keys.shape[2] == layer.values.shape[2] == 8
        assert layer.keys[0, 0, :4, 0].tolist() == layer.values[0, 0, :4, 0].tolist() == [0, 1, 2, 3]
