"""What one rendering may spend, and the turns that it has written so far.

Every loop, call and value that a template makes is paid for here before it grows, so that no template can hang the
process or fill the memory. The meter is a context variable: renderings in several threads do not see each other,
and a template has no way to reach it.
"""

from collections.abc import Generator, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from numbers import Number
from typing import Any, TypeVar, cast

from jinja2 import Undefined

from promptkit.types import Message

MAX_OUTPUT = 1_000_000
"""Characters of a rendered prompt, and of any text made on the way."""
MAX_RANGE = 10_000
"""Length of one `range`."""
MAX_STEPS = 100_000
"""Loop iterations, calls and includes of one rendering."""
MAX_WORK = 20_000_000
"""Characters that one rendering may read and make in all; an item of a list counts as eight."""
MAX_WIDTH = 1_000
"""Width of padding, indentation and number formats."""

T = TypeVar("T")


class RefusedError(Exception):
    """A template did what it may not do. It never leaves the package: a `TemplateError` says where it happened."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(slots=True)
class Rendering:
    """The state of one rendering."""

    steps: int = MAX_STEPS
    work: int = MAX_WORK
    turns: list[Message] = field(default_factory=list[Message])
    chat: int = 0
    """Characters of the turns."""
    text: str | None = None
    open_block: str | None = None


_current: ContextVar[Rendering] = ContextVar("promptkit_rendering")


@contextmanager
def rendering() -> Generator[Rendering]:
    """A fresh meter for the body of the `with`."""
    state = Rendering()
    token = _current.set(state)
    try:
        yield state
    finally:
        _current.reset(token)


def current() -> Rendering:
    """The rendering that is under way in this thread."""
    return _current.get()


def step(count: int = 1) -> None:
    """Pay for `count` loop iterations or calls."""
    state = _current.get()
    state.steps -= count
    if state.steps < 0:
        raise RefusedError(f"more than {MAX_STEPS:,} loop iterations and calls", "loop over less")


def spend(size: int) -> None:
    """Pay for reading or making `size` characters or items; to be called before they are made."""
    state = _current.get()
    state.work -= size
    if state.work < 0:
        raise RefusedError(f"it handles more than {MAX_WORK:,} characters", "shorten the variables")


def read(value: T) -> T:
    """Pay for a text or list that is about to be read through."""
    subject: object = value
    if isinstance(subject, (str, list, tuple, dict)):
        spend(len(cast("str", subject)))
    return value


def charge(value: T) -> T:
    """Pay for a value just made, by its printed size: a part counts each time that it occurs.

    This is what keeps lists of lists small, so that comparing or hashing them cannot take exponential time.
    """
    if isinstance(value, str):
        spend(len(value))
        return value
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            found = cast("dict[Any, Any]", item)
            spend(16 * len(found) + 1)
            pending.extend(chain(found.keys(), found.values()))
        elif isinstance(item, (list, tuple, set, frozenset)):
            spend(8 * len(cast("list[Any]", item)) + 1)
            pending.extend(cast("list[Any]", item))
        else:
            spend(len(item) if isinstance(item, str) else 1)
    return value


def counted(values: Iterable[T]) -> Iterable[T]:
    """What a loop may run over: paid for at once where the length is known, so that `loop.length` still works."""
    if isinstance(values, (set, frozenset)):
        raise RefusedError("a set has no order, so the prompt would change from run to run", "use | sort")
    if isinstance(values, Sized):
        step(len(values))
        return values
    return _counting(values)


def _counting(values: Iterable[T]) -> Iterator[T]:
    for value in values:
        step()
        yield charge(value)


def concat(parts: Iterable[str]) -> str:
    """Join pieces of output, refusing before they grow too long."""
    if isinstance(parts, list):  # of a block or macro: all of them are there, and paid for
        pieces = parts
        size = _checked(sum(map(len, pieces)))
    else:
        pieces = list[str]()
        size = 0
        for part in parts:
            size = _checked(size + len(part))
            pieces.append(part)
    spend(size)
    return "".join(pieces)


def _checked(size: int) -> int:
    if size > MAX_OUTPUT:
        raise RefusedError(f"the prompt is longer than {MAX_OUTPUT:,} characters", "shorten the variables")
    return size


def text(value: object) -> str:
    """A value as it is printed. Only text, numbers and dates are.

    A list, an object or `None` in a prompt is a mistake nearly always, and Python's notation of a nested list can be
    exponentially longer than the list.
    """
    if type(value) is str:
        return value
    if isinstance(value, str):  # Markup and enumerations: their plain characters
        return str.__str__(value)
    if isinstance(value, (Number, date, Undefined)):
        return str(value)
    if value is None:
        raise RefusedError("None cannot be printed", "give a value, or test it with {% if … %}")
    raise RefusedError(
        f"a {type(value).__name__} cannot be printed", "print its fields, or use | join(', ') or | tojson on it"
    )


def printed(value: object) -> str:
    """A value as text, paid for."""
    said = text(value)
    spend(len(said))
    return said
