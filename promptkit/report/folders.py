"""Finding run folders."""

from collections.abc import Sequence
from pathlib import Path

from promptkit.errors import ConfigError
from promptkit.evaluation.runs import Run
from promptkit.evaluation.runs.folder import load_run
from promptkit.strategies import PRESETS


def run_folders(path: Path) -> list[Path]:
    """The run folder itself, or those in an evaluation's folder: presets in their usual order, then the others."""
    if _is_run(path):
        return [path]
    try:
        found = [folder for folder in path.iterdir() if _is_run(folder)]
    except OSError:
        return []
    return sorted(found, key=_order)


def evaluations(path: Path) -> list[Path]:
    """The folders in which runs lie: the given one, or those in it, the newest first."""
    if run_folders(path):
        return [path]
    try:
        found = [folder for folder in path.iterdir() if folder.is_dir() and run_folders(folder)]
    except OSError:
        return []
    return sorted(found, key=lambda folder: folder.stat().st_mtime, reverse=True)


def state_of(folder: Path) -> str:
    """Changes with everything that is written there."""
    parts: list[str] = []
    for run in run_folders(folder):
        for name in ("manifest.json", "samples.jsonl"):
            try:
                about = (run / name).stat()
            except OSError:
                continue
            parts.append(f"{run.name}/{name}:{about.st_size}:{about.st_mtime_ns}")
    return "|".join(parts)


def finished(folders: Sequence[Path]) -> list[Run]:
    """The runs in run folders and in the folders of evaluations, all of them finished.

    Raises:
        ConfigError: a folder holds no run, or one that is not finished.
    """
    found = [run_folders(folder) for folder in folders]
    for folder, inside in zip(folders, found, strict=True):
        if not inside and (several := evaluations(folder)):
            hint = f"give a folder around its runs, as {min(several)}"
            raise ConfigError(f"{folder} holds several evaluations", hint=hint)
        if not inside:
            raise ConfigError(f"there is no run in {folder}", hint="give folders that eval wrote")
    return [load_run(run) for inside in found for run in inside]


def _is_run(folder: Path) -> bool:
    return (folder / "manifest.json").is_file()


def _order(folder: Path) -> tuple[int, str]:
    strategy = folder.name.partition("--")[0]
    known = list(PRESETS)
    fits = [place for place, name in enumerate(known) if strategy == name or strategy.startswith(f"{name}-n=")]
    return (fits[0] if fits else len(known), folder.name)
