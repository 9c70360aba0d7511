"""`promptkit ablate`: verdicts, arms, and what cannot be ablated."""

import json
from pathlib import Path

import pytest

from promptkit import FakeBackend, backends
from tests.command_line import CommandLine


def test_a_wording_ablation_ends_with_its_verdict(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeBackend(lambda request: "3" if "Solve it." in request.text else "4")
    monkeypatch.setattr(backends, "from_spec", lambda *_, **__: fake)
    args = ["ablate", "wording", "--benchmark", "sums.jsonl", "--trigger", "dry=Solve it.", "--no-cache"]
    said = promptkit(*args, "--run-dir", "one")
    assert said.code == 0, said.err
    assert said.out.splitlines()[1].startswith("The wording is not shown to matter")
    found = json.loads(promptkit(*args, "--run-dir", "two", "--json").out)
    assert [(run["strategy"], run["correct"]) for run in found["runs"]] == [("as it is", 1), ("dry", 0)]
    assert "largest gap is 50.0 points, from 'dry'" in found["verdict"]


def test_a_label_ablation_compares_six_arms(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "from_spec", lambda *_, **__: FakeBackend("positive"))
    said = promptkit("ablate", "labels", "-k", "2", "--limit", "4", "--json")
    assert said.code == 0, said.err
    runs = json.loads(said.out)["runs"]
    assert json.loads(said.out)["verdict"].startswith("Gold has 50.0 % right; not shown to differ from it: random (")
    assert [run["accuracy"] for run in runs] == [0.5] * 6
    assert {Path(run["run_dir"]).name for run in runs} >= {"gold", "no-labels", "no-demonstrations"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["wording", "--trigger", "Solve it."], "write --trigger name=text"),
        (["wording", "--trigger", "a=b", "--trigger", "a=c"], "'a' is given twice"),
        (["wording", "--strategy", "direct"], "no packaged wordings"),
        (["wording", "--template", "a=nowhere"], "nowhere"),
        (["labels", "--benchmark", "multiarith-style"], "kind number"),
        (["labels", "-k", "200"], "200 are wanted"),
    ],
)
def test_ablations_that_make_no_sense(promptkit: CommandLine, args: list[str], said: str) -> None:
    refused = promptkit("ablate", *args)
    assert refused.code == 2
    assert said in refused.err
    assert "Traceback" not in refused.err
