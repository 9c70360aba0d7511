"""A tree of thoughts in the terminal."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.text import Text
from rich.tree import Tree

from promptkit.drawing.shape import Branch, shape, shown

_STYLES = {"rejected": "red dim", "pruned": "dim", "open": "dim", "kept": "", "solved": "bold green"}
_ALL = 40


def terminal(tree: Mapping[str, Any], *, everything: bool | None = None) -> Tree:
    """A tree for rich to print: values in front, given-up branches greyed, the path to the answer bold.

    Args:
        tree: `Result.details["tree"]`.
        everything: whether every branch is drawn; otherwise those that lead nowhere are only counted. Unset, all are
            drawn of trees with up to 40 nodes.

    Raises:
        ConfigError: that is no recorded tree.
    """
    root = shape(tree)
    if everything is None:
        everything = sum(1 for _ in root.walk()) <= _ALL
    drawn = Tree(_label(root), guide_style="dim")
    pending = [(root, drawn)]
    while pending:
        branch, place = pending.pop()
        hidden = Counter[str]()
        for child in branch.children:
            if everything or child.children or not child.greyed:
                pending.append((child, place.add(_label(child))))
            else:
                hidden[child.status] += 1
        if hidden:
            place.add(Text("… " + ", ".join(f"{count} {status}" for status, count in hidden.items()), style="dim"))
    return drawn


def _label(branch: Branch) -> Text:
    label = Text()
    if branch.value is not None:
        label.append(f"{shown(branch.value)}  ", style="cyan" if branch.on_path else "dim")
    style = "bold green" if branch.on_path else _STYLES.get(branch.status, "")
    label.append(branch.thought or "(nothing)", style=style)
    if branch.status in ("rejected", "solved"):
        label.append(f"  {branch.status}", style="red dim" if branch.status == "rejected" else "bold green")
    return label
