"""Texts to be judged: the outputs of a finished run, or the rows of a file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from promptkit.errors import ConfigError
from promptkit.evaluation.benchmarks.rows import Row, parse
from promptkit.evaluation.judging.judge import Item
from promptkit.evaluation.judging.rubric import Rubric
from promptkit.evaluation.runs.folder import load_run

_SOURCES = ("source", "question", "dialogue", "document")
_OUTPUTS = ("output", "text", "summary", "answer")


def load_items(path: str | Path, *, source: str | None = None, output: str | None = None) -> list[Item]:
    """Read what is to be judged.

    Args:
        path: a run folder, whose questions are the sources and whose answering texts the outputs; or JSONL, CSV or
            Parquet with an output a row, and perhaps `id`, a source, `references` and `labels`.
        source: the column of a file that the outputs are about; else the first of source, question, dialogue, document.
        output: the column with the outputs; else the first of output, text, summary, answer.

    Raises:
        ConfigError: it can be read as neither.
    """
    path = Path(path)
    if path.is_dir():
        run = load_run(path)
        return [Item(sample.id, sample.text, sample.question) for sample in run.samples if sample.error is None]
    rows = _rows(path)
    from_column = source or next((name for name in _SOURCES if name in rows[0]), None)
    of_column = output or next((name for name in _OUTPUTS if name in rows[0] and name != from_column), None)
    if of_column is None:
        raise ConfigError(f"{path} has no column with outputs", hint="name it: --output COLUMN")
    items: list[Item] = []
    for number, row in enumerate(rows, 1):
        where = f"{path}: row {number}"
        references, labels = _references(row, where), _labels(row, where)
        about = "" if from_column is None else _text(row, from_column, where)
        items.append(Item(_id(row, number), _text(row, of_column, where), about, references, labels))
    _differ([item.id for item in items], str(path), "give each text an id of its own")
    return items


def with_facts(items: Sequence[Item], path: str | Path) -> list[Item]:
    """The items with the references and labels that a file holds for their ids.

    Args:
        items: what is to be judged.
        path: JSONL with `id`, and `references` (a text, several, or a mapping from criteria to such), `labels` (a
            mapping from criteria to what people said), or both.

    Raises:
        ConfigError: the file cannot be read, has two rows with one id, or lacks one of the items.
    """
    rows = _rows(Path(path))
    ids = [_id(row, number) for number, row in enumerate(rows, 1)]
    _differ(ids, str(path), "put what is known of a text in one row")
    known: dict[str, tuple[Mapping[str, tuple[str, ...]], Mapping[str, str]]] = {}
    for number, (name, row) in enumerate(zip(ids, rows, strict=True), 1):
        where = f"{path}: row {number}"
        known[name] = (_references(row, where), _labels(row, where))
    if missing := [item.id for item in items if item.id not in known]:
        raise ConfigError(f"{path} has nothing for {missing[0]!r}", hint="its ids must be those of the judged texts")
    return [
        replace(item, references={**item.references, **references}, labels={**item.labels, **labels})
        for item in items
        for references, labels in [known[item.id]]
    ]


def check_labels(items: Sequence[Item], rubric: Rubric) -> None:
    """Refuse references and labels of criteria that are not there, and labels that are no verdicts.

    Raises:
        ConfigError: there is such a one.
    """
    values = {criterion.name: criterion.values for criterion in rubric.criteria}
    for item in items:
        for name in [*item.labels, *(name for name in item.references if name)]:
            if name not in values:
                raise ConfigError(f"{item.id!r}: there is no criterion {name!r}", hint=f"choose of {', '.join(values)}")
        for name, value in item.labels.items():
            if value not in values[name]:
                allowed = ", ".join(values[name])
                raise ConfigError(f"{item.id!r}: {name} cannot be {value!r}", hint=f"write one of: {allowed}")


def _rows(path: Path) -> list[Row]:
    try:
        return parse(path.read_bytes(), str(path), path.suffix.lower())
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="give a run folder or a file") from error


def _id(row: Row, number: int) -> str:
    return str(row.get("id") or number)


def _text(row: Row, column: str, where: str) -> str:
    value = row.get(column)
    if not isinstance(value, str):
        raise ConfigError(f"{where}: the column {column!r} holds no text", hint="name another column")
    return value


def _references(row: Row, where: str) -> dict[str, tuple[str, ...]]:
    given = row.get("references")
    if given is None or given == "":
        return {}
    by_criterion = cast("dict[str, Any]", given) if isinstance(given, dict) else {"": given}
    found: dict[str, tuple[str, ...]] = {}
    for name, value in by_criterion.items():
        texts = cast("list[Any]", value) if isinstance(value, list) else [value]
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise ConfigError(f"{where}: its references are no texts", hint="write a text, a list or a mapping")
        found[name] = tuple(texts)
    return found


def _labels(row: Row, where: str) -> dict[str, str]:
    given = row.get("labels")
    if given is None or given == "":
        return {}
    if not isinstance(given, dict):
        raise ConfigError(f"{where}: its labels are no mapping", hint='write {"criterion": "yes"}')
    words = {True: "yes", False: "no"}
    found = cast("dict[str, Any]", given)
    return {
        name: words[value] if isinstance(value, bool) else str(value).strip().casefold()
        for name, value in found.items()
    }


def _differ(ids: list[str], where: str, hint: str) -> None:
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise ConfigError(f"{where}: the id {twice!r} is there twice", hint=hint)
