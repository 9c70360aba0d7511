"""The command line as a user meets it. Bad input is in test_bad_input.py."""

import json
import re
import shlex
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

import promptkit as package
from promptkit import FakeBackend, backends, templates
from promptkit.cli import app, listing, templating
from promptkit.diagnosis import Part
from promptkit.errors import BackendError, ConfigError
from promptkit.strategies import PRESETS
from tests.command_line import CommandLine
from tests.isolation import ROOT

FROM_SPEC = backends.from_spec
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


@pytest.fixture
def promptkit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_model: Path
) -> CommandLine:
    """The command line in an empty folder with an empty cache; the default backend is the tiny model."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        backends,
        "from_spec",
        lambda spec, **options: FROM_SPEC(f"hf:{tiny_model}" if spec == "default" else spec, **options),
    )
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "my.csv").write_text("prompt,gold\nWhat is 1+1?,2\nWhat is 2+2?,4\n")
    (folder / "sums.jsonl").write_text('{"question": "1+1?", "answer": "2"}\n{"question": "2+2?", "answer": "4"}\n')
    (folder / "suite.yaml").write_text("strategies: [direct, zero-shot]\nbenchmarks: sums.jsonl\nseeds: [0, 1]\n")
    return CommandLine(capsys, monkeypatch, folder)


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


def test_run(promptkit: CommandLine) -> None:
    said = promptkit("run", "zero-shot-cot", "What is 1+1?")
    assert (said.code, said.err) == (0, "")
    assert "answer: " in said.out.splitlines()[-1]


def test_run_shows_votes_ties_and_what_was_saved(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(settings: str, answers: str) -> list[str]:
        fake = FakeBackend(
            lambda request: {"-": "hm", "x": BackendError("busy")}.get(c := answers[request.sample[0]], c)
        )
        monkeypatch.setattr(backends, "from_spec", lambda *_, **__: fake)
        (promptkit.folder / "sc.yaml").write_text(
            f"{{strategy: self-consistency, inner: {{strategy: zero-shot}}, {settings}}}"
        )
        return promptkit("run", "sc.yaml", "How many?").out.splitlines()[1:]

    assert run("n: 6", "2-112x") == [
        "2 of 6: 2",
        "2 of 6: 1",
        "2 of 6 did not vote: unread, cut off or failed",
        "a tie of 2 answers: the one seen first is taken",
        "answer: 2",
    ]
    saved = ["4 of 4: 7", "stopped after 4 of 9 samples: the lead is clear", "answer: 7"]
    assert run("n: 9, adaptive: 0.95", "777777777") == saved
    assert run("n: 3, vote: overlap", "778")[:2] == ["2 of 3: 7 (weight 0.50)", "1 of 3: 8 (weight 0.00)"]
    assert run("n: 2", "--") == ["answer: none could be read"]


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


def test_run_json(promptkit: CommandLine) -> None:
    said = promptkit("run", "self-consistency:n=3", "What is 1+1?", "--json")
    result = json.loads(said.out)
    assert said.err == ""
    assert len(result["candidates"]) == 3
    assert result["usage"]["calls"] == len(result["trace"]) == 6


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--kind", "choice", "--choice", "red", "--choice", "blue"], "(B) blue"),
        (["--kind", "label", "--label", "warm", "--label", "cold"], "warm"),
    ],
)
def test_run_shows_choices_and_labels_to_the_model(promptkit: CommandLine, options: list[str], shown: str) -> None:
    said = promptkit("run", "zero-shot", "Which?", "--json", *options)
    assert shown in json.loads(said.out)["trace"][0]["completion"]["rendered"]


def test_eval_prints_verdict_table_and_folder(promptkit: CommandLine) -> None:
    said = promptkit("eval", "--strategy", "direct", "--strategy", "zero-shot", "--limit", "3", "--run-dir", "mine")
    assert said.code == 0
    assert said.out.startswith("multiarith-style, 3 questions, ")
    assert re.search(r"^zero-shot +\d", said.out, re.MULTILINE)
    assert "direct on multiarith-style: " in said.err
    assert said.err.endswith("Every prompt and answer is in mine, to be looked at in mine/report.html\n")
    assert {path.name for path in (promptkit.folder / "mine").iterdir()} == {"direct", "zero-shot", "report.html"}
    assert "Which strategy pays off" in (promptkit.folder / "mine" / "report.html").read_text(encoding="utf-8")


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


def test_the_default_model_is_announced_once(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "from_spec", FROM_SPEC)
    monkeypatch.setattr("promptkit.backends.hf_backend", lambda: lambda *_, **__: FakeBackend("The answer is 2."))
    backends._announce.cache_clear()  # pyright: ignore[reportPrivateUsage]
    said = promptkit("run", "zero-shot", "What is 1+1?")
    assert (said.code, said.err) == (0, "promptkit: using the embedded model qwen2.5-coder-0.5b\n")
    again = promptkit("eval", "--strategy", "zero-shot", "--limit", "1", "--run-dir", "r", "--no-cache", "--json")
    assert again.code == 0
    assert "embedded" not in again.err
    assert json.loads(again.out)["runs"][0]["backend"] == "fake"


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


def test_completion_mode(promptkit: CommandLine) -> None:
    said = promptkit("run", "zero-shot", "What is 1+1?", "--mode", "completion", "--json")
    assert json.loads(said.out)["trace"][0]["completion"]["rendered"] == "Q: What is 1+1?\nA:"


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


def test_listings(promptkit: CommandLine) -> None:
    said = promptkit("strategies").out
    assert all(name in said for name in PRESETS)
    assert "multiarith-style" in promptkit("benchmarks").out
    models = promptkit("models", "list").out
    assert "qwen2.5-coder-0.5b" in models
    assert "promptkit models pull smollm2-135m" in models
    names = [line.split()[0] for line in promptkit("templates", "list").out.splitlines()]
    assert names == templates.names()


def test_templates_show_is_exact(promptkit: CommandLine) -> None:
    source = "{# \t :warning: [bold]x[/bold] #}\n{{ question }}\t:smile:" + "long " * 60
    (promptkit.folder / "mine.j2").write_text(source + "\n")
    said = promptkit("templates", "show", "mine.j2")
    assert said.out == source + "\n"
    assert said.err.startswith("mine.j2: needs question; hash ")


def test_templates_render(promptkit: CommandLine) -> None:
    said = promptkit("templates", "render", "zero-shot/plain", "--var", "question=What is 6 times 7: [42]?")
    assert said.out.splitlines() == [
        "user",
        "What is 6 times 7: [42]?",
        "completion mode",
        "Q: What is 6 times 7: [42]?",
        "A:",
    ]
    said = promptkit("templates", "render", "zero-shot/plain", "--var", "question=Q?", "--var", "choices=[red, blue]")
    assert "(B) blue" in said.out


def test_a_warning_is_one_line(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(*_: object, **__: object) -> Path:
        warnings.warn("the model\nhas \x1b[31mvanished", UserWarning, stacklevel=2)
        return Path("/models")

    monkeypatch.setattr("promptkit.models.ensure", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
        said = promptkit("models", "pull", "smollm2-135m")
    assert "warning: the model has vanished\n" in said.err
