"""A backend for Ray's workers whose texts the request alone decides, and an evaluation on it that can be killed.

python -m tests.backends.ray.answering ADDRESS FOLDER
"""

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from promptkit import CachedBackend, FakeBackend, RayBackend, Run, evaluate
from promptkit.types import Completion, Request
from tests.faults import killable

BENCHMARK = killable.BENCHMARK.limited(60)
CALLS = 60 * (2 + 2)


class Answering(FakeBackend):
    """Answers as `killable` does, a little slower; each call is on disk before it is answered."""

    def __init__(self, log: Path, seconds: float = 0.01) -> None:
        super().__init__(self._slowly)
        self.log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.seconds = seconds

    def identity(self) -> dict[str, Any]:
        return {"backend": "answering"}

    def _slowly(self, request: Request) -> Completion:
        os.write(self.log, f"{request.key}\n".encode())
        time.sleep(self.seconds)
        return killable.answer(request)


def calls(folder: Path) -> list[str]:
    """Keys of all requests that workers have answered or were about to."""
    log = folder / "calls.log"
    return log.read_text().splitlines() if log.exists() else []


def on_ray(address: str, folder: Path, **options: Any) -> RayBackend:
    return RayBackend(partial(Answering, folder / "calls.log"), address, cpus=1, **options)


def evaluated(backend: Any, folder: Path, **options: Any) -> list[Run]:
    """The evaluation, with its store and run folder below `folder`."""
    store = CachedBackend(backend, folder / "store.sqlite")
    try:
        return evaluate(killable.STRATEGIES, BENCHMARK, store, run_dir=folder / "run", **options)
    finally:
        store.close()


if __name__ == "__main__":
    where = Path(sys.argv[2])
    evaluated(on_ray(sys.argv[1], where), where)
