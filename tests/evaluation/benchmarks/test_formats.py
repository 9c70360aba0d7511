"""Every way in which a benchmark's file can be wrong, said in one line with a hint."""

import json
from pathlib import Path
from typing import Any

import pytest

from promptkit.errors import BenchmarkError
from promptkit.evaluation.benchmarks import load

ROW = {"question": "1+1?", "answer": 2}


@pytest.mark.parametrize(
    ("file", "content", "options", "message"),
    [
        ("f.json", "", {}, "the file is empty"),
        ("f.json", " \n", {}, "the file is empty"),
        ("f.json", "[]", {}, "holds no questions"),
        ("f.csv", "question,answer\n", {}, "holds no questions"),
        ("f.json", '[{"question": "a",\n "answer": 1},,]', {}, "line 2: bad JSON"),
        ("f.jsonl", json.dumps(ROW) + "\n{oops}\n", {}, "line 2: bad JSON"),
        ("f.jsonl", '{oops}\n{"question": "a", "answer": 1}\n', {}, "line 1: bad JSON"),
        ("f.json", '{\n"question": "a", "answer": 1\n}\n]', {}, "line 4: bad JSON: Extra data"),
        ("f.json", "[" * 100_000, {}, "bad JSON"),
        ("f.json", [1], {}, "row 1 is no JSON object"),
        ("f.txt", "What is 1+1? 2", {}, "neither JSON, JSONL nor a table"),
        ("f.json", b"\xff\xfe\x00[", {}, "a binary file"),
        ("f.json", b'[{"question":\n"caf\xe9"}]', {}, "line 2 is not UTF-8"),
        ("f.parquet", b"PAR1 and nothing", {}, r"broken Parquet|needs pyarrow"),
        ("f.json", [{"frage": "a", "antwort": 1}], {}, r"unknown format with the keys 'frage', 'antwort' .*--question"),
        ("f.json", [{}], {}, "unknown format with the keys none"),
        ("f.csv", "q,answer\n1+1?,2\n", {"question": "text"}, r"no column 'text' \(the columns are 'q', 'answer'\)"),
        ("f.json", [ROW, {"question": "a"}], {}, "row 2: there is no column 'answer', only 'question'"),
        ("f.json", [ROW, {"question": " ", "answer": 1}], {}, "row 2: column 'question' is empty"),
        ("f.json", [ROW, {"question": "a", "answer": None}], {}, "row 2: column 'answer' is empty"),
        ("f.json", [{"question": {"a": 1}, "answer": 1}], {}, "row 1: column 'question' holds an object"),
        ("f.csv", "question,answer\n1+1?\n", {}, "row 1: column 'answer' is empty"),
        ("f.csv", "question,answer\n1,000?,2\n", {}, r"line 2 has more fields .*double quotes"),
        ("f.csv", 'question,answer\n"1"x,2\n', {}, "row 1: .*double quotes"),
        ("f.csv", "answer,answer\n1,2\n", {}, "two columns are called 'answer'"),
        ("f.json", [ROW], {"kind": "numbers"}, r"no kind 'numbers' \(choose one of number, choice"),
        ("f.json", [{"question": "a", "answer": "Paris"}], {}, r"what kind .* 'Paris' \(--kind number|choice"),
        (
            "f.json",
            [ROW, {"question": "a", "answer": "many"}],
            {"kind": "number"},
            "row 2: 'many' is no answer of kind",
        ),
        ("f.json", [ROW], {"kind": "choice"}, "row 1: '2' is no answer of kind choice .*letter"),
        ("f.json", [ROW | {"choices": ["x"]}], {}, "row 1: needs 2 to 26 choices"),
        ("f.json", [ROW | {"choices": 7}], {}, "row 1: needs 2 to 26 choices"),
        ("f.json", [ROW | {"choices": {"a": 1}}], {}, "row 1: column 'choices' is no list"),
        ("f.json", [ROW | {"choices": "[x"}], {}, "row 1: column 'choices' is no JSON list"),
        ("f.json", [ROW | {"id": 7}, ROW | {"id": "7"}], {}, "rows 1 and 2 have the same id '7'"),
        ("f.json", [{"question": "a", "answer": "#### 5"}, ROW], {}, "row 2: column 'answer' has nothing after ####"),
        ("f.json", [{"question": "a", "answer": "#### 5"}], {"kind": "text"}, "answers of kind number, not text"),
        ("f.json", [{"sQuestion": "a", "lSolutions": []}], {}, "'lSolutions' is no list with a solution"),
        ("f.json", [{"sQuestion": "a", "lSolutions": [1]}, ROW], {}, "row 2: there is no column 'lSolutions'"),
        ("f.json", [{"question": "a", "options": ["x", "y"], "correct": "A"}], {}, "not lettered"),
        ("f.json", [{"question": "a", "options": "A)x", "correct": "A"}], {}, "'options' is no list"),
        (
            "f.json",
            [{"question": "a", "options": ["A)x", "B)y"], "correct": "C"}],
            {},
            "'C' is no answer of kind choice",
        ),
        ("f.json", [{"question": {"stem": "a"}, "answerKey": "A"}], {}, "does not hold a stem and choices"),
        (
            "f.json",
            [{"question": {"stem": "a", "choices": [{"label": c, "text": c} for c in "AB"]}, "answerKey": "C"}],
            {},
            "'C' is none of the choices' labels",
        ),
        ("f.json", [{"input": "a", "target_scores": {"x": 1, "y": 1}}], {}, "2 of the target_scores are 1"),
        ("f.json", [{"input": "a", "target_scores": [1]}], {}, "'target_scores' is no object"),
        (
            "f.json",
            [{"input": "a", "target_scores": {"x": 1, "y": 0}}, {"input": "b", "target_scores": {"yes": 1, "no": 0}}],
            {},
            "mixes questions of the kinds",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(
    tmp_path: Path, file: str, content: object, options: dict[str, Any], message: str
) -> None:
    path = tmp_path / file
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with pytest.raises(BenchmarkError, match=message) as caught:
        load(str(path), **options)
    assert "\n" not in str(caught.value)
    assert caught.value.hint
