"""The files in examples/: each is shown on a page, and those that no other test runs are run here."""

import runpy
from pathlib import Path

import pytest

from promptkit import FakeBackend
from promptkit.types import Request
from tests.isolation import ROOT

EXAMPLES = ROOT / "examples"
PAGES = "\n".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").rglob("*.md")))


SCRIPTS = [path for path in sorted(EXAMPLES.rglob("*.py")) if "plugin" not in path.parts]
"""The plugin is a package; `tests/test_plugins.py` installs and uses it."""


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_example_is_shown_on_a_page(path: Path) -> None:
    assert path.relative_to(ROOT).as_posix() in PAGES
    assert f"python {path.relative_to(ROOT).as_posix()}" in path.read_text(encoding="utf-8")


def test_tree_of_thoughts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)

    def model(request: Request) -> str:
        said = {
            "sample": "The answer is 31.",
            "propose": "5 - 2 = 3 (left: 24)",
            "answer": "Answer: 2 * (3 + 4 + 5) = 24",
        }
        return said.get(request.purpose, "sure")

    runpy.run_path(str(EXAMPLES / "tree_of_thoughts.py"))["main"](FakeBackend(model))
    printed = capsys.readouterr().out
    assert "a word problem: Ann has 3 boxes" in printed and "answer 31, " in printed
    assert "a Game of 24: 2 3 4 5" in printed and "answer 2 * (3 + 4 + 5), " in printed
    assert "5 - 2 = 3" in (tmp_path / "tree.html").read_text(encoding="utf-8")


def test_label_ablation(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "label_ablation.py"))["main"](FakeBackend("positive"))
    head, *arms = capsys.readouterr().out.splitlines()
    assert head == "right of 20, seeds 0, 1, 2"
    assert [arm[:18].strip() for arm in arms] == [
        "gold", "random", "permuted", "no labels", "format broken", "no demonstrations",
    ]  # fmt: skip
    assert len({arm[18:] for arm in arms}) == 1  # whatever is shown to it, this model says "positive"
