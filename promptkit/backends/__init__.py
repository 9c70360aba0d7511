"""Backends: where requests go. `from_spec` makes one from a short text, `default` is the embedded model."""

import inspect
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit import plugins
from promptkit.backends.base import Answer, Backend, Group, Take
from promptkit.errors import ConfigError, ModelError, PromptkitError

if TYPE_CHECKING:
    from promptkit.backends.hf import HFBackend
    from promptkit.backends.openai import OpenAIBackend

__all__ = [
    "Answer",
    "Backend",
    "Group",
    "Take",
    "check_spec",
    "default",
    "find_local",
    "from_spec",
    "hf_backend",
    "is_plugged",
    "openai_backend",
]


@cache
def default() -> Backend:
    """The embedded model, brought and loaded on first use and announced on standard error.

    Raises:
        ModelError: it cannot be downloaded, verified or loaded.
    """
    from promptkit.models import DEFAULT

    _announce(DEFAULT)
    told: set[str] = set()

    def progress(what: str, *_: int) -> None:
        if what not in told:
            told.add(_say(what))

    return hf_backend()("default", progress=progress)


def hf_backend() -> "type[HFBackend]":
    """The class `HFBackend`, imported now.

    Raises:
        ModelError: the packages for local models are not installed.
    """
    try:
        from promptkit.backends.hf import HFBackend
    except ImportError as error:
        raise _no_local_models(error) from error
    return HFBackend


def find_local(model: str) -> Path | str:
    """The folder of a local model, or its name; looked for without the engine, which takes long to import.

    Raises:
        ModelError: there is no such folder, or the packages for local models are not installed.
    """
    try:
        from promptkit.backends.hf.loading import find
    except ImportError as error:
        raise _no_local_models(error) from error
    return find(model)


def openai_backend() -> "type[OpenAIBackend]":
    """The class `OpenAIBackend`, imported now.

    Raises:
        ConfigError: the package for servers is not installed.
    """
    try:
        from promptkit.backends.openai import OpenAIBackend
    except ImportError as error:
        raise ConfigError(f"servers need {error.name}", hint='pip install "promptkit[openai]"') from error
    return OpenAIBackend


@cache
def _announce(model: str) -> None:
    """Say once that the embedded model is used: nobody has chosen it."""
    _say(f"using the embedded model {model}")


def _say(what: str) -> str:
    print(f"promptkit: {what}", file=sys.stderr)
    return what


def from_spec(spec: str, **options: Any) -> Backend:
    """Make a backend from `default`, `hf:<hub id, embedded model's name or folder>`, `openai:<model>`, or
    `<name>:<model>` with a name that a plugin brings.

    That the embedded default model is used is said once on standard error. `options` go to the backend's constructor
    (`mode`, `adapter`, `quantization`, …; `base_url`, `api_key_env`, …); those that are `None` are left out.

    Raises:
        ConfigError: the text names no backend, a server's key is missing, or a plugin cannot be used or has no such
            option.
        ModelError: the model cannot be found or loaded.
    """
    given = {name: value for name, value in options.items() if value is not None}
    model = check_spec(spec)
    if spec.startswith("openai:"):
        return openai_backend()(model, **given)
    if plugin := _plugin(spec):
        return _plugged(plugin, model, given)
    if model == "default":
        from promptkit.models import DEFAULT

        _announce(DEFAULT)
    return hf_backend()(model, **given)


def check_spec(spec: str) -> str:
    """The model that a spec names, looked for but not loaded.

    Raises:
        ConfigError: the text names no backend, the package for servers is not installed, or a plugin cannot be used.
        ModelError: there is no such folder, or the packages for local models are not installed.
    """
    if spec == "default":
        return spec
    family, _, model = spec.partition(":")
    if family == "openai" and model:
        openai_backend()
        return model
    if model and (plugin := _plugin(spec)):
        plugin.load()
        return model
    if family != "hf" or not model:
        raise _unknown(spec)
    find_local(model)
    return model


def is_plugged(spec: str) -> bool:
    """Whether a spec names none of promptkit's own backends, so that a plugin must bring it."""
    return spec.partition(":")[0] not in ("default", "hf", "openai")


def _plugin(spec: str) -> plugins.Plugin | None:
    """Who brings the backend that a spec names, if it is none of promptkit's own."""
    return plugins.find("backends", spec.partition(":")[0]) if is_plugged(spec) else None


def _plugged(plugin: plugins.Plugin, model: str, given: dict[str, Any]) -> Backend:
    """The backend that a plugin makes for a model."""
    make = plugin.load()
    try:
        inspect.signature(make).bind(model, **given)
    except TypeError as error:
        reason = f"{plugin.name}:{model} cannot be made with {', '.join(given) or 'no options'}: {error}"
        raise ConfigError(reason, hint="leave out options that it does not take") from error
    except ValueError:  # a function that says nothing of its arguments
        pass
    try:
        made = make(model, **given)
    except PromptkitError:
        raise
    except Exception as error:
        raise plugin.refused(f"{type(error).__name__}: {error}") from error
    if not isinstance(made, Backend):
        raise plugin.refused(f"it made a {type(made).__name__}, not a Backend")
    return made


def _no_local_models(error: ImportError) -> ModelError:
    return ModelError(f"local models need {error.name}", hint='pip install "promptkit[hf]"')


def _unknown(spec: str) -> ConfigError:
    from promptkit.models import EMBEDDED

    if spec in EMBEDDED or re.fullmatch(r"[\w.-]+/[\w./-]+", spec):
        return ConfigError(f"unknown backend {spec!r}", hint=f"for a local model, say hf:{spec}")
    brought = "".join(f", `{name}:<model>`" for name in plugins.names("backends"))
    known = f"`default`, `hf:<hub id or folder>`{brought} or `openai:<model>`, such as hf:Qwen/Qwen2.5-0.5B-Instruct"
    return ConfigError(f"unknown backend {spec!r}", hint=f"use {known}")
