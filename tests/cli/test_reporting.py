"""`promptkit report` and `view`, and the report that `eval` writes."""

import json
import re
from pathlib import Path

import pytest

from promptkit.errors import ConfigError
from tests.command_line import CommandLine


def test_eval_as_json_names_its_report(promptkit: CommandLine) -> None:
    said = promptkit("eval", "--strategy", "direct", "--limit", "2", "--run-dir", "mine", "--json")
    assert json.loads(said.out)["report"] == "mine/report.html"


def test_an_evaluation_ends_well_without_its_report(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise ConfigError("cannot write the report", hint="make room")

    monkeypatch.setattr("promptkit.report.save", full)
    said = promptkit("eval", "--strategy", "direct", "--limit", "2", "--run-dir", "mine")
    assert said.code == 0
    assert "warning: there is no report: cannot write the report" in said.err
    assert said.err.endswith("Every prompt and answer is in mine\n")


def test_a_report_of_an_evaluation_and_of_single_runs(promptkit: CommandLine) -> None:
    pytest.importorskip("resvg_py", reason="PNG figures need the extra `figures`")
    promptkit("eval", "--strategy", "direct", "--strategy", "zero-shot", "--limit", "3", "--run-dir", "mine")
    said = promptkit("report", "mine", "-o", "whole.html")
    assert (said.code, said.out, said.err) == (0, "whole.html\n", "")
    said = promptkit("report", "mine/zero-shot", "mine/direct", "--figures", "figures")
    assert said.code == 0, said.err
    assert said.out.splitlines()[0] == "report.html"
    assert {Path(line).suffix for line in said.out.splitlines()[1:]} == {".svg", ".png"}
    assert all((promptkit.folder / line).is_file() for line in said.out.splitlines())


def test_what_cannot_be_reported_is_said(promptkit: CommandLine) -> None:
    for args in (["report", "none"], ["report", "."], ["view", "none"], ["view", ".", "--port", "70000"]):
        said = promptkit(*args)
        assert said.code == 2, args
        assert said.err.startswith("error: ")
        assert len(said.err.splitlines()) == 1


def test_view_prints_its_address_and_ends_with_ctrl_c(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("promptkit.report.server.Viewer.serve_forever", interrupted)
    said = promptkit("view", ".")
    assert said.code == 0
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{16,}/\n", said.out)
