"""Every Python example of README and docs runs, and every link between the pages leads somewhere."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from promptkit import FakeBackend

ROOT = Path(__file__).parents[1]
TESTED_BY_THEIR_OWN = {"own-problem.md", "own-strategy.md", "templates.md"}  # they need files that the page describes
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    if page.name not in TESTED_BY_THEIR_OWN
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL), 1)
    if not block.lstrip().startswith(("def steps", ">>>"))  # a method shown without its class; a session
]


@pytest.mark.parametrize("code", EXAMPLES)
def test_example_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a backend that answers at once in place of the models that the examples name."""
    monkeypatch.chdir(tmp_path)

    def fake(*_args: Any, **_options: Any) -> FakeBackend:
        return FakeBackend("So the answer is 31.")

    monkeypatch.setattr("promptkit.backends.default", fake)
    monkeypatch.setattr("promptkit.evaluation.evaluator.default", fake)
    monkeypatch.setattr("promptkit.HFBackend", fake, raising=False)
    monkeypatch.setattr("promptkit.OpenAIBackend", fake, raising=False)
    # README's second block goes on where the first one stopped.
    (tmp_path / "example.py").write_text("from promptkit import *\n" + code, encoding="utf-8")
    runpy.run_path("example.py")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"
