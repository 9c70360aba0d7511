"""Progress on standard error: bars on a terminal, a line at a time elsewhere."""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any, Self

from rich.markup import escape

from promptkit.cli.console import err
from promptkit.foreign_text import one_line


class Evaluation:
    """How far an evaluation is: a bar with questions, share right, tokens a second, time left; elsewhere than on a
    terminal a line from time to time."""

    every: float = 30.0
    """Seconds between two lines."""

    def __enter__(self) -> Self:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            MofNCompleteColumn(),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
        )
        self.bar = Bar(*columns, console=err, transient=True, expand=True, disable=not err.is_terminal)
        self.task = self.bar.add_task("", total=None, state="")
        self.told = 0
        self.shown: Any = None
        self.said = time.monotonic()
        return self

    def pause(self) -> None:
        """Make room for other bars, until the next call."""
        self.bar.stop()

    def __call__(self, progress: Any) -> None:
        """Show how far it is, and a line of each run that has ended."""
        self.bar.start()
        if progress is not self.shown:  # the next seed
            self.shown, self.told = progress, 0
        state = f"{progress.tokens_per_second:.0f} tokens/s"
        if progress.done:
            state = f"{progress.correct / progress.done * 100:.0f} % right, {state}"
        self.bar.update(self.task, total=progress.total, completed=progress.done, state=state)
        for run in progress.finished_runs[self.told :]:
            self.told += 1
            right = f"{run.count('correct')} of {run.n} right, after {progress.seconds:.0f} s"
            self._say(f"{run.strategy} on {run.benchmark}: {right}")
        if not err.is_terminal and time.monotonic() - self.said >= self.every:
            self._say(f"{progress.done} of {progress.total} questions, {state} …")

    def _say(self, line: str) -> None:
        err.print(one_line(line), markup=False, soft_wrap=True)
        self.said = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.bar.stop()


class Downloads:
    """Progress bars of downloads, one a piece, in bytes."""

    def __enter__(self) -> "Callable[[str, int, int], None]":
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self.bar = Bar(*columns, console=err, transient=True, disable=not err.is_terminal)
        self.bar.start()
        self.tasks: dict[str, Any] = {}
        return self.update

    def update(self, what: str, done: int, total: int) -> None:
        """Move the bar of this piece; `done` and `total` in bytes."""
        if what not in self.tasks:
            self.tasks[what] = self.bar.add_task(escape(what), total=total)
            if not err.is_terminal:
                err.print(what, markup=False, soft_wrap=True)
        self.bar.update(self.tasks[what], completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self.bar.stop()


class Planning:
    """What a plan is at: a bar on a terminal; elsewhere a line from time to time where it takes long."""

    every: float = 10.0
    """Seconds between two lines."""

    def __enter__(self) -> Self:
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        self.bar = Bar(*columns, console=err, transient=True, disable=not err.is_terminal)
        self.task = self.bar.add_task("", total=None)
        self.state = ""
        self.ended = Event()
        self.bar.start()
        if not err.is_terminal:
            Thread(target=self._tell, daemon=True).start()
        return self

    def __call__(self, what: str, done: int = 0, total: int | None = None) -> None:
        """It is at this now, and so far with it."""
        share = f": {done / total * 100:.0f} %" if total else ""
        self.state = f"{one_line(what)}{share}"
        self.bar.update(self.task, description=escape(one_line(what)), completed=done, total=total)

    def _tell(self) -> None:
        while not self.ended.wait(self.every):
            if self.state:
                err.print(f"{self.state} …", markup=False, soft_wrap=True)

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.bar.stop()
