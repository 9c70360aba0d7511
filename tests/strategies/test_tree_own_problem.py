"""The page about a problem of one's own: its class, its templates and its example, as they stand there."""

import re
import sys
from pathlib import Path

import pytest

from tests.isolation import ROOT

PAGE = (ROOT / "docs" / "own-problem.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_problem_of_the_page_is_short_and_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, example = blocks("python")
    propose, value = blocks("jinja")
    assert len([line for line in problem.splitlines() if line.strip()]) <= 40
    folder = tmp_path / "templates" / "ladder"
    folder.mkdir(parents=True)
    (folder / "propose.j2").write_text(propose)
    (folder / "value.j2").write_text(value)
    (tmp_path / "ladder.py").write_text(problem)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        exec(example, {})  # noqa: S102 (the page is ours)
    finally:
        sys.modules.pop("ladder", None)
