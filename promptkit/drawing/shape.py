"""The recorded tree as nested branches, with what every picture of it shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.errors import ConfigError


@dataclass(eq=False)
class Branch:
    """A node with what grows from it."""

    thought: str
    """On one line, control characters made visible."""
    value: float | None
    status: str
    on_path: bool
    """Whether it lies on the path from the root to the answer."""
    children: "list[Branch]"

    @property
    def greyed(self) -> bool:
        """Whether the search gave it up, or never came to it."""
        return not self.on_path and self.status in ("pruned", "rejected", "open")

    def walk(self) -> "Iterator[Branch]":
        """It and all that grows from it, parents first."""
        pending: list[Branch] = [self]
        while pending:
            branch = pending.pop()
            yield branch
            pending.extend(reversed(branch.children))


def shape(tree: Mapping[str, Any]) -> Branch:
    """The root of a tree as `Result.details["tree"]` holds it.

    Raises:
        ConfigError: that is no recorded tree.
    """
    try:
        nodes: Sequence[Mapping[str, Any]] = tree["nodes"]
        branches = {
            node["id"]: Branch(visible(str(node["thought"])), node["value"], visible(str(node["status"])), False, [])
            for node in nodes
        }
        parents: dict[Any, Any] = {node["id"]: node["parent"] for node in nodes}
        for name, parent in parents.items():
            if parent is not None:
                branches[parent].children.append(branches[name])
        place, steps = tree["answer"], 0
        while place is not None and steps <= len(branches):
            branches[place].on_path = True
            place, steps = parents[place], steps + 1
        root = next(branches[name] for name, parent in parents.items() if parent is None)
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise ConfigError("this is no recorded tree of thoughts", hint='give result.details["tree"]') from error
    root.thought = root.thought or visible(str(tree.get("problem", "")))
    return root


def visible(text: str) -> str:
    """A text on one line: line feeds become ⏎, what no terminal or file should be sent becomes �."""
    line = text.strip().replace("\r\n", "\n").replace("\n", " ⏎ ").replace("\t", " ").replace("\xa0", " ")
    return "".join(char if char.isprintable() else "\ufffd" for char in line)


def shown(value: float | None) -> str:
    """A value as pictures show it; empty where there is none."""
    return "" if value is None else f"{value:.4g}"
