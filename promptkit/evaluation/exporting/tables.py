"""Runs as one flat table: a row a question, the same columns whatever the strategy."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from promptkit.errors import ConfigError
from promptkit.evaluation.runs import Run, Sample
from promptkit.types import AnswerValue

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

_NEEDS = 'pip install "promptkit[export]"'


def rows(runs: Run | Iterable[Run]) -> list[dict[str, Any]]:
    """A mapping for each question of each run.

    Columns: `strategy benchmark backend run_dir promptkit` (the version that made it) `id question kind choices gold
    status correct answer rule span_start span_end text rationale vote_share votes calls prompt_tokens completion_tokens
    cached_calls seconds error`. `choices`, `votes`, and answers that are sets are JSON; `vote_share` is the part of the
    votes that the answer got; `seconds` adds up the calls; what is not known is `None`.
    """
    return [_row(run, sample) for run in ([runs] if isinstance(runs, Run) else runs) for sample in run.samples]


def to_pandas(runs: Run | Iterable[Run]) -> "pd.DataFrame":
    """The rows as a pandas data frame.

    Raises:
        ConfigError: pandas is not installed.
    """
    try:
        import pandas as pd  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise ConfigError("a data frame needs pandas", hint=_NEEDS) from error
    return cast("Any", pd).DataFrame(rows(runs))


def write_table(runs: Sequence[Run], path: Path) -> None:
    """Write a `.csv` or `.parquet` file.

    In CSV, a text that a spreadsheet would take for a formula gets an apostrophe in front: models write such texts, and
    they would be run. Parquet and pandas hold every text as it is.

    Raises:
        ConfigError: there is no such format, a package is missing, or the file cannot be written.
    """
    found = rows(runs)
    if not found:
        raise ConfigError("the runs hold no questions", hint="make them again")
    try:
        if path.suffix == ".csv":
            _write_csv(found, path)
        elif path.suffix == ".parquet":
            _write_parquet(found, path)
        else:
            raise ConfigError(f"{path}: no table ends in {path.suffix!r}", hint="name it .csv or .parquet")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}", hint="choose another file") from error


def _row(run: Run, sample: Sample) -> dict[str, Any]:
    extraction = sample.extraction
    completions = [call.completion for call in sample.calls if call.completion]
    votes = [{"value": vote.value, "count": vote.count, "weight": vote.weight} for vote in sample.votes]
    counted = sum(vote.count for vote in sample.votes)
    return {
        "strategy": run.strategy,
        "benchmark": run.benchmark,
        "backend": run.backend,
        "run_dir": str(run.run_dir) if run.run_dir else None,
        "promptkit": run.manifest.get("versions", {}).get("promptkit"),
        "id": sample.id,
        "question": sample.question,
        "kind": sample.kind,
        "choices": json.dumps(sample.choices, ensure_ascii=False) if sample.choices else None,
        "gold": _answer(sample.gold),
        "status": sample.status,
        "correct": sample.status == "correct",
        "answer": None if sample.answer is None else _answer(sample.answer),
        "rule": extraction.rule if extraction else None,
        "span_start": extraction.span[0] if extraction else None,
        "span_end": extraction.span[1] if extraction else None,
        "text": sample.text,
        "rationale": sample.rationale,
        "vote_share": sample.votes[0].count / counted if counted else None,
        "votes": json.dumps(votes, ensure_ascii=False) if votes else None,
        "calls": sample.usage.calls,
        "prompt_tokens": sample.usage.prompt_tokens,
        "completion_tokens": sample.usage.completion_tokens,
        "cached_calls": sample.usage.cached_calls,
        "seconds": sum(completion.seconds for completion in completions),
        "error": sample.error,
    }


def _answer(value: AnswerValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write_csv(found: list[dict[str, Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in found)


def _cell(value: Any) -> Any:
    """A value that no spreadsheet runs: numbers stay, what begins like a formula does not."""
    if not isinstance(value, str) or not value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def _write_parquet(found: list[dict[str, Any]], path: Path) -> None:
    try:
        import pyarrow  # pyright: ignore
        from pyarrow import parquet  # pyright: ignore
    except ImportError as error:
        raise ConfigError("writing Parquet needs pyarrow", hint=_NEEDS) from error
    arrow = cast("Any", pyarrow)
    # Columns that are empty in every row have a type all the same, so that files of several runs can be put together.
    whole = {"span_start", "span_end", "calls", "prompt_tokens", "completion_tokens", "cached_calls"}
    real = {"vote_share", "seconds"}
    fields = [
        (name, arrow.int64() if name in whole else arrow.float64() if name in real else arrow.string())
        if name != "correct"
        else (name, arrow.bool_())
        for name in found[0]
    ]
    cast("Any", parquet).write_table(arrow.Table.from_pylist(found, schema=arrow.schema(fields)), path)
