"""What runs are called: in tables, and as folders."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from promptkit import paths
from promptkit.errors import ConfigError
from promptkit.strategies import PRESETS, Strategy
from promptkit.strategies.demonstrations import SETS
from promptkit.strategies.selectors import Selector
from promptkit.types import Kind


class RunName(NamedTuple):
    """What tells the runs of one evaluation apart."""

    strategy: str
    benchmark: str
    backend: str


def label(strategy: Strategy) -> str:
    """A short name for tables: the preset's, else the tag and the fields that differ from their defaults."""
    if name := next((name for name in PRESETS for kind in SETS if _preset(name, kind) == strategy), None):
        return name
    shown: list[str] = []
    for name, information in type(strategy).model_fields.items():
        value = getattr(strategy, name)
        if name == "backend" or value == information.get_default(call_default_factory=True):
            continue
        if isinstance(value, Strategy):
            shown.append(label(value))
        elif isinstance(value, str | int | float):
            shown.append(f"{name}={value}")
        elif isinstance(value, Selector):
            shown.append(str(value))
        else:
            shown.append(name)
    return f"{strategy.tag}({', '.join(shown)})" if shown else strategy.tag


@cache
def _preset(name: str, kind: Kind) -> Strategy:
    return PRESETS[name][1](kind)


def folders_of(runs: Sequence[RunName], run_dir: str | Path) -> dict[RunName, Path]:
    """A folder for each run, named by what varies: the strategy, and benchmark and backend where there are several.

    Raises:
        ConfigError: two runs would share a folder.
    """
    several_benchmarks = len({run.benchmark for run in runs}) > 1
    several_backends = len({run.backend for run in runs}) > 1
    folders: dict[RunName, Path] = {}
    for run in runs:
        parts = [run.strategy]
        parts += [run.benchmark] if several_benchmarks else []
        parts += [run.backend] if several_backends else []
        slug = "--".join(paths.file_name(part, "run") for part in parts)
        folders[run] = Path(run_dir) / slug
    if len(set(folders.values())) < len(folders):
        raise ConfigError("two runs would share a folder", hint="give strategies and backends names that differ")
    return folders
