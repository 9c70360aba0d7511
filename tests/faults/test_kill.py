"""`kill -9` at any moment of an evaluation: the same command goes on, repeats nothing and gives the same result."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from promptkit.backends.store import Store
from promptkit.evaluation.runs import Sample
from promptkit.types import Request
from tests.faults import killable
from tests.isolation import ROOT

CALLS = killable.QUESTIONS * (2 + 2)
IDENTITY = json.dumps({"backend": "logged"})
_random = random.Random(5)
MOMENTS = [(0, 0.0), *((_random.randrange(CALLS), _random.uniform(0, 0.02)) for _ in range(19))]
"""Calls to wait for, and seconds after them."""
TIMES = {
    "seconds",
    "started",
    "finished",
    "cached",
    "cached_calls",
    "cached_completion_tokens",
    "cached_prompt_tokens",
    "paid",
}
"""What may differ: the clock, and how much came from the store."""


@dataclass
class Driver:
    """Starts evaluations in folders; see `killable`."""

    process: "subprocess.Popen[str]"

    def start(self, folder: Path) -> tuple[int, int]:
        """A new evaluation: its process, and the pipe that tells of its calls."""
        assert self.process.stdin and self.process.stdout
        (folder / "told").unlink(missing_ok=True)
        os.mkfifo(folder / "told")
        self.process.stdin.write(f"{folder}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()), os.open(folder / "told", os.O_RDONLY)

    def finish(self, told: int) -> int:
        """Wait until the evaluation has ended; its exit code."""
        assert self.process.stdout
        while os.read(told, 65536):
            pass
        os.close(told)
        return int(self.process.stdout.readline())


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, killable.__file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    ) as process:
        yield Driver(process)
        assert process.stdin
        process.stdin.close()


@pytest.fixture(scope="module")
def undisturbed(driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    _, told = driver.start(folder)
    assert driver.finish(told) == 0
    assert len(calls(folder)) == CALLS
    return folder


def calls(folder: Path) -> list[str]:
    """What the backend has served, in order: a request a line."""
    log = folder / "calls.log"
    return log.read_text().splitlines() if log.exists() else []


def stored(folder: Path) -> set[str]:
    """The calls of the log whose completions are in the store, which is looked at in a copy."""
    if not (folder / "store").exists():
        return set()
    copy = folder / "store-then"
    shutil.copytree(folder / "store", copy)
    requests = {line: Request.model_validate_json(line) for line in calls(folder)}
    with closing(Store(copy / "completions.sqlite")) as store:
        found = store.look_up(IDENTITY, requests.values())
    return {line for line, request in requests.items() if request.key in found}


def counted(folder: Path) -> set[str]:
    """The calls of the questions that the run folders hold as finished, as in the log."""
    lines = [line for file in folder.glob("run/*/samples.jsonl") for line in file.read_text().split("\n")[:-1]]
    requests = [call.request for line in lines for call in Sample.model_validate_json(line).calls]
    return {request.model_dump_json() for request in requests}


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def told_of(folder: Path) -> dict[str, bytes]:
    """All that a run leaves behind, byte for byte but for its times."""
    found: dict[str, bytes] = {}
    for path in [folder / "result.json", *sorted(folder.glob("run/*/*"))]:
        lines = [path.read_text()] if path.suffix == ".json" else path.read_text().splitlines()
        name = str(path.relative_to(folder))
        found[name] = "\n".join(json.dumps(without_times(json.loads(line))) for line in lines).encode()
        found[name] = found[name].replace(str(folder).encode(), b"FOLDER")
    return found


@pytest.mark.parametrize(("after", "pause"), MOMENTS)
def test_a_killed_run_goes_on_where_it_was(
    driver: Driver, undisturbed: Path, tmp_path: Path, after: int, pause: float
) -> None:
    process, told = driver.start(tmp_path)
    seen = 0
    while seen < after and (dots := os.read(told, after - seen)):
        seen += len(dots)
    time.sleep(pause)
    os.kill(process, signal.SIGKILL)
    assert driver.finish(told) in (-signal.SIGKILL, 0)  # it may have come to its end before

    before = calls(tmp_path)
    kept = stored(tmp_path)
    assert len(before) - len(kept) <= killable.Logged.batch_size, "more was lost than what was just being written"
    assert counted(tmp_path) <= kept, "a question counted as finished whose completions were not on disk"

    _, told = driver.start(tmp_path)
    assert driver.finish(told) == 0
    again = calls(tmp_path)[len(before) :]
    assert not kept.intersection(again), "a call was repeated that had been stored"
    assert kept.union(again) == set(calls(undisturbed)), "a call was lost"
    assert len(again) == CALLS - len(kept)
    assert told_of(tmp_path) == told_of(undisturbed)
