"""The two streams: results go to standard output, all else to standard error."""

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from promptkit.errors import BackendError
from promptkit.foreign_text import one_line

if TYPE_CHECKING:
    from promptkit.evaluation import Run

_PIPED_WIDTH = 120
"""Columns where nobody looks on: wide enough that tables lose nothing."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to `main`."""
        raise


def _width() -> int | None:
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH


out = _Console(highlight=False, emoji=False, width=_width())
err = _Console(stderr=True, highlight=False, emoji=False)


def say(kind: str, color: str, message: str) -> None:
    """One line on standard error, such as `error: …`, whatever the message holds."""
    err.print(Text.assemble((f"{kind}: ", f"bold {color}"), one_line(message)), soft_wrap=True)


def refuse_all_failed(runs: "Sequence[Run]") -> None:
    """Raise a `BackendError` where no question got an answer, as one reason will stand behind it."""
    samples = [sample for run in runs for sample in run.samples]
    if samples and all(sample.status == "failed" for sample in samples):
        raise BackendError(f"every question failed, the first one with: {samples[0].error}")


def print_json(data: object) -> None:
    """Data as JSON on standard output. What could steer a terminal or turn text round is written as `\\u…`."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    safe = "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)
    sys.stdout.write(safe + "\n")
