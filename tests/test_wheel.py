"""The wheel holds all that it needs and works outside the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.isolation import ROOT

pytest.importorskip("hatchling", reason="building the wheel needs hatchling (the extra `dev`)")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("promptkit-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as pip installs it."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel]
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CONFIG_FILE": os.devnull}
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=environment)
    return folder


def python(installed: Path, folder: Path, *args: str) -> str:
    """Run Python in `folder` with the installed package before all else; what it prints."""
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *args], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def command(installed: Path, folder: Path, *args: str) -> str:
    """What `promptkit …` prints."""
    return python(installed, folder, "-c", "from promptkit.cli import main; main()", *args)


def test_contents(wheel: Path) -> None:
    """Every module and data file, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        there = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = next(archive.read(name).decode() for name in archive.namelist() if name.endswith("/METADATA"))
        entry = next(archive.read(name).decode() for name in archive.namelist() if name.endswith("/entry_points.txt"))
        assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())
    code = {f"promptkit/{path.relative_to(ROOT / 'promptkit')}" for path in (ROOT / "promptkit").rglob("*.py")}
    data = {
        f"promptkit/_data/{path.relative_to(ROOT)}"
        for folder in ("templates", "evals")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    page = {f"promptkit/report/{name}" for name in ("page.html.j2", "report.css", "report.js")}
    assert there == code | data | page | {"promptkit/py.typed"}
    assert "promptkit = promptkit.cli:main" in entry
    assert "License-Expression: Apache-2.0" in metadata


def test_it_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    said = python(
        installed, tmp_path, "-c", "import promptkit, promptkit.paths as p; print(p.__file__, p.packaged('evals'))"
    )
    module, data = map(Path, said.split())
    assert module.is_relative_to(installed)
    assert data.is_relative_to(installed)
    assert not module.is_relative_to(ROOT)


def test_commands(installed: Path, tmp_path: Path) -> None:
    assert "zero-shot-cot" in command(installed, tmp_path, "strategies")
    listed = command(installed, tmp_path, "templates", "list")
    assert "cot/zero-shot" in listed
    assert str(ROOT) not in listed
    rendered = command(installed, tmp_path, "templates", "render", "zero-shot/plain", "--var", "question=1+1?")
    assert "Q: 1+1?" in rendered
    assert "multiarith-style" in command(installed, tmp_path, "benchmarks")


_EVALUATE = """
import json
from promptkit import CoT, FakeBackend, evaluate
runs = evaluate(
    ["direct", "zero-shot-cot", "manual-cot"], ["multiarith-style", "gsm8k-style"], FakeBackend("The answer is 3."),
    limit=3, run_dir="runs",
)
print(json.dumps([run.summary() for run in runs]))
"""


def test_an_evaluation(installed: Path, tmp_path: Path) -> None:
    import json

    summaries = json.loads(python(installed, tmp_path, "-c", _EVALUATE))
    assert [summary["n"] for summary in summaries] == [3] * 6
    assert len(list((tmp_path / "runs").iterdir())) == 6
    report = command(installed, tmp_path, "report", summaries[0]["run_dir"], summaries[1]["run_dir"])
    assert "Which strategy pays off" in (tmp_path / report.strip()).read_text(encoding="utf-8")
    compared = command(installed, tmp_path, "compare", summaries[0]["run_dir"], summaries[1]["run_dir"], "--json")
    assert json.loads(compared)["n"] == 3
