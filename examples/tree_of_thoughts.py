"""Tree of thoughts on the embedded model: a word problem by reasoning steps, and the published Game of 24, narrowed.

    python examples/tree_of_thoughts.py

Prints both trees and writes the second one to tree.html. With a model this small expect a wrong turn or two.
"""

import rich

from promptkit import Backend, TreeOfThoughts
from promptkit.backends import default
from promptkit.drawing import save, terminal
from promptkit.strategies.tree import BFS

PROBLEM = "Ann has 3 boxes of 12 eggs and breaks 5. How many are left?"
PUZZLE = "2 3 4 5"


def main(backend: Backend) -> None:
    """Answer both, one after the other."""
    for name, strategy, question in (
        ("a word problem", TreeOfThoughts("reasoning"), PROBLEM),
        ("a Game of 24", TreeOfThoughts("game24", search=BFS(width=2)), PUZZLE),
    ):
        result = strategy.run(question, backend=backend)
        tree = result.details["tree"]
        rich.print(f"[bold]{name}[/]: {question}")
        rich.print(terminal(tree, everything=False))
        rich.print(f"answer {result.answer}, {len(tree['nodes'])} nodes, {result.usage.calls} calls\n")
        save(tree, "tree.html")


if __name__ == "__main__":
    main(default())
