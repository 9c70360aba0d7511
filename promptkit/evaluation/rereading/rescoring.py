"""A finished run scored again by another extractor, from its stored texts: no call is made."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import promptkit
from promptkit.errors import ConfigError
from promptkit.evaluation.rereading.readings import asked, by_name, changed
from promptkit.evaluation.runs import Run
from promptkit.evaluation.runs.folder import RunWriter
from promptkit.extract import is_name, names


def rescore(run: Run, extractor: str, folder: str | Path | None = None) -> Run:
    """Read every stored text of a run with another extractor and score what is found.

    What votes is re-elected from the texts of its samples. A question that failed, and an answer that a strategy put
    together instead of reading it (a chain's list), stay as they are. Of two stages the second one's text is read.

    Args:
        run: a finished run; it is left as it is.
        extractor: see `promptkit.extract.extractor_for`.
        folder: where the new run is written, with a manifest that says where it comes from; unset, nowhere.

    Returns:
        The new run. Its calls, tokens and seconds are those of the old one.

    Raises:
        ConfigError: there is no such extractor, it cannot read this kind of answer, the votes cannot be held again, or
            the folder holds another run.
    """
    if not is_name(extractor):
        raise ConfigError(f"there is no extractor {extractor!r}", hint=f"choose one of {', '.join(names())}")
    samples = tuple(by_name(one, extractor) for one in asked(run))
    origin = str(run.run_dir.resolve()) if run.run_dir else None
    told: dict[str, Any] = {"from": origin, "extractor": extractor}
    manifest = {**run.manifest, "rescored": told, "rescored_by": promptkit.__version__}
    new = replace(run, samples=samples, run_dir=None, manifest=manifest)
    if folder is None:
        return new
    writer = RunWriter(Path(folder), manifest)
    with writer:
        for sample in samples:
            writer.add(sample)
        new = replace(new, run_dir=Path(folder), manifest=writer.manifest)
        writer.finish(new)
    return new


def folder_beside(run: Run, extractor: str) -> Path:
    """Where `promptkit rescore` writes unless it is told: beside the run, named after it and the extractor."""
    if run.run_dir is None:
        raise ConfigError("the run was not written, so there is no folder beside it", hint="name a folder")
    return run.run_dir.resolve().with_name(f"{run.run_dir.resolve().name}--{extractor}")


def changes(before: Run, after: Run) -> dict[str, list[str]]:
    """Ids of the questions that a rescored run gets right where the run did not, the reverse, and read otherwise."""
    found: dict[str, list[str]] = {"fixed": [], "broken": [], "read otherwise": []}
    for old, new in zip(before.samples, after.samples, strict=True):
        if new.status == old.status == "correct" or not changed(old, new):
            continue
        which = "fixed" if new.status == "correct" else "broken" if old.status == "correct" else "read otherwise"
        found[which].append(old.id)
    return found
