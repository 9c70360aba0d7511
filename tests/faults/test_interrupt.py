"""Ctrl-C, sent for real to the real command line: once, twice, and what the same command does then."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from promptkit.errors import ConfigError
from promptkit.evaluation import load_run
from tests.isolation import ROOT

ARGS = ["eval", "--strategy", "zero-shot", "--strategy", "self-consistency:n=8", "--limit", "4"]
ARGS += ["--dtype", "float32", "--batch-size", "8"]


def started(folder: Path, model: Path, cache: str, run_dir: str) -> subprocess.Popen[str]:
    """The command, on a model that writes 300 tokens of nonsense an answer."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PROMPTKIT_CACHE": str(folder / cache)}
    code = "from promptkit.cli import main; main()"
    command = [sys.executable, "-c", code, *ARGS, "--backend", f"hf:{model}", "--run-dir", run_dir]
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, stdout=-1, stderr=-1)


def stored(folder: Path, cache: str) -> dict[str, str]:
    """What the store holds, by key; nothing where there is none yet."""
    path = folder / cache / "completions.sqlite"
    if not path.exists():
        return {}
    with sqlite3.connect(path) as store:
        try:
            return dict(store.execute("SELECT key, completion FROM completions"))
        except sqlite3.OperationalError:
            return {}


def interrupted_in_the_middle(process: subprocess.Popen[str], folder: Path, cache: str) -> None:
    """Send the signal when some completions are stored."""
    deadline = time.monotonic() + 120
    while not stored(folder, cache):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)


def answers(folder: Path) -> list[tuple[str, str, str, list[str]]]:
    """Of each question what became of it, what was read, and all that the model said; the second stages of samples are
    asked in the order in which the first ones end, so the texts are sorted."""
    found: list[tuple[str, str, str, list[str]]] = []
    for sample in load_run(folder).samples:
        said = sorted(call.completion.text for call in sample.calls if call.completion)
        found.append((sample.id, sample.status, str(sample.answer), said))
    return found


def test_once_finishes_what_is_in_flight_and_the_same_command_goes_on(tmp_path: Path, tiny_model: Path) -> None:
    process = started(tmp_path, tiny_model, "cache", "r")
    interrupted_in_the_middle(process, tmp_path, "cache")
    out, err = process.communicate(timeout=240)
    lines = err.splitlines()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "stopping: finishing what is in flight; press Ctrl-C again to stop now" in lines
    assert lines[-1] == "interrupted: the same command goes on from here"
    assert lines[-2].startswith("stopped: it was interrupted; spent now: ")
    assert "Stopped, as it was interrupted: " in out
    kept = stored(tmp_path, "cache")
    # All that was handed out was finished, and nothing more was begun.
    spent = int(lines[-2].split("spent now: ")[1].split(" calls")[0])
    assert len(kept) == spent >= 8
    manifest = json.loads((tmp_path / "r/self-consistency-n=8/manifest.json").read_text())
    assert manifest["status"] == "stopped"
    assert manifest["result"]["stopped"] == "it was interrupted"
    assert manifest["result"]["missing"] > 0
    assert manifest["result"]["accuracy"] is None
    with pytest.raises(ConfigError, match="run the same eval command again"):
        load_run(tmp_path / "r/self-consistency-n=8")

    for cache, run_dir in (("cache", "r"), ("undisturbed", "u")):
        again = started(tmp_path, tiny_model, cache, run_dir)
        _, err = again.communicate(timeout=400)
        assert again.returncode == 0, err
    whole = stored(tmp_path, "cache")
    assert {key: whole[key] for key in kept} == kept  # repeated none of them
    for strategy in ("zero-shot", "self-consistency-n=8"):
        assert answers(tmp_path / "r" / strategy) == answers(tmp_path / "u" / strategy)
        assert load_run(tmp_path / "r" / strategy).n == 4


def test_twice_stops_at_once(tmp_path: Path, tiny_model: Path) -> None:
    process = started(tmp_path, tiny_model, "cache", "r")
    interrupted_in_the_middle(process, tmp_path, "cache")
    assert process.stderr
    for line in process.stderr:
        if line.startswith("stopping: "):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted: the same command goes on from here"
    assert "Traceback" not in err
    assert json.loads((tmp_path / "r/zero-shot/manifest.json").read_text())["status"] == "running"
    for samples in tmp_path.glob("r/*/samples.jsonl"):
        assert all(json.loads(line) for line in samples.read_text().splitlines())
    assert stored(tmp_path, "cache")
