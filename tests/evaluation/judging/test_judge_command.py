"""`promptkit judge` from files and runs to a record on disk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from promptkit import FakeBackend, ZeroShot, evaluate
from promptkit.errors import BackendError
from promptkit.evaluation.judging import load_items, with_facts
from promptkit.types import Request
from tests.command_line import CommandLine
from tests.evaluation.rereading.test_rescoring import bench


@pytest.fixture
def promptkit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    return CommandLine(capsys, monkeypatch, tmp_path)


@pytest.fixture
def judged_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    """Puts fake judges behind the names of --backend."""

    def put(answers: dict[str, Any]) -> None:
        def made(spec: str, **_: Any) -> FakeBackend:
            backend = FakeBackend(answers[spec])
            backend.name = spec
            return backend

        monkeypatch.setattr("promptkit.backends.from_spec", made)
        monkeypatch.setattr("promptkit.backends.check_spec", lambda spec: spec)

    return put


def lenient_judge(request: Request) -> str:
    return "No" if "nonsense" in request.messages[0].content else "Yes"


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def texts(folder: Path) -> tuple[Path, Path]:
    good = [{"id": f"d{i}", "source": "S", "output": "He asked. She answered."} for i in range(8)]
    bad = [{"id": f"d{i}", "source": "S", "output": "nonsense"} for i in range(8)]
    return write(folder / "bad.jsonl", bad), write(folder / "good.jsonl", good)


def test_two_files(promptkit: CommandLine, judged_by: Any, tmp_path: Path) -> None:
    texts(tmp_path)
    judged_by({"default": lenient_judge})
    said = promptkit(
        "judge", "bad.jsonl", "good.jsonl", "--rubric", "support-summary", "--run-dir", "out", "--no-cache"
    )
    assert said.code == 0, said.err
    assert "total 0 of 24 24 of 24" in " ".join(said.out.split())
    assert "good gets more points than bad: +3.00 points a text" in said.out
    assert "two-sentences: judge and code agree on 100 % of 16, kappa 1.00" in said.out
    lines = [json.loads(line) for line in (tmp_path / "out" / "judgements.jsonl").read_text().splitlines()]
    assert len(lines) == 16 and lines[0]["verdicts"][0]["asked"].startswith("A writer was given a task")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["rubric"]["name"] == "support-summary" and "judge/criterion" in manifest["templates"]


def test_json_with_two_judges(promptkit: CommandLine, judged_by: Any, tmp_path: Path) -> None:
    texts(tmp_path)
    judged_by({"hf:one": lenient_judge, "hf:two": "Yes"})
    backends = ("--backend", "hf:one", "--backend", "hf:two", "--no-cache", "--json")
    found = json.loads(promptkit("judge", "bad.jsonl", "good.jsonl", "--rubric", "support-summary", *backends).out)
    assert [one["points"] for one in found["judged"]] == [0.0, 24.0, 16.0, 24.0]
    assert found["judges"][0]["criterion"] == "question" and found["judges"][0]["agree"] == 0.0
    assert found["compared"][0]["delta"] == 3.0


def test_pairwise(promptkit: CommandLine, judged_by: Any, tmp_path: Path) -> None:
    texts(tmp_path)

    def prefers_good(request: Request) -> str:
        asked = request.messages[0].content
        return "B" if asked.index("nonsense") < asked.index("Answer B:") else "A"

    judged_by({"default": prefers_good})
    args = ("judge", "bad.jsonl", "good.jsonl", "--rubric", "support-summary", "--pairwise", "--no-cache")
    said = promptkit(*args)
    assert "good is preferred: bad wins 0, good wins 8, 0 ties, 0 not read (p = 0.008" in said.out
    assert "contradict each other in 0 of 8 pairs" in said.out
    assert json.loads(promptkit(*args, "--json", "--run-dir", "b").out)["pairwise"][0]["wins"]["b"] == 8


def test_a_judge_that_looks_at_the_place_is_found_out(promptkit: CommandLine, judged_by: Any, tmp_path: Path) -> None:
    texts(tmp_path)
    judged_by({"default": "A"})
    args = ("judge", "bad.jsonl", "good.jsonl", "--rubric", "support-summary", "--pairwise", "--no-cache")
    said = promptkit(*args)
    assert "No preference is shown: bad wins 0, good wins 0, 8 ties, 0 not read (p = 1.00" in said.out
    assert "Position: the first text was picked 16 times of 16, the second 0, neither 0" in said.out
    assert "contradict each other in 8 of 8 pairs, which count as ties." in said.out
    assert "This judge has a position bias (p = 0.008)." in said.out
    judged_by({"default": "Perhaps"})
    said = promptkit(*args, "--run-dir", "unread")
    assert "0 ties, 8 not read" in said.out
    assert "No verdict could be read, so nothing is known of a position bias." in said.out


def test_two_judges_in_words(promptkit: CommandLine, judged_by: Any, tmp_path: Path) -> None:
    texts(tmp_path)
    judged_by({"hf:one": lenient_judge, "hf:two": "Yes"})
    backends = ("--backend", "hf:one", "--backend", "hf:two", "--no-cache")
    said = promptkit("judge", "good.jsonl", "bad.jsonl", "again=good.jsonl", "--rubric", "support-summary", *backends)
    first, second = said.out.split("support-summary, 8 texts each, judged by hf:two")
    assert first.startswith("support-summary, 8 texts each, judged by hf:one\n")
    assert "bad gets fewer points than good: -3.00 points a text" in first
    assert "No difference is shown between again and good: +0.00 points a text" in first
    assert "question: hf:one and hf:two agree on 67 % of 24, kappa 0.00" in second
    assert "no better than fair." in second


def test_verdicts_that_were_not_read_make_points_a_range(
    promptkit: CommandLine, judged_by: Any, tmp_path: Path
) -> None:
    bad, _ = texts(tmp_path)
    bad.write_text("".join(bad.read_text(encoding="utf-8").splitlines(keepends=True)[:3]), encoding="utf-8")
    judged_by({"default": "Perhaps"})
    said = promptkit("judge", "bad.jsonl", "good.jsonl", "--rubric", "support-summary", "--no-cache")
    shown = " ".join(said.out.split())
    assert shown.startswith("support-summary, 3 to 8 texts each, judged by default")
    assert "total 0–6 of 9 8–24 of 24 verdicts not read 9 24" in shown
    assert "two-sentences: judge and code have no text in common that both could judge." in shown
    assert "good and bad have no text in common of which every verdict was read." in shown


def test_a_run_with_facts(promptkit: CommandLine, judged_by: Any, tmp_path: Path) -> None:
    evaluate({"it": ZeroShot()}, bench(n=2), FakeBackend("It is 7. I am sure."), run_dir=tmp_path)
    facts = [
        {"id": "q0", "references": {"question": "What it is"}, "labels": {"question": True}},
        {"id": "q1", "references": "It is 7", "labels": {"question": "No"}},
    ]
    items = with_facts(load_items(tmp_path / "it"), write(tmp_path / "facts.jsonl", facts))
    assert items[0].output == "It is 7. I am sure." and items[0].source == "What is thing 0?"
    assert items[0].references_for("question") == ("What it is",) and items[0].references_for("response") == ()
    assert items[1].references_for("response") == ("It is 7",)
    assert [item.labels["question"] for item in items] == ["yes", "no"]
    judged_by({"default": "Yes"})
    said = promptkit("judge", "it", "--rubric", "support-summary", "--facts", "facts.jsonl", "--no-cache")
    assert "question: judge and people's labels agree on 50 % of 2" in said.out


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("bad.jsonl", "--rubric", "nothing"), "there is no rubric"),
        (("nowhere.jsonl", "--rubric", "support-summary"), "cannot read nowhere.jsonl"),
        (("bad.jsonl", "bad.jsonl", "--rubric", "support-summary"), "two sources are called 'bad'"),
        (("bad.jsonl", "--rubric", "support-summary", "--pairwise"), "--pairwise compares two sources"),
        (("bad.jsonl", "--rubric", "support-summary", "--facts", "facts.jsonl"), "has nothing for 'd0'"),
        (("bad.jsonl", "--rubric", "support-summary", "--facts", "odd.jsonl"), "there is no criterion 'odd'"),
        (("bad.jsonl", "--rubric", "support-summary", "--facts", "perhaps.jsonl"), "question cannot be 'perhaps'"),
        (("bad.jsonl", "--rubric", "support-summary", "--facts", "empty.jsonl"), "row 1: its references are no texts"),
        (("bad.jsonl", "--rubric", "support-summary", "--facts", "yes.jsonl"), "row 1: its labels are no mapping"),
        (("other.jsonl", "--rubric", "support-summary"), "no column with outputs (name it: --output COLUMN)"),
        (("bad.jsonl", "--rubric", "support-summary", "--facts", "twice.jsonl"), "the id 'd0' is there twice"),
        (("twice.jsonl", "--rubric", "support-summary"), "the id 'd0' is there twice"),
        (("bad.jsonl", "--rubric", "support-summary", "--run-dir", "."), "is not empty"),
        (("bad.jsonl", "--rubric", "support-summary", "--strategy", "auto-cot"), "needs a pool"),
        (("bad.jsonl", "--rubric", "support-summary", "--output", "text"), "holds no text"),
        (("bad.jsonl", "--rubric", "support-summary", "--limit", "0"), "--limit must be at least 1"),
    ],
)  # fmt: skip
def test_bad_input(
    promptkit: CommandLine, judged_by: Any, tmp_path: Path, args: tuple[str, ...], complaint: str
) -> None:
    texts(tmp_path)
    write(tmp_path / "facts.jsonl", [{"id": "other"}])
    facts: dict[str, dict[str, Any]] = {
        "odd": {"labels": {"odd": "yes"}},
        "perhaps": {"labels": {"question": "perhaps"}},
        "empty": {"references": ["", "It is 7"]},
        "yes": {"labels": "yes"},
    }
    for name, fact in facts.items():
        write(tmp_path / f"{name}.jsonl", [{"id": f"d{i}", **fact} for i in range(8)])
    write(tmp_path / "other.jsonl", [{"id": "d0", "note": "He asked."}])
    write(tmp_path / "twice.jsonl", [{"id": "d0", "output": text} for text in ("one", "two")])
    judged_by({"default": "Yes"})
    said = promptkit("judge", *args)
    assert said.code == 2 and complaint in said.err and len(said.err.splitlines()) == 1


def test_a_judge_that_always_fails_is_an_error(promptkit: CommandLine, judged_by: Any, tmp_path: Path) -> None:
    texts(tmp_path)
    judged_by({"default": lambda _: BackendError("gone")})
    said = promptkit("judge", "bad.jsonl", "--rubric", "support-summary", "--no-cache")
    assert said.code == 2 and "every verdict failed, the first one with: gone" in said.err


def test_hostile_texts_stay_text(promptkit: CommandLine, judged_by: Any, tmp_path: Path) -> None:
    write(tmp_path / "\x1bname.jsonl", [{"id": "1", "output": "</answer> {{ 7*7 }} {% user %}\x1b[31m"}])
    judged_by({"default": "\x1b[2J Yes"})
    said = promptkit("judge", "\x1bname.jsonl", "--rubric", "support-summary", "--no-cache", "--run-dir", "o")
    assert said.code == 0 and "\x1b" not in said.out
    assert (
        "{{ 7*7 }} {% user %}" in json.loads((tmp_path / "o" / "judgements.jsonl").read_text())["verdicts"][0]["asked"]
    )


def test_a_budget_stops_it_and_leaves_no_half_of_a_judgement(
    promptkit: CommandLine, judged_by: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path / "cache"))
    texts(tmp_path)
    judged_by({"default": lenient_judge})
    args = ("judge", "bad.jsonl", "good.jsonl", "--rubric", "support-summary", "--run-dir", "out")
    said = promptkit(*args, "--max-calls", "5")
    assert said.code == 3
    assert "were judged: the budget of 5 calls is used up; spent now: 5 calls" in said.err
    assert not (tmp_path / "out").exists()
    assert promptkit(*args).code == 0
