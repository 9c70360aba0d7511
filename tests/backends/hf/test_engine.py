"""The rolling batch: rows never mix, whatever the order in which they come and go."""

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from promptkit.backends.hf import cache, engine, forward, sampling
from promptkit.backends.hf.rows import Row
from tests.backends.hf.history_model import VOCABULARY, HistoryModel, alone, make_row
from tests.backends.hf.rolling import assert_as_alone, batch_of, random_rows, run

pytestmark = pytest.mark.usefixtures("small_blocks")


prompts = st.builds(
    lambda head, tail: head + tail,
    st.sampled_from([[], [1, 2, 3], [1, 2, 3, 4, 5]]),
    st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=14),
)
groups = st.tuples(
    prompts, st.integers(1, 4), st.lists(st.tuples(st.integers(1, 12), st.sampled_from([0.0, 1.0])), max_size=4)
)


class RowsComeAndGo(RuleBasedStateMachine):
    """Rows enter in groups, the batch advances, rows leave: each must end as it would alone."""

    @initialize(
        max_rows=st.integers(1, 6),
        cache_tokens=st.sampled_from([1, 40, 100, 10_000]),
        mixed_up_to=st.sampled_from([0, 10, 18, 2**31]),
        fail_at=st.dictionaries(st.integers(1, 60), st.sampled_from(["before", "after", "later"]), max_size=3),
    )
    def start(self, max_rows: int, cache_tokens: int, mixed_up_to: int, fail_at: dict[int, str]) -> None:
        self.fails = len(fail_at)
        later = [call for call, when in fail_at.items() if when == "later"]
        chosen = count(1)

        def choose(*arguments: Any) -> Any:
            if next(chosen) in later:
                raise MemoryError
            return sampling.choose(*arguments)

        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(engine, "choose", choose)
        self.batch = batch_of(
            HistoryModel(fail_at), max_rows=max_rows, cache_tokens=cache_tokens, mixed_up_to=mixed_up_to
        )
        self.count = 0
        self.ended: dict[int, tuple[Row, Exception | None]] = {}

    @rule(group=groups)
    def add(self, group: Any) -> None:
        prompt, same, others = group
        for max_tokens, temperature in [(6, 0.9)] * same + others:
            self.batch.add([make_row(list(prompt), max_tokens, temperature, seed=self.count, tag=self.count)])
            self.count += 1

    @rule(which=st.integers(0, 100), cut=st.integers(0, 12), more=st.lists(st.integers(1, VOCABULARY - 1), max_size=4))
    def go_on(self, which: int, cut: int, more: list[int]) -> None:
        """A prompt that begins as an earlier row did, or at least says so."""
        if not self.ended:
            return
        parent = self.ended[sorted(self.ended)[which % len(self.ended)]][0]
        prompt = [*parent.prompt, *parent.tokens][: len(parent.prompt) + cut] + more
        tag, name = self.count, str(parent.tag)
        self.batch.add([make_row(prompt, 5, 0.9, seed=tag, tag=tag, parent=name)])
        self.count += 1

    @rule(times=st.integers(1, 8))
    def advance(self, times: int) -> None:
        for _ in range(times):
            for row, error in self.batch.advance():
                assert row.tag not in self.ended
                self.ended[row.tag] = (row, error)

    @invariant()
    def keeps_its_bounds(self) -> None:
        if not hasattr(self, "batch"):
            return
        batch = self.batch
        assert batch.room >= 0
        # Halving looks only at what enters next: the rows that are there stay.
        assert len(batch.live) <= batch._most_rows
        assert len(batch.live) + len(batch.waiting) + len(self.ended) == self.count
        allocated = batch._mixed.cache.rows * batch._mixed.cache.capacity
        assert allocated <= batch.cache_tokens or batch._mixed.cache.rows == 1
        assert cache.held_positions(batch._kept.values()) <= batch.cache_tokens / 4

    def teardown(self) -> None:
        if not hasattr(self, "batch"):
            return
        try:
            self.drain()
        finally:
            self.patch.undo()

    def drain(self) -> None:
        for _ in range(3000):
            if not self.batch.live and not self.batch.waiting:
                break
            self.advance(1)
        assert len(self.ended) == self.count
        failed = [row for row, error in self.ended.values() if error is not None]
        assert len(failed) <= self.fails
        for row, error in self.ended.values():
            if error is None:
                assert (row.tokens, row.finish_reason) == alone(row)


RowsComeAndGo.TestCase.settings = settings(
    max_examples=200, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
# pytest's fixture does not reach hypothesis' own test case.
TestRowsComeAndGo = pytest.mark.usefixtures("small_blocks")(RowsComeAndGo.TestCase)


@given(st.integers(0, 10**6), st.integers(1, 7), st.sampled_from([0, 12, 2**31]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_ends_as_it_would_alone(seed: int, max_rows: int, mixed_up_to: int) -> None:
    rows = random_rows(seed, 20)
    assert_as_alone(run(batch_of(HistoryModel(), max_rows=max_rows, mixed_up_to=mixed_up_to), rows), rows)


def test_samples_of_a_prompt_share_its_prefill() -> None:
    model = HistoryModel()
    rows = [make_row([1, 2, 3, 4, 5], 6, 1.0, seed=tag, tag=tag) for tag in range(8)]
    rows += [make_row([7, 8], 6, 1.0, seed=tag, tag=8 + tag) for tag in range(3)]
    assert_as_alone(run(batch_of(model, max_rows=16), rows), rows)
    # Two prompts in one pass, the shorter one padded to the other's length.
    assert model.prefilled == [5, 5]


def test_what_prompts_begin_with_is_prefilled_once() -> None:
    model = HistoryModel()
    rows = [make_row([1, 2, 3, *rest], 4, 1.0, seed=tag, tag=tag) for tag, rest in enumerate([[4], [5, 6], [4, 4]])]
    assert_as_alone(run(batch_of(model), rows), rows)
    assert model.prefilled[:4] == [3, 2, 2, 2]


def test_what_later_prompts_begin_with_is_known_already() -> None:
    model = HistoryModel()
    batch = batch_of(model)
    head = [1, 2, 3, 4]
    first = [make_row([*head, 5 + tag], 3, 1.0, seed=tag, tag=tag) for tag in range(2)]
    assert_as_alone(run(batch, first), first)
    model.prefilled.clear()
    later = [make_row([*head, 9, 9], 3, 1.0, seed=tag, tag=10 + tag) for tag in range(2)]
    assert_as_alone(run(batch, later), later)
    assert [row.reused for row in later] == [4, 6], "the second sample is computed with the first"
    other = make_row([*head[:2], 8, 8], 3, 1.0, tag=20)
    assert_as_alone(run(batch, [other]), [other])
    assert other.reused == 2
    assert model.prefilled == [2, 2], "only two tokens each are new"


def test_rows_that_begin_alike_hold_their_beginning_once() -> None:
    batch = batch_of(HistoryModel(), max_rows=8)
    head = list(range(1, 21))
    first = [make_row([*head, 22 + tag], 4, 1.0, seed=tag, tag=tag) for tag in range(2)]
    assert_as_alone(run(batch, first), first)
    rows = [make_row([*head, 24, tag + 1], 6, 1.0, seed=tag, tag=10 + tag) for tag in range(8)]
    mixed = [make_row([25, tag + 1], 6, 1.0, seed=tag, tag=30 + tag) for tag in range(8)]
    fresh = batch_of(HistoryModel(), max_rows=8, cache_tokens=8 * 8)
    fresh._mixed.prefixes = batch._mixed.prefixes
    most = 0
    fresh.add([row for pair in zip(rows, mixed, strict=True) for row in pair])
    ended: dict[int, tuple[Row, Exception | None]] = {}
    while fresh.live or fresh.waiting:
        ended |= {row.tag: (row, error) for row, error in fresh.advance()}
        most = max(most, len(fresh.live))
    assert_as_alone(ended, [*rows, *mixed])
    assert most == 8, "each row takes only the two blocks of its own"


def test_a_row_that_goes_on_shares_what_its_parent_shared() -> None:
    model = HistoryModel()
    batch = batch_of(model)
    head = list(range(1, 9))
    first = [make_row([*head, 10 + tag], 3, 1.0, seed=tag, tag=tag) for tag in range(2)]
    assert_as_alone(run(batch, first), first)
    again = [make_row([*head, 20 + tag], 3, 1.0, seed=tag, tag=2 + tag) for tag in range(2)]
    assert_as_alone(run(batch, again), again)
    assert all(kept.base is not None for kept in list(batch._kept.values())[-2:])
    model.prefilled.clear()
    model.decoded.clear()
    on = [make_row([*row.prompt, *row.tokens[:-1], 25, 26], 5, 1.0, tag=30 + row.tag, parent=row.key) for row in again]
    assert_as_alone(run(batch, on), on)
    assert model.prefilled[:2] == [2 if len(row.tokens) > 1 else 3 for row in again]
    assert model.decoded[0] == (2, max(model.prefilled[:2])), "both are read in one pass"


def test_a_prompt_that_goes_on_from_a_row_reads_only_what_is_new() -> None:
    first = make_row([1, 2, 3, 4, 5, 6, 7, 8], 6, tag=1)
    model = HistoryModel()
    batch = batch_of(model)
    assert_as_alone(run(batch, [first]), [first])
    model.prefilled.clear()
    said = first.tokens[:-1]
    going_on = [make_row([*first.prompt, *said, *[9] * new], 6, seed=new, tag=10 + new, parent="1") for new in (2, 3)]
    unlike = make_row([*first.prompt[:2], 20, 21, 22, 23, 24, 25], 4, tag=20, parent="1")
    assert_as_alone(run(batch, [*going_on, unlike]), [*going_on, unlike])
    assert model.prefilled[:3] == [2, 3, 8]


def test_the_samples_of_a_prompt_that_goes_on_read_it_once_beside_others() -> None:
    model = HistoryModel()
    batch = batch_of(model, max_rows=8)
    first = [make_row([tag + 1, *range(2, 10 + tag)], 6, 1.0, seed=tag, tag=tag) for tag in range(2)]
    assert_as_alone(run(batch, first), first)
    model.prefilled.clear()
    on: list[Row] = []
    for row in first:
        prompt = [*row.prompt, *row.tokens, *[25] * (1 + row.tag)]
        on += [make_row(prompt, 6, 1.0, seed=seed, tag=f"{row.tag}.{seed}", parent=row.key) for seed in range(3)]
    assert_as_alone(run(batch, on), on)
    assert model.prefilled[:2] == [2, 3], "the newest token of a row that ended was never read"
    assert [row.reused - len(row.prompt) for row in on] == [-2, 0, 0, -3, 0, 0]


def test_prompts_go_on_beside_rows_that_are_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of(HistoryModel(), max_rows=8)
    head = list(range(1, 9))
    for start in (0, 2):  # the first two make the beginning known, so that the next two begin with it
        first = [make_row([*head, 10 + start + tag], 3, 1.0, seed=tag, tag=start + tag) for tag in range(2)]
        assert_as_alone(run(batch, first), first)
    assert all(batch._kept[row.key].base is not None for row in first)
    under_way = [make_row([*head, 20 + tag], 12, 0.5, seed=40 + tag, tag=10 + tag) for tag in range(4)]
    batch.add(under_way)
    batch.advance()
    assert len(batch.live) >= 2
    on = [
        make_row([*row.prompt, *row.tokens, 25, 26, 27][: 20 + row.tag], 5, 1.0, tag=30 + row.tag, parent=row.key)
        for row in first
    ]
    read: list[tuple[int, int]] = []
    original = forward.decode

    def decode(model: Any, cache: Any, tokens: Any, places: Any, prefixes: Any, first: int = 0) -> Any:
        read.append((first, len(tokens)))
        return original(model, cache, tokens, places, prefixes, first)

    monkeypatch.setattr(forward, "decode", decode)
    live = len(batch.live)
    ended = run(batch, on)
    assert (live, 2) in read, "both are read in one pass, and no other row with them"
    assert all((row.tokens, row.finish_reason) == alone(row) for row in [*on, *under_way])
    assert set(ended) >= {row.tag for row in on}


def test_few_rows_wait_a_little_for_others_to_enter_with() -> None:
    batch = batch_of(HistoryModel(), max_rows=64, ends=frozenset())
    batch.add([make_row([tag % 20 + 1, tag % 7 + 1], 90, 1.0, seed=tag, tag=tag) for tag in range(24)])
    batch.advance()
    for tag, together in ((30, 1), (40, 3)):
        live = len(batch.live)
        batch.add([make_row([5, 5, 5], 90, 1.0, seed=tag + place, tag=tag + place) for place in range(together)])
        steps = 0
        while batch.waiting:
            batch.advance()
            steps += 1
        assert len(batch.live) == live + together
        assert steps == (1 if together >= live // 8 else engine._PATIENCE + 1)


def test_rows_are_kept_within_a_quarter_of_the_cache() -> None:
    model = HistoryModel()
    batch = batch_of(model, cache_tokens=100)
    rows = [make_row([tag + 1, 2, 3, 4, 5, 6, 7, 8], 1, tag=tag) for tag in range(6)]
    assert_as_alone(run(batch, rows), rows)
    model.prefilled.clear()
    later = [make_row([*row.prompt, 9, 9], 2, tag=row.tag + 10, parent=row.key) for row in rows]
    assert_as_alone(run(batch, later[-1:] + later[:1]), later[-1:] + later[:1])
    assert model.prefilled == [2, 10], "the newest rows are there still, the oldest are not"


@pytest.mark.parametrize("mixed_up_to", [0, 2**31])
def test_samples_differ_by_their_seed_alone(mixed_up_to: int) -> None:
    rows = [make_row([3, 1, 4], 8, 1.5, seed=seed, tag=tag) for tag, seed in enumerate([1, 2, 1, 3])]
    ended = run(batch_of(HistoryModel(), mixed_up_to=mixed_up_to), rows)
    texts = [ended[tag][0].tokens for tag in range(4)]
    assert texts[0] == texts[2]
    assert texts[1] != texts[0] != texts[3]


def test_long_rows_go_alone_and_short_ones_together() -> None:
    model = HistoryModel()
    rows = random_rows(5, 12)
    most = max(row.capacity for row in rows if row.capacity <= 12)
    assert any(row.capacity > 12 for row in rows)
    batch = batch_of(model, mixed_up_to=12)
    waiting, used = list(rows), set[bool]()
    batch.add(waiting)
    while batch.live or batch.waiting:
        batch.advance()
        assert batch._mixed.cache.capacity <= cache.blocks(most)
        assert batch._alone.state is None or batch._mixed.cache.capacity == 0, "two caches at once"
        used.add(batch._alone.state is None)
    assert used == {True, False}
    assert all((row.tokens, row.finish_reason) == alone(row) for row in rows)


def test_rows_of_one_prompt_leave_at_different_times_without_mixing() -> None:
    model = HistoryModel()
    rows = [make_row([2, 2], tokens, 1.2, seed=tag, tag=tag) for tag, tokens in enumerate([1, 9, 2, 7, 3])]
    batch = batch_of(model, max_rows=5, mixed_up_to=0)
    order: list[int] = []
    batch.add(rows)
    while batch.live or batch.waiting:
        order += [row.tag for row, _ in batch.advance()]
    assert order.index(0) < order.index(1), "a short sample waits for a long one"
    assert all((row.tokens, row.finish_reason) == alone(row) for row in rows)
    assert sum(count for count, _ in model.decoded) == sum(len(row.tokens) - 1 for row in rows), "ended rows go on"


# -- stop strings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", ["x", "no more", "。。。。。。。。", "🙂 is the end 🙂", "\n\n"])
def test_a_stop_string_is_found_whatever_tokens_it_is_made_of(stop: str) -> None:
    """Here each byte is a token, so that a character may take four of them."""
    batch = batch_of(HistoryModel(), decode=lambda tokens: bytes(tokens).decode(errors="replace"))
    row = make_row([1], 1000, stop=("never", stop))
    for byte in ("äöü " * 30 + stop).encode():
        assert not batch._stopped(row)
        row.tokens.append(byte)
    assert batch._stopped(row)


def test_a_stop_string_of_the_tail_alone_does_not_count() -> None:
    # A tokenizer that drops the first space makes a word at the start of the tail look like one without it.
    batch = batch_of(HistoryModel(), decode=lambda tokens: bytes(tokens).decode().lstrip("~"))
    row = make_row([1], 1000, stop=("~~", "#"))
    row.tokens = list(b"~~hello")
    assert not batch._stopped(row)


def test_one_row_alone_does_not_allocate_a_whole_batch() -> None:
    batch = batch_of(HistoryModel(), max_rows=128)
    batch.add(random_rows(1, 1))
    batch.advance()
    assert batch._mixed.cache.rows == 1


def test_a_large_row_is_not_overtaken_for_ever() -> None:
    batch = batch_of(HistoryModel(), max_rows=4, cache_tokens=40)
    small = [make_row([tag % 20 + 1], 4, 1.0, seed=tag, tag=tag) for tag in range(40)]
    large = make_row([5] * 14, 10, 1.0, tag=99)
    batch.add([*small[:6], large])
    order: list[int] = []
    for row in small[6:]:
        batch.add([row])
        order += [ended.tag for ended, _ in batch.advance()]
    assert 99 in order


def test_a_fresh_batch_releases_what_a_long_row_needed() -> None:
    batch = batch_of(HistoryModel())
    run(batch, [make_row([1] * 100, 5, tag=0)])
    run(batch, [make_row([1], 5, tag=1)])
    assert batch._mixed.cache.capacity == 8
