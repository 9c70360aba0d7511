"""`--ray` and its options on the command line, where no cluster is needed to refuse them."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.command_line import CommandLine


@pytest.fixture
def promptkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys, monkeypatch, tmp_path)


@pytest.mark.parametrize("command", ["eval", "plan"])
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--ray-cpus", "2"], "--ray-cpus needs --ray (add --ray auto or --ray local)"),
        (["--ray-workers", "0"], "--ray-workers needs --ray (add --ray auto or --ray local)"),
        (
            ["--ray", "auto", "--backend", "openai:some-model"],
            "--ray is for local models (use several servers by repeating --base-url)",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(
    promptkit: CommandLine, command: str, options: list[str], problem: str
) -> None:
    said = promptkit(command, *options)
    assert (said.code, said.out, said.err) == (2, "", f"error: {problem}\n")


@pytest.mark.skipif(find_spec("ray") is not None, reason="the package ray is installed")
def test_without_ray_it_says_what_to_install(promptkit: CommandLine) -> None:
    said = promptkit("eval", "--ray", "local")
    assert (said.code, said.err) == (2, 'error: --ray needs the package ray (pip install "promptkit[ray]")\n')


def test_a_share_is_a_number(promptkit: CommandLine) -> None:
    said = promptkit("eval", "--ray", "auto", "--ray-cpus", "many")
    assert said.code == 2
    assert "'many' is no number" in said.err
