"""Servers by their spec, from Python and from the command line."""

import builtins
import json
import sys
from pathlib import Path

import pytest

from promptkit import OpenAIBackend
from promptkit.backends import check_spec, from_spec
from promptkit.errors import ConfigError
from tests.command_line import CommandLine
from tests.faults.server import MisbehavingServer, status

LOCAL = "http://localhost:1/v1"


@pytest.fixture
def promptkit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    return CommandLine(capsys, monkeypatch, tmp_path)


def test_a_spec_names_model_and_server() -> None:
    backend = from_spec("openai:org/model:7b", base_url=[LOCAL], mode=None, concurrency=3)
    assert isinstance(backend, OpenAIBackend)
    assert (backend.model, backend.mode, backend.base_urls) == ("org/model:7b", "chat", [LOCAL])
    assert check_spec("openai:m") == "m"
    with pytest.raises(ConfigError, match="openai:<model>"):
        check_spec("openai:")


def test_a_price_is_that_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("genai_prices")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    price = OpenAIBackend("gpt-4o-mini").price()
    assert price is not None and 0 < price.prompt < price.completion
    assert OpenAIBackend("gpt-4o-mini", base_url=LOCAL).price() is None
    assert OpenAIBackend("no-such-model").price() is None


def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("promptkit.backends.openai")]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.partition(".")[0] in ("openai", "httpx2"):
            raise ImportError(f"No module named {name!r}", name=name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r'servers need \w+ \(pip install "promptkit\[openai\]"\)'):
        check_spec("openai:m")


def test_an_evaluation_against_two_servers(promptkit: CommandLine) -> None:
    with MisbehavingServer() as one, MisbehavingServer() as two:
        options = ["--base-url", one.url, "--base-url", two.url, "--batch-size", "2", "--json", "--limit", "6"]
        said = promptkit("eval", "--backend", "openai:m", "--strategy", "zero-shot-cot", *options)
    assert said.code == 0
    (run,) = json.loads(said.out)["runs"]
    assert (run["backend"], run["n"], run["failed"]) == ("m", 6, 0)
    assert one.seen and two.seen


def test_a_key_is_found_where_the_options_say(
    promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-mine")
    (tmp_path / "key").write_text("sk-file", encoding="utf-8")
    with MisbehavingServer() as server:
        for option, value in (("--api-key-env", "MY_KEY"), ("--api-key-file", "key")):
            target = ["--backend", "openai:m", "--base-url", server.url, option, value]
            assert promptkit("run", "zero-shot", "2 + 2?", *target).code == 0
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer sk-mine", "Bearer sk-file"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--backend", "openai:m"], "error: api.openai.com needs a key (set OPENAI_API_KEY"),
        (["--base-url", LOCAL], "error: --base-url is for servers"),
        (["--backend", "openai:m", "--base-url", LOCAL, "--dtype", "float32"], "error: --dtype is for local models"),
        (["--backend", "openai:m", "--base-url", LOCAL, "--mode", "talk"], "error: unknown mode"),
        (["--backend", "openai:m", "--base-url", "localhost"], "error: 'localhost' is no base URL"),
    ],
)
def test_bad_options_are_one_line(promptkit: CommandLine, options: list[str], told: str) -> None:
    said = promptkit("run", "zero-shot", "2 + 2?", *options)
    assert said.code == 2
    assert said.err.startswith(told)
    assert said.err.count("\n") == 1


def test_a_wrong_key_is_one_line(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    with MisbehavingServer(status(401, "no such key: sk-wrong")) as server:
        options = ["--backend", "openai:m", "--base-url", server.url, "--strategy", "direct", "--limit", "9"]
        said = promptkit("eval", *options, "--batch-size", "1")
    assert said.code == 2
    assert f"error: {server.url} refuses the key (401): no such key: [key] (check the key" in said.err
    assert len(server.seen) == 1
