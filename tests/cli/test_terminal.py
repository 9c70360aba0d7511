"""The terminal: what Tab offers, in a real Bash too, and when there are colours."""

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from promptkit.cli import completing
from promptkit.strategies import PRESETS
from tests.isolation import ROOT

MAIN = "import sys; sys.argv[0] = 'promptkit'; from promptkit.cli import main; main()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with a command `promptkit` beside it, and a model, a strategy, a rubric and data in it."""
    command = tmp_path / "bin" / "promptkit"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{MAIN}" "$@"\n')
    command.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    (work / "mine.yaml").write_text("strategy: cot\n")
    (work / "rules.yaml").write_text("name: r\ncriteria: []\n")
    (work / "sums.jsonl").write_text("{}\n")
    (work / "model").mkdir()
    (work / "model/config.json").write_text("{}")
    return work


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    own = {
        "PATH": f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PROMPTKIT_CACHE": str(folder.parent / "cache"),
        "HF_HOME": str(folder.parent / "hf"),
        "TERM": "xterm-256color",
    }
    return kept | own | more


def offers(folder: Path, line: str) -> list[str]:
    """What a real Bash offers behind this line, with the script that `--show-completion` gives."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    # As readline does: words are cut at COMP_WORDBREAKS, which holds ":" and "=".
    script = r"""
source <(_PROMPTKIT_COMPLETE=source_bash promptkit)
line="$1"
words=()
while [[ $line =~ ^([[:space:]]*)([^[:space:]:=]+|[:=]+)(.*)$ ]]; do
  words+=("${BASH_REMATCH[2]}"); line="${BASH_REMATCH[3]}"
done
[[ "$1" == *[[:space:]] ]] && words+=("")
COMP_WORDS=("${words[@]}") COMP_CWORD=$(( ${#words[@]} - 1 ))
_promptkit_completion promptkit
printf '%s\n' "${COMPREPLY[@]}"
"""
    done = subprocess.run(
        [bash, "--norc", "-c", script, "bash", line],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "some", "none"),
    [
        ("promptkit ev", ["eval"], ["run"]),
        ("promptkit eval --strategy zero", ["zero-shot", "zero-shot-cot"], ["direct"]),
        ("promptkit eval --strategy ", [*PRESETS, "mine.yaml"], ["rules.yaml", "sums.jsonl"]),
        ("promptkit eval --strategy zero-shot:ma", ["max_tokens="], []),
        ("promptkit eval --strategy zero-shot:max_tokens=5,te", ["5,temperature=", "5,template="], []),
        ("promptkit eval --backend hf:", ["qwen2.5-coder-0.5b", "./model"], ["default"]),
        ("promptkit eval --backend hf:qwen2.5-coder-0", ["qwen2.5-coder-0.5b"], ["qwen2.5-coder-1.5b"]),
        ("promptkit eval --backend d", ["default"], []),
        ("promptkit eval --benchmark s", ["sentiment", "sums.jsonl", "strategyqa="], ["mine.yaml"]),
        ("promptkit eval --benchmark gsm8k --strategy dir", ["direct"], []),
        ("promptkit judge x --rubric ", ["support-summary", "rules.yaml"], ["mine.yaml"]),
        ("promptkit templates show zero", ["zero-shot/plain"], []),
        ("promptkit run self", ["self-consistency"], []),
        ("promptkit rescore r --extractor ", ["strict", "lenient"], []),
    ],
)
def test_what_bash_offers(folder: Path, line: str, some: list[str], none: list[str]) -> None:
    found = offers(folder, line)
    assert set(some) <= set(found)
    assert not set(none) & set(found)


def test_what_cannot_be_read_offers_nothing_and_says_nothing(folder: Path) -> None:
    assert offers(folder, "promptkit eval --strategy nothing:") == []


def test_models_in_the_hubs_cache_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hub/models--org--a--b").mkdir(parents=True)
    assert ("hf:org/a/b", "in the hub's cache") in completing.backends()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "pwsh"])
def test_every_shell_has_a_script(folder: Path, shell: str) -> None:
    done = subprocess.run(
        ["promptkit"],
        cwd=folder,
        env=environment(folder, _PROMPTKIT_COMPLETE=f"source_{shell}"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, "_PROMPTKIT_COMPLETE" in done.stdout) == (0, True), done.stderr


def test_fish_is_told_when_there_is_nothing(folder: Path) -> None:
    asked = {"_PROMPTKIT_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "is-args"}
    for line, code in (("promptkit ev", 0), ("promptkit report no", 1)):
        own = environment(folder, **asked, _TYPER_COMPLETE_ARGS=line)
        done = subprocess.run(["promptkit"], cwd=folder, env=own, capture_output=True, timeout=60)
        assert done.returncode == code


# -- colours ---------------------------------------------------------------------------------------------


def seen_on_terminal(folder: Path, *args: str, **more: str) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        ["promptkit", *args], cwd=folder, env=environment(folder, **more), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    done.wait(60)
    return written.decode()


COLOR = re.compile(r"\x1b\[[0-9;]*3[0-7]m|\x1b\[[0-9;]*9[0-7]m|\x1b\[1;3[0-7]m")


def test_colours_on_a_terminal_unless_no_color_is_set(folder: Path) -> None:
    wrong = ("eval", "--strategy", "nothing")
    assert COLOR.search(seen_on_terminal(folder, *wrong))
    assert not COLOR.search(seen_on_terminal(folder, *wrong, NO_COLOR="1"))
    assert "\x1b" not in seen_on_terminal(folder, *wrong, TERM="dumb")


@pytest.mark.parametrize("command", [["templates", "list"], ["strategies"], ["eval", "--strategy", "x"], ["--help"]])
def test_no_colours_in_a_pipe(folder: Path, command: list[str]) -> None:
    done = subprocess.run(
        ["promptkit", *command], cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=60
    )
    assert "\x1b" not in done.stdout + done.stderr
