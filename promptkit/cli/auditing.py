"""The commands that read a run again: `rescore`, `audit`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from promptkit.cli import completing
from promptkit.cli.console import err, out, print_json
from promptkit.cli.options import AsJson, Seed, whole_number
from promptkit.errors import ConfigError
from promptkit.foreign_text import one_line


def rescore(
    run: Annotated[Path, typer.Argument(help="Run folder.", metavar="RUN")],
    extractor: Annotated[
        str,
        typer.Option(
            help="strict, lenient, answer, published or whole.",
            metavar="NAME",
            autocompletion=completing.extractors,
        ),
    ],
    run_dir: Annotated[
        Path | None,
        typer.Option(help="Folder to write. [default: RUN--NAME]", show_default=False, metavar="FOLDER"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a finished run with another extractor.

    Its stored texts are read again. It stays as it is; the new run is a folder beside it, which `compare` and `report`
    take like any other.

    \b
    Example:
      promptkit rescore runs/2026-01-31-120000/zero-shot --extractor strict
    """
    from promptkit.evaluation import load_run
    from promptkit.evaluation.rereading.rescoring import changes, folder_beside
    from promptkit.evaluation.rereading.rescoring import rescore as score_again

    old = load_run(run)
    new = score_again(old, extractor, run_dir or folder_beside(old, extractor))
    moved = changes(old, new)
    if as_json:
        told = {name.replace(" ", "_"): ids for name, ids in moved.items()}
        print_json({**new.summary(), "extractor": extractor, "rescored_from": str(run), **told})
        return
    counts = ", ".join(f"{len(ids)} {name}" for name, ids in moved.items())
    unread = f"{old.count('unparsed')} → {new.count('unparsed')} not read"
    said = (
        f"{old.strategy} read by {extractor}: {old.count('correct')} → {new.count('correct')} of {new.n} right "
        f"({old.accuracy * 100:.1f} → {new.accuracy * 100:.1f} %), {unread}; {counts}"
    )
    out.print(Text(one_line(said)), soft_wrap=not out.is_terminal)
    err.print(Text(f"The new run is in {one_line(str(new.run_dir))}"), soft_wrap=True)


def audit(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; gains are over the first one.", metavar="RUN")],
    show: Annotated[
        int, typer.Option(help="Disputed texts to show of each run.", parser=whole_number, metavar="INTEGER")
    ] = 3,
    steps: Annotated[
        Path | None,
        typer.Option(
            help="Right values of a chain's steps: JSONL with `id` and `steps`.", show_default=False, metavar="FILE"
        ),
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Tell reasoning from formatting in scores and gains.

    Every extractor reads the stored texts, and so do a reader who never guesses and one who knows the right answers.

    \b
    Examples:
      promptkit audit runs/2026-01-31-120000/*
      promptkit audit runs/…/chain --steps golds.jsonl
    """
    from promptkit.evaluation import load_run
    from promptkit.evaluation.analysis.steps import load_step_golds, step_reports
    from promptkit.evaluation.rereading.audit_table import print_audit, print_steps
    from promptkit.evaluation.rereading.auditing import audit_all

    if show < 0:
        raise ConfigError(f"--show must be at least 0, not {show}")
    loaded = [load_run(folder) for folder in runs]
    golds = load_step_golds(steps) if steps else {}
    chains = [run for run in loaded if any("steps" in sample.details for sample in run.samples)]
    if steps and not chains:
        raise ConfigError("none of the runs is of a chain, so there are no steps to score", hint="leave out --steps")
    reports = [(run, step_reports(run, golds)) for run in chains if steps]
    audits, gains = audit_all(loaded, seed)
    if as_json:
        told: list[dict[str, Any]] = [
            {"run_dir": str(run.run_dir), "steps": [one.summary() for one in found]} for run, found in reports
        ]
        print_json({"runs": [a.summary() for a in audits], "gains": [g.summary() for g in gains], "chains": told})
        return
    print_audit(audits, gains, out, show)
    for run, found in reports:
        print_steps(found, run.strategy, out)
