"""What other packages bring: the example package, installed for real, and packages that are broken in every way."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from promptkit import Question, backends, plugins
from promptkit.errors import ConfigError
from promptkit.evaluation import load
from promptkit.evaluation.benchmarks import known
from promptkit.evaluation.judging import load_rubric
from promptkit.extract import extractor_for
from promptkit.strategies import resolve
from tests.command_line import CommandLine
from tests.isolation import ROOT

EXAMPLE = ROOT / "examples" / "plugin"


# -- the example, installed by pip, in processes of its own ------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder beside which the example package is installed."""
    pytest.importorskip("hatchling", reason="installing the example needs hatchling (the extra `dev`)")
    base = tmp_path_factory.mktemp("plugin")
    shutil.copytree(EXAMPLE, base / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CONFIG_FILE": os.devnull}
    command += ["--target", str(base / "installed"), str(base / "source")]
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=environment)
    (base / "work").mkdir()
    return base / "work"


def promptkit(folder: Path, *args: str, typed: str = "", there: bool = True) -> subprocess.CompletedProcess[str]:
    """`promptkit …` where the example is installed (or not), with what a person types."""
    path = os.pathsep.join([str(ROOT), *([str(folder.parent / "installed")] if there else [])])
    return subprocess.run(
        [sys.executable, "-c", "from promptkit.cli import main; main()", *args],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "PROMPTKIT_CACHE": str(folder.parent / "cache")},
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_all_that_the_example_brings_is_listed(folder: Path) -> None:
    listed = json.loads(promptkit(folder, "plugins", "--json").stdout)["plugins"]
    example = [one for one in listed if one["package"] == "promptkit-example 0.1.0"]
    assert [(one["kind"], one["name"], one["problem"]) for one in example] == [
        ("strategies", "re-reading", None),
        ("benchmarks", "coin-sums", None),
        ("extractors", "last-line", None),
        ("backends", "person", None),
        ("judges", "release-note", None),
    ]
    assert "brought by promptkit-example 0.1.0" in promptkit(folder, "strategies").stdout
    assert "coin-sums" in promptkit(folder, "benchmarks").stdout


def test_all_that_the_example_brings_works_together(folder: Path) -> None:
    asked = ["eval", "--strategy", "re-reading", "--strategy", "re-reading:max_tokens=5", "--benchmark", "coin-sums"]
    asked += ["--limit", "2", "--backend", "person:ann", "--run-dir", "run", "--json", "--no-cache"]
    done = promptkit(folder, *asked, typed="The answer is 1.\n" * 4)
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)["runs"]
    assert [(run["strategy"], run["n"], run["backend"]) for run in runs] == [
        ("re-reading", 2, "person ann"),
        ("re-reading:max_tokens=5", 2, "person ann"),
    ]
    manifest = json.loads((folder / "run/re-reading/manifest.json").read_text(encoding="utf-8"))
    assert manifest["strategy_definition"]["strategy"] == "re-reading"
    assert manifest["templates"].keys() == {"re-reading"}
    assert manifest["benchmark"]["source"] == "promptkit-example 0.1.0, seed 0"
    assert "Read the question again:" in (folder / "run/re-reading/samples.jsonl").read_text(encoding="utf-8")

    again = promptkit(folder, "rescore", "run/re-reading", "--extractor", "last-line", "--json")
    assert json.loads(again.stdout)["extractor"] == "last-line", again.stderr
    sample = json.loads(
        (folder / "run/re-reading--last-line/samples.jsonl").read_text(encoding="utf-8").splitlines()[0]
    )
    assert sample["extraction"] == {"value": "1", "span": [14, 15], "rule": "last-line"}

    (folder / "notes.jsonl").write_text('{"id": "a", "output": "Runs start twice as fast."}\n', encoding="utf-8")
    judged = ["judge", "notes.jsonl", "--rubric", "release-note", "--backend", "person:ann", "--json", "--no-cache"]
    said = promptkit(folder, *judged, typed="yes\nyes\n")
    assert json.loads(said.stdout)["judged"][0]["points"] == 2, said.stderr

    planned = promptkit(folder, "plan", *asked[1:-4], "--json")
    assert json.loads(planned.stdout)["backends"][0]["backend"] == "ann", planned.stderr


def test_it_loads_from_files_and_without_the_package_one_line_says_what_is_missing(folder: Path) -> None:
    (folder / "mine.yaml").write_text("{strategy: self-consistency, n: 2, inner: {strategy: re-reading}}")
    asked = ["eval", "--strategy", "mine.yaml", "--benchmark", "coin-sums", "--limit", "1", "--backend", "person:ann"]
    done = promptkit(folder, *asked, "--run-dir", "two", "--no-cache", typed="1\n2\n")
    assert done.returncode == 0, done.stderr
    for args in (["run", "mine.yaml", "Q?"], ["run", "re-reading", "Q?"], asked[:1] + asked[3:]):
        gone = promptkit(folder, *args, there=False)
        assert gone.returncode == 2
        assert gone.stderr.startswith("error: ") and len(gone.stderr.splitlines()) == 1


def test_an_option_that_a_plugin_does_not_take(folder: Path) -> None:
    said = promptkit(folder, "run", "re-reading", "Q?", "--backend", "person:ann", "--mode", "chat")
    assert said.returncode == 2
    assert "person:ann cannot be made with mode" in said.stderr
    assert "(leave out options that it does not take)" in said.stderr


# -- packages that are broken ------------------------------------------------------------------------------

Bring = Callable[..., None]


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bring]:
    """Puts packages on the path: `bring("name", "entry points", module="source")`."""

    def bring(name: str, entry_points: str, **modules: str) -> None:
        base = tmp_path / f"site-{name}"
        information = base / f"{name.replace('-', '_')}-1.0.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(entry_points)
        for module, source in modules.items():
            (base / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(base)
        plugins.installed.cache_clear()

    yield bring
    plugins.installed.cache_clear()


ASK: dict[str, Callable[[str], Any]] = {
    "strategies": resolve,
    "benchmarks": load,
    "extractors": lambda name: extractor_for(Question(text="?"), name),
    "backends": lambda name: backends.from_spec(f"{name}:model"),
    "judges": load_rubric,
}


@pytest.mark.parametrize("kind", plugins.KINDS)
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("raise SystemExit('leaving')", "SystemExit: leaving"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("", "AttributeError: "),
        ("def thing(*a, **k): return 7\nthing.name = 7", ""),
    ],
)
def test_what_is_broken_is_named_with_its_package(bring: Bring, kind: plugins.Kind, source: str, said: str) -> None:
    number = abs(hash((kind, source)))
    bring("sad-package", f"[promptkit.{kind}]\nbroken = sad_{number}:thing\n", **{f"sad_{number}": source})
    with pytest.raises(ConfigError) as caught:
        found = ASK[kind]("broken")
        found("text")  # an extractor shows only here what it is
    singular = "strategy" if kind == "strategies" else kind.removesuffix("s")
    assert f"the {singular} 'broken' of sad-package 1.0 cannot be used: {said}" in str(caught.value)
    assert caught.value.hint == "update sad-package, or remove it"


def test_nothing_else_is_touched_by_what_is_broken(bring: Bring) -> None:
    bad = "".join(f"[promptkit.{kind}]\nbroken = sad_all:thing\n" for kind in plugins.KINDS)
    bring("sad-package", bad, sad_all="raise RuntimeError('sad')")
    assert resolve("zero-shot").tag == "zero-shot"
    assert load("multiarith-style", limit=1).examples
    assert extractor_for(Question(text="?"), "strict")("The answer is 2.")
    assert load_rubric("support-summary").criteria
    with pytest.warns(UserWarning, match=r"'broken' of sad-package 1\.0 cannot be used"):
        assert "multiarith-style" in {entry.name for entry in known()}
    assert "sad_all" not in sys.modules


def test_nothing_is_imported_before_it_is_asked_for(bring: Bring) -> None:
    bring("lazy-package", "[promptkit.strategies]\nlazy = lazy_module:Lazy\n", lazy_module="1 / 0")
    assert plugins.names("strategies") == ["lazy"]
    with pytest.raises(ConfigError, match=r"known: .*zero-shot.*, lazy; or give a YAML file"):
        resolve("nothing")
    assert "lazy_module" not in sys.modules


def test_an_unreadable_list_of_entry_points_is_told_and_does_no_harm(bring: Bring) -> None:
    bring("garbled", "[promptkit.strategies]\nno equals sign here\n")
    (told,) = [one for one in plugins.installed() if one.package == "garbled 1.0"]
    with pytest.raises(ConfigError, match=r"of garbled 1\.0 cannot be used: its entry_points\.txt cannot be read"):
        told.load()
    assert resolve("zero-shot").tag == "zero-shot"


def test_two_packages_that_bring_the_same_name(bring: Bring) -> None:
    for name in ("one", "two"):
        bring(name, "[promptkit.judges]\nsame = json:loads\n")
    with pytest.raises(ConfigError, match=r"'same' is brought by one 1\.0 and two 1\.0"):
        load_rubric("same")


def test_a_name_of_promptkits_own_wins_and_the_list_says_so(
    bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"strategies": "direct", "benchmarks": "sentiment", "extractors": "strict", "backends": "hf"}
    lists = "".join(f"[promptkit.{kind}]\n{name} = usurper:thing\n" for kind, name in names.items())
    bring("usurper", lists, usurper="1 / 0")
    assert resolve("direct").tag == "zero-shot"
    said = CommandLine(capsys, monkeypatch, tmp_path)("plugins", "--json")
    told = {one["name"]: one["problem"] for one in json.loads(said.out)["plugins"] if one["package"] == "usurper 1.0"}
    assert told == dict.fromkeys(names.values(), "promptkit has one of this name, which is used")


def test_the_list_says_of_each_whether_it_can_be_used(
    bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    promptkit = CommandLine(capsys, monkeypatch, tmp_path)
    monkeypatch.setattr(plugins, "installed", lambda: ())
    assert promptkit("plugins").out.startswith("No installed package adds anything.")
    monkeypatch.undo()
    lists = "[promptkit.extractors]\nfine = mixed:fine\nsad = mixed:nothing\n"
    bring("mixed", lists, mixed="def fine(question): return lambda text: None\n")
    said = promptkit("plugins")
    assert said.code == 0
    fine, sad = [line.split() for line in said.out.splitlines() if line.startswith("extractors")]
    assert fine == ["extractors", "fine", "mixed", "1.0", "ok"]
    assert sad[:4] == ["extractors", "sad", "mixed", "1.0"]
    assert "the extractor 'sad' of mixed 1.0 cannot be used" in " ".join(said.out.split())


def test_a_backend_that_cannot_be_made(bring: Bring) -> None:
    source = """
from promptkit.errors import ConfigError
def sad(model): raise RuntimeError("no route to " + model)
def shy(model): raise ConfigError("it needs a key", hint="set SHY_KEY")
"""
    bring("servers", "[promptkit.backends]\nsad = servers_of:sad\nshy = servers_of:shy\n", servers_of=source)
    with pytest.raises(ConfigError, match=r"'sad' of servers 1\.0 cannot be used: RuntimeError: no route to m"):
        backends.from_spec("sad:m")
    with pytest.raises(ConfigError, match=r"^it needs a key \(set SHY_KEY\)$"):
        backends.from_spec("shy:m")


def test_an_extractor_that_fails_on_a_text_is_named(bring: Bring) -> None:
    bring("sad-reader", "[promptkit.extractors]\nsad = sad_reader:make\n", sad_reader="make = lambda q: int\n")
    with pytest.raises(
        ConfigError, match=r"the extractor 'sad' of sad-reader 1\.0 cannot be used: it failed on a text"
    ):
        extractor_for(Question(text="?"), "sad")("no number")
    with pytest.raises(ConfigError, match="it gave a int, not an Extraction or None"):
        extractor_for(Question(text="?"), "sad")("7")


def test_benchmarks_of_plugins_are_checked_as_all_are(bring: Bring) -> None:
    source = "from promptkit.evaluation.benchmarks import Known\n"
    for name, rows in {"none": "[]", "odd": "[{'question': 'Q?', 'answer': 'no number'}]", "sad": "1 / 0"}.items():
        source += f"{name} = Known('{name}', 'number', None, 'CC0-1.0', 'x', make=lambda size, seed: {rows})\n"
    source += "empty = Known('empty', 'number', None, 'CC0-1.0', 'x')\n"
    names = ("none", "odd", "sad", "empty")
    bring("rows", "[promptkit.benchmarks]\n" + "".join(f"{name} = rows_of:{name}\n" for name in names), rows_of=source)
    complaints = ("made no questions", "is no answer of kind number", "ZeroDivisionError", "it has no questions")
    for name, said in zip(names, complaints, strict=True):
        with pytest.raises(ConfigError, match=said):
            load(name)


def test_a_benchmark_in_a_file_of_the_package_with_rules_of_its_own(bring: Bring, tmp_path: Path) -> None:
    (tmp_path / "capitals.jsonl").write_text('{"question": "France?", "answer": "Paris"}\n', encoding="utf-8")
    source = f"""
from pathlib import Path
from promptkit.evaluation.benchmarks import Known
from promptkit.evaluation.benchmarks.scorers import Scored
capitals = Known(
    "capitals", "text", 1, "CC0-1.0", "x", packaged=Path({str(tmp_path / "capitals.jsonl")!r}),
    scorer=lambda result, example: Scored(True, {{"half": 0.5}}),
)
"""
    bring("capitals", "[promptkit.benchmarks]\ncapitals = capitals_of:capitals\n", capitals_of=source)
    read = load("capitals")
    assert (read.kind, read.licence, len(read.examples)) == ("text", "CC0-1.0", 1)
    scored = read.scorer(None, read.examples[0])  # type: ignore[arg-type]
    assert scored and scored.scores == {"half": 0.5}
    assert {entry.name: entry.source for entry in known()}["capitals"] == "capitals 1.0"


def test_the_page_says_what_the_example_says() -> None:
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    (quoted,) = [block.split("```")[0] for block in page.split("```toml\n")[1:]]
    project = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    assert all(line in project for line in quoted.splitlines())
    assert all(f"`promptkit.{kind}`" in page and f'"promptkit.{kind}"' in project for kind in plugins.KINDS)
    named = {path.name for path in (EXAMPLE / "promptkit_example").glob("*.py")} - {"__init__.py"}
    assert all(f"examples/plugin/promptkit_example/{name}" in page for name in named)
