"""What a judge said, on disk: `manifest.json` and `judgements.jsonl` with every prompt and every text of the judge."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from promptkit.errors import ConfigError
from promptkit.evaluation.judging.judge import Judge
from promptkit.evaluation.judging.judged import Judged
from promptkit.evaluation.judging.pairwise import PairJudge, Preference
from promptkit.evaluation.runs.folder import environment
from promptkit.paths import private_file


def write_record(
    folder: Path,
    judge: Judge | PairJudge,
    sources: Iterable[str],
    judges: Iterable[dict[str, Any]],
    seed: int,
    result: object,
    lines: Iterable[dict[str, Any]],
) -> None:
    """Write a folder that says who judged what how, and what came of it. Only its owner may read it.

    Args:
        folder: a new one.
        judge: rubric, strategy and template.
        sources: what was judged: run folders and files.
        judges: the identities of the backends that judged.
        seed: of all sampling.
        result: what `judge --json` prints.
        lines: one a text or pair, see `judgement_lines` and `preference_lines`.

    Raises:
        ConfigError: it exists and is not empty, or cannot be written.
    """
    manifest = {
        "rubric": judge.rubric.model_dump(mode="json"),
        "strategy_definition": judge.strategy.model_dump(mode="json"),
        "templates": judge.templates(),
        "sources": list(sources),
        "judges": list(judges),
        "seed": seed,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        **environment(),
        "result": result,
    }
    refuse_taken(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(folder / "judgements.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        _write(folder / "manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise ConfigError(f"cannot write {folder}: {error.strerror}", hint="choose another --run-dir") from error


def refuse_taken(folder: Path) -> None:
    """Raise a `ConfigError` where a folder holds something already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not empty", hint="choose another --run-dir")


def judgement_lines(judge: Judge, judged: Judged) -> Iterable[dict[str, Any]]:
    """One object a text: what was judged, what the judge was asked, what it said."""
    for item, judgement in zip(judged.items, judged.judgements, strict=True):
        prompts = {criterion.name: judge.question(item, criterion).text for criterion in judge.rubric.criteria}
        verdicts = [{**verdict.summary(), "asked": prompts[verdict.criterion]} for verdict in judgement.verdicts]
        said = {"points": judgement.points, "complete": judgement.complete, "verdicts": verdicts}
        yield {"source": judged.source, "judge": judged.judge, "id": item.id, "output": item.output, **said}


def preference_lines(preference: Preference, names: tuple[str, str], judge: str) -> Iterable[dict[str, Any]]:
    """One object a pair: what both orders said."""
    for verdict in preference.verdicts:
        yield {"a": names[0], "b": names[1], "judge": judge, "winner": verdict.winner, **vars(verdict)}


def _write(path: Path, text: str) -> None:
    with private_file(path) as file:
        file.write(text)
