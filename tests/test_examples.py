"""The files in examples/: each is shown on a page, and those that no other test runs are run here."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

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


NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


def cells(notebook: Path, kind: str) -> list[dict[str, Any]]:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return [cell | {"text": "".join(cell["source"])} for cell in content["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_goes_from_a_question_to_a_decision(notebook: Path) -> None:
    """Its outputs are there, of one run from top to bottom; that they are true is for the person who made them."""
    first, *_, last = cells(notebook, "markdown")
    assert first["text"].splitlines()[0].endswith("?")
    assert "## Decision" in last["text"]
    code = cells(notebook, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"]
    assert notebook.relative_to(ROOT).as_posix() in PAGES


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    def wavering(request: Request) -> str:
        which = sum(request.sample) % 3
        if "positive" in request.text:
            return "negative" if which else "positive"
        said = re.findall(r"The answer is (\d+)", request.text)  # of the first stage, where this is the second one
        return f"The answer is {said[-1] if said else 11 + which}."

    monkeypatch.setattr("promptkit.backends.default", lambda: FakeBackend(wavering))
    Path("cells.py").write_text("\n".join(cell["text"] for cell in cells(notebook, "code")), encoding="utf-8")
    picture = runpy.run_path("cells.py")["picture"]
    assert "tokens" in capsys.readouterr().out
    assert picture._repr_svg_().startswith("<svg")


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
