"""What the tests of the command line share."""

import warnings
from pathlib import Path

import pytest

from promptkit import backends
from tests.command_line import CommandLine

FROM_SPEC = backends.from_spec


@pytest.fixture
def promptkit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_model: Path
) -> CommandLine:
    """The command line in an empty folder with an empty cache; the default backend is the tiny model."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        backends,
        "from_spec",
        lambda spec, **options: FROM_SPEC(f"hf:{tiny_model}" if spec == "default" else spec, **options),
    )
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "my.csv").write_text("prompt,gold\nWhat is 1+1?,2\nWhat is 2+2?,4\n")
    (folder / "sums.jsonl").write_text('{"question": "1+1?", "answer": "2"}\n{"question": "2+2?", "answer": "4"}\n')
    (folder / "suite.yaml").write_text("strategies: [direct, zero-shot]\nbenchmarks: sums.jsonl\nseeds: [0, 1]\n")
    return CommandLine(capsys, monkeypatch, folder)
