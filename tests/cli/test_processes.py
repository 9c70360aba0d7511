"""The command line in a process of its own: the entry point, pipes, terminals of other letters, what is loaded."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import promptkit as package
from tests.isolation import ROOT


def started(*args: str, folder: Path, **options: Any) -> subprocess.Popen[str]:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "PROMPTKIT_CACHE": str(folder / "cache"),
    }
    command = [sys.executable, "-c", "from promptkit.cli import main; main()", *args]
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, stdout=-1, stderr=-1, **options)


def test_the_entry_point(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("promptkit")
    if not script.is_file():
        pytest.skip("promptkit is not installed as a command here")
    done = subprocess.run([script, "--version"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{package.__version__}\n"


def test_python_runs_it_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "promptkit"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    said = [
        subprocess.run([*command, option], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        for option in ("--version", "--nonsense")
    ]
    assert [one.returncode for one in said] == [0, 2]
    assert said[0].stdout == f"{package.__version__}\n"


@pytest.mark.parametrize("command", ["benchmarks", "templates list", "templates show cot/zero-shot", "eval --help"])
def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, command: str) -> None:
    with started(*command.split(), folder=tmp_path) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()  # like `| head -0`
        complaints = process.stderr.read()
    assert process.returncode == 0
    assert "Traceback" not in complaints
    assert "Broken" not in complaints


def test_a_terminal_that_cannot_show_a_letter_gets_a_question_mark(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-c", "from promptkit.cli import main; main()"]
    command += ["templates", "render", "zero-shot/plain", "--var", "question=A→B?"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert "A?B?" in done.stdout


@pytest.mark.parametrize("option", ["--version", "strategies"])
def test_quick_commands_load_no_model_library(tmp_path: Path, option: str) -> None:
    code = "import sys; from promptkit.cli import main\n"
    code += "try: main()\nexcept SystemExit: print('torch' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, option],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False"
