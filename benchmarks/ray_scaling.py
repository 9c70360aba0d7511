"""What a Ray cluster adds: 2 and 4 local workers on a fake backend that takes 50 ms a call, and one that is killed.

    python benchmarks/ray_scaling.py [--questions 400] [--rounds 1]

Prints a Markdown table. Each row is an `evaluate` with store and run folder, timed from the first request to the last
answer that is scored and written. "beyond the call" is what a worker's time a question exceeds 50 ms by; "driver" is
processor time of this process a question in that time: rendering, scheduling, Ray, store and run folder. What comes
once a run, before the first request and after the last answer (templates, manifest, summary), stands in a column of its
own; starting Ray and its workers is not measured.
"""

import argparse
import os
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from promptkit import Benchmark, CachedBackend, FakeBackend, RayBackend, ZeroShot, evaluate
from promptkit.backends.base import Answer, Take
from promptkit.evaluation import Progress
from promptkit.types import Completion, Example, Question, Request

CALL = 0.05
TEXT = "The baker fills the boxes one by one, and what is left at the end she gives away. " * 4


class Sleeping(FakeBackend):
    """Sleeps, then answers; says in a file which process it is."""

    def __init__(self, folder: str) -> None:
        super().__init__(lambda _: Completion(text=f"{TEXT}The answer is 1.", prompt_tokens=60, completion_tokens=70))
        (Path(folder) / f"{os.getpid()}.pid").touch()

    def generate(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """One request, as `batch_size` is 1."""
        time.sleep(CALL)
        return super().generate(requests)


class Clocked(CachedBackend):
    """Knows when it was first asked for anything."""

    begun: tuple[float, float] | None = None
    """On the clock, and in processor time of this process."""

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        """As `CachedBackend` does."""
        self.begun = self.begun or (time.perf_counter(), time.process_time())
        return super().serve(take)


@dataclass(frozen=True)
class Measured:
    """One run: seconds from the first request to the last answer, of processor time in them, and before and after."""

    seconds: float
    driver: float
    around: float
    missed: int


def measure(workers: int, questions: int, *, kill: bool = False) -> Measured:
    """Evaluate once; `kill` ends a worker's process when a third is through."""
    examples = (Example(question=Question(text=f"{n}: {TEXT}", id=str(n)), gold="1") for n in range(questions))
    benchmark = Benchmark("boxes", "number", tuple(examples), "made here", "", "", "")
    with tempfile.TemporaryDirectory() as folder:
        spread = RayBackend(partial(Sleeping, folder), "local", workers=workers, cpus=0.25)
        while sum(member.loaded for member in spread._crew) < workers:
            spread._listen()
        backend = Clocked(spread, Path(folder) / "store.sqlite")
        ended = 0.0, 0.0
        killed = False

        def watch(progress: Progress) -> None:
            nonlocal ended, killed
            ended = time.perf_counter(), time.process_time()
            if kill and not killed and progress.done * 3 > questions:
                killed = True
                os.kill(int(next(Path(folder).glob("*.pid")).stem), signal.SIGKILL)

        started = time.perf_counter()
        (run,) = evaluate(ZeroShot(), benchmark, backend, run_dir=Path(folder) / "run", on_progress=watch)
        whole = time.perf_counter() - started
        assert backend.begun is not None
        seconds, driver = ended[0] - backend.begun[0], ended[1] - backend.begun[1]
        backend.close()
        return Measured(seconds, driver, whole - seconds, questions - run.count("correct"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    columns = ["workers", "questions a second", "beyond the call, ms", "driver, ms", "once a run, ms", "questions lost"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for _ in range(args.rounds):
        rates: list[float] = []
        for workers, kill in ((2, False), (4, False), (4, True)):
            found = measure(workers, args.questions, kill=kill)
            rates.append(args.questions / found.seconds)
            beyond = f"{1000 * (found.seconds * workers / args.questions - CALL):.2f}"
            driver = f"{1000 * found.driver / args.questions:.2f}"
            name = f"{workers}, one killed" if kill else f"{workers}"
            once = f"{1000 * found.around:.0f}"
            row = [name, f"{rates[-1]:.1f}", "" if kill else beyond, driver, once, str(found.missed)]
            print(f"| {' | '.join(row)} |", flush=True)
        print(f"\n4 workers against 2: {rates[1] / rates[0]:.2f}×\n")


if __name__ == "__main__":
    main()
