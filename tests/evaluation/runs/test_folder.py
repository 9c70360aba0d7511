"""Run folders: written as the run goes on, refused to other runs, read again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import promptkit
from promptkit import CoT, FakeBackend, Run, ZeroShot, evaluate
from promptkit.errors import ConfigError
from promptkit.evaluation import load, load_run
from tests.isolation import ROOT


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Three questions of 1 + 1, 2 + 1 and 3 + 1."""
    path = tmp_path / "sums.jsonl"
    path.write_text("".join(f'{{"question": "What is {n} + 1?", "answer": "{n + 1}"}}\n' for n in (1, 2, 3)))
    return path


def made(questions: Path, folder: Path, **options: object) -> Run:
    strategy = options.pop("strategy", "zero-shot")
    backend = options.pop("backend", None) or FakeBackend("The answer is 3.")
    (found,) = evaluate(strategy, str(questions), backend, run_dir=folder, **options)  # pyright: ignore
    return found


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_manifest_says_what_was_run_on_what(questions: Path, tmp_path: Path) -> None:
    run = made(questions, tmp_path / "runs", seed=7, limit=2)
    manifest = json.loads((tmp_path / "runs/zero-shot/manifest.json").read_text())
    assert manifest == run.manifest
    assert manifest["versions"]["promptkit"] == promptkit.__version__
    assert {"python", "pydantic", "jinja2"} <= manifest["versions"].keys()
    assert manifest["machine"].keys() == {"system", "processor", "cores"}
    assert (manifest["seed"], manifest["status"], manifest["strategy"]) == (7, "complete", "zero-shot")
    assert manifest["strategy_definition"]["strategy"] == "zero-shot"
    assert manifest["templates"] == {"zero-shot/plain": ZeroShot().templates()["zero-shot/plain"]}
    assert manifest["benchmark"]["sha256"] == load(str(questions)).sha256
    assert manifest["benchmark"]["questions"] == 2
    assert manifest["backend"] == FakeBackend().identity()
    assert manifest["result"]["correct"] == 1
    assert manifest["started"] <= manifest["finished"]


def test_samples_hold_all_that_led_to_the_score(questions: Path, tmp_path: Path) -> None:
    made(questions, tmp_path / "runs", strategy="zero-shot-cot")
    lines = (tmp_path / "runs/zero-shot-cot/samples.jsonl").read_text().splitlines()
    sample = json.loads(lines[1])
    assert len(lines) == 3
    assert (sample["question"], sample["gold"], sample["answer"], sample["status"]) == (
        "What is 2 + 1?",
        "3",
        "3",
        "correct",
    )
    start, end = sample["extraction"]["span"]
    assert sample["text"][start:end] == "3"
    assert sample["extraction"]["rule"]
    rationale, answer = sample["calls"]
    assert "step by step" in rationale["completion"]["rendered"]
    assert answer["request"]["messages"][-1]["content"].startswith("Therefore")
    assert answer["completion"]["text"] == "The answer is 3."


def test_only_the_owner_can_read_the_folder(questions: Path, tmp_path: Path) -> None:
    made(questions, tmp_path / "runs")
    assert (tmp_path / "runs/zero-shot").stat().st_mode & 0o077 == 0


def test_round_trip(questions: Path, tmp_path: Path) -> None:
    run = made(questions, tmp_path / "runs")
    again = load_run(tmp_path / "runs/zero-shot")
    assert again == run


_SLOW = """
import sys, time
from promptkit import FakeBackend, evaluate
def answer(request):
    time.sleep(0.05)
    return "The answer is 3."
evaluate(["direct", "zero-shot"], "multiarith-style", FakeBackend(answer), run_dir=sys.argv[1], limit=100)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_leaves_whole_lines(tmp_path: Path, how: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", _SLOW, tmp_path / "runs"], cwd=ROOT, stderr=subprocess.DEVNULL)
    samples = tmp_path / "runs/direct/samples.jsonl"
    deadline = time.monotonic() + 60
    while not (samples.is_file() and samples.read_bytes().count(b"\n") >= 3):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, how)
    process.wait(60)
    lines = samples.read_text().splitlines()
    assert len(lines) >= 3
    assert all(json.loads(line)["status"] in ("correct", "wrong") for line in lines)
    assert json.loads((tmp_path / "runs/direct/manifest.json").read_text())["status"] == "running"
    with pytest.raises(ConfigError, match="was not finished") as caught:
        load_run(tmp_path / "runs/direct")
    assert "same eval command again" in caught.value.hint


def test_the_same_run_may_be_made_again(questions: Path, tmp_path: Path) -> None:
    made(questions, tmp_path / "runs")
    assert made(questions, tmp_path / "runs").count("correct") == 1
    assert set(tree(tmp_path / "runs")) == {"zero-shot/manifest.json", "zero-shot/samples.jsonl"}


def test_a_finished_run_outlives_a_broken_repetition(questions: Path, tmp_path: Path) -> None:
    made(questions, tmp_path / "runs")
    before = tree(tmp_path / "runs")

    def stop(request: object) -> str:
        if "3 + 1" in str(request):
            raise KeyboardInterrupt
        return "The answer is 4."

    with pytest.raises(KeyboardInterrupt):
        made(questions, tmp_path / "runs", backend=FakeBackend(stop))
    assert load_run(tmp_path / "runs/zero-shot").count("correct") == 1
    assert tree(tmp_path / "runs").items() >= before.items()
    made(questions, tmp_path / "runs")
    assert tree(tmp_path / "runs").keys() == before.keys()


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ({"seed": 1}, "seed"),
        ({"limit": 2}, "benchmark"),
        ({"strategy": {"zero-shot": ZeroShot(max_tokens=7)}}, "strategy_definition"),
    ],
)
def test_another_run_is_refused_and_loses_nothing(
    questions: Path, tmp_path: Path, other: dict[str, object], differs: str
) -> None:
    made(questions, tmp_path / "runs")
    before = tree(tmp_path / "runs")
    backend = FakeBackend("7")
    with pytest.raises(ConfigError, match=rf"holds another run \(different {differs}\)"):
        made(questions, tmp_path / "runs", backend=backend, **other)
    assert tree(tmp_path / "runs") == before
    assert not backend.calls


def test_an_edited_template_makes_another_run(questions: Path, tmp_path: Path) -> None:
    template = tmp_path / "mine.j2"
    template.write_text("{{ question }}")
    made(questions, tmp_path / "runs", strategy={"mine": ZeroShot(template=str(template))})
    template.write_text("{{ question }} Be brief.")
    with pytest.raises(ConfigError, match="different templates"):
        made(questions, tmp_path / "runs", strategy={"mine": ZeroShot(template=str(template))})


def test_no_folder_is_touched_when_one_is_refused(questions: Path, tmp_path: Path) -> None:
    evaluate(["zero-shot", "direct"], str(questions), FakeBackend("3"), run_dir=tmp_path / "runs")
    (tmp_path / "runs/direct/manifest.json").write_text("{}")
    before = tree(tmp_path / "runs")
    with pytest.raises(ConfigError, match="direct holds another run"):
        evaluate(["zero-shot", "direct"], str(questions), FakeBackend("3"), run_dir=tmp_path / "runs")
    assert tree(tmp_path / "runs") == before


def test_someones_files_are_left_alone(questions: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs/zero-shot"
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("precious")
    with pytest.raises(ConfigError, match="not empty and no run folder"):
        made(questions, tmp_path / "runs")
    assert tree(folder) == {"thesis.tex": b"precious"}


def test_a_file_in_the_way_is_told(questions: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("precious")
    with pytest.raises(ConfigError, match="cannot write the run folder"):
        made(questions, tmp_path / "runs")
    assert (tmp_path / "runs").read_text() == "precious"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told(questions: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs/zero-shot"
    made(questions, tmp_path / "runs")
    (folder / "samples.jsonl.new").symlink_to("/dev/full")
    with pytest.raises(ConfigError, match="No space left on device"):
        made(questions, tmp_path / "runs")
    assert load_run(folder).n == 3


def cut(path: Path) -> None:
    path.write_text(path.read_text()[:-30])


def drop_line(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "no run folder: it has no manifest.json"),
        (lambda folder: cut(folder / "manifest.json"), "manifest.json is damaged"),
        (lambda folder: (folder / "manifest.json").write_bytes(b"\xff\xfe"), "manifest.json is damaged"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "manifest.json is damaged"),
        (lambda folder: (folder / "manifest.json").write_text('{"status": "complete"}'), "manifest.json is damaged"),
        (
            lambda folder: (folder / "manifest.json").write_text('{"status": "complete", "result": 3}'),
            "manifest.json is damaged",
        ),
        (lambda folder: (folder / "samples.jsonl").unlink(), "cannot read .*samples.jsonl: No such file"),
        (lambda folder: cut(folder / "samples.jsonl"), "samples.jsonl, line 3 is damaged"),
        (lambda folder: (folder / "samples.jsonl").write_bytes(b"\xff\n"), "samples.jsonl, line 1 is damaged"),
        (
            lambda folder: drop_line(folder / "samples.jsonl"),
            "samples.jsonl is damaged: 1 of 2 are right there, and 1 of 3 in manifest.json",
        ),
    ],
)
def test_a_damaged_folder_is_one_clear_error(
    questions: Path, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    made(questions, tmp_path / "runs")
    damage(tmp_path / "runs/zero-shot")
    with pytest.raises(ConfigError, match=message) as caught:
        load_run(tmp_path / "runs/zero-shot")
    assert caught.value.hint
    assert "\n" not in str(caught.value)


def test_strategies_benchmarks_and_backends_have_folders_of_their_own(questions: Path, tmp_path: Path) -> None:
    other = questions.with_name("more sums.jsonl")
    other.write_bytes(questions.read_bytes())
    backends = [FakeBackend("3"), FakeBackend("4")]
    backends[0].name, backends[1].name = "org/one", "org/two"
    runs = evaluate({"../a b": CoT(), "c": ZeroShot()}, [str(questions), str(other)], backends, run_dir=tmp_path / "r")
    folders = [run.run_dir.relative_to(tmp_path / "r").as_posix() for run in runs if run.run_dir]
    assert folders[:2] == ["a-b--sums--org-one", "c--sums--org-one"]
    assert len(set(folders)) == len(list((tmp_path / "r").iterdir())) == 8


def test_two_names_for_one_folder_are_refused(questions: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="would share a folder"):
        evaluate({"a b": CoT(), "a-b": ZeroShot()}, str(questions), FakeBackend("3"), run_dir=tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_whatever_a_run_writes_is_private(questions: Path, tmp_path: Path) -> None:
    made(questions, tmp_path / "runs" / "now")
    written = [tmp_path / "runs/now", *(tmp_path / "runs/now").rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in written} == {0}
