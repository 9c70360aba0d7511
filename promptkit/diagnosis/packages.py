"""What is installed: promptkit's own extras, and plugins."""

import re
from collections import defaultdict
from importlib import metadata
from typing import Any

from promptkit import plugins
from promptkit.backends import check_spec, is_plugged
from promptkit.diagnosis.part import Part
from promptkit.errors import PromptkitError
from promptkit.evaluation.benchmarks.catalogue import KNOWN, entry_of
from promptkit.evaluation.judging.rubric import load_rubric
from promptkit.extract import OWN, extractor_for
from promptkit.strategies import PRESETS
from promptkit.strategies.base import registered
from promptkit.types import Question

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*([^;]*?)\s*;\s*extra\s*==\s*['\"]([\w-]+)['\"]")
_NOT_FOR_USE = {"dev", "docs"}


def packages() -> Part:
    """The optional packages by extra, as promptkit's own metadata list them."""
    try:
        required = metadata.requires("promptkit") or []
    except metadata.PackageNotFoundError:
        said = "promptkit runs from a folder and is not installed, so its extras are not known"
        return Part("packages", (said,), {}, "note", said, 'pip install -e ".[hf]" in that folder')
    extras: dict[str, dict[str, str | None]] = defaultdict(dict)
    wrong: list[str] = []
    for name, wanted, extra in (found.groups() for line in required if (found := _REQUIREMENT.match(line))):
        if extra in _NOT_FOR_USE:
            continue
        extras[extra][name] = version = _version(name)
        if version is not None and not _fits(version, wanted):
            wrong.append(f"{name} {version} is there, and [{extra}] needs {name}{wanted}")
    lines = [f"[{extra}] {_shown(there)}" for extra, there in sorted(extras.items())]
    facts: dict[str, Any] = {"extras": dict(extras)}
    can_run = [extra for extra in ("hf", "openai") if extra in extras and all(extras[extra].values())]
    if not can_run:
        problem = "neither local models nor servers can be used: packages are missing"
        hint = 'pip install "promptkit[hf]" for local models, "promptkit[openai]" for servers'
        return Part("packages", tuple(lines), facts, "problem", problem, hint)
    if wrong:
        return Part("packages", tuple(lines), facts, "note", "; ".join(wrong), "upgrade these packages")
    return Part("packages", tuple(lines), facts)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _fits(version: str, wanted: str) -> bool:
    """Whether a version is what is wanted; `True` where there is nothing here to compare versions with."""
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:
        return True
    return not wanted or SpecifierSet(wanted).contains(version, prereleases=True)


def _shown(there: dict[str, str | None]) -> str:
    missing = [name for name, version in there.items() if version is None]
    if not missing:
        return ", ".join(f"{name} {version}" for name, version in there.items())
    return "not installed" if len(missing) == len(there) else f"incomplete: {', '.join(missing)} missing"


def plugged() -> Part:
    """What other packages bring, each tried as it is used."""
    tried = [(plugin, problem_of(plugin)) for plugin in plugins.installed()]
    lines = [f"{one.kind}: {one.name} of {one.package}{f': {problem}' if problem else ''}" for one, problem in tried]
    facts = {"plugins": [told(one, problem) for one, problem in tried]}
    broken = [one for one, problem in tried if problem]
    if not broken:
        return Part("plugins", tuple(lines) or ("none",), facts)
    what = ", ".join(sorted({one.package for one in broken}))
    return Part("plugins", tuple(lines), facts, "note", f"not all of {what} can be used", "update it, or remove it")


def told(plugin: plugins.Plugin, problem: str) -> dict[str, Any]:
    """What a package brings, as JSON has it."""
    return {"kind": plugin.kind, "name": plugin.name, "package": plugin.package, "problem": problem or None}


def problem_of(plugin: plugins.Plugin) -> str:
    """Why something that a package brings cannot be used; empty where it can. Its module is imported."""
    hidden = "promptkit has one of this name, which is used"
    name = plugin.name
    try:
        if plugin.entry is None:
            plugin.load()
        match plugin.kind:
            case "strategies":
                return hidden if name in PRESETS or registered(name).__module__.startswith("promptkit.") else ""
            case "benchmarks":
                entry_of(name)
                return hidden if name in KNOWN else ""
            case "extractors":
                extractor_for(Question(text="?"), name)
                return hidden if name in OWN else ""
            case "backends":
                check_spec(f"{name}:model")
                return "" if is_plugged(name) else hidden
            case "judges":
                load_rubric(name)
                return ""
    except PromptkitError as error:
        return str(error)
