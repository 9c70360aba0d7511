"""The audit: bounds, disputes, and gains taken apart."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from promptkit import Chain, CoT, FakeBackend, Step, ZeroShot, evaluate
from promptkit.errors import ConfigError
from promptkit.evaluation import Run, load, load_run, rescore
from promptkit.evaluation.analysis.steps import load_step_golds, step_reports
from promptkit.evaluation.rereading.audit_table import excerpt, gain_sentences
from promptkit.evaluation.rereading.auditing import audit, audit_all, gain
from promptkit.types import Completion, Extraction, Request
from tests import recordings
from tests.command_line import CommandLine
from tests.evaluation.rereading.test_rescoring import bench
from tests.isolation import ROOT
from tests.strategies.test_recorded_runs import FILES, PUBLISHED, backend, strategy

OLD = Path(__file__).parents[2] / "golden" / "written-by-0.1.0"


@pytest.fixture
def promptkit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    return CommandLine(capsys, monkeypatch, tmp_path)


def run(name: str, texts: list[str], cut: frozenset[int] = frozenset()) -> Run:
    """A run on questions whose answer is 7, read by the strict extractor."""

    def answer(request: Request) -> Completion:
        place = int(request.text.split("thing ")[1].split("?")[0])
        return Completion(text=texts[place], finish_reason="length" if place in cut else "stop")

    return evaluate({name: ZeroShot(extractor="strict")}, bench(n=len(texts)), FakeBackend(answer))[0]


RIGHT, THERE, WRONG = "The answer is 7.", "So 7.", "The answer is 3."


def test_a_gain_of_formatting_vanishes_and_one_of_reasoning_stays() -> None:
    base = run("base", [RIGHT, THERE, THERE, WRONG, WRONG])
    tidy = run("tidy", [RIGHT, RIGHT, RIGHT, WRONG, WRONG])
    clever = run("clever", [RIGHT, THERE, THERE, RIGHT, RIGHT])
    audits, (first, second) = audit_all([base, tidy, clever])
    assert [round(first.as_run.delta, 9), first.reasoning.delta, round(first.formatting.delta, 9)] == [0.4, 0.0, 0.4]
    assert [second.as_run.delta, second.reasoning.delta, second.formatting.delta] == [0.4, 0.4, 0.0]
    assert audits[0].recovered == {"wrong": [], "unparsed": ["q1", "q2"], "truncated": []}
    of_form, of_thought = gain_sentences([first, second], [base, tidy, clever])
    assert of_form.startswith("tidy against base: +40.0 points as run")
    assert "+40.0 are formatting" in of_form
    assert "Formatting plays no part." in of_thought


def test_a_gain_is_told_with_what_tells_the_runs_apart() -> None:
    def runs(benchmark: str, backend: str) -> list[Run]:
        pair = [run("base", [WRONG]), run("clever", [RIGHT])]
        return [replace(one, benchmark=benchmark, backend=backend) for one in pair]

    def told(*several: Run) -> list[str]:
        return [sentence.partition(":")[0] for sentence in gain_sentences(audit_all(several)[1], several)]

    first, other_model, other_questions = runs("sums", "small"), runs("sums", "large"), runs("shapes", "small")
    assert told(*first) == ["clever against base"]
    assert told(*first, *other_model) == ["clever against base with small", "clever against base with large"]
    assert told(*first, *other_questions) == ["clever against base on sums", "clever against base on shapes"]
    everywhere = told(*first, *other_model, *other_questions)
    assert everywhere[1] == "clever against base on sums with large"
    found = audit_all(other_model)[1][0].summary()
    assert (found["benchmark"], found["backend"]) == ("sums", "large")


def test_the_parts_add_up_question_by_question() -> None:
    a, b = audit(run("a", [RIGHT, THERE, WRONG, "7", WRONG])), audit(run("b", [WRONG, RIGHT, RIGHT, THERE, THERE]))
    found = gain(a, b)
    assert found.reasoning.delta + found.formatting.delta == pytest.approx(found.as_run.delta)


def test_what_was_cut_off_is_recovered_as_such() -> None:
    found = audit(run("it", [RIGHT, WRONG], cut=frozenset({0, 1})))
    assert found.recovered["truncated"] == ["q0"]
    assert (found.run.accuracy, found.lenient.accuracy) == (0.0, 0.5)


def test_the_bounds_enclose_the_run() -> None:
    found = audit(run("it", [RIGHT, THERE, WRONG, "7", "3 and 7"]))
    assert found.strict.accuracy <= found.lenient.accuracy
    assert found.run.accuracy <= found.lenient.accuracy


def test_what_is_in_dispute() -> None:
    found = audit(run("it", [RIGHT, THERE, WRONG, "The answer is 7. Not 8."]))
    assert found.disagreements == ["q1"]  # right for others; of q3 all readings take the phrase
    assert found.read("q1")["run"].status == "unparsed" and found.read("q1")["high"].status == "correct"
    two = audit(evaluate(ZeroShot(), bench(n=1), FakeBackend("7 of 9"))[0])
    assert two.disagreements == ["q0"]


def test_runs_on_other_questions_are_refused() -> None:
    with pytest.raises(ConfigError, match="different questions"):
        gain(audit(run("a", [RIGHT])), audit(run("b", [RIGHT, WRONG])))


def test_digits_of_an_escape_code_are_no_answer() -> None:
    found = audit(run("it", ["\x1b[7mSo 3 eggs.\x1b[0m", "\x1b[31mThe answer is \x1b[1m7\x1b[0m."]))
    assert (found.run.accuracy, found.strict.accuracy, found.lenient.accuracy) == (0.5, 0.5, 0.5)
    assert found.read("q0")["high"].answer == "3"


def test_an_excerpt_is_safe_and_marked() -> None:
    sample = evaluate(ZeroShot(), bench(n=1), FakeBackend("\x1b[31mred\x07\n" * 20 + "The answer is 7."))[0].samples[0]
    shown = excerpt(sample).plain
    assert "»7«" in shown and "\x1b" not in shown and "\n" not in shown and len(shown) < 150
    rationale = sample.model_copy(
        update={"extraction": Extraction(value="7", span=(0, 0), rule="rationale"), "rationale": "So\x1b[0m 7"}
    )
    assert excerpt(rationale).plain == "7, in the rationale: … So 7"


class TestCommand:
    def test_one_table_and_the_gains(self, promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        said = promptkit("audit", OLD / "direct", OLD / "zero-shot", OLD / "self-consistency")
        assert said.code == 0, said.err
        assert "self-consistency 100.0" in said.out
        assert "zero-shot against direct: +50.0 points as run (p = 0.50)" in said.out
        table = said.out.split("% right.")[0].splitlines()
        assert max(map(len, table)) <= 80

    def test_json(self, promptkit: CommandLine) -> None:
        found = json.loads(promptkit("audit", OLD / "direct", OLD / "zero-shot-cot", "--json").out)
        direct = found["runs"][0]
        assert direct["as_run"]["correct"] == 2 and direct["bounds"]["strict"]["correct"] == 2
        assert set(direct["readings"]) == {"strict", "lenient", "answer", "published", "gsm8k-published", "whole"}
        assert found["gains"][0]["a"] == "direct"

    def test_disputed_texts_are_shown_with_who_reads_what(self, promptkit: CommandLine, tmp_path: Path) -> None:
        texts = [RIGHT, "\x1b[mSo 7.\n", "Perhaps 7, or 8."]

        def answer(request: Request) -> str:
            return texts[int(request.text.split("thing ")[1][0])]

        evaluate({"it": ZeroShot(extractor="strict")}, bench(n=3), FakeBackend(answer), run_dir=tmp_path)
        table, shown = promptkit("audit", "it").out.split("it: 2 of 3 answers are in dispute\n")
        assert "it: the right answer was there but 2 not read" in table
        first, second = shown.split("q2, right is 7\n")
        asked, unread, read = (line.rstrip() for line in first.splitlines())
        assert asked == "q1, right is 7"
        assert unread.startswith("  run, strict, ") and unread.endswith("low (unparsed): nothing in … So 7.")
        assert read.startswith("  lenient, ") and read.endswith("high (correct): So »7«.")
        assert "  lenient (wrong): Perhaps 7, or »8«.\n" in second
        assert "high (correct): Perhaps »7«, or 8.\n" in second
        assert "\x1b" not in shown
        assert "q2, right" not in promptkit("audit", "it", "--show", "1").out
        assert "in dispute" not in promptkit("audit", "it", "--show", "0").out

    def test_rescore(self, promptkit: CommandLine, tmp_path: Path) -> None:
        evaluate({"it": ZeroShot()}, bench(n=2), FakeBackend("So 7."), run_dir=tmp_path)
        said = promptkit("rescore", tmp_path / "it", "--extractor", "strict")
        assert "2 → 0 of 2 right (100.0 → 0.0 %), 0 → 2 not read" in said.out
        assert load_run(tmp_path / "it--strict").accuracy == 0
        told = json.loads(promptkit("rescore", tmp_path / "it", "--extractor", "answer", "--json").out)
        assert told["accuracy"] == 1 and told["extractor"] == "answer" and told["fixed"] == []

    @pytest.mark.parametrize(
        ("args", "complaint"),
        [
            (("rescore", OLD / "direct", "--extractor", "lax", "--run-dir", "x"), "there is no extractor 'lax'"),
            (("rescore", "nowhere", "--extractor", "strict"), "there is no folder nowhere"),
            (("audit", "nowhere"), "there is no folder nowhere"),
            (("audit", OLD / "direct", "--steps", "nowhere.jsonl"), "cannot read nowhere.jsonl"),
            (("audit", OLD / "direct", "--show", "-1"), "--show must be at least 0"),
        ],
    )
    def test_bad_input(self, promptkit: CommandLine, args: tuple[str, ...], complaint: str) -> None:
        said = promptkit(*args)
        assert said.code == 2 and complaint in said.err and len(said.err.splitlines()) == 1


class TestSteps:
    def chain(self, folder: Path) -> Run:
        chain = Chain(
            (
                Step(name="names", prompt="{{ question }}", parse="list"),
                Step(name="many", prompt="Count {{ names | join(', ') }}"),
            )
        )
        texts = {"thing 0": "- Ann\n- Bob", "thing 1": "- Ann"}

        def answer(request: Request) -> str:
            return next((text for part, text in texts.items() if part in request.text), "7")

        return evaluate({"chain": chain}, bench(n=2), FakeBackend(answer), run_dir=folder)[0]

    def test_means_over_the_questions(self, tmp_path: Path) -> None:
        golds = {"q0": {"names": ["ann", "bob"]}, "q1": {"names": ["Ann", "Bob"], "many": "7"}}
        names, many = step_reports(self.chain(tmp_path), golds)
        assert (names.n, names.exact, names.precision, names.recall, names.worst) == (2, 0.5, 1.0, 0.75, ("q1",))
        assert (many.n, many.exact) == (1, 1.0)
        with pytest.raises(ConfigError, match="none of the questions"):
            step_reports(self.chain(tmp_path), {"other": {}})

    def test_on_the_command_line(self, promptkit: CommandLine, tmp_path: Path) -> None:
        self.chain(tmp_path / "runs")
        golds = tmp_path / "golds.jsonl"
        golds.write_text(
            '{"id": "q0", "steps": {"names": ["Ann", "Bob"]}}\n{"id": "q1", "steps": {"names": ["Bob"]}}\n'
        )
        said = promptkit("audit", tmp_path / "runs" / "chain", "--steps", golds)
        assert "names  2     50.0" in said.out and "names goes wrong in 1: q1" in said.out
        golds.write_text('{"id": "q0"}\n')
        assert "row 1 lacks `id` or `steps`" in promptkit("audit", tmp_path / "runs" / "chain", "--steps", golds).err
        with pytest.raises(ConfigError):
            load_step_golds(golds)
        golds.write_text('{"id": "q0", "steps": {}}\n' * 2)
        with pytest.raises(ConfigError, match=r"the id 'q0' is there twice"):
            load_step_golds(golds)


def test_two_stages_are_read_in_the_second() -> None:
    answers = iter(["So 3 eggs.", "7"])
    (cot,) = evaluate(CoT(), bench(n=1), FakeBackend(lambda _: next(answers)))
    assert audit(cot).readings["lenient"].samples[0].answer == "7"


@pytest.mark.parametrize(("data", "misread"), [("addsub", 17), ("singleeq", 6)])
def test_published_outputs_from_stored_runs(data: str, misread: int, shared: Path, tmp_path: Path) -> None:
    """The figures of docs/audit.md: the authors' accuracies come back out of run folders."""
    benchmark = load(f"{data}={shared / 'data' / FILES[data]}")
    runs: list[Run] = []
    for name in (f"{data}_zero_shot", f"{data}_zero_shot_cot"):
        evaluate({name: strategy(name)}, benchmark, backend(name, recordings.load(name).blocks), run_dir=tmp_path)
        runs.append(load_run(tmp_path / name))
        assert 100 * rescore(runs[-1], "published").accuracy == pytest.approx(PUBLISHED[name], abs=0.005)
    audits, (found,) = audit_all(runs)
    assert len(audits[1].recovered["wrong"]) == misread
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8").replace("\n", " ")
    assert f"{found.reasoning.delta * 100:+.1f} are reasoning" in page
    assert f"{found.formatting.delta * 100:+.1f} are formatting" in page
