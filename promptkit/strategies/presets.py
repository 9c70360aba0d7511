"""The strategies that have a name of their own on the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from promptkit import plugins
from promptkit.errors import ConfigError
from promptkit.strategies.auto_cot import AutoCoT
from promptkit.strategies.base import Strategy, registered
from promptkit.strategies.cot import CoT
from promptkit.strategies.demonstrations import SETS, DemonstrationStrategy
from promptkit.strategies.few_shot import FewShot
from promptkit.strategies.selectors import SELECTORS, selector
from promptkit.strategies.self_consistency import SelfConsistency
from promptkit.strategies.tree import DFS
from promptkit.strategies.tree_of_thoughts import TreeOfThoughts
from promptkit.strategies.zero_shot import ZeroShot
from promptkit.types import Kind

PRESETS: dict[str, tuple[str, Callable[[Kind], Strategy]]] = {
    "direct": ("the answer alone; reasoning is forbidden", lambda _: ZeroShot("direct")),
    "zero-shot": ("the bare question", lambda _: ZeroShot()),
    "few-shot": ("demonstrations of the answer's kind, without reasoning", lambda kind: FewShot(_demos(kind))),
    "zero-shot-cot": ('"Let\'s think step by step.", then the answer, in two stages', lambda _: CoT()),
    "manual-cot": ("demonstrations of the answer's kind, with reasoning", lambda kind: CoT(_demos(kind))),
    "auto-cot": ("demonstrations with reasoning that the model writes for a pool of questions", lambda _: AutoCoT()),
    "self-consistency": ("the majority of 10 sampled zero-shot-cot answers", lambda _: SelfConsistency(CoT())),
    "tot-bfs": ("a tree of reasoning steps, the best 2 of each level", lambda _: TreeOfThoughts("reasoning")),
    "tot-dfs": (
        "a tree of reasoning steps, one path at a time, with backtracking",
        lambda _: TreeOfThoughts("reasoning", search=DFS(per_state=3, budget=20)),
    ),
}
"""Name → what it is, in a few words, and how it is made for a kind of answer."""


def resolve(name: str, kind: Kind = "number") -> Strategy:
    """The strategy that a text says.

    Args:
        name: a preset, a preset with other settings such as "self-consistency:n=5,temperature=0.5", or a YAML file.
            Settings of few-shot and manual-cot may be those of a selector: "few-shot:select=similar,k=4"; its limit of
            tokens is `demo_tokens` there. The tag of a strategy that a plugin brings is a preset too.
        kind: the kind of answer, which picks the demonstrations of presets that have some.

    Raises:
        ConfigError: there is no such preset or file, the file or a setting makes no sense, or a plugin cannot be used.
    """
    preset, _, settings = name.partition(":")
    if preset not in PRESETS:
        if name.endswith((".yaml", ".yml")) or Path(name).is_file():
            return Strategy.load(name)
        if not plugins.find("strategies", preset):
            known = ", ".join([*PRESETS, *plugins.names("strategies")])
            raise ConfigError(f"unknown strategy {name!r}", hint=f"known: {known}; or give a YAML file")
    given = _settings(name, settings) if settings else {}
    # A selector takes the place of the packaged demonstrations, so these may be those of any kind.
    own = PRESETS.get(preset)
    strategy = own[1]("number" if "select" in given else kind) if own else registered(preset)()
    if not given:
        return strategy
    if isinstance(strategy, DemonstrationStrategy):
        given = _with_selector(name, given)
    fields = {field: getattr(strategy, field) for field in strategy.model_fields_set}
    return type(strategy)(**(fields | given))


def _settings(name: str, text: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for part in text.split(","):
        field, equals, value = part.partition("=")
        if not equals or not field.strip():
            raise ConfigError(f"cannot read {part!r} in {name!r}", hint="write preset:field=value,field=value")
        try:
            settings[field.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"cannot read {part!r} in {name!r}", hint="write preset:field=value") from error
    return settings


def _with_selector(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings, with those of a selector made into one."""
    chosen = {field: value for field, value in settings.items() if field in _SELECTING}
    if not chosen:
        return settings
    if "select" not in chosen:
        raise ConfigError(f"{name!r} does not say how to select", hint=f"add select={'|'.join(SELECTORS)}")
    if "demo_tokens" in chosen:
        chosen["max_tokens"] = chosen.pop("demo_tokens")
    rest = {field: value for field, value in settings.items() if field not in _SELECTING}
    return {**rest, "demos": selector(chosen)}


_SELECTING = {"select", "k", "seed", "order", "embedder", "demo_tokens"}
"""Settings of selectors, as the command line has them."""


def _demos(kind: Kind) -> str:
    if kind not in SETS:
        raise ConfigError(f"there are no packaged demonstrations for answers of kind {kind!r}", hint="give a YAML file")
    return SETS[kind]
