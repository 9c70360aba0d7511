"""What a command may spend, and how it is stopped: by its budget or by Ctrl-C, in one and the same way."""

import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeAlias

import typer
from pydantic import ValidationError

from promptkit.cli.console import say
from promptkit.cli.options import number, whole_number
from promptkit.errors import BudgetError, ConfigError

if TYPE_CHECKING:
    from promptkit.budget import Meter
    from promptkit.evaluation import Run

STOPPED, INTERRUPTED = 3, 130
"""Exit codes of a run that its budget has stopped, and of one that a person has."""
_BY_HAND = "it was interrupted"

MaxCost: TypeAlias = Annotated[
    float | None,
    typer.Option(help="Stop at so many US dollars; exit code 3.", parser=number, metavar="DOLLARS"),
]
MaxTokens: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Stop at so many tokens, prompts included; exit code 3.", parser=whole_number, metavar="INTEGER"),
]
MaxCalls: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="Stop at so many calls; 0 takes what is stored. Exit code 3.", parser=whole_number, metavar="INTEGER"
    ),
]
MaxSeconds: TypeAlias = Annotated[
    float | None,
    typer.Option(help="Stop after so many seconds from the first call; exit code 3.", parser=number, metavar="SECONDS"),
]


@contextmanager
def metered(
    max_cost: float | None, max_tokens: int | None, max_calls: int | None, max_seconds: float | None
) -> "Generator[Meter]":
    """A meter with this budget that Ctrl-C stops.

    Once, what is in flight is finished; twice, or while nothing is, everything ends at once (`KeyboardInterrupt`).
    What was stopped and makes no sense in part (`BudgetError`) ends the command with the exit code for it.
    """
    from promptkit.budget import Budget, Meter

    given = {"max_cost": max_cost, "max_tokens": max_tokens, "max_calls": max_calls, "max_seconds": max_seconds}
    try:
        meter = Meter(Budget.model_validate(given))
    except ValidationError as error:
        option = str(error.errors()[0]["loc"][0]).replace("_", "-")
        raise ConfigError(f"--{option} must not be negative", hint="leave it out for no limit") from error
    pressed: list[int] = []

    def on_interrupt(number: int, _: object) -> None:
        pressed.append(number)
        if len(pressed) > 1 or not meter.running:
            raise KeyboardInterrupt
        meter.stop(_BY_HAND)
        # In a thread, since this may have come in the middle of writing to the same stream.
        said = "finishing what is in flight; press Ctrl-C again to stop now"
        Thread(target=say, args=("stopping", "yellow", said), daemon=True).start()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield meter
    except BudgetError as error:
        _stopped(meter, str(error))
    finally:
        signal.signal(signal.SIGINT, before)


def end_early(meter: "Meter", runs: "Sequence[Run]") -> None:
    """Say what is missing and how to go on, and end with the exit code for it; nothing where nothing is missing."""
    missing = sum(run.missing for run in runs)
    if not missing:
        return
    _stopped(meter, meter.reason, f"; missing: {missing} of {sum(run.n for run in runs) + missing} questions")


def _stopped(meter: "Meter", why: str, missing: str = "") -> NoReturn:
    from promptkit.evaluation.presentation.phrases import dollars

    paid = f", ${dollars(meter.cost)}" if meter.cost else ""
    said = f"{why}; spent now: {meter.calls} calls, {meter.tokens} tokens{paid}{missing}"
    by_hand = meter.reason == _BY_HAND
    say("stopped", "yellow", said if by_hand and missing else f"{said}; {how_to_go_on()}")
    raise typer.Exit(INTERRUPTED if by_hand else STOPPED)


def how_to_go_on() -> str:
    """What the same command does after this one was stopped."""
    return f"the same command {'begins anew' if '--no-cache' in sys.argv else 'goes on from here'}"
