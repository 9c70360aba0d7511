"""What a model or a data file wrote never steers the terminal, and is never markup in a picture or a page."""

import csv
import json
from pathlib import Path

import pytest

from promptkit.foreign_text import one_line, plain
from tests.command_line import CommandLine
from tests.security.hostile import FORBIDDEN, HOSTILE, LINK, Tags

COMMANDS = {
    "run": ["run", "self-consistency:n=2", "2+2?"],
    "run with a tree": ["run", "tot-bfs", "2+2?"],
    "run as JSON": ["run", "zero-shot-cot", "2+2?", "--json"],
    "eval": ["eval", "--strategy", "direct", "--strategy", "zero-shot-cot", "--benchmark", "hostile.csv"],
    "eval as JSON": ["eval", "--strategy", "direct", "--benchmark", "hostile.csv", "--json"],
    "ablate": ["ablate", "wording", "--benchmark", "hostile.csv", "--trigger", f"{HOSTILE}=Think."],
    "an error": ["eval", "--benchmark", "hostile.csv", "--strategy", f"few{HOSTILE}"],
}


@pytest.fixture
def hostile_csv(promptkit: CommandLine) -> Path:
    """Questions, a gold answer of text and column contents that mean harm as well."""
    path = promptkit.folder / "hostile.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["question", "answer"], [f"2+2? {LINK}", "4"], [f"3+3? {HOSTILE.replace(chr(0), '')}", "6"]])
    return path


@pytest.mark.usefixtures("hostile_csv")
@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_line_prints_no_control_sequence(promptkit: CommandLine, name: str) -> None:
    said = promptkit(*COMMANDS[name])
    assert said.code == (2 if name == "an error" else 0), said.err
    for stream in (said.out, said.err):
        assert not FORBIDDEN & set(stream), name
    assert "evil.example" in said.out + said.err, "the hostile text was not shown at all"
    if name.endswith("JSON"):
        told = json.loads(said.out)
        assert LINK in (told["text"] if "text" in told else told["runs"][0]["backend"]), "JSON keeps the text, escaped"


@pytest.mark.usefixtures("hostile_csv")
def test_comparing_run_folders_prints_none_either(promptkit: CommandLine) -> None:
    arguments = ["--strategy", "direct", "--strategy", "zero-shot", "--benchmark", "hostile.csv", "--run-dir", "runs"]
    assert promptkit("eval", *arguments).code == 0
    said = promptkit("compare", "runs/direct", "runs/zero-shot")
    assert said.code == 0, said.err
    assert not FORBIDDEN & set(said.out + said.err)
    for folder in ("direct", "zero-shot"):
        for file in (promptkit.folder / "runs" / folder).iterdir():
            assert not {"\x1b", "\x00", "\x07"} & set(file.read_text(encoding="utf-8")), "`cat` of a run folder"


def test_the_store_is_listed_without_control_sequences(promptkit: CommandLine) -> None:
    (promptkit.folder / "sums.csv").write_text("question,answer\n1+1?,2\n")
    assert promptkit("eval", "--strategy", "direct", "--benchmark", "sums.csv").code == 0
    for options in ([], ["--json"]):
        said = promptkit("cache", "info", *options)
        assert "hostile" in said.out
        assert not FORBIDDEN & set(said.out + said.err)


@pytest.mark.parametrize("picture", ["tree.svg", "tree.html"])
def test_a_picture_of_a_tree_holds_no_foreign_markup(promptkit: CommandLine, picture: str) -> None:
    said = promptkit("run", "tot-bfs", f"2+2? {HOSTILE.replace(chr(0), '')}", "--picture", picture)
    assert said.code == 0, said.err
    text = (promptkit.folder / picture).read_text(encoding="utf-8")
    found = Tags(text)
    assert "evil.example" in text
    assert not found.tags & {"script", "img", "iframe", "a", "image", "object", "foreignobject"}
    assert not {name for name in found.attributes if name.startswith("on") or name in ("href", "src", "xlink:href")}
    assert not FORBIDDEN & set(text)


@pytest.mark.parametrize("text", [HOSTILE, "\x1b\x1b[31m[31m", "\x1b]8;;x", "\x9d8;;x\x9c", "\x1bP1$r\x1b\\", "\x1b"])
def test_nothing_is_left_of_an_escape_sequence(text: str) -> None:
    assert not FORBIDDEN & set(plain(text))
    assert not (FORBIDDEN | {"\n", "\t"}) & set(one_line(text))
