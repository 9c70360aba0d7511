"""One thing that was looked at."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal["ok", "note", "problem"]
"""A note is worth knowing; a problem keeps promptkit from working."""


@dataclass(frozen=True)
class Part:
    """One thing that was looked at. It holds no secret: of keys only whether they are there."""

    name: str
    lines: tuple[str, ...]
    """What was found, for a person."""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    """The same as JSON values."""
    state: State = "ok"
    problem: str = ""
    """What is wrong or worth knowing; empty where all is well."""
    hint: str = ""
    """What to do about it."""
    answered: bool = True
    """Whether it could be looked at to the end; nothing is known of it otherwise."""


def gigabytes(size: float) -> str:
    """A number of bytes for a person: "1.3 GB", "12 MB"."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def without_secrets(text: str) -> str:
    """A message of a library on one line, without names and passwords in its addresses."""
    return re.sub(r"//[^/\s@]+@", "//…@", " ".join(text.split()))[:300]
