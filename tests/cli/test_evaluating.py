"""`promptkit eval` and `compare`: tables, JSON, the store, own files, several models."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from promptkit import FakeBackend, backends
from promptkit.cli.progress import Evaluation
from tests.command_line import CommandLine
from tests.isolation import ROOT


def test_demonstrations_come_from_the_given_pool(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeBackend("4")
    monkeypatch.setattr(backends, "from_spec", lambda *_, **__: fake)
    args = ["eval", "--strategy", "few-shot:select=random,k=2", "--no-cache", "--benchmark", "sums.jsonl"]
    (promptkit.folder / "pool.jsonl").write_text(
        '{"question": "5+6?", "answer": "11"}\n{"question": "7+8?", "answer": "15"}\n'
    )
    said = promptkit(*args, "--pool", "pool.jsonl")
    assert said.code == 0, said.err
    assert {message.content for call in fake.calls for message in call.messages[:-1:2]} == {"5+6?", "7+8?"}
    refused = promptkit(*args, "--pool", "sentiment-train")
    assert (refused.code, len(fake.calls)) == (2, 2)
    assert "of kind label" in refused.err


def test_eval_prints_verdict_table_and_folder(promptkit: CommandLine) -> None:
    said = promptkit("eval", "--strategy", "direct", "--strategy", "zero-shot", "--limit", "3", "--run-dir", "mine")
    assert said.code == 0
    assert said.out.startswith("multiarith-style, 3 questions, ")
    assert re.search(r"^zero-shot +\d", said.out, re.MULTILINE)
    assert "direct on multiarith-style: " in said.err
    assert said.err.endswith("Every prompt and answer is in mine, to be looked at in mine/report.html\n")
    assert {path.name for path in (promptkit.folder / "mine").iterdir()} == {"direct", "zero-shot", "report.html"}
    assert "Which strategy pays off" in (promptkit.folder / "mine" / "report.html").read_text(encoding="utf-8")


def test_a_pipe_is_told_from_time_to_time_how_far_it_is(
    promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Evaluation, "every", 0.0)
    said = promptkit("eval", "--strategy", "direct", "--benchmark", "multiarith-style", "--limit", "4", "--no-cache")
    lines = [line for line in said.err.splitlines() if line.endswith(" …")]
    assert len(lines) >= 4
    assert all(re.fullmatch(r"\d of 4 questions, (\d+ % right, )?\d+ tokens/s …", line) for line in lines)
    monkeypatch.setattr(Evaluation, "every", 3600.0)
    said = promptkit("eval", "--strategy", "direct", "--benchmark", "multiarith-style", "--limit", "4", "--no-cache")
    assert " questions, " not in said.err


def test_several_models_are_compared_with_each_other(promptkit: CommandLine, tiny_model: Path) -> None:
    other = shutil.copytree(tiny_model, promptkit.folder / "other")
    asked = ["--strategy", "direct", "--strategy", "zero-shot", "--limit", "2", "--run-dir", "r"]
    said = promptkit("eval", *asked, "--backend", "default", "--backend", f"hf:{other}")
    assert said.code == 0, said.err
    assert "model against model: (1)" in said.out
    folders = sorted(path for path in (promptkit.folder / "r").iterdir() if path.is_dir())
    assert len(folders) == 4
    compared = promptkit("compare", folders[0], folders[1])
    assert compared.code == 0, compared.err
    assert str(tiny_model) in compared.out
    assert str(other) in compared.out


def test_a_second_model_that_is_not_there_is_said_before_the_first_is_asked(promptkit: CommandLine) -> None:
    said = promptkit("eval", "--limit", "1", "--run-dir", "r", "--backend", "default", "--backend", "hf:./none")
    assert said.code == 2
    assert "there is no folder ./none" in said.err
    assert not (promptkit.folder / "r").exists()


def test_eval_json_keeps_the_contract(promptkit: CommandLine) -> None:
    said = promptkit("eval", "--strategy", "direct", "--strategy", "zero-shot", "--limit", "3", "--json")
    assert said.code == 0
    data = json.loads(said.out)
    assert list(data) == ["runs", "tables", "interactions", "noise", "report"]
    assert [run["strategy"] for run in data["runs"]] == ["direct", "zero-shot"]
    for run in data["runs"]:
        assert run.keys() == {
            *("strategy", "benchmark", "backend", "n", "accuracy", "ci95", "correct", "wrong", "unparsed"),
            *("truncated", "failed", "usage", "seconds", "run_dir", "seed", "missing"),
        }
        assert run["usage"].keys() >= {"calls", "prompt_tokens", "completion_tokens", "cached_calls"}
        assert run["n"] == 3 == sum(run[key] for key in ("correct", "wrong", "unparsed", "truncated", "failed"))
        assert (promptkit.folder / run["run_dir"] / "samples.jsonl").is_file()
        assert re.fullmatch(r"runs/\d{4}-\d\d-\d\d-\d{6}/[a-z-]+", run["run_dir"])


def test_the_same_command_again_costs_nothing(promptkit: CommandLine) -> None:
    command = ["eval", "--strategy", "zero-shot", "--benchmark", "sums.jsonl", "--run-dir", "r", "--json"]
    (first,), (again,) = (json.loads(promptkit(*command).out)["runs"] for _ in range(2))
    assert (first["usage"]["cached_calls"], again["usage"]["cached_calls"]) == (0, 2)
    for kept in ("calls", "prompt_tokens", "completion_tokens"):
        assert first["usage"][kept] == again["usage"][kept]
    assert again["usage"]["cached_completion_tokens"] == again["usage"]["completion_tokens"]
    (anew,) = json.loads(promptkit(*command, "--no-cache").out)["runs"]
    assert anew["usage"]["cached_calls"] == 0


def test_another_seed_gives_other_samples(promptkit: CommandLine) -> None:
    texts: list[str] = []
    for number, seed in enumerate(["1", "1", "2"]):
        options = ["--seed", seed, "--run-dir", f"r{number}", "--no-cache", "--limit", "1"]
        promptkit("eval", "--strategy", "self-consistency:n=2", *options)
        lines = (promptkit.folder / f"r{number}/self-consistency-n=2/samples.jsonl").read_text()
        texts.append(str([call["completion"]["text"] for call in json.loads(lines)["calls"]]))
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    "options",
    [
        ["--benchmark", "my.csv", "--question", "prompt", "--answer", "gold"],
        ["--benchmark", "my.csv", "--question", "prompt", "--answer", "gold", "--kind", "number"],
        ["--benchmark", "my.csv", "--question", "prompt", "--answer", "gold", "--kind", "label"],
        ["--benchmark", "sums.jsonl"],
        ["--benchmark", f"gsm8k={ROOT / 'evals/gsm8k-style.jsonl'}", "--limit", "2"],
        ["--benchmark", "my.csv", "--benchmark", "sums.jsonl", "--question", "prompt", "--answer", "gold"],
    ],
)
def test_own_files(promptkit: CommandLine, options: list[str]) -> None:
    if options.count("--benchmark") == 2:
        (promptkit.folder / "sums.jsonl").write_text('{"prompt": "1+1?", "gold": "2"}\n{"prompt": "2?", "gold": "2"}\n')
    said = promptkit("eval", "--strategy", "zero-shot", "--json", "--run-dir", "r", *options)
    assert said.code == 0, said.err
    runs: list[dict[str, Any]] = json.loads(said.out)["runs"]
    assert [run["n"] for run in runs] == [2] * options.count("--benchmark")


def test_demonstrations_of_ones_own_in_a_preset(promptkit: CommandLine) -> None:
    (promptkit.folder / "demos.yaml").write_text('- {question: "What is 3+3?", answer: 6}\n')
    said = promptkit(
        "eval", "--strategy", "few-shot:demos=demos.yaml", "--benchmark", "sums.jsonl", "--run-dir", "r", "--json"
    )
    (run,) = json.loads(said.out)["runs"]
    assert run["strategy"] == "few-shot:demos=demos.yaml"
    assert "What is 3+3?" in (promptkit.folder / run["run_dir"] / "samples.jsonl").read_text()


def test_a_strategy_file(promptkit: CommandLine) -> None:
    (promptkit.folder / "brief.yaml").write_text("strategy: cot\nmax_tokens: 5\n")
    said = promptkit("eval", "--strategy", "brief.yaml", "--benchmark", "sums.jsonl", "--run-dir", "r", "--json")
    assert json.loads(said.out)["runs"][0]["strategy"] == "brief"


def test_compare(promptkit: CommandLine) -> None:
    promptkit("eval", "--strategy", "direct", "--strategy", "zero-shot", "--limit", "6", "--run-dir", "r")
    said = promptkit("compare", "r/direct", "r/zero-shot", "--json")
    found = json.loads(said.out)
    assert said.err == ""
    fixed_names = ["delta", "ci95", "p_value", "test", "n", "fixed", "broken", "minimum_detectable_effect"]
    assert list(found) == [*fixed_names, "questions_needed"]
    assert (found["n"], found["test"], found["p_value"]) == (6, "exact McNemar", 1.0)
    text = promptkit("compare", "r/direct", "r/zero-shot").out
    assert text.startswith("multiarith-style, 6 questions, ")
    assert "Fixed by " in text


def test_compare_of_one_strategy_with_two_seeds_tells_them_apart(promptkit: CommandLine) -> None:
    for seed in ("1", "2"):
        promptkit("eval", "--strategy", "zero-shot", "--limit", "8", "--run-dir", f"r{seed}", "--seed", seed)
    text = promptkit("compare", "r1/zero-shot", "r2/zero-shot").out
    assert "zero-shot (r1/zero-shot)" in text
    assert "zero-shot (r2/zero-shot)" in text
    assert "nothing to compare" not in text
