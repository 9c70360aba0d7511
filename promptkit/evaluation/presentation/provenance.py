"""What lies between two runs besides their strategies: other versions of promptkit, other wordings of a template."""

from typing import Any

from promptkit.evaluation.runs import Run


def notes(a: Run, b: Run) -> list[str]:
    """A sentence for everything that makes the runs differ without being named in a table.

    Runs that were never written say nothing about themselves, and nothing is said about them.
    """
    return [note for note in (_versions(a, b), _templates(a, b), *map(_rescored, (a, b))) if note]


def version_of(run: Run) -> str | None:
    """The version of promptkit that made a run."""
    return run.manifest.get("versions", {}).get("promptkit")


def _versions(a: Run, b: Run) -> str:
    made = version_of(a), version_of(b)
    if None in made or made[0] == made[1]:
        return ""
    return (
        f"The first run was made by promptkit {made[0]}, the second by {made[1]}: answers are scored as each version "
        "read them; `promptkit rescore` reads both alike."
    )


def _templates(a: Run, b: Run) -> str:
    one: dict[str, Any] = a.manifest.get("templates", {})
    other: dict[str, Any] = b.manifest.get("templates", {})
    changed = sorted(name for name in one.keys() & other.keys() if one[name] != other[name])
    if not changed:
        return ""
    return f"The runs were asked with different wordings of the same template: {', '.join(changed)}."


def _rescored(run: Run) -> str:
    told = run.manifest.get("rescored")
    return f"{run.run_dir or run.strategy} was read again by the extractor {told['extractor']!r}." if told else ""
