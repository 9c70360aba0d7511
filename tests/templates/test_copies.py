"""`promptkit templates new` and `diff`: own files that begin as packaged ones."""

from pathlib import Path

import pytest

from promptkit import CoT, FakeBackend, ZeroShot, compare, evaluate, paths
from promptkit.evaluation import load_run
from promptkit.templates import load
from tests.command_line import CommandLine
from tests.templates.writing import write


@pytest.fixture
def promptkit(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys, monkeypatch, project / "work")


def packaged(name: str) -> str:
    return (paths.packaged("templates") / f"{name}.j2").read_text(encoding="utf-8")


def test_a_copy_takes_the_place_of_the_packaged_one(promptkit: CommandLine) -> None:
    said = promptkit("templates", "new", "cot/zero-shot")
    assert (said.code, said.out) == (0, "templates/cot/zero-shot.j2\n")
    assert "it takes the place of the packaged cot/zero-shot" in said.err
    made = promptkit.folder / "templates/cot/zero-shot.j2"
    assert made.read_text(encoding="utf-8") == packaged("cot/zero-shot")
    assert load("cot/zero-shot").path == made
    assert promptkit("templates", "check").code == 0


def test_a_copy_of_another_name_says_where_it_is_from_and_how_it_is_used(promptkit: CommandLine) -> None:
    said = promptkit("templates", "new", "dry", "--from", "cot/zero-shot")
    assert said.err == "use it: --strategy zero-shot-cot:template=dry; then: promptkit templates check\n"
    first, _, rest = (promptkit.folder / "templates/dry.j2").read_text(encoding="utf-8").partition("\n")
    assert first.startswith("{# From cot/zero-shot of promptkit ")
    assert rest == packaged("cot/zero-shot")
    variables = {"question": "Why?", "choices": (), "labels": (), "trigger": "Think."}
    assert load("dry").render(**variables) == load("cot/zero-shot").render(**variables)
    assert CoT(template="dry").templates().keys() == {"dry", "cot/answer"}


def test_nothing_is_written_over_unless_told(promptkit: CommandLine) -> None:
    mine = write(promptkit.folder / "templates/zero-shot/plain.j2", "{{ question }}!")
    said = promptkit("templates", "new", "zero-shot/plain")
    assert (said.code, mine.read_text()) == (2, "{{ question }}!")
    assert "templates/zero-shot/plain.j2 is there already (choose another name, or --force" in said.err
    assert promptkit("templates", "new", "zero-shot/plain", "--force").code == 0
    assert mine.read_text(encoding="utf-8") == packaged("zero-shot/plain")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["new", "../mine", "--from", "cot/zero-shot"], "can be no name of a template"),
        (["new", "mine"], "say which: --from cot/zero-shot"),
        (["new", "mine", "--from", "nothing"], "promptkit has no template 'nothing'"),
        (["new", "mine", "--from", "../secret"], "promptkit has no template '../secret'"),
        (["new", "file/mine", "--from", "cot/zero-shot"], "templates/file"),
        (["diff", "nothing"], "you have no template 'nothing' of your own (make one: promptkit templates new nothing)"),
        (["diff", "cot/zero-shot"], "you have no template 'cot/zero-shot' of your own"),
        (["diff", "own"], "say what to compare with: --from cot/zero-shot"),
    ],
)
def test_what_makes_no_sense(promptkit: CommandLine, args: list[str], said: str) -> None:
    write(promptkit.folder / "templates/file", "no folder")
    write(promptkit.folder / "templates/own.j2", "{{ question }}")
    refused = promptkit("templates", *args)
    assert refused.code == 2
    assert said in refused.err
    assert len(refused.err.splitlines()) == 1


def test_diff_shows_what_was_changed(promptkit: CommandLine) -> None:
    promptkit("templates", "new", "dry", "--from", "zero-shot/plain")
    promptkit("templates", "new", "zero-shot/direct")
    same = promptkit("templates", "diff")
    assert (same.out, same.err) == ("", "dry is as packaged\nzero-shot/direct is as packaged\n")
    mine = promptkit.folder / "templates/dry.j2"
    mine.write_text(mine.read_text(encoding="utf-8").replace("{% user %}", "{% user %}\nBe brief."), encoding="utf-8")
    said = promptkit("templates", "diff", "dry")
    assert said.out.splitlines()[:2] == ["--- zero-shot/plain (packaged)", "+++ templates/dry.j2"]
    assert [line for line in said.out.splitlines()[3:] if line[0] in "+-"] == ["+Be brief."]
    assert promptkit("templates", "diff", "dry", "--from", "cot/zero-shot").out.count("\n+") > 1


def test_two_runs_that_differ_in_a_template_say_so(promptkit: CommandLine) -> None:
    write(promptkit.folder / "sums.jsonl", '{"question": "1+1?", "answer": "2"}\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(promptkit.folder)
        evaluate(ZeroShot(), "sums.jsonl", FakeBackend("2"), run_dir="before")
        promptkit("templates", "new", "zero-shot/plain")
        evaluate(ZeroShot(), "sums.jsonl", FakeBackend("2"), run_dir="same")
        write(promptkit.folder / "templates/zero-shot/plain.j2", "{{ question }}, please")
        evaluate(ZeroShot(), "sums.jsonl", FakeBackend("2"), run_dir="after")
        before, after = load_run("before/zero-shot"), load_run("after/zero-shot")
        assert before.manifest["templates"].keys() == {"zero-shot/plain"}
        assert compare(before, after).n == 1
    told = "The runs were asked with different wordings of the same template: zero-shot/plain."
    assert told in promptkit("compare", "before/zero-shot", "after/zero-shot").out
    assert told not in promptkit("compare", "before/zero-shot", "same/zero-shot").out
