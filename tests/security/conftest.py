"""A model that means harm, behind the command line."""

import warnings
from pathlib import Path

import pytest

from promptkit import FakeBackend
from promptkit.types import Request
from tests.command_line import CommandLine
from tests.security.hostile import HOSTILE


class HostileBackend(FakeBackend):
    """Answers, proposes and judges with text that tries everything."""

    name = f"hostile {HOSTILE}"

    def __init__(self) -> None:
        super().__init__(self._said)

    def _said(self, request: Request) -> str:
        return f"{HOSTILE} {'likely' if request.purpose == 'value' else 'So the answer is 4.'}"


@pytest.fixture
def promptkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line in an empty folder with an empty cache, where every model is hostile."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path / "cache"))

    monkeypatch.setattr("promptkit.backends.from_spec", lambda *_, **__: HostileBackend())
    folder = tmp_path / "work"
    folder.mkdir()
    return CommandLine(capsys, monkeypatch, folder)
