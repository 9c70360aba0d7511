"""The tests' network goes no further than this machine, and their environment holds no key.

`conftest.py` calls `isolate`, before any test module is imported.
"""

import os
import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
"""The checkout."""
USER_FOLDERS = {name: os.environ.get(name) for name in ("PROMPTKIT_CACHE", "PROMPTKIT_CONFIG")}
"""What these variables were before the tests set them: the place of models that were downloaded for real."""


class NetworkBlockedError(RuntimeError):
    """A test tried to leave this machine. No `OSError`, so that no offline fallback hides it."""


def _refuse(host: object) -> None:
    if host is None or host in ("", "localhost", b"localhost"):
        return
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        if ip_address(name.partition("%")[0]).is_loopback:
            return
    except ValueError:
        pass
    raise NetworkBlockedError(f"tests may not use the network, but something wanted to reach {name!r}")


def _guarded_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse(address[0])
        return connect(self, address)

    return guarded


def _guarded_lookup(look_up: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse(host)
        return look_up(host, *args, **kwargs)

    return guarded


def _guarded_create(create: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(address: tuple[str, int], *args: Any, **kwargs: Any) -> Any:
        _refuse(address[0])
        return create(address, *args, **kwargs)

    return guarded


def isolate() -> None:
    """Block the network except loopback, put the hub's libraries offline and take keys out of the environment."""
    socket.socket.connect = _guarded_connect(socket.socket.connect)
    socket.socket.connect_ex = _guarded_connect(socket.socket.connect_ex)
    socket.create_connection = _guarded_create(socket.create_connection)
    socket.getaddrinfo = _guarded_lookup(socket.getaddrinfo)
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ[name] = "1"
    for name in ("HF_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL", "COLUMNS"):  # the last is set by pytest-xdist
        os.environ.pop(name, None)
