"""What `eval` and `plan` are asked for: strategies, benchmarks, backends and seeds, from options or a suite file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, get_args

import typer

from promptkit.cli import completing
from promptkit.cli.options import KIND_HELP, Backends, Limit, Seed, kind_of
from promptkit.errors import ConfigError
from promptkit.types import Kind

if TYPE_CHECKING:
    from promptkit.evaluation import Benchmark
    from promptkit.evaluation.running.inputs import Named
    from promptkit.strategies import Strategy
    from promptkit.strategies.pool import Pool

RunDir: TypeAlias = Annotated[
    Path | None, typer.Option(help="Folder to write. [default: runs/<time>]", show_default=False, metavar="FOLDER")
]
PoolName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Worked questions to take demonstrations from: a benchmark's name or a file. "
        "[default: the training split, else packaged ones]",
        show_default=False,
        metavar="NAME",
        autocompletion=completing.benchmarks,
    ),
]


def folder_to_write(run_dir: Path | None, ending: str = "") -> Path:
    """The folder that was named, else `runs/<time>` with this ending."""
    return run_dir or Path("runs") / f"{datetime.now():%Y-%m-%d-%H%M%S}{ending}"


@dataclass(frozen=True)
class Asked:
    """What is to be run, looked at as far as that goes without a model."""

    strategies: "Sequence[Strategy | str]"
    benchmarks: "Sequence[Benchmark]"
    backends: Sequence[str]
    seeds: Sequence[int]
    pool: str | None
    named: "Named"
    """For each benchmark its strategies, made, with the names to show."""
    pools: "dict[str, Pool]"
    """By benchmark, for those with strategies that need one."""


@dataclass(frozen=True, kw_only=True)
class AskingOptions:
    """Strategies, benchmarks and backends, or a suite of them: the options of `eval` and `plan`."""

    strategies: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy",
            help="Preset, preset:field=value or YAML file. May be repeated; the first is the base.",
            metavar="NAME",
            autocompletion=completing.strategies,
        ),
    ] = None
    benchmarks: Annotated[
        list[str] | None,
        typer.Option(
            "--benchmark",
            help="Name, file or NAME=FILE (see `promptkit benchmarks`). May be repeated.",
            metavar="NAME",
            autocompletion=completing.benchmarks,
        ),
    ] = None
    backends: Backends = field(default_factory=lambda: ["default"])
    suite: Annotated[
        Path | None,
        typer.Option(
            help="YAML file of strategies, benchmarks, backends and seeds, in place of those options.", metavar="FILE"
        ),
    ] = None
    limit: Limit = None
    seed: Seed = 0
    run_dir: RunDir = None
    pool: PoolName = None
    question: Annotated[
        str | None,
        typer.Option(help="Column of the question, for own files.", metavar="COLUMN"),
    ] = None
    answer: Annotated[
        str | None,
        typer.Option(help="Column of the right answer, for own files.", metavar="COLUMN"),
    ] = None
    kind: Annotated[
        str | None, typer.Option(help=KIND_HELP, metavar="NAME", autocompletion=completing.one_of(*get_args(Kind)))
    ] = None

    def read(self) -> Asked:
        """What the options say, or the suite that they name.

        Raises:
            ConfigError: something makes no sense, or is said by the suite and by an option.
        """
        from promptkit.evaluation import load
        from promptkit.evaluation.benchmarks.pools import pool_for
        from promptkit.evaluation.running.inputs import check
        from promptkit.evaluation.running.suites import Suite

        if self.suite:
            said = {
                "--strategy": self.strategies,
                "--benchmark": self.benchmarks,
                "--backend": self.backends != ["default"],
                "--seed": self.seed,
                "--pool": self.pool,
                "--question": self.question,
                "--answer": self.answer,
                "--kind": self.kind,
            }
            if given := [option for option, value in said.items() if value]:
                raise ConfigError(f"{given[0]} and --suite: the suite says that", hint=f"leave {given[0]} out")
            read = Suite.read(self.suite)
            chosen, loaded, seeds = list(read.strategies), read.load(self.limit), read.seeds
            backends, pool = list(read.backends), read.pool
        else:
            chosen: list[Strategy | str] = [*(self.strategies or ["direct", "zero-shot", "zero-shot-cot"])]
            asked_kind = kind_of(self.kind) if self.kind else None
            loaded = [
                load(
                    name,
                    question=self.question,
                    answer=self.answer,
                    kind=asked_kind,
                    limit=self.limit,
                    seed=self.seed,
                )
                for name in self.benchmarks or ["multiarith-style"]
            ]
            seeds, backends, pool = (self.seed,), self.backends, self.pool
        named = check(chosen, loaded)
        pools = {item.name: pool_for(item, pool) for pairs, item in named if any(s.needs_pool() for _, s in pairs)}
        return Asked(chosen, loaded, backends, seeds, pool, named, pools)
