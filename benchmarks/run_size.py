"""What a whole evaluation takes of the driver: processor time, memory and disk, and what that means for a million.

    python benchmarks/run_size.py [--questions 500] [--samples 40]

`evaluate` of `SelfConsistency(ZeroShot())`, or of `ZeroShot()` for one sample, with store and run folder, against a
backend that answers at once, 64 requests at a time, with texts of 500 characters that differ. Prints a table: a call,
and a million questions; and the memory after a tenth, half and all of the questions.
"""

import argparse
import gc
import random
import string
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from promptkit import Benchmark, CachedBackend, SelfConsistency, ZeroShot, evaluate
from promptkit.backends.base import Answer, Backend
from promptkit.evaluation import Progress
from promptkit.types import Completion, Example, Question, Request

MILLION = 1_000_000


class Instant(Backend):
    """Answers at once; what that takes is on a clock of its own."""

    name = "instant"
    batch_size = 64

    def __init__(self) -> None:
        self.seconds = 0.0

    def identity(self) -> dict[str, Any]:
        """What the store needs."""
        return {"backend": self.name}

    def generate(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """Texts that no two requests share."""
        started = time.process_time()
        answers = [self._complete(random.Random(request.key)) for request in requests]
        self.seconds += time.process_time() - started
        return answers

    def _complete(self, drawing: random.Random) -> Completion:
        words = "".join(drawing.choices(string.ascii_lowercase + "    ", k=480))
        text = f"{words} The answer is {drawing.randrange(5)}."
        return Completion(text=text, prompt_tokens=60, completion_tokens=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--samples", type=int, default=40)
    args = parser.parse_args()
    asked = (f"{n}: A baker fills boxes with a dozen eggs each. Three break. How many?" for n in range(args.questions))
    examples = tuple(Example(question=Question(text=text, id=text[:8]), gold="1") for text in asked)
    benchmark = Benchmark("boxes", "number", examples, "made here", "", "", "")
    process, calls = psutil.Process(), args.questions * args.samples
    strategy = SelfConsistency(ZeroShot(), args.samples) if args.samples > 1 else ZeroShot()
    grown: dict[int, int] = dict.fromkeys((args.questions // 10, args.questions // 2, args.questions), 0)

    def look(progress: Progress) -> None:
        if grown.get(progress.done) == 0:
            grown[progress.done] = process.memory_info().rss - memory

    with tempfile.TemporaryDirectory() as folder:
        inner = Instant()
        backend = CachedBackend(inner, Path(folder) / "store.sqlite")
        gc.collect()
        memory, spent, started = process.memory_info().rss, time.process_time(), time.perf_counter()
        runs = evaluate(strategy, benchmark, backend, run_dir=Path(folder) / "run", on_progress=look)
        seconds = time.process_time() - spent - inner.seconds
        clock = time.perf_counter() - started - inner.seconds
        held = process.memory_info().rss - memory
        backend.close()
        assert runs[0].n == args.questions
        store = sum(path.stat().st_size for path in Path(folder).glob("store.sqlite*"))
        written = sum(path.stat().st_size for path in Path(folder).glob("run/*/samples.jsonl"))
    print(f"| {args.questions} questions × {args.samples} samples | a call | × a million questions |\n|---|---|---|")
    whole = MILLION * args.samples / calls
    for name, seconds_of in (("driver, processor time", seconds), ("driver, on the clock", clock)):
        print(f"| {name} | {1e6 * seconds_of / calls:.0f} µs | {seconds_of * whole / 3600:.1f} h |")
    for name, size in (("memory", held), ("store", store), ("samples.jsonl", written)):
        print(f"| {name} | {size / calls:.0f} bytes | {size * whole / 1e9:.0f} GB |")
    print("\n" + ", ".join(f"{size / 1e6:,.0f} MB after {done:,} questions" for done, size in grown.items()))


if __name__ == "__main__":
    main()
