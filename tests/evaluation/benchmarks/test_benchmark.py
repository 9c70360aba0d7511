"""Loading benchmarks: the published files, the packaged ones and one's own."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from promptkit.errors import BenchmarkError
from promptkit.evaluation.benchmarks import Benchmark, known, load

DATA = Path(__file__).parents[4] / "shared" / "data"


def published(file: str) -> str:
    path = DATA / file
    if not path.exists():
        pytest.skip(f"{file} is not here: {DATA} holds the published data sets only where they are developed with")
    return str(path)


def golds(benchmark: Benchmark) -> list[Any]:
    return [example.gold for example in benchmark.examples]


class TestPublishedFiles:
    @pytest.mark.parametrize(
        ("file", "kind", "size", "some_golds"),
        [
            ("MultiArith.json", "number", 600, {0: "39", 599: "2"}),
            ("AddSub.json", "number", 395, {0: "43", 394: "57"}),
            ("SingleEq.json", "number", 508, {0: "43", 507: "5"}),
            ("SVAMP.json", "number", 1000, {0: "51", 999: "11"}),
            ("gsm8k_test.jsonl", "number", 1319, {0: "18"}),
            ("gsm8k_train.jsonl", "number", 7473, {0: "72"}),
            ("AQuA.jsonl", "choice", 254, {0: "A"}),
            ("CommonsenseQA_dev.jsonl", "choice", 1221, {0: "A"}),
            ("Bigbench_Date.json", "choice", 369, {}),
            ("Bigbench_object_tracking.json", "choice", 750, {0: "C"}),
            ("StrategyQA.json", "yesno", 2290, {0: "yes", 2289: "no"}),
            ("coin_flip.json", "yesno", 500, {0: "yes", 499: "yes"}),
            ("last_letters.json", "text", 500, {0: "yajo", 499: "naae"}),
        ],
    )
    def test_is_recognised_by_its_keys(self, file: str, kind: str, size: int, some_golds: dict[int, str]) -> None:
        path = published(file)
        benchmark = load(path)
        assert (benchmark.name, benchmark.kind, len(benchmark.examples)) == (Path(path).stem, kind, size)
        assert {place: golds(benchmark)[place] for place in some_golds} == some_golds
        assert benchmark.source == path
        assert benchmark.sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()
        assert len({example.question.id for example in benchmark.examples}) == size
        assert {example.question.kind for example in benchmark.examples} == {kind}

    def test_gsm8k_loses_its_commas_and_keeps_its_signs(self) -> None:
        path = published("gsm8k_test.jsonl")
        benchmark = load(f"gsm8k={path}")
        raw = [json.loads(line)["answer"].split("####")[1].strip() for line in Path(path).read_text().splitlines()]
        assert sum("," in gold for gold in raw) == 14
        assert sum(gold.startswith("-") for gold in golds(benchmark)) == 2
        assert [int(gold.replace(",", "")) for gold in raw] == [int(gold) for gold in golds(benchmark)]
        assert (benchmark.name, benchmark.licence, benchmark.notes) == ("gsm8k", "MIT", ())

    def test_repeated_questions_of_multiarith_are_noted(self) -> None:
        assert load(published("MultiArith.json")).notes == ("20 of 600 questions repeat an earlier one",)

    def test_golds_of_singleeq_that_are_not_whole_stay_so(self) -> None:
        assert sum("." in gold for gold in golds(load(published("SingleEq.json")))) == 134

    def test_svamp_keeps_its_ids(self) -> None:
        assert load(published("SVAMP.json")).examples[7].question.id == "chal-8"

    def test_date_gives_nothing_away_by_position(self) -> None:
        path = published("Bigbench_Date.json")
        benchmark = load(f"date={path}")
        assert benchmark.notes[0] == "the right choice is A in 364 of 369 questions: choices shuffled, seed 0"
        assert max(Counter(golds(benchmark)).values()) < 0.25 * 369
        written = json.loads(Path(path).read_text())["examples"]
        for example, row in zip(benchmark.examples, written, strict=True):
            right = next(text for text, score in row["target_scores"].items() if score == 1)
            assert example.question.choices["ABCDEF".index(str(example.gold))] == right
            assert set(example.question.choices) == set(row["target_scores"])

    def test_shuffling_obeys_the_seed_and_not_the_limit(self) -> None:
        path = published("Bigbench_Date.json")
        assert load(path).examples[:9] == load(path, limit=9).examples
        assert load(path, seed=1).examples != load(path).examples
        assert load(f"date={path}").examples[3].question.choices == load(path).examples[3].question.choices

    @pytest.mark.parametrize("file", ["AQuA.jsonl", "CommonsenseQA_dev.jsonl", "Bigbench_object_tracking.json"])
    def test_balanced_choices_keep_their_order(self, file: str) -> None:
        assert not any("shuffled" in note for note in load(published(file)).notes)

    def test_the_options_of_aqua_lose_their_letters(self) -> None:
        question = load(published("AQuA.jsonl")).examples[1].question
        assert len(question.choices) == 5
        assert not any(
            choice.startswith(f"{letter})") for choice, letter in zip(question.choices, "ABCDE", strict=True)
        )

    def test_a_part_of_a_published_set_is_noted(self, tmp_path: Path) -> None:
        file = write(tmp_path / "part.json", [{"sQuestion": "1 and 1?", "lSolutions": [2.0]}])
        assert load(f"multiarith={file}").notes == ("1 questions, where the published set has 600",)


class TestPackaged:
    @pytest.mark.parametrize("name", ["multiarith-style", "gsm8k-style"])
    def test_loads_by_name(self, name: str) -> None:
        benchmark = load(name)
        assert (benchmark.name, benchmark.kind, benchmark.licence) == (name, "number", "CC0-1.0")
        assert len(benchmark.examples) >= 100
        assert benchmark.examples[0].question.id == f"{name}-0"
        assert next(entry for entry in known() if entry.name == name).size == len(benchmark.examples)

    def test_every_name_says_where_its_questions_come_from(self) -> None:
        sources = {entry.name: entry.source for entry in known()}
        assert sources["gsm8k-style"] == "packaged"
        assert sources["gsm8k"] == "hub: openai/gsm8k@740312add88f781978c0658806c59bc2815b9866"
        assert sources["svamp"] == "your file: svamp=FILE"
        assert all(entry.size and entry.licence and entry.citation for entry in known())


def write(path: Path, value: object) -> str:
    """A file with text, bytes, or a value as JSON."""
    if isinstance(value, bytes):
        path.write_bytes(value)
    else:
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return str(path)


class TestOwnFiles:
    @pytest.mark.parametrize(
        ("file", "content"),
        [
            ("own.jsonl", '{"question": "1+1?", "answer": 2}\n\n{"question": "2+2?", "answer": 4.0}\n'),
            ("own.json", '[{"question": "1+1?", "answer": 2}, {"question": "2+2?", "answer": "4"}]'),
            ("own.json", '{"examples": [{"question": "1+1?", "answer": 2}, {"question": "2+2?", "answer": 4}]}'),
            ("own.txt", '\ufeff{"question": "1+1?", "answer": 2}\r\n{"question": "2+2?", "answer": 4}'),
            ("own.csv", 'question,answer\n1+1?,2\n\n"2+2?","4"\n'),
            ("own.csv", "\ufeffquestion;answer\r\n1+1?;2\r\n2+2?;4\r\n"),
            ("own.tsv", "question\tanswer\n1+1?\t2\n2+2?\t4\n"),
        ],
    )
    def test_every_form_reads_alike(self, tmp_path: Path, file: str, content: str) -> None:
        benchmark = load(write(tmp_path / file, content))
        assert [example.question.text for example in benchmark.examples] == ["1+1?", "2+2?"]
        assert golds(benchmark) == ["2", "4"]
        assert [example.question.id for example in benchmark.examples] == ["own-0", "own-1"]
        assert benchmark.notes == ("kind number, as all answers are numbers",)
        assert benchmark.licence == "not stated"

    def test_columns_are_named(self, tmp_path: Path) -> None:
        file = write(tmp_path / "own.csv", "id,text,mood,question\nx7,I like it,good,?\ny1,I do not,bad,?\n")
        benchmark = load(file, question="text", answer="mood", kind="label")
        assert [example.question.id for example in benchmark.examples] == ["x7", "y1"]
        assert benchmark.examples[0].question.labels == ("bad", "good")
        assert golds(benchmark) == ["good", "bad"]
        assert benchmark.notes == (
            "labels, taken from the answers: bad, good",
            "always answering 'good' would be right in 50.0% of the questions",
        )

    @pytest.mark.parametrize("choices", ['"[""x"", ""y"", ""z""]"', "x|y|z", "x | y | z"])
    def test_choices_stand_in_a_column(self, tmp_path: Path, choices: str) -> None:
        benchmark = load(
            write(tmp_path / "own.csv", f"question,answer,choices\nWhich?,B,{choices}\nWho?,z,{choices}\n")
        )
        assert benchmark.kind == "choice"
        assert benchmark.examples[0].question.choices == ("x", "y", "z")
        assert golds(benchmark) == ["B", "C"]

    def test_choices_of_ones_own_are_shuffled_too(self, tmp_path: Path) -> None:
        rows = [{"question": f"{n}?", "answer": "right", "choices": ["right", "wrong", "bad", "no"]} for n in range(40)]
        benchmark = load(write(tmp_path / "own.json", rows))
        assert "the right choice is A in 40 of 40 questions: choices shuffled, seed 0" in benchmark.notes
        assert set(golds(benchmark)) == set("ABCD")
        for example in benchmark.examples:
            assert example.question.choices["ABCD".index(str(example.gold))] == "right"

    def test_choices_inside_the_text_are_left_alone(self, tmp_path: Path) -> None:
        file = write(tmp_path / "own.json", [{"question": "(A) x or (B) y?", "answer": "(b)"}])
        benchmark = load(file, kind="choice")
        assert golds(benchmark) == ["B"]
        assert "some questions have no choices of their own: none are shuffled" in benchmark.notes

    def test_labels_may_stand_in_the_column_choices(self, tmp_path: Path) -> None:
        rows = [{"question": "Great!", "answer": "POSITIVE", "choices": ["positive", "negative"]}]
        benchmark = load(write(tmp_path / "own.json", rows), kind="label")
        assert benchmark.examples[0].question.labels == ("positive", "negative")
        assert golds(benchmark) == ["positive"]

    @pytest.mark.parametrize(
        ("kind", "answer", "gold"),
        [
            ("yesno", True, "yes"),
            ("date", "May 17, 2020", "2020-05-17"),
            ("text", "“Paris.”", "paris"),
            ("set", ["b", "a"], ("a", "b")),
            ("number", "1,000 apples", "1000"),
        ],
    )
    def test_golds_become_canonical(self, tmp_path: Path, kind: Any, answer: object, gold: object) -> None:
        assert golds(load(write(tmp_path / "own.json", [{"question": "?", "answer": answer}]), kind=kind)) == [gold]

    def test_yes_and_no_are_recognised(self, tmp_path: Path) -> None:
        rows = [{"question": "a?", "answer": "Yes"}, {"question": "b?", "answer": "no"}]
        assert load(write(tmp_path / "own.json", rows)).notes[0] == "kind yesno, as all answers are yes or no"

    def test_repeats_with_other_answers_are_noted(self, tmp_path: Path) -> None:
        rows = [{"question": "a?", "answer": 1}, {"question": "a?", "answer": 2}]
        notes = load(write(tmp_path / "own.json", rows)).notes
        assert notes[-1] == "1 of 2 questions repeat an earlier one, 1 with answers that differ"

    def test_a_file_with_a_published_name_and_other_keys_is_ones_own(self, tmp_path: Path) -> None:
        benchmark = load(write(tmp_path / "date.csv", "question,answer\nWhen?,2020-05-17\n"), kind="date")
        assert (benchmark.name, benchmark.kind, benchmark.citation) == ("date", "date", "")

    def test_a_path_may_hold_an_equals_sign(self, tmp_path: Path) -> None:
        assert load(write(tmp_path / "a=b.csv", "question,answer\n1+1?,2\n")).name == "a=b"

    def test_line_separators_within_json_strings_end_no_line(self, tmp_path: Path) -> None:
        file = write(
            tmp_path / "own.jsonl", '{"question": "a\u2028b?", "answer": 1}\n{"question": "c?", "answer": 2}\n'
        )
        assert load(file).examples[0].question.text == "a\u2028b?"


class TestLimit:
    def test_takes_the_first_questions(self) -> None:
        whole = load("multiarith-style")
        assert load("multiarith-style", limit=3) == whole.limited(3)
        assert whole.limited(3).examples == whole.examples[:3]
        assert whole.limited(None) is whole
        assert whole.limited(10**6).examples == whole.examples

    @pytest.mark.parametrize("limit", [0, -1])
    def test_must_leave_something(self, limit: int) -> None:
        with pytest.raises(BenchmarkError, match=f"limit {limit} leaves no questions"):
            load("multiarith-style", limit=limit)
        with pytest.raises(BenchmarkError, match=f"limit {limit} leaves no questions"):
            load("multiarith-style").limited(limit)


def test_names_and_paths_that_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for spec, message in {
        "gsm8k-stile": "did you mean gsm8k-style",
        "zzz": "the names are multiarith-style",
        "zzz.json": "there is no file zzz.json",
        f"{tmp_path}/zzz": "there is no file",
        "gsm8k=zzz.json": "there is no file zzz.json",
        "zzz=zzz.json": "there is no format 'zzz'",
        "svamp": r"svamp is not packaged \(give its file: svamp=FILE\)",
        str(tmp_path): "is a folder",
        "": "is a folder",
        "a\0b.json": "cannot be read",
        "x" * 300: "cannot be read",
        "x=" * 300: "there is no format 'x'",
        "~nobody-here/f.json": "there is no file",
    }.items():
        with pytest.raises(BenchmarkError, match=message):
            load(spec)


def test_without_reasoning_gym_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("reasoning_gym", "reasoning_gym.factory"):  # another test may have loaded both
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BenchmarkError, match=r"promptkit\[reasoning-gym\]"):
        load("reasoning-gym:leg_counting")


def test_a_forced_format_must_fit(tmp_path: Path) -> None:
    file = write(tmp_path / "f.json", [{"question": "1+1?", "answer": 2}])
    with pytest.raises(BenchmarkError, match=r"not in the format of svamp, which has Answer\+Body\+Question"):
        load(f"svamp={file}")


def test_importing_it_loads_neither_scipy_nor_the_hub() -> None:
    code = (
        "import sys, types; import promptkit; package = types.ModuleType('promptkit.evaluation');"
        "package.__path__ = [promptkit.__path__[0] + '/evaluation']; sys.modules['promptkit.evaluation'] = package;"
        "import promptkit.evaluation.benchmarks;"
        "print([name for name in ('scipy', 'huggingface_hub', 'pyarrow', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
