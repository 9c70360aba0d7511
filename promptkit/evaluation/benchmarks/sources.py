"""Where a benchmark's rows come from: the package, the hub, a procedural generator or a file."""

import difflib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from promptkit.errors import BenchmarkError
from promptkit.evaluation.benchmarks import hub, procedural
from promptkit.evaluation.benchmarks.catalogue import KNOWN, Known, entry_of, names
from promptkit.evaluation.benchmarks.formats import FORMATS, Columns, Format
from promptkit.evaluation.benchmarks.rows import Row, lines, parse
from promptkit.paths import packaged

HUB = "hub:"


@dataclass(frozen=True)
class Source:
    """What a name or path means, before its rows are read as questions."""

    name: str
    source: str
    """The file; the hub's id, `@` and the commit; the generator with its version and seed."""
    rows: list[Row]
    sha256: str
    entry: Known | None
    forced: bool = False
    """Whether `entry` was asked for; else the file only has its name, and perhaps nothing else of it."""
    format: Format | None = None
    """Where nothing is left to be recognised."""


def open_source(spec: str, limit: int | None, seed: int) -> Source:
    """Find what `spec` names, and read its rows.

    Args:
        spec: see `promptkit.evaluation.benchmarks.load`.
        limit: how many rows to make up, where they are made up.
        seed: of making them up.

    Raises:
        BenchmarkError: there is no such thing, or it cannot be read.
    """
    if spec.startswith(procedural.PREFIX):
        return _procedural(spec, limit or procedural.SIZE, seed)
    if spec.startswith(HUB) and not _exists(_path(spec)):
        wanted = hub.find(spec.removeprefix(HUB))
        return _from_hub(spec, wanted, None, "download it yourself and give the file")
    entry = entry_of(spec)
    if entry and entry.make:
        return _made(entry, entry.make, limit or procedural.SIZE, seed)
    if entry and entry.hub:
        style = f"{spec}-style"
        hint = f"download it yourself and give {spec}=FILE" + (
            f", or use the packaged {style}" if style in KNOWN else ""
        )
        return _from_hub(spec, entry.hub, entry, hint)
    if entry and not entry.packaged:
        raise BenchmarkError(f"{spec} is not packaged", hint=f"give its file: {spec}=FILE")
    if entry and entry.packaged:
        name, path, forced = spec, packaged("evals") / entry.packaged, True
    else:
        before, equals, after = spec.partition("=")
        forced = bool(equals) and not _exists(_path(spec))
        path = _path(after if forced else spec)
        name = before if forced else path.stem
        entry = entry_of(before) if forced else KNOWN.get(name.lower())
        if forced and not entry:
            raise BenchmarkError(f"there is no format {before!r}", hint=f"choose one of {', '.join(names())}")
    return _from_file(name, path, spec, entry, forced)


def _procedural(spec: str, size: int, seed: int) -> Source:
    rows, shape, version = procedural.generate(spec.removeprefix(procedural.PREFIX), size, seed)
    # Numbers are recognised in any wording, so they are read as such where all answers are whole.
    whole = all(str(row["answer"]).removeprefix("-").isdecimal() for row in rows)
    entry = Known(spec, "number" if whole else "text", None, "Apache-2.0", _STOJANOVSKI, shape.name)
    return Source(spec, f"reasoning-gym {version}, seed {seed}", rows, procedural.sha256(rows), entry, True, shape)


def _made(entry: Known, make: Callable[[int, int], Sequence[Row]], size: int, seed: int) -> Source:
    try:
        rows = [dict(row) for row in make(size, seed)]
    except Exception as error:  # whatever a plugin does
        raise BenchmarkError(
            f"{entry.brought_by} could not make {entry.name}: {type(error).__name__}: {error}", hint="update it"
        ) from error
    if not rows:
        raise BenchmarkError(f"{entry.brought_by} made no questions of {entry.name}", hint="update it")
    columns = Format(entry.name, frozenset({"question", "answer"}), Columns("question", "answer").read)
    source = f"{entry.brought_by}, seed {seed}"
    return Source(entry.name, source, list[Row](rows), procedural.sha256(list[Row](rows)), entry, True, columns)


_STOJANOVSKI = "Stojanovski et al. 2025, Reasoning Gym: Reasoning Environments with Verifiable Rewards"


def _from_hub(spec: str, wanted: hub.HubFiles, entry: Known | None, hint: str) -> Source:
    source, contents = hub.download(spec, wanted, hint)
    rows: list[Row] = []
    for file, data in zip(wanted.files, contents, strict=True):
        rows += parse(data, f"{source}/{file}", Path(file).suffix)
    name = spec.removeprefix(HUB)
    return Source(name, source, rows, hashlib.sha256(b"".join(contents)).hexdigest(), entry, entry is not None)


def _from_file(name: str, path: Path, spec: str, entry: Known | None, forced: bool) -> Source:
    data = _bytes(path, spec)
    by_line = next((one for one in FORMATS if one.lines and entry and one.name == entry.format), None)
    rows = lines(data, str(path)) if by_line else parse(data, str(path), path.suffix.lower())
    return Source(name, str(path), rows, hashlib.sha256(data).hexdigest(), entry, forced, by_line)


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~ of a user that does not exist
        return Path(text)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than the system allows
        return False


def _bytes(path: Path, spec: str) -> bytes:
    try:
        return path.read_bytes()
    except IsADirectoryError as error:
        raise BenchmarkError(f"{path} is a folder", hint="give one file of it") from error
    except FileNotFoundError as error:
        if spec == path.name and not path.suffix:
            near = difflib.get_close_matches(spec, names(), 1)
            hint = f"did you mean {near[0]}?" if near else f"the names are {', '.join(names())}"
            raise BenchmarkError(f"there is no benchmark or file {spec!r}", hint=hint) from error
        raise BenchmarkError(f"there is no file {path}", hint="check the path") from error
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"{path} cannot be read: {error}", hint="check the path and its permissions") from error
