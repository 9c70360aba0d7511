"""Runs for other programs: tables that hold everything, and logs that Inspect reads."""

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from promptkit import FakeBackend, SelfConsistency, ZeroShot, evaluate
from promptkit.backends.base import Answer
from promptkit.errors import BackendError, ConfigError
from promptkit.evaluation import Run, load_run
from promptkit.evaluation.exporting import inspect_log, rows, to_pandas, write_inspect_log, write_table
from promptkit.types import Completion, Request
from tests.command_line import CommandLine
from tests.evaluation.rereading.test_rescoring import bench

OLD = Path(__file__).parents[2] / "golden" / "written-by-0.1.0"
HOSTILE = '=HYPERLINK("http://x")\x00\x1b[m\n"7"'


@pytest.fixture
def promptkit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    return CommandLine(capsys, monkeypatch, tmp_path)


def mixed(folder: Path | None = None) -> Run:
    """A run with every status."""

    def answer(request: Request) -> Answer:
        place = int(request.text.split("thing ")[1][0])
        if place == 4:
            return BackendError("the server has gone")
        text = ["So -7.", "So 3.", HOSTILE.replace('"7"', "?"), "So 7 a"][place]
        return Completion(text=text, finish_reason="length" if place == 3 else "stop", seconds=0.5, prompt_tokens=9)

    return evaluate({"it": ZeroShot()}, bench(gold="-7"), FakeBackend(answer), run_dir=folder)[0]


def test_a_row_a_question() -> None:
    found = rows([mixed(), mixed()])
    assert len(found) == 10
    assert [row["status"] for row in found[:5]] == ["correct", "wrong", "unparsed", "truncated", "failed"]
    assert found[0]["answer"] == "-7" and found[0]["rule"] == "last"
    assert found[0]["text"][found[0]["span_start"] : found[0]["span_end"]] == "-7"
    assert found[4]["error"] == "the server has gone" and found[4]["seconds"] == 0


def test_csv_keeps_numbers_and_runs_no_formula(tmp_path: Path) -> None:
    write_table([mixed()], tmp_path / "it.csv")
    with (tmp_path / "it.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["id"] for row in read] == ["q0", "q1", "q2", "q3", "q4"]
    assert read[0]["answer"] == "-7" and read[2]["text"].startswith("'=HYPERLINK")


def test_parquet_and_pandas_hold_the_very_texts(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (the extra `export`)")
    pytest.importorskip("pandas", reason="pandas is not installed (the extra `export`)")
    run = mixed()
    write_table([run], tmp_path / "it.parquet")
    assert parquet.read_table(tmp_path / "it.parquet").to_pylist() == rows(run)
    frame = to_pandas([run, run])
    assert len(frame) == 10 and frame["correct"].mean() == pytest.approx(0.2)
    assert list(run.to_pandas()["text"]) == [row["text"] for row in rows(run)]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("it.xlsx", r"no table ends in '\.xlsx' \(name it \.csv or \.parquet\)"),
        ("nowhere/it.csv", r"cannot write .*it\.csv: No such file or directory \(choose another file\)"),
        ("it.parquet", r"writing Parquet needs pyarrow \(pip install \"promptkit\[export\]\"\)"),
    ],
)
def test_a_table_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, complaint: str
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=complaint):
        write_table([mixed()], tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_what_is_missing_for_a_table_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match=r"a data frame needs pandas \(pip install \"promptkit\[export\]\"\)"):
        mixed().to_pandas()
    with pytest.raises(ConfigError, match="the runs hold no questions"):
        write_table([], tmp_path / "it.csv")


def test_the_log_says_what_the_run_says() -> None:
    run = mixed()
    log = inspect_log(run)
    assert log["results"]["scores"][0]["metrics"]["accuracy"]["value"] == run.accuracy
    values = [sample["scores"]["promptkit"]["value"] for sample in log["samples"]]
    assert values == ["C", "I", "N", "I", "I"]
    assert log["samples"][0]["messages"][-1]["content"] == "So -7."
    assert log["samples"][4]["error"]["message"] == "the server has gone"
    assert log["stats"]["model_usage"]["promptkit/fake"]["input_tokens"] == run.usage.prompt_tokens


def test_every_call_is_in_the_transcript() -> None:
    (run,) = evaluate(SelfConsistency(ZeroShot(), n=3), bench(n=1), FakeBackend("7"))
    events = inspect_log(run)["samples"][0]["events"]
    assert [event["metadata"]["sample"] for event in events] == [[0], [1], [2]]


def test_the_packed_form_holds_the_same(tmp_path: Path) -> None:
    run = mixed()
    write_inspect_log(run, tmp_path / "it.eval")
    with zipfile.ZipFile(tmp_path / "it.eval") as archive:
        header = json.loads(archive.read("header.json"))
        samples = [json.loads(archive.read(f"samples/q{place}_epoch_1.json")) for place in range(5)]
    assert {**header, "samples": samples} == json.loads(json.dumps(inspect_log(run)))


INSPECT = """
import sys
from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries
for path in sys.argv[1:]:
    log = read_eval_log(path)
    score = log.samples[0].scores["promptkit"]
    print(log.status, log.results.scores[0].metrics["accuracy"].value, len(log.samples), score.value, score.answer,
          log.samples[0].messages[-1].text, len(log.samples[0].events), read_eval_log_sample_summaries(path)[0].id)
"""


def inspect_python() -> str:
    """A Python that has Inspect: this one, or the one that `$INSPECT_PYTHON` names."""
    import importlib.util
    import os

    named = os.environ.get("INSPECT_PYTHON")
    if named is None and importlib.util.find_spec("inspect_ai") is None:
        pytest.skip("inspect_ai is not installed here (set INSPECT_PYTHON to a Python that has it)")
    return named or sys.executable


def test_inspect_reads_the_logs(tmp_path: Path) -> None:
    python = inspect_python()
    mixed(tmp_path)
    run = load_run(tmp_path / "it")
    paths = [tmp_path / "a.json", tmp_path / "b.eval"]
    for path in paths:
        write_inspect_log(run, path)
    done = subprocess.run([python, "-c", INSPECT, *map(str, paths)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["success 0.2 5 C -7 So -7. 1 q0"] * 2


class TestCommand:
    def test_tables_and_logs(self, promptkit: CommandLine, tmp_path: Path) -> None:
        names = ("direct", "zero-shot", "self-consistency")
        said = promptkit("export", *(OLD / name for name in names), "-o", "all.csv")
        assert said.code == 0 and "12 questions of 3 runs are in all.csv" in said.err
        assert len((tmp_path / "all.csv").read_text().splitlines()) == 13
        promptkit("export", *(OLD / name for name in names), "-o", "logs")
        assert len(list((tmp_path / "logs").glob("*.eval"))) == 3
        assert promptkit("export", OLD / "direct", "-o", "one.json").code == 0
        assert json.loads((tmp_path / "one.json").read_text())["eval"]["task"] == "pears · direct"

    @pytest.mark.parametrize(
        ("args", "complaint"),
        [
            ((OLD / "direct", "-o", "x.xlsx"), "cannot write '.xlsx'"),
            ((OLD / "direct", OLD / "zero-shot", "-o", "x.eval"), "holds one run"),
            ((OLD / "direct", OLD / "direct", "-o", "logs"), "given twice"),
            ((OLD / "direct", "-o", "there.csv"), "is there already"),
            (("nowhere", "-o", "x.csv"), "there is no folder nowhere"),
        ],
    )
    def test_bad_input(self, promptkit: CommandLine, tmp_path: Path, args: tuple[str, ...], complaint: str) -> None:
        (tmp_path / "there.csv").write_text("mine")
        said = promptkit("export", *args)
        assert said.code == 2 and complaint in said.err and len(said.err.splitlines()) == 1
        assert (tmp_path / "there.csv").read_text() == "mine"
