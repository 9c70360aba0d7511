"""Running a workload and seeing what it took."""

import gc
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import psutil
import torch

from benchmarks.generation.workloads import Workload
from promptkit.backends.base import Backend
from promptkit.backends.hf import HFBackend, backend, engine, forward, sampling
from promptkit.backends.hf.cache import RaggedCache
from promptkit.backends.hf.engine import RollingBatch
from promptkit.backends.hf.loading import give_memory_back
from promptkit.backends.hf.rows import Row
from promptkit.backends.hf.sampling import Sampler
from promptkit.scheduler import run_flows


@dataclass(frozen=True)
class Lap:
    """One run of a workload."""

    seconds: float
    tokens: int
    """Generated, without padding."""
    prompt_tokens: int
    reused: int
    """Of the prompt tokens, those that were not computed."""
    texts: list[str]
    peak: int
    """Bytes that the process took at most beyond what it had before; a child process is not in it."""

    @property
    def rate(self) -> float:
        """Tokens generated a second."""
        return self.tokens / self.seconds


def lap(rival: Backend, workload: Workload) -> Lap:
    """Run it once."""
    flows = workload.flows()
    gc.collect()
    give_memory_back()  # else this lap would take what an earlier one has freed, and seem to need none
    before = _reset_peak()
    start = time.perf_counter()
    outcomes = {outcome.index: outcome for outcome in run_flows(flows, rival, window=len(flows))}
    seconds = time.perf_counter() - start
    if failed := [outcome.error for outcome in outcomes.values() if outcome.error]:
        raise failed[0]
    said = [call.completion for place in sorted(outcomes) for call in outcomes[place].trace if call.completion]
    asked = [one for one in said if not one.cached]
    return Lap(
        seconds,
        sum(one.completion_tokens for one in asked),
        sum(one.prompt_tokens for one in asked),
        sum(one.reused_prompt_tokens for one in asked),
        [one.text for one in said],
        _peak() - before,
    )


def _reset_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return psutil.Process().memory_info().rss


def _peak() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


@dataclass
class Watched:
    """What a rolling batch did."""

    seconds: float = 0.0
    """In decode steps, choosing tokens included."""
    steps: int = 0
    rows: int = 0
    tokens: int = 0
    """As many as rows, and more where guesses were right."""
    positions: int = 0
    """Of the longest row, summed over the steps."""


@contextmanager
def watching(watched: Watched) -> Iterator[None]:
    """Add up what the rolling batches do that are made meanwhile."""

    class Batch(RollingBatch):
        def _step(self) -> None:
            watched.steps += 1
            watched.rows += len(self.live)
            watched.positions += max(row.length for row in self.live) + 1
            rows, before = self.live, sum(len(row.tokens) for row in self.live)
            start = time.perf_counter()
            super()._step()
            watched.seconds += time.perf_counter() - start
            watched.tokens += sum(len(row.tokens) for row in rows) - before

    with patch.object(backend, "RollingBatch", Batch):
        yield


@torch.inference_mode()
def bare_rate(of: HFBackend, rows: int, positions: int, steps: int = 12) -> float:
    """Tokens a second of nothing but forward passes of one token for so many rows, which hold so many positions."""
    prompt = [list(range(10, 10 + max(1, positions - steps)))]
    logits, filled, _ = forward.prefill(of.model, prompt)
    del logits
    cache = RaggedCache()
    layers = forward.computed(filled)
    cache.reserve(rows, positions + steps, layers, 0, rows * (positions + steps))
    for row in range(rows):
        cache.put(row, layers)
    laps: list[float] = []
    for step in range(steps):
        start = time.perf_counter()
        forward.decode(of.model, cache, [[11]] * rows, [[len(prompt[0]) + step]] * rows, [0] * rows)
        laps.append(time.perf_counter() - start)
    return rows / statistics.median(laps)


SWITCHES = (
    "everything",
    "cascade",
    "prefixes",
    "samples together",
    "rolling",
    "two-level argmax",
    "candidates before the softmax",
    "prompt lookup",
)
"""What can be switched off; the first is nothing."""


@contextmanager
def without(part: str) -> Iterator[None]:
    """The engine without one of its parts. Packed weights are a matter of loading: see `--plain-weights`."""
    with ExitStack() as stack:
        if part == "cascade":
            stack.enter_context(patch.object(forward, "_WORTH_HOLDING", 2**30))
        elif part == "prefixes":
            stack.enter_context(patch.object(forward, "_WORTH_SHARING", 2**30))
        elif part == "samples together":
            stack.enter_context(patch.object(Row, "same_prompt", lambda *_: False))
        elif part == "rolling":
            admit = RollingBatch._admit
            stack.enter_context(patch.object(RollingBatch, "_admit", lambda self: [] if self.live else admit(self)))
        elif part == "two-level argmax":
            stack.enter_context(patch.object(sampling, "_argmax", lambda logits: logits.argmax(-1)))
        elif part == "prompt lookup":
            stack.enter_context(patch.object(engine, "_GUESSES", 0))
        elif part == "candidates before the softmax":
            stack.enter_context(patch.object(sampling, "_sample", _multinomial))
        yield


def _multinomial(logits: torch.Tensor, samplers: list[Sampler]) -> list[tuple[int, float]]:
    temperatures = torch.tensor([sampler.temperature for sampler in samplers])[:, None]
    probabilities = (logits.float() / temperatures).softmax(-1)
    drawn = probabilities.multinomial(1)
    logprobs = probabilities.gather(-1, drawn).log()
    return list(zip(drawn[:, 0].tolist(), logprobs[:, 0].tolist(), strict=True))
