"""docs/cli.md: the help of every command, as the command line prints it.

    python -m benchmarks.make_cli_reference

`tests/test_docs.py` says when the page is older than the commands.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from promptkit.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
HEAD = """# Command line

What `promptkit` and each of its commands print with `--help`. [The terminal](terminal.md) has exit codes, completion
and colours.

<!-- made by `python -m benchmarks.make_cli_reference` -->
"""


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each command below `command` with its full name, itself first."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{path} {name}")


def page() -> str:
    """The page's text."""
    parts = [HEAD]
    for path, command in commands(get_command(app), "promptkit"):
        context = command.make_context(path, [], resilient_parsing=True, max_content_width=100, terminal_width=100)
        text = "\n".join(line.rstrip() for line in context.get_help().splitlines())
        parts.append(f"## {path}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
