"""Reading the files that benchmarks come in: JSON, JSONL, CSV, TSV and Parquet, each to a list of rows.

A row is one question; rows are numbered from 1 in messages, and the header of a table is not counted.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

from promptkit.errors import BenchmarkError

Row: TypeAlias = Mapping[str, Any]
LINE = "line"
"""The one column of a file that is plain text."""


def parse(data: bytes, where: str, suffix: str) -> list[Row]:
    """The rows of a JSON, JSONL, CSV, TSV or Parquet file.

    Numbers of JSON are kept as they are written. A JSON object with a list `examples` stands for that list. The columns
    of a row that is a list are called 0, 1, …

    Args:
        data: the file's bytes.
        where: its name, for messages.
        suffix: ".csv" and ".tsv" are tables; JSON and Parquet are recognised by what is in the file.

    Raises:
        BenchmarkError: the file is empty, not UTF-8 or not well formed.
    """
    if data.startswith(b"PAR1"):
        return _parquet(data, where)
    content = _text(data, where)
    if suffix in (".csv", ".tsv"):
        rows = _table(content, where, suffix)
    elif content.lstrip()[0] in "[{":
        rows = _json(content, where)
    else:
        raise BenchmarkError(
            f"{where}: neither JSON, JSONL nor a table", hint="name a table .csv or .tsv; begin JSON with [ or {"
        )
    if not rows:
        raise BenchmarkError(f"{where}: holds no questions", hint="it needs at least one row")
    return rows


def lines(data: bytes, where: str) -> list[Row]:
    """The lines of a plain text that are not empty, as rows with one column, `LINE`.

    Raises:
        BenchmarkError: there are none, or the file is not UTF-8.
    """
    rows: list[Row] = [{LINE: line.strip()} for line in _text(data, where).split("\n") if line.strip()]
    return rows


def _text(data: bytes, where: str) -> str:
    if b"\0" in data:
        raise BenchmarkError(f"{where}: a binary file", hint="give JSON, JSONL, CSV, TSV or Parquet; text as UTF-8")
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BenchmarkError(f"{where}: line {line} is not UTF-8", hint="save the file as UTF-8") from error
    if not content.strip():
        raise BenchmarkError(f"{where}: the file is empty", hint="it needs at least one question")
    return content


def _parquet(data: bytes, where: str) -> list[Row]:
    try:
        from pyarrow import parquet  # pyright: ignore
    except ImportError as error:
        raise BenchmarkError(
            f"{where}: reading Parquet needs pyarrow",
            hint='pip install "promptkit[hub]"; or give the questions as JSONL or CSV',
        ) from error
    try:
        return cast("Any", parquet).read_table(io.BytesIO(data)).to_pylist()
    except Exception as error:  # pyarrow has no common base for what a broken file raises
        raise BenchmarkError(f"{where}: broken Parquet", hint="download the file again") from error


def _table(content: str, where: str, suffix: str) -> list[Row]:
    header = content.splitlines()[0]
    delimiter = "\t" if suffix == ".tsv" else ";" if ";" in header and "," not in header else ","
    reader = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        names = list(reader.fieldnames or ())
        if twice := {name for name in names if names.count(name) > 1}:
            raise BenchmarkError(f"{where}: two columns are called {min(twice)!r}", hint="rename one of them")
        for row in reader:
            if cast("Any", row).get(None) is not None:
                raise BenchmarkError(
                    f"{where}: line {reader.line_num} has more fields than the header",
                    hint='put fields that contain the separator into double quotes ("…")',
                )
            rows.append(cast("Row", row))
    except csv.Error as error:
        raise BenchmarkError(f"{where}: row {len(rows) + 1}: {error}", hint="check its double quotes") from error
    return rows


def _json(content: str, where: str) -> list[Row]:
    try:
        value = json_value(content)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data" or "\n" in content[: error.pos].strip():
            raise BenchmarkError(
                f"{where}: line {error.lineno}: bad JSON: {error.msg}", hint="fix that line"
            ) from error
        value = list(_lines(content, where))
    except (RecursionError, ValueError) as error:
        raise BenchmarkError(f"{where}: bad JSON: {error}", hint="fix the file") from error
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        value = found["examples"] if isinstance(found.get("examples"), list) else [found]
    rows = [_by_place(row) for row in cast("list[Any]", value)]
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise BenchmarkError(f"{where}: row {number} is no JSON object", hint="each question is an object {…}")
    return rows


def _by_place(row: Any) -> Any:
    return {str(place): value for place, value in enumerate(cast("list[Any]", row))} if isinstance(row, list) else row


def _lines(content: str, where: str) -> Iterable[Any]:
    # Not splitlines(): JSON strings may hold U+2028 and other characters that it takes for line ends.
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            try:
                yield json_value(line)
            except json.JSONDecodeError as error:
                raise BenchmarkError(f"{where}: line {number}: bad JSON: {error.msg}", hint="fix that line") from error


def json_value(content: str) -> Any:
    """What a JSON text holds, its numbers as they are written."""
    return json.loads(content, parse_float=str, parse_int=str, parse_constant=str)
