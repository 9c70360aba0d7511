"""Rolling-batch generation: rows that finish leave, waiting rows enter, and rows of any lengths are decoded together.

Each row is one sample of one prompt, with settings, limits and random stream of its own. The samples of a prompt
share its prefill. References: continuous batching (Yu et al., 2022, "Orca").
"""

import re
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, TypeAlias

import torch

from promptkit.backends.hf.alone import AloneSlots
from promptkit.backends.hf.cache import Kept, blocks, held_positions
from promptkit.backends.hf.drafting import draft
from promptkit.backends.hf.forward import MixedSlots, Need, Slots, shared_prefix
from promptkit.backends.hf.rows import Row
from promptkit.backends.hf.sampling import choose

_PREFILL_TOKENS = 4096
"""Prompt tokens, padding included and what is shared left out, that are computed in one forward pass."""
_PREFILL_POSITIONS = 4 * _PREFILL_TOKENS
"""Positions of the cache that one such pass may fill, what is shared included: for a moment they may exist twice."""
_PATIENCE = 16
"""Steps that rows wait for others to come, so that a few prompts are prefilled at once, which is cheaper."""
_GUESSES = 8
"""Tokens guessed in a step, over all rows: with more, a step takes longer than they save (docs/performance.md)."""
_DRAFT = range(2, 5)
"""Tokens of a row that are guessed at most, where that are not too many for all."""

Ended: TypeAlias = tuple[Row, Exception | None]
"""A row that is through, or that could not be generated and why."""
Pass: TypeAlias = list[list[Row]]
"""Prompts that are prefilled together, each with its rows."""


class RollingBatch:
    """Generates for rows that come and go.

    Args:
        model: a causal language model of transformers, in evaluation mode.
        ends: token ids that end a text.
        decode: token ids → text, to look for stop strings.
        max_rows: rows decoded at once. Halved whenever memory runs out.
        cache_tokens: positions of the key-value cache, over all rows, that may be allocated. A row too long for that
            goes alone.
        mixed_up_to: rows of at most so many positions may be decoded together; see `probing`. Of longer ones only
            samples of one prompt are, with the model's own cache.
        cascade: whether what many rows begin with is held once for all of them.
        several: whether rows may read several tokens in a step: guesses, or what is new to a row that was kept.
    """

    def __init__(
        self,
        model: Any,
        *,
        ends: frozenset[int],
        decode: Callable[[list[int]], str],
        max_rows: int,
        cache_tokens: int,
        mixed_up_to: int = 2**31,
        cascade: bool = True,
        several: bool = True,
    ) -> None:
        self.ends = ends
        self.decode = decode
        self.max_rows = max_rows
        self.cache_tokens = cache_tokens
        self.mixed_up_to = mixed_up_to
        self.several = several
        self.live: list[Row] = []
        self.waiting: deque[Row] = deque()
        self._most_rows = max_rows
        self._recovering = False
        """Whether rows that end well raise `max_rows` again, because the row that was too large is gone."""
        self._waited = 0
        """Steps for which rows have been waiting."""
        self._retry_rows: int | None = None
        """After a prefill ran out of memory beside live rows: as soon as these are gone, so many rows try alone."""
        self._mixed, self._alone = MixedSlots(model, cache_tokens, cascade), AloneSlots(model)
        self._slots: Slots = self._mixed
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        """Rows that ended, the oldest first: the second stage of chain of thought goes on from the first."""

    @property
    def room(self) -> int:
        """Rows that could be taken on now, by number and memory."""
        return max(0, self._limit() - len(self.live) - len(self.waiting))

    def add(self, rows: list[Row]) -> None:
        """Queue rows. Samples of one prompt should be given side by side."""
        for row in rows:
            row.spared = self._slots.spared(row.prompt, self._known(row))
        self.waiting.extend(rows)

    def advance(self) -> list[Ended]:
        """Admit what fits, decode one token or more for every live row, and return the rows that ended.

        A row comes with an exception when memory does not even suffice for it alone.
        """
        ended: list[Ended] = []
        passes = self._admit()
        try:
            while passes:
                self._prefill(passes)
                del passes[0]
        except (RuntimeError, MemoryError) as error:
            if not _out_of_memory(error):
                raise
            ended += self._retreat(passes, error)
        try:
            ended += self._leave()  # rows that ended with their first token
            if self.live:
                self._step()
                ended += self._leave()
        except (RuntimeError, MemoryError) as error:
            if not _out_of_memory(error):
                raise
            ended += self._shrink(error)
        return ended

    # -- entering ---------------------------------------------------------------------------------

    def _admit(self) -> list[Pass]:
        """Take rows out of the queue and sort them into prefill passes, each a list of prompts with their rows."""
        self._waited = self._waited + 1 if self.waiting else 0
        room = (most := self._limit()) - len(self.live)
        gathering = len(self.waiting) < len(self.live) // 8 and self._waited <= _PATIENCE
        if self.live and (self._retry_rows or room < max(1, most // 8) or gathering):
            return []
        self._waited = 0
        prompts: list[list[Row]] = []
        for row in self._fitting():
            if prompts and prompts[-1][0].same_prompt(row):
                prompts[-1].append(row)
            else:
                prompts.append([row])
        passes = self._going_on([rows for rows in prompts if self._known(rows[0])])
        first = len(passes)
        least: list[int] = []
        greatest: list[int] = []
        for kind in self._alike([rows for rows in prompts if not self._known(rows[0])]):
            for place, rows in enumerate(sorted(kind, key=lambda rows: len(rows[0].prompt))):
                prompt = rows[0].prompt
                # What a pass shares is what its shortest prompt and its first and last in lexicographic order share.
                few = [passes[-1][0][0].prompt, least, greatest, prompt] if place and passes[first:] else []
                if few and _fits(few, len(passes[-1]) + 1, min(row.spared for row in [passes[-1][0][0], rows[0]])):
                    passes[-1].append(rows)
                    least, greatest = min(least, prompt), max(greatest, prompt)
                else:
                    passes.append([rows])
                    least = greatest = prompt
        return passes

    def _going_on(self, prompts: list[list[Row]]) -> list[Pass]:
        """Prompts that go on from kept rows, those with about as much to read together."""
        passes: list[Pass] = []
        for rows in sorted(prompts, key=lambda rows: self._new(rows[0])):
            together = [*passes[-1], rows] if passes else [rows]
            new, longest = self._new(rows[0]), max(len(rows[0].prompt) for rows in together)
            few = len(together) * new <= _PREFILL_TOKENS and len(together) * longest <= _PREFILL_POSITIONS
            if few and new <= 2 * self._new(together[0][0]):
                passes[-1:] = [together]
            else:
                passes.append([rows])
        return passes

    def _alike(self, prompts: list[list[Row]]) -> list[list[list[Row]]]:
        """Prompts by what they begin with, where that is worth holding once; the others come together."""
        kinds: list[list[list[Row]]] = []
        for rows in sorted(prompts, key=lambda rows: rows[0].prompt):
            if kinds and shared_prefix([kinds[-1][-1][0].prompt, rows[0].prompt]) >= self._mixed.from_tokens:
                kinds[-1].append(rows)
            else:
                kinds.append([rows])
        single = [kind[0] for kind in kinds if len(kind) == 1]
        return [kind for kind in [single, *kinds] if len(kind) > 1 or kind is single]

    def _fitting(self) -> list[Row]:
        """Waiting rows that fit beside the live ones, by row count and memory, first come first served."""
        if self.waiting and not self.live:
            slots = self._mixed if self.waiting[0].capacity <= self.mixed_up_to else self._alone
            if slots is not self._slots:
                self._slots.clear()
                self._slots = slots
        most = min(self.max_rows, self._retry_rows or self.max_rows)
        self._retry_rows = None
        entering: list[Row] = []
        capacity = self._live_capacity()
        for row in self.waiting:
            row.spared = self._slots.spared(row.prompt, self._known(row))
            capacity = max(capacity, row.capacity - row.spared)
            full = len(self.live) + len(entering) >= min(most, self._most_of(capacity))
            if full or (self._slots is self._mixed and row.capacity > self.mixed_up_to):
                break
            if self._slots is self._alone and (self.live or (entering and not entering[0].same_prompt(row))):
                break
            entering.append(row)
        for _ in entering:
            self.waiting.popleft()
        return entering

    @torch.inference_mode()
    def _prefill(self, passes: list[Pass]) -> None:
        """Run the first of these passes and start its rows with their first token; the others come next."""
        prompts, others = passes[0], _rows(passes[1:])
        rows = [group[0] for group in prompts] + [row for group in prompts for row in group[1:]]
        need = Need(
            rows=len(self.live) + len(rows) + len(others),
            capacity=max([self._live_capacity(), *(row.capacity - row.spared for row in others)]),
            entering=[max(row.capacity for row in group) for group in prompts],
        )
        kept = [self._known(group[0]) for group in prompts]
        entered = self._slots.enter(
            [group[0].prompt for group in prompts],
            [len(group) for group in prompts],
            need,
            kept=[one for one in kept if one],
        )
        logits = entered.logits
        for group, reused in zip(prompts, entered.reused, strict=True):
            for copy, row in enumerate(group):
                row.reused = len(row.prompt) if copy else reused
        if len(rows) > len(prompts):
            copies = [place for place, group in enumerate(prompts) for _ in group[1:]]
            logits = logits[torch.tensor([*range(len(prompts)), *copies], device=logits.device)]
        self._accept(rows, logits)
        self.live.extend(rows)

    def _limit(self) -> int:
        """Rows that fit at a time, as long as none is longer than those live and waiting."""
        return self._most_of(max([self._live_capacity(), *(row.capacity - row.spared for row in self.waiting)]))

    def _most_of(self, capacity: int) -> int:
        return min(self.max_rows, max(1, self.cache_tokens // blocks(capacity))) if capacity else self.max_rows

    def _live_capacity(self) -> int:
        """Positions of the longest live row, without what it shares with others."""
        return max((row.capacity - self._slots.shared(slot) for slot, row in enumerate(self.live)), default=0)

    def _known(self, row: Row) -> Kept | None:
        """What is kept of the row that this prompt goes on from, where that spares at least half of the prefill."""
        kept = self._kept.get(row.parent) if row.parent else None
        usable = kept and self.several and self._slots is self._mixed
        return kept if kept and usable and 2 * kept.shared(row.prompt) >= len(row.prompt) else None

    def _new(self, row: Row) -> int:
        """Tokens of its prompt that nothing is kept of."""
        kept = self._known(row)
        return len(row.prompt) - (kept.shared(row.prompt) if kept else 0)

    def _keep(self, ended: list[tuple[int, Row]]) -> None:
        """Set aside what the cache holds of rows (slot, row) that ended: the newest, within a quarter of its size."""
        for slot, row in ended:
            tokens = [*row.prompt, *row.tokens[:-1]]
            if row.key and (kept := self._slots.keep(slot, tokens)):
                self._kept[row.key] = kept
        while held_positions(self._kept.values()) > self.cache_tokens // 4:
            self._kept.popitem(last=False)

    # -- decoding ---------------------------------------------------------------------------------

    @torch.inference_mode()
    def _step(self) -> None:
        """One token for each live row, and those after it that were guessed right."""
        inputs = self._inputs()
        logits = self._slots.step(inputs, [row.length for row in self.live])
        self._accept(self.live, logits[:, 0])
        slots = range(len(self.live))
        for place in range(1, logits.shape[1]):
            slots = [slot for slot in slots if self.live[slot].reads_on(inputs[slot][place])]
            if not slots:
                break
            self._accept([self.live[slot] for slot in slots], logits[slots, place])

    def _inputs(self) -> list[list[int]]:
        """What the next step reads of each row, as much of one as of another: its newest token, and a draft.

        Short drafts are filled up, and none goes beyond the end of any row.
        """
        room = min(row.max_tokens - len(row.tokens) - 1 for row in self.live)
        most = min(_GUESSES // len(self.live), _DRAFT[-1])
        drafted = room and self.several and self._slots is self._mixed and most in _DRAFT
        drafts = [draft([*row.prompt, *row.tokens], min(most, room)) if drafted else [] for row in self.live]
        width = max(map(len, drafts))
        return [[row.tokens[-1], *one, *[0] * (width - len(one))] for row, one in zip(self.live, drafts, strict=True)]

    def _accept(self, rows: list[Row], logits: torch.Tensor) -> None:
        """Choose the next token of each row and see whether it ends there."""
        tokens, logprobs = choose(logits, [row.sampler for row in rows])
        for row, token, logprob in zip(rows, tokens, logprobs, strict=True):
            row.tokens.append(token)
            if logprob is not None:
                row.logprob = (row.logprob or 0.0) + logprob
            if token in self.ends or (row.stop and self._stopped(row)):
                row.finish_reason = "stop"
            elif len(row.tokens) >= row.max_tokens:
                row.finish_reason = "length"

    def _stopped(self, row: Row) -> bool:
        # A token is at least one byte, so a stop string that ends here lies in these last tokens. Their text may
        # differ a little from the same place of the whole text, which has the last word.
        window = max(len(stop.encode()) for stop in row.stop) + 4
        tail = self.decode(row.tokens[-window:])
        if not any(stop in tail for stop in row.stop):
            return False
        text = tail if len(row.tokens) <= window else self.decode(row.tokens)
        return any(stop in text for stop in row.stop)

    # -- leaving ----------------------------------------------------------------------------------

    @torch.inference_mode()
    def _leave(self) -> list[Ended]:
        """Take out the rows that ended; the last rows close the gaps."""
        ended = [row for row in self.live if row.finish_reason is not None]
        if not ended:
            return []
        self._keep([(slot, row) for slot, row in enumerate(self.live) if row.finish_reason is not None])
        order = [slot for slot, row in enumerate(self.live) if row.finish_reason is None]
        count = len(order)
        moving = [slot for slot in order if slot >= count]
        staying = {slot for slot in order if slot < count}
        order = [slot if slot in staying else moving.pop() for slot in range(count)]
        live = [self.live[slot] for slot in order]
        self._slots.reorder(order, [row.length for row in live])
        self.live = live
        if self._recovering:
            self.max_rows = min(self._most_rows, self.max_rows + len(ended))
        return [(row, None) for row in ended]

    # -- running out of memory -------------------------------------------------------------------

    def _retreat(self, passes: list[Pass], error: Exception) -> list[Ended]:
        """A prefill ran out of memory: its rows wait again, and try with less beside them."""
        self._forget_all_but(self.live)
        self._wait_again(_rows(passes))
        if self.live:
            self._retry_rows = len(_rows(passes[:1]))
            return []
        return self._halve(len(_rows(passes)), error)

    def _shrink(self, error: Exception) -> list[Ended]:
        """Decoding ran out of memory: all rows start again, half of them at a time."""
        rows, self.live = self.live, []
        self._forget_all_but([])
        self._wait_again(rows)
        return self._halve(len(rows), error)

    def _halve(self, rows: int, error: Exception) -> list[Ended]:
        """Memory did not suffice for the first `rows` of the queue alone."""
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if self.max_rows == 1:  # so it was alone, in a cache of its own
            self._recovering = True
            return [(self.waiting.popleft(), error)]
        self._recovering = False
        self.max_rows = max(1, rows // 2)
        return []

    def _wait_again(self, rows: list[Row]) -> None:
        """Put them before all others, samples of a prompt side by side."""
        first: dict[tuple[int, ...], int] = {}
        for place, row in enumerate(rows):
            row.restart()
            first.setdefault(tuple(row.prompt), place)
        self.waiting.extendleft(sorted(rows, key=lambda row: first[tuple(row.prompt)])[::-1])

    def _forget_all_but(self, rows: list[Row]) -> None:
        """Whatever a forward pass had already put into the cache before it failed goes, unless it is of these rows."""
        self._kept.clear()
        if rows:
            self._slots.reorder(list(range(len(rows))), [row.length for row in rows])
        else:
            self._slots.clear()


def _fits(prompts: list[list[int]], count: int, spared: int) -> bool:
    """Whether `count` prompts, among them these, may be prefilled in one pass: by the tokens to compute, and by the
    memory of the cache. The others are no longer than these and share as much; `spared` tokens are known."""
    longest = max(map(len, prompts))
    compute = (longest - max(spared, shared_prefix(prompts))) * count
    return compute <= _PREFILL_TOKENS and longest * count <= _PREFILL_POSITIONS


def _rows(passes: list[Pass]) -> list[Row]:
    return [row for prompts in passes for rows in prompts for row in rows]


_MEMORY = re.compile(
    r"out of memory|(can't|cannot) allocate memory|not enough memory|STATUS_ALLOC_FAILED", re.IGNORECASE
)
"""What CPU, CUDA, ROCm, Apple and their libraries say in a plain `RuntimeError` when memory runs out."""


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or bool(_MEMORY.search(str(error)))
