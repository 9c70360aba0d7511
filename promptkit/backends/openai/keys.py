"""Where a key comes from. It is held by the HTTP clients alone and never shown."""

import os
from pathlib import Path

from promptkit.errors import ConfigError

DEFAULT_ENV = "OPENAI_API_KEY"
OPENAI_HOST = "api.openai.com"
PLACEHOLDER = "none"
"""Sent to servers that need no key; the SDK wants one."""


def find_key(env: str | None, file: str | Path | None, hosts: list[str]) -> str:
    """The key from a file, a named environment variable, or `OPENAI_API_KEY`.

    Without any, a placeholder for servers other than OpenAI's own, which may need none.

    Raises:
        ConfigError: there is none where one was named or is needed, or it cannot be one. The key is never in the text.
    """
    if env and file:
        raise ConfigError("the key was given twice", hint="name a variable or a file, not both")
    if file:
        key, where = _in_file(Path(file)), f"the key file {file}"
    else:
        name = env or DEFAULT_ENV
        key, where = os.environ.get(name, "").strip(), f"the environment variable {name}"
        if not key and env:
            raise ConfigError(f"{where} is not set", hint=f"export {name}=…, or leave it out")
    if not key:
        if OPENAI_HOST in hosts:
            raise ConfigError(
                f"{OPENAI_HOST} needs a key",
                hint=f"set {DEFAULT_ENV}, name another variable (--api-key-env) or a file (--api-key-file), "
                "or give the --base-url of your own server",
            )
        return PLACEHOLDER
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigError(f"what {where} holds is no key", hint="a key is one line of ASCII characters without spaces")
    return key


def _in_file(path: Path) -> str:
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"cannot read the key file {path}: {reason}", hint="check the path") from None
    if not key:
        raise ConfigError(f"the key file {path} is empty", hint="put the key into it, on one line")
    return key
