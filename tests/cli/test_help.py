"""Every command says what it does, with examples that run."""

import shlex
from pathlib import Path

import pytest

import promptkit as package
from promptkit.cli import app, listing, templating
from promptkit.diagnosis import Part
from tests.command_line import CommandLine

COMMANDS = ["run", "eval", "plan", "compare", "report", "view", "rescore", "audit", "judge", "route", "export"]
COMMANDS += ["strategies", "benchmarks", "plugins", "doctor"]
OF_OWN_FILES = {"rescore", "audit", "judge", "route", "export"}
"""Commands whose examples need files that only their own tests make (`tests/evaluation`)."""
GROUPS = {
    "ablate": ["labels", "wording"],
    "cache": ["info", "clear"],
    "models": ["list", "pull"],
    "templates": ["list", "show", "render", "new", "check", "diff"],
}
EVERY = [[name] for name in COMMANDS] + [[group, name] for group, names in GROUPS.items() for name in names]


def examples(text: str) -> list[str]:
    """The commands below "Example:" in a help text."""
    return [line.strip() for line in text.splitlines() if line.startswith("    promptkit ")]


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_help_has_an_example(promptkit: CommandLine, command: list[str]) -> None:
    said = promptkit(*command, "--help")
    assert said.code == 0
    assert examples(said.out)
    assert all(" ".join(command) in example for example in examples(said.out))
    assert "list[str]" not in said.out.partition("Options:")[2]


@pytest.mark.parametrize("command", [c for c in EVERY if c[0] not in OF_OWN_FILES], ids=" ".join)
def test_examples_run(promptkit: CommandLine, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptkit.models.ensure", lambda name, **_: Path(f"/models/{name}"))
    monkeypatch.setattr("promptkit.report.server.Viewer.serve_forever", lambda _: None)
    monkeypatch.setattr("promptkit.diagnosis.network.index", lambda _: Part("index", ("it answers",)))
    if command[0] in ("compare", "report", "view"):
        said = promptkit(
            "eval",
            *["--strategy", "direct", "--strategy", "zero-shot", "--limit", "3", "--run-dir"],
            "runs/2026-01-31-120000",
        )
        assert said.code == 0, said.err
    if command in (["templates", "check"], ["templates", "diff"]):
        own = promptkit.folder / "templates" / "zero-shot" / "plain.j2"
        own.parent.mkdir(parents=True)
        own.write_text("{{ question }}, please.\n")
    for example in examples(promptkit(*command, "--help").out):
        args = shlex.split(example)[1:]
        if command[0] in ("eval", "ablate"):
            # A few questions are enough, and folders named by the time must differ.
            args += ["--limit", "2", "--run-dir", f"runs-{abs(hash(example))}"]
        said = promptkit(*args)
        assert said.code == 0 or command == ["doctor"], said.err  # this machine may lack something
        assert said.out.strip()


def test_without_arguments_it_helps(promptkit: CommandLine) -> None:
    for command in ([], ["models"], ["templates"]):
        said = promptkit(*command)
        assert (said.code, said.err) == (0, "")
        assert said.out.startswith(f"Usage: {' '.join(['promptkit', *command])} [OPTIONS] COMMAND")
        assert "\nCommands:\n" in said.out


def test_no_help_is_cut_short_or_too_wide(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in ([], *([group] for group in GROUPS), *EVERY):
        lines = promptkit(*command, "--help").out.splitlines()
        assert not [line for line in lines if line.endswith("...") and not line.startswith("Usage: ")]
        assert not [line for line in lines if len(line) > 80 and "    promptkit " not in line]


def test_every_command_is_tested() -> None:
    assert {command.name for command in app.registered_commands} == set(COMMANDS)
    assert {command.name for command in listing.models_app.registered_commands} == set(GROUPS["models"])
    assert {command.name for command in templating.templates_app.registered_commands} == set(GROUPS["templates"])


def test_version(promptkit: CommandLine) -> None:
    assert promptkit("--version").out == f"{package.__version__}\n"
