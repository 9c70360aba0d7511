"""An evaluation to be killed: `python killable.py` forks one for each line on its standard input.

A line is a folder to work in. It holds a named pipe `told`, to which a dot is written for every call. Standard output
says which process it is, and later how it ended. Forking saves the seconds that imports take; what is killed is a
process of its own all the same.
"""

import json
import os
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from promptkit import CachedBackend, CoT, SelfConsistency, ZeroShot, compare, evaluate
from promptkit.backends.base import Answer, Backend
from promptkit.evaluation import Benchmark
from promptkit.evaluation.presentation.verdict import verdict
from promptkit.types import Completion, Example, Question, Request

QUESTIONS = 200
STRATEGIES = {"cot": CoT(), "self-consistency": SelfConsistency(ZeroShot(), 2)}
BENCHMARK = Benchmark(
    name="sums",
    kind="number",
    examples=tuple(
        Example(question=Question(text=f"What is {number} + {number}?", id=str(number)), gold=str(2 * number))
        for number in range(QUESTIONS)
    ),
    source="made in the test",
    sha256="",
    licence="",
    citation="",
)


class Logged(Backend):
    """Texts decided by the request alone, right in about half of the cases; every call that it serves goes to a log.

    The log is opened for appending and each batch is on disk before it is answered, as a server would have counted it.
    """

    name = "logged"
    batch_size = 16

    def __init__(self, log: Path, told: int) -> None:
        self.log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.told = told

    def identity(self) -> dict[str, Any]:
        return {"backend": self.name}

    def generate(self, requests: Sequence[Request]) -> Sequence[Answer]:
        os.write(self.log, "".join(f"{request.model_dump_json()}\n" for request in requests).encode())
        os.fsync(self.log)
        os.write(self.told, b"." * len(requests))
        return [answer(request) for request in requests]


def answer(request: Request) -> Completion:
    """The completion that this backend always gives."""
    drawn = sha256(request.key.encode()).digest()[0]
    number = int(request.text.partition(" + ")[0].rpartition(" ")[2])
    text = f"So the answer is {2 * number + (drawn % 2)}."
    return Completion(text=text, prompt_tokens=9, completion_tokens=7, rendered=f"<s>{request.text}", seconds=0.001)


def run(folder: Path, told: int) -> None:
    """The evaluation, as the command line makes it: a store, run folders, and what is said at the end."""
    backend = CachedBackend(Logged(folder / "calls.log", told), folder / "store" / "completions.sqlite")
    runs = evaluate(STRATEGIES, BENCHMARK, backend, seed=7, run_dir=folder / "run")
    result = {"runs": [one.summary() for one in runs], "verdict": verdict(runs), "pair": compare(*runs[:2]).summary()}
    (folder / "result.json").write_text(json.dumps(result))
    backend.close()


def main() -> None:
    for line in sys.stdin:
        folder = Path(line.strip())
        child = os.fork()
        if child == 0:
            try:
                run(folder, os.open(folder / "told", os.O_WRONLY))
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
