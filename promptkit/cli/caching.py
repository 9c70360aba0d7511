"""The commands about the store of completions: `cache info`, `cache clear`."""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from promptkit.cli.console import err, out, print_json, say
from promptkit.cli.options import AsJson, whole_number
from promptkit.errors import ConfigError
from promptkit.foreign_text import one_line
from promptkit.paths import completions_path

if TYPE_CHECKING:
    from promptkit.backends.store import ModelEntries, Store

cache_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The store of completions.")
_UNKNOWN = "unknown (stored by an earlier version)"


@cache_app.command(name="info")
def info(as_json: AsJson = False) -> None:
    """Say where the store of completions is and what it holds.

    \b
    Example:
      promptkit cache info
    """
    path = completions_path()
    models: list[ModelEntries] = []
    if path.exists():
        with closing(_store(path)) as store:
            models = store.models()
    size = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
    entries = sum(model.entries for model in models)
    if as_json:
        print_json(
            {"path": str(path), "bytes": size, "entries": entries, "models": [_as_json(model) for model in models]}
        )
        return
    out.print(Text(f"{path}: {_count(entries)}, {size / 1e6:.1f} MB"), soft_wrap=True)
    if models:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("model", "completions", "oldest", "newest"):
            table.add_column(heading, overflow="fold", justify="right" if heading == "completions" else "left")
        for model in models:
            table.add_row(Text(name_of(model)), f"{model.entries:,}", _day(model.oldest), _day(model.newest))
        out.print(table)


@cache_app.command(name="clear")
def clear(
    model: Annotated[
        str | None,
        typer.Option(help="Only of models whose name in `cache info` holds this text.", metavar="TEXT"),
    ] = None,
    older_than: Annotated[
        int | None,
        typer.Option(help="Only what was stored so many days ago or earlier.", parser=whole_number, metavar="DAYS"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete completions from the store.

    \b
    Examples:
      promptkit cache clear --yes
      promptkit cache clear --model smollm2 --older-than 30 --yes
    """
    if older_than is not None and older_than < 0:
        raise ConfigError(f"--older-than {older_than} lies in the future", hint="give a number of days, 0 or more")
    path = completions_path()
    deleted = 0
    if path.exists():
        with closing(_store(path)) as store:
            chosen = [entry for entry in store.models() if model is None or model.lower() in name_of(entry).lower()]
            if model is not None and not chosen:
                raise ConfigError(f"the store holds nothing of a model {model!r}", hint="see `promptkit cache info`")
            if chosen and not yes:
                _ask(path, chosen, older_than)
            before = None if older_than is None else time.time() - older_than * 86400
            deleted = store.clear([entry.identity for entry in chosen], before=before)
    if as_json:
        print_json({"path": str(path), "deleted": deleted})
    else:
        out.print(Text(f"{_count(deleted)} deleted from {path}"), soft_wrap=True)


def _ask(path: Path, models: Sequence["ModelEntries"], days: int | None) -> None:
    """Go on only if the person at the terminal says so."""
    what = f"up to {_count(sum(model.entries for model in models))}" if days else _count(sum(m.entries for m in models))
    names = ", ".join(name_of(model) for model in models)
    if not sys.stdin.isatty():
        raise ConfigError(f"this would delete {what} of {names} from {path}", hint="add --yes")
    say("delete", "yellow", f"{what} of {names} from {path}? Making them again takes time or money.")
    try:
        said = err.input("[y/N] ", markup=False)
    except EOFError:
        said = ""
    if said.strip().lower() not in ("y", "yes"):
        say("kept", "yellow", "nothing was deleted")
        raise typer.Exit(1)


def _store(path: Path) -> "Store":
    from promptkit.backends.store import Store

    return Store(path)


def name_of(model: "ModelEntries") -> str:
    """A model in one line: its backend, its name, and what else tells it from others of that name."""
    if model.identity is None:
        return _UNKNOWN
    told: dict[str, Any] = json.loads(model.identity)
    first = [str(told.pop(key)) for key in ("backend", "model", "name") if told.get(key)]
    rest = [f"{key}={value}" for key, value in sorted(told.items()) if value not in (None, "", [], {})]
    return one_line(" ".join(first) + (f" ({', '.join(rest)})" if rest else ""))


def _as_json(model: "ModelEntries") -> dict[str, Any]:
    return {
        "identity": None if model.identity is None else json.loads(model.identity),
        "entries": model.entries,
        "oldest": _time(model.oldest).isoformat(),
        "newest": _time(model.newest).isoformat(),
    }


def _count(entries: int) -> str:
    return "1 completion" if entries == 1 else f"{entries:,} completions"


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _day(seconds: int) -> str:
    return _time(seconds).strftime("%Y-%m-%d")
