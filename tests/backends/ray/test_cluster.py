"""Runs on a real Ray cluster of several node processes on this machine, some of which are killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from promptkit.backends.ray import RayBackend
from promptkit.errors import ConfigError
from tests.backends.ray import answering
from tests.command_line import CommandLine
from tests.isolation import ROOT

# Else Ray takes 127.0.0.1 for the machine's address in the network, at which nothing of this cluster listens.
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
pytest.importorskip("ray", reason="the package ray is not installed: nothing is run on a cluster here")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")

LOOPBACK: dict[str, Any] = {"node_ip_address": "127.0.0.1", "object_store_memory": 100 * 2**20}
TIMES = {"started", "finished", "seconds"}
FREE = {"cached", "cached_calls", "cached_completion_tokens", "cached_prompt_tokens", "paid"}
"""What says how much came from the store."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without CPUs, and two nodes of one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(ROOT))
        from ray.cluster_utils import Cluster

        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **LOOPBACK})
        for _ in range(2):
            made.add_node(num_cpus=1, **LOOPBACK)
        yield made
        made.shutdown()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same evaluation without Ray."""
    folder = tmp_path_factory.mktemp("alone")
    answering.evaluated(answering.Answering(folder / "calls.log", 0), folder)
    return folder


def all_loaded(backend: RayBackend) -> RayBackend:
    """The backend once each of its workers has work to lose; a machine that is busy places them one after the other."""
    while not all(member.loaded for member in backend._crew):
        backend._listen()
    return backend


def without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: without(item, names) for key, item in value.items() if key not in names}
    return [without(item, names) for item in value] if isinstance(value, list) else value


def written(folder: Path, names: set[str]) -> dict[str, list[Any]]:
    """All that the run folders hold, but for some entries."""
    found: dict[str, list[Any]] = {}
    for path in sorted((folder / "run").glob("*/*")):
        lines = [path.read_text()] if path.suffix == ".json" else path.read_text().splitlines()
        found[str(path.relative_to(folder))] = [without(json.loads(line), names) for line in lines]
    return found


def test_the_run_folder_equals_that_of_a_run_on_one_machine(cluster: Any, alone: Path, tmp_path: Path) -> None:
    backend = answering.on_ray(cluster.address, tmp_path)
    assert len(backend._crew) == 2
    answering.evaluated(backend, tmp_path)
    assert written(tmp_path, TIMES) == written(alone, TIMES)
    assert sorted(answering.calls(tmp_path)) == sorted(answering.calls(alone))


def test_a_node_that_is_killed_in_mid_run_costs_no_question(cluster: Any, alone: Path, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=1, **LOOPBACK)
    backend = all_loaded(answering.on_ray(cluster.address, tmp_path))
    assert len(backend._crew) == 3
    killed: list[int] = []

    def kill(progress: Any) -> None:
        if progress.done > 20 and not killed:
            killed.append(progress.done)
            cluster.remove_node(node, allow_graceful=False)

    with pytest.warns(UserWarning, match="a Ray worker died and is replaced"):
        runs = answering.evaluated(backend, tmp_path, on_progress=kill)
    assert killed
    assert [(run.missing, run.count("failed")) for run in runs] == [(0, 0), (0, 0)]
    assert written(tmp_path, TIMES) == written(alone, TIMES)
    asked = Counter(answering.calls(tmp_path))
    assert asked.keys() == set(answering.calls(alone))
    assert asked.total() - answering.CALLS <= 2, "more was asked again than the worker held"


def test_a_worker_process_that_is_killed_is_replaced(cluster: Any, alone: Path, tmp_path: Path) -> None:
    backend = all_loaded(answering.on_ray(cluster.address, tmp_path, workers=2))  # a node just killed may be counted
    killed: list[Any] = []

    def kill(progress: Any) -> None:
        if progress.done > 20 and not killed:
            killed.append(backend._crew[0].actor)
            backend._cluster.dismiss(killed[0])

    with pytest.warns(UserWarning, match="a Ray worker died and is replaced"):
        answering.evaluated(backend, tmp_path, on_progress=kill)
    assert written(tmp_path, TIMES) == written(alone, TIMES)


def test_a_driver_that_is_killed_goes_on_from_the_store(cluster: Any, alone: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.backends.ray.answering", cluster.address, str(tmp_path)]
    driver = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 120
    while len(answering.calls(tmp_path)) < answering.CALLS // 2:
        assert time.monotonic() < deadline and driver.poll() is None
        time.sleep(0.01)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    before = len(answering.calls(tmp_path))
    assert before < answering.CALLS
    answering.evaluated(answering.on_ray(cluster.address, tmp_path), tmp_path)  # its workers' CPUs are free again
    assert written(tmp_path, TIMES | FREE) == written(alone, TIMES | FREE)
    again = len(answering.calls(tmp_path)) - answering.CALLS
    assert again <= 2 * 2, "more was asked again than what two workers held"


def test_errors_are_one_line(cluster: Any) -> None:
    with pytest.raises(ConfigError, match=r"^no node of the Ray cluster has 64 CPU for a worker: nodes have 0 CPU"):
        RayBackend(answering.Answering, cluster.address, cpus=64)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"has 1 CPU and 1 GPU for a worker: .* \(lower --ray-cpus or --ray-gpus\)$"):
        RayBackend(answering.Answering, cluster.address, gpus=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        (
            "127.0.0.1:1",
            "no Ray cluster answers at 127.0.0.1:1: Connection refused (look at `ray status` on its head node)",
        ),
        ("somewhere", "'somewhere' is no address of a Ray cluster (say auto, local or host:port)"),
        ("127.0.0.1:99999", "no Ray cluster answers at 127.0.0.1:99999"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(
    address: str, problem: str, tmp_path: Path, tiny_model: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = CommandLine(capsys, monkeypatch, tmp_path)("eval", "--backend", f"hf:{tiny_model}", "--ray", address)
    assert said.code == 2
    assert said.err.startswith(f"error: {problem}")
    assert len(said.err.splitlines()) == 1


def test_the_command_line_gives_the_same_run(
    cluster: Any, tmp_path: Path, tiny_model: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    promptkit = CommandLine(capsys, monkeypatch, tmp_path)
    command = ["eval", "--strategy", "zero-shot:max_tokens=8", "--strategy", "self-consistency:n=2", "--limit", "2"]
    command += ["--backend", f"hf:{tiny_model}", "--dtype", "float32", "--no-cache"]
    spread = promptkit(*command, "--ray", cluster.address, "--ray-workers", "1", "--run-dir", "spread/run")
    assert spread.code == 0, spread.err
    assert promptkit(*command, "--run-dir", "here/run").code == 0
    found = [written(tmp_path / name, TIMES | {"logprob"}) for name in ("spread", "here")]
    assert found[0] == found[1]
