"""Finding runs, and reading those that go on."""

import json
from pathlib import Path

import pytest

from promptkit import FakeBackend, evaluate
from promptkit.errors import ConfigError
from promptkit.evaluation.runs.folder import load_run, load_run_so_far
from promptkit.report.folders import evaluations, finished, run_folders, state_of

STRATEGIES = ["zero-shot-cot", "self-consistency:n=3", "direct"]


@pytest.fixture
def evaluation(tmp_path: Path) -> Path:
    """A folder with three finished runs of four questions."""
    folder = tmp_path / "runs" / "monday"
    evaluate(STRATEGIES, "multiarith-style", FakeBackend("The answer is 3."), limit=4, run_dir=folder)
    return folder


def unfinish(run: Path, lines: int, *, torn: bool = False) -> None:
    """Make a run folder one that is still written: so many questions are there, perhaps half a line more."""
    manifest = json.loads((run / "manifest.json").read_text())
    for name in ("result", "seconds", "finished"):
        del manifest[name]
    (run / "manifest.json").write_text(json.dumps(manifest | {"status": "running"}))
    written = (run / "samples.jsonl").read_bytes().splitlines(keepends=True)
    (run / "samples.jsonl").write_bytes(b"".join(written[:lines]) + (written[lines][:30] if torn else b""))


def test_runs_are_found_in_the_presets_order(evaluation: Path) -> None:
    names = ["direct", "zero-shot-cot", "self-consistency-n=3"]
    assert [folder.name for folder in run_folders(evaluation)] == names
    assert run_folders(evaluation / "direct") == [evaluation / "direct"]
    assert run_folders(evaluation.parent) == []
    assert run_folders(evaluation / "none") == []


def test_evaluations_are_found_one_level_up(evaluation: Path) -> None:
    assert evaluations(evaluation.parent) == [evaluation]
    assert evaluations(evaluation) == [evaluation]
    assert evaluations(evaluation / "none") == []


def test_a_run_that_is_written_is_read_so_far(evaluation: Path) -> None:
    unfinish(evaluation / "direct", 2, torn=True)
    run = load_run_so_far(evaluation / "direct")
    assert (run.strategy, run.benchmark, run.backend, run.n, run.missing) == (
        "direct",
        "multiarith-style",
        "fake",
        2,
        2,
    )
    unfinish(evaluation / "zero-shot-cot", 0)
    assert load_run_so_far(evaluation / "zero-shot-cot").n == 0


def test_finished_runs_are_read_as_they_are(evaluation: Path) -> None:
    assert load_run_so_far(evaluation / "direct") == load_run(evaluation / "direct")
    assert [run.n for run in finished([evaluation])] == [4, 4, 4]
    assert [run.strategy for run in finished(run_folders(evaluation)[:1])] == ["direct"]


def test_a_report_that_stays_refuses_what_is_not_finished_or_no_run(evaluation: Path, tmp_path: Path) -> None:
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=f"no run in {empty}"):
        finished([evaluation, empty])
    unfinish(evaluation / "direct", 3)
    with pytest.raises(ConfigError, match="not finished"):
        finished([evaluation])


@pytest.mark.parametrize("content", ["[]", "{", '{"status": "running"}', '{"status": "running", "benchmark": 3}'])
def test_a_damaged_folder_is_refused(evaluation: Path, content: str) -> None:
    (evaluation / "direct" / "manifest.json").write_text(content)
    with pytest.raises(ConfigError, match="damaged"):
        load_run_so_far(evaluation / "direct")


def test_the_state_changes_with_what_is_written(evaluation: Path) -> None:
    before = state_of(evaluation)
    assert state_of(evaluation) == before
    with (evaluation / "direct" / "samples.jsonl").open("a") as file:
        file.write("\n")
    assert state_of(evaluation) != before


def test_the_folder_of_a_suite_is_an_error_that_names_what_to_give_instead(tmp_path: Path) -> None:
    for seed in (0, 1):
        (tmp_path / f"seed-{seed}/direct").mkdir(parents=True)
        (tmp_path / f"seed-{seed}/direct/manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        finished([tmp_path])
    assert refused.value.message == f"{tmp_path} holds several evaluations"
    assert refused.value.hint == f"give a folder around its runs, as {tmp_path / 'seed-0'}"
    with pytest.raises(ConfigError) as refused:
        load_run(tmp_path)
    assert refused.value.message == f"{tmp_path} is no run folder but holds 2"
    assert refused.value.hint == f"give one of them, as {tmp_path / 'seed-0/direct'}"
