"""The command that hands runs to other programs: `export`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from promptkit.cli.console import err
from promptkit.errors import ConfigError
from promptkit.foreign_text import one_line


def export(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", metavar="RUN")],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="FILE.csv or FILE.parquet: a table. FILE.eval or FILE.json: a log of Inspect. A folder: a log of "
            "each run.",
            metavar="FILE",
        ),
    ],
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write runs as a table, or as logs for Inspect.

    Tables are CSV or Parquet; `inspect view` opens the logs.

    \b
    Examples:
      promptkit export runs/2026-01-31-120000/* -o runs.parquet
      promptkit export runs/2026-01-31-120000/* -o logs/
      promptkit export runs/2026-01-31-120000/zero-shot -o zero-shot.eval
    """
    from promptkit.evaluation import load_run
    from promptkit.evaluation.exporting import write_inspect_log, write_table
    from promptkit.evaluation.exporting.inspect_log import file_name

    loaded = [load_run(folder) for folder in runs]
    is_folder = output.is_dir() or not output.suffix
    if not is_folder and output.suffix not in (".csv", ".parquet", ".eval", ".json"):
        raise ConfigError(f"cannot write {output.suffix!r}", hint="name it .csv, .parquet, .eval or .json")
    if output.suffix in (".eval", ".json") and not is_folder and len(loaded) > 1:
        raise ConfigError("a log of Inspect holds one run", hint="give a folder: -o logs/")
    targets = [output / file_name(run) for run in loaded] if is_folder else [output]
    if len(set(targets)) < len(targets):
        raise ConfigError("a run is given twice", hint="give each once")
    for target in targets:
        if target.exists() and not force:
            raise ConfigError(f"{target} is there already", hint="choose another name, or add --force")
    try:
        targets[0].parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make {targets[0].parent}: {error.strerror}", hint="choose another place") from error
    if output.suffix in (".csv", ".parquet") and not is_folder:
        write_table(loaded, output)
    else:
        for run, target in zip(loaded, targets, strict=True):
            write_inspect_log(run, target)
    said = f"{sum(run.n for run in loaded)} questions of {len(loaded)} runs are in {one_line(str(output))}"
    err.print(Text(said), soft_wrap=True)
