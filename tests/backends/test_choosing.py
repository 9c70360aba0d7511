"""Which backend runs: the embedded model where none was chosen, and what is said where packages are missing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from promptkit import FakeBackend, ZeroShot, backends
from promptkit.models.catalogue import DEFAULT
from tests.command_line import CommandLine


@pytest.fixture
def nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a new process."""
    for name in ("default", "_announce"):
        monkeypatch.setattr(backends, name, backends.cache(getattr(backends, name).__wrapped__))


@pytest.mark.usefixtures("nothing_said_yet")
def test_the_embedded_model_is_loaded_once_and_what_takes_time_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded: list[str] = []

    class Slow(FakeBackend):
        """Stands in for the local model, which takes long to come."""

        def __init__(self, model: str, *, progress: Callable[..., None]) -> None:
            super().__init__("The answer is 4.")
            loaded.append(model)
            for done in range(3):
                progress("downloading", done, 3)
            progress("converting")

    monkeypatch.setattr(backends, "hf_backend", lambda: Slow)
    assert [ZeroShot().run("What is 2 + 2?").answer for _ in range(2)] == ["4", "4"]
    assert loaded == ["default"]
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        f"promptkit: using the embedded model {DEFAULT}",
        "promptkit: downloading",
        "promptkit: converting",
    ]
    assert not said.out


def test_local_models_without_their_packages_are_an_error_with_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in [name for name in sys.modules if name.startswith("promptkit.backends.hf")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    said = CommandLine(capsys, monkeypatch, tmp_path)("run", "zero-shot", "Q?", "--backend", "hf:some/model")
    assert (said.code, said.err) == (2, 'error: local models need torch (pip install "promptkit[hf]")\n')


@pytest.mark.parametrize("spec", ["nobody:model", "hf:", "gpt-4o"])
def test_a_spec_of_no_backend_is_an_error_that_names_those_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, spec: str
) -> None:
    said = CommandLine(capsys, monkeypatch, tmp_path)("run", "zero-shot", "Q?", "--backend", spec)
    assert said.code == 2
    assert said.err.startswith(f"error: unknown backend '{spec}' (use `default`, `hf:<hub id or folder>`")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("spec", ["smollm2-135m", "Qwen/Qwen2.5-0.5B-Instruct", "./models/mine"])
def test_the_name_of_a_local_model_alone_is_an_error_that_says_how_to_name_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, spec: str
) -> None:
    said = CommandLine(capsys, monkeypatch, tmp_path)("run", "zero-shot", "Q?", "--backend", spec)
    assert (said.code, said.err) == (2, f"error: unknown backend '{spec}' (for a local model, say hf:{spec})\n")


def test_a_plan_imports_no_engine() -> None:
    pytest.importorskip("transformers", reason="local models need the extra `hf`")
    code = (
        "import sys\n"
        "from promptkit.backends import find_local, hf\n"
        "from promptkit.backends.hf import unloaded\n"
        "assert find_local('smollm2-135m') == 'smollm2-135m'\n"
        "assert 'promptkit.backends.hf.engine' not in sys.modules\n"
        "assert not hasattr(hf, 'NoBackend')\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
