"""What there is: strategies, benchmarks, models, templates."""

import warnings
from pathlib import Path

import pytest

from promptkit import templates
from promptkit.strategies import PRESETS
from tests.command_line import CommandLine


def test_listings(promptkit: CommandLine) -> None:
    said = promptkit("strategies").out
    assert all(name in said for name in PRESETS)
    assert "multiarith-style" in promptkit("benchmarks").out
    models = promptkit("models", "list").out
    assert "qwen2.5-coder-0.5b" in models
    assert "promptkit models pull smollm2-135m" in models
    names = [line.split()[0] for line in promptkit("templates", "list").out.splitlines()]
    assert names == templates.names()


def test_templates_show_is_exact(promptkit: CommandLine) -> None:
    source = "{# \t :warning: [bold]x[/bold] #}\n{{ question }}\t:smile:" + "long " * 60
    (promptkit.folder / "mine.j2").write_text(source + "\n")
    said = promptkit("templates", "show", "mine.j2")
    assert said.out == source + "\n"
    assert said.err.startswith("mine.j2: needs question; hash ")


def test_templates_render(promptkit: CommandLine) -> None:
    said = promptkit("templates", "render", "zero-shot/plain", "--var", "question=What is 6 times 7: [42]?")
    assert said.out.splitlines() == [
        "user",
        "What is 6 times 7: [42]?",
        "completion mode",
        "Q: What is 6 times 7: [42]?",
        "A:",
    ]
    said = promptkit("templates", "render", "zero-shot/plain", "--var", "question=Q?", "--var", "choices=[red, blue]")
    assert "(B) blue" in said.out


def test_a_warning_is_one_line(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(*_: object, **__: object) -> Path:
        warnings.warn("the model\nhas \x1b[31mvanished", UserWarning, stacklevel=2)
        return Path("/models")

    monkeypatch.setattr("promptkit.models.ensure", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
        said = promptkit("models", "pull", "smollm2-135m")
    assert "warning: the model has vanished\n" in said.err
