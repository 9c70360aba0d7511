"""How fast the store of completions is: writes and look-ups of a real file on disk.

    python benchmarks/store.py [--rows 1000000] [--folder .] [--look-ups 20000]

Fills a new store, ten samples a prompt and 256 completions a commit, then looks up random ones with the store opened
anew: one by one, ten samples of a prompt at once, and ones that are not there. Prints a Markdown table.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from promptkit.backends.store import Store
from promptkit.types import Completion, Message, Request, Sampling

SAMPLES, COMMIT = 10, 256
IDENTITY = '{"backend": "hf", "model": "some-model", "dtype": "bfloat16", "mode": "chat"}'
TEXT = "The baker fills {} boxes with a dozen eggs each, so there are {} eggs in them. " * 6 + "The answer is {}."


def request(number: int) -> Request:
    """Sample `number % 10` of prompt `number // 10`."""
    prompt = f"A baker fills {number // SAMPLES} boxes with a dozen eggs each. " * 3 + "How many eggs are there?"
    message = Message(role="user", content=prompt)
    return Request(messages=(message,), sampling=Sampling(temperature=0.7, seed=0), sample=(number % SAMPLES,))


def completion(number: int, asked: Request) -> Completion:
    """About 500 characters, as a rationale has, and the prompt as the model saw it."""
    text = TEXT.format(*[number] * (TEXT.count("{}")))
    rendered = f"<|im_start|>user\n{asked.text}<|im_end|>\n<|im_start|>assistant\n"
    return Completion(text=text, prompt_tokens=60, completion_tokens=130, seconds=1.25, rendered=rendered)


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--look-ups", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=Path())
    args = parser.parse_args()
    drawn = random.Random(0)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "completions.sqlite"
        writing = 0.0
        with closing(Store(path)) as store:
            for start in range(0, args.rows, COMMIT):
                asked = [request(number) for number in range(start, min(start + COMMIT, args.rows))]
                for one in asked:
                    _ = one.key  # a run has made it already
                batch = [(one, completion(start + place, one)) for place, one in enumerate(asked)]
                writing += timed(lambda batch=batch: store.keep(IDENTITY, batch))
        size = path.stat().st_size
        singles = [request(drawn.randrange(args.rows)) for _ in range(args.look_ups)]
        firsts = [drawn.randrange(args.rows // SAMPLES) * SAMPLES for _ in range(args.look_ups // SAMPLES)]
        groups = [[request(first + sample) for sample in range(SAMPLES)] for first in firsts]
        missing = [request(args.rows + number) for number in range(args.look_ups)]
        print("| what | a second | |\n|---|---|---|")
        print(f"| completions written | {args.rows / writing:,.0f} | {COMMIT} a commit, each commit on disk |")
        with closing(Store(path)) as store:
            for what, sought, found in (
                ("look-ups, found", [[one] for one in singles], True),
                ("look-ups, not there", [[one] for one in missing], False),
                ("look-ups, ten samples at a time", groups, True),
            ):
                _ = [one.key for group in sought for one in group]
                answers: list[int] = []
                seconds = timed(lambda sought=sought, answers=answers: answers.extend(_found(store, sought)))
                count = sum(map(len, sought))
                assert sum(answers) == (count if found else 0)
                print(f"| {what} | {count / seconds:,.0f} | of {args.rows:,} rows |")
            seconds = timed(store.models)
            print(f"| `cache info` | {1 / seconds:.1f} | {seconds * 1000:.0f} ms |")
        print(f"\n{size / 1e6:,.0f} MB, {size / args.rows:.0f} bytes a completion")
        for every, shown in ((1, "alone"), (16, "16 together")):
            with closing(Store(Path(folder) / f"commits-{every}.sqlite")) as store:
                batches = [[(one, completion(0, one)) for one in singles[n : n + every]] for n in range(0, 640, every)]
                seconds = timed(lambda store=store, batches=batches: [store.keep(IDENTITY, b) for b in batches])
                print(f"{640 / seconds:,.0f} completions a second where each commit holds {every} ({shown})")


def _found(store: Store, sought: list[list[Request]]) -> list[int]:
    return [len(store.look_up(IDENTITY, group)) for group in sought]


if __name__ == "__main__":
    main()
