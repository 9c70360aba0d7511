"""What promptkit itself costs a call: 10,000 questions × 10 samples against a backend that answers at once.

    python benchmarks/scheduler_overhead.py [--questions 10000] [--samples 10] [--only zero-shot|cot] [--profile]

Prints a Markdown table: calls, microseconds of processor time a call, and the memory of the process after 10, 50 and
100 % of the questions. The time is that of the one thread that does everything (rendering, scheduling, trace,
extraction, vote), without what the fake backend takes; on a machine that does nothing else it is the wall clock. Flows
are pulled lazily and outcomes dropped, as in a run that is written to disk as it goes. `--profile` prints where the
time goes instead; it is slower under the profiler.
"""

import argparse
import cProfile
import gc
import pstats
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from promptkit import CoT, SelfConsistency, Strategy, ZeroShot
from promptkit.backends.base import Answer, Backend, Take
from promptkit.flow import Flow
from promptkit.scheduler import run_flows
from promptkit.types import Completion, Question, Request, Result

BATCH = 128
RATIONALE = (
    "The baker fills {} boxes with a dozen eggs each, so there are {} × 12 = {} eggs in the boxes. Three of them break "
    "on the way to the market, and she puts one more egg into her pocket, which nobody counts.\n\nSo the answer is {}."
)


class Instant(Backend):
    """Answers at once, each sample with a text of its own."""

    name = "instant"
    batch_size = BATCH

    def __init__(self) -> None:
        self.calls = 0
        self.seconds = 0.0

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        """As the base does, with the time that the answers themselves take on a clock of its own."""
        while groups := take(BATCH):
            started = time.process_time()
            answers = [(request, self._complete(request)) for group in groups for request in group.requests]
            self.seconds += time.process_time() - started
            self.calls += len(answers)
            yield from answers

    def _complete(self, request: Request) -> Completion:
        if request.purpose == "answer" and request.parent:
            return Completion(text=" 36.", prompt_tokens=120, completion_tokens=4)
        number = sum(request.sample) % 7 + len(request.text) % 5
        text = RATIONALE.format(number, number, 12 * number, 12 * number)
        return Completion(text=text, prompt_tokens=60, completion_tokens=70)


@dataclass(frozen=True)
class Measured:
    """One row of the table."""

    calls: int
    microseconds: float
    megabytes: list[float]


def measure(strategy: Strategy, questions: int) -> Measured:
    """Run the strategy on made-up questions, each its own prompt."""
    process = psutil.Process()
    backend = Instant()

    def flows() -> Iterator[Flow[Result]]:
        for number in range(questions):
            text = f"A baker fills {number} boxes with a dozen eggs each. Three break. How many whole eggs are there?"
            yield strategy.steps(Question(text=text, id=str(number)))

    marks = {max(1, questions * share // 100) for share in (10, 50, 100)}
    megabytes: list[float] = []
    gc.collect()
    started = time.process_time()
    for done, outcome in enumerate(run_flows(flows(), backend, seed=0), start=1):
        assert outcome.error is None, outcome.error
        if done in marks:
            megabytes.append(process.memory_info().rss / 1e6)
    seconds = time.process_time() - started - backend.seconds
    return Measured(backend.calls, seconds / backend.calls * 1e6, megabytes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--only", choices=("zero-shot", "cot"))
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    inner = {"zero-shot": ZeroShot(), "cot": CoT()}
    chosen = {name: SelfConsistency(one, args.samples) for name, one in inner.items() if args.only in (None, name)}
    if args.profile:
        for strategy in chosen.values():
            profile = cProfile.Profile()
            profile.runcall(measure, strategy, args.questions)
            pstats.Stats(profile).sort_stats("tottime").print_stats(35)
        return
    print("| strategy | calls | µs a call | MB at 10 / 50 / 100 % |\n|---|---|---|---|")
    for name, strategy in chosen.items():
        found = measure(strategy, args.questions)
        memory = " / ".join(f"{part:.0f}" for part in found.megabytes)
        print(f"| {name} × {args.samples} | {found.calls:,} | {found.microseconds:.0f} | {memory} |", flush=True)


if __name__ == "__main__":
    main()
