"""Prompts, completions and data may be confidential: what is written is for the user alone, and holds no secret."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from promptkit import CachedBackend, FakeBackend, ZeroShot
from tests.command_line import CommandLine

SECRETS = {"OPENAI_API_KEY": "sk-canary-1234567890", "HF_TOKEN": "hf_canary1234567890"}


@pytest.fixture(autouse=True)
def _careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


def test_store_and_run_folders_are_for_the_user_alone(promptkit: CommandLine, tmp_path: Path) -> None:
    (promptkit.folder / "sums.csv").write_text("question,answer\n1+1?,2\n")
    said = promptkit("eval", "--strategy", "direct", "--benchmark", "sums.csv", "--run-dir", "runs")
    assert said.code == 0, said.err
    store, runs = modes(tmp_path / "cache"), modes(promptkit.folder / "runs")
    assert "completions.sqlite" in store
    assert any(name.endswith("samples.jsonl") for name in runs)
    for name, mode in (store | runs).items():
        assert mode & 0o077 == 0, f"{name} is {mode:o}"
    for folder in (tmp_path / "cache", promptkit.folder / "runs"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_store_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    ZeroShot().run("2 + 2?", backend=CachedBackend(FakeBackend("4"), path))
    path.chmod(0o666)
    CachedBackend(FakeBackend("4"), path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_key_of_the_environment_is_written_or_said(
    promptkit: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    (promptkit.folder / "sums.csv").write_text("question,answer\n1+1?,2\n")
    said = [
        promptkit("eval", "--strategy", "direct", "--benchmark", "sums.csv", "--run-dir", "runs"),
        promptkit("eval", "--strategy", "nonsense", "--benchmark", "sums.csv"),
        promptkit("cache", "info", "--json"),
    ]
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 3
    for secret in SECRETS.values():
        assert not any(secret.encode() in data for data in written)
        assert not any(secret in one.out + one.err for one in said)
