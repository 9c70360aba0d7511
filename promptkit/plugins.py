"""Extension points: what other installed packages bring along, found by their entry points (see `docs/plugins.md`).

A package names what it brings in groups: `promptkit.strategies`, `promptkit.benchmarks`, `promptkit.extractors`,
`promptkit.backends` and `promptkit.judges`. Only names are read here. The registries ask for a name that they do not
have themselves, and no code of a package runs before one of its names is asked for.
"""

from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, distributions
from typing import Any, Literal, TypeAlias, get_args

from promptkit.errors import ConfigError

Kind: TypeAlias = Literal["strategies", "benchmarks", "extractors", "backends", "judges"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Plugin:
    """One thing that a package brings."""

    kind: Kind
    name: str
    """What it is called in files and on the command line."""
    package: str
    """The distribution that brings it, with its version: "promptkit-example 0.1.0"."""
    entry: EntryPoint | None = field(repr=False)
    """`None` where the package's list of entry points cannot be read at all."""

    def load(self) -> Any:
        """What the entry point refers to, imported now.

        Raises:
            ConfigError: the import failed, whatever it raised.
        """
        if self.entry is None:
            raise self.refused("its entry_points.txt cannot be read")
        try:
            return self.entry.load()
        except (Exception, SystemExit) as error:  # a package may do anything while it is imported
            raise self.refused(_one_line(error)) from error

    def refused(self, why: str) -> ConfigError:
        """The error that says what is wrong with it, and whose fault that is."""
        singular = "strategy" if self.kind == "strategies" else self.kind.removesuffix("s")
        problem = f"the {singular} {self.name!r} of {self.package} cannot be used: {why}"
        return ConfigError(problem, hint=f"update {self.package.partition(' ')[0]}, or remove it")


@cache
def installed() -> tuple[Plugin, ...]:
    """Everything that installed packages bring, in order of kind and name. Nothing of it is imported."""
    found: dict[tuple[Kind, str, str], Plugin] = {}
    seen: set[str] = set()
    for distribution in distributions():
        listed = distribution.read_text("entry_points.txt") or ""
        if "promptkit." not in listed or (name := str(distribution.metadata["Name"])) in seen:
            continue  # of two versions of a package, the one that comes first on the path is the one that is imported
        seen.add(name)
        package = f"{name} {distribution.version}"
        try:
            entries = tuple(distribution.entry_points)
        except Exception:  # a line that is none makes it raise whatever comes
            entries = ()
            for group in KINDS:
                if f"[promptkit.{group}]" in listed:
                    found[group, "?", name] = Plugin(group, "?", package, None)
        for entry in entries:
            for kind in KINDS:
                if entry.group == f"promptkit.{kind}":
                    found[kind, entry.name, name] = Plugin(kind, entry.name, package, entry)
    return tuple(sorted(found.values(), key=lambda plugin: (KINDS.index(plugin.kind), plugin.name, plugin.package)))


def names(kind: Kind) -> list[str]:
    """The names of this kind that packages bring."""
    return list(dict.fromkeys(plugin.name for plugin in installed() if plugin.kind == kind and plugin.entry))


def find(kind: Kind, name: str) -> Plugin | None:
    """Who brings this name, if anybody does.

    Raises:
        ConfigError: two packages do.
    """
    found = [plugin for plugin in installed() if (plugin.kind, plugin.name) == (kind, name)]
    if len(found) > 1:
        packages = " and ".join(plugin.package for plugin in found)
        raise ConfigError(f"{name!r} is brought by {packages}", hint="remove one of the packages")
    return found[0] if found else None


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
