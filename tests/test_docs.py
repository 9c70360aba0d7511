"""The documentation keeps its word: its Python runs, its commands exist, and its links lead somewhere."""

import re
import runpy
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import promptkit
from benchmarks import make_cli_reference
from promptkit import FakeBackend
from promptkit.cli import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TESTED_BY_THEIR_OWN = {"own-problem.md", "own-strategy.md", "templates.md"}  # they need files that the page describes
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]
FENCED = re.compile(r"^( *)```(\w*)([^\n]*)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
NOT_RUN = re.compile(r' title="Not run: .{10,}"')
"""How a block that the tests cannot run says so to the reader, and why."""
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without its code."""
    return re.sub(r"`[^`\n]+`", "", FENCED.sub("", page.read_text(encoding="utf-8")))


def python_blocks() -> Iterator[Any]:
    """Page, what stands behind "python", the code, and the output that is shown directly below it."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = [found for found in FENCED.finditer(text) if found[2] == "python"]
        for number, found in enumerate(blocks, 1):
            output = re.match(r"\s*```text\n(.*?)^```", text[found.end() :], re.DOTALL | re.MULTILINE)
            shown = output[1] if output else None
            yield pytest.param(page, found[3], found[4], shown, id=f"{named(page)}-{number}")


@pytest.mark.parametrize(("page", "info", "code", "shown"), list(python_blocks()))
def test_python_runs(
    page: Path,
    info: str,
    code: str,
    shown: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With a backend that answers at once in place of the models that the examples name."""
    if info:
        assert NOT_RUN.fullmatch(info), f"{info!r} is no reason why this block cannot run"
    if info or page.name in TESTED_BY_THEIR_OWN:
        return
    monkeypatch.chdir(tmp_path)

    def fake(*args: Any, **options: Any) -> FakeBackend:
        backend = FakeBackend("So the answer is 31.")
        backend.name = " ".join(map(str, (*args, *options.values())))
        return backend

    monkeypatch.setattr("promptkit.backends.default", fake)
    monkeypatch.setattr("promptkit.evaluation.running.evaluator.default", fake)
    monkeypatch.setattr("promptkit.HFBackend", fake, raising=False)
    monkeypatch.setattr("promptkit.OpenAIBackend", fake, raising=False)
    # README's second block goes on where the first one stopped.
    (tmp_path / "example.py").write_text("from promptkit import *\n" + code, encoding="utf-8")
    runpy.run_path("example.py")
    if shown is not None:
        assert capsys.readouterr().out == shown


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_and_their_options_exist(page: Path) -> None:
    for found in FENCED.finditer(page.read_text(encoding="utf-8")):
        if found[2] in ("", "console", "bash"):
            for line in re.findall(r"^ *(?:\$ )?promptkit (\S.*)$", found[4].replace("\\\n", " "), re.MULTILINE):
                check_command(line)


def check_command(line: str) -> None:
    command: Any = get_command(app)
    words = shlex.split(line, comments=True)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands") or not words or words[0].startswith(("-", "…", "|")), line
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
    for word in words:
        if word.startswith("-") and len(word) > 1:
            assert word.partition("=")[0] in known, f"no option {word}: promptkit {line}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{named(page)} links to {link}, which is not there"
        if page.is_relative_to(DOCS):
            assert target.is_relative_to(DOCS), f"{named(page)} links to {link}, which is not on the site"
        if anchor:
            assert anchor in anchors(target), f"{named(page)} links to {link}, but there is no such heading"


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as the site and GitHub make them."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    names = {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in plain}
    return names | set(re.findall(r"^::: (\S+)$", text, re.MULTILINE))


def test_every_page_is_in_the_navigation_once() -> None:
    settings = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))

    def pages(entry: Any) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        return [page for inner in (entry.values() if isinstance(entry, dict) else entry) for page in pages(inner)]

    listed = pages(settings["project"]["nav"])
    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_every_picture_is_shown() -> None:
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if link.endswith((".svg", ".png"))
    }
    assert {path for path in DOCS.rglob("*") if path.suffix in (".svg", ".png")} == shown


def test_the_command_line_reference_is_what_help_prints() -> None:
    """`python -m benchmarks.make_cli_reference` makes it anew."""
    assert make_cli_reference.PAGE.read_text(encoding="utf-8") == make_cli_reference.page()


def test_every_public_name_is_in_the_reference() -> None:
    listed = re.findall(r"^::: promptkit\.(\w+)$", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
    listed.remove("errors")  # a module
    assert sorted(listed) == list(promptkit.__all__)
