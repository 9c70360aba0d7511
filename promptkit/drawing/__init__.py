"""Pictures of trees of thoughts: for the terminal, and as files that need nothing else to be looked at.

    tree = result.details["tree"]
    rich.print(terminal(tree))
    save(tree, "tree.svg")        # or tree.html

Texts of models are data here: they are escaped, and control characters are made visible.
"""

from promptkit.drawing.files import drawer, html, save, svg
from promptkit.drawing.shape import Branch, shape
from promptkit.drawing.terminal import terminal

__all__ = ["Branch", "drawer", "html", "save", "shape", "svg", "terminal"]
