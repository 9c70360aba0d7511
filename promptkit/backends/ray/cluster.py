"""The one place that calls Ray: joining a cluster, placing actors on it, and seeing which of them have gone."""

import logging
import os
import socket
from collections.abc import Sequence
from typing import Any, cast

from promptkit.backends.ray.shares import Node, Share
from promptkit.backends.ray.worker import Worker
from promptkit.errors import BackendError, ConfigError

_OBJECT_STORE = 100 * 2**20
"""Bytes of shared memory of a local cluster: requests and answers are far too small to be put there."""
_THREADS = 8
"""Calls that an actor answers side by side: one waits for news, the others are short."""
_REACH = 5.0
"""Seconds in which an address must answer."""


class LostError(Exception):
    """The process or the node of a worker is gone."""


class RayCluster:
    """A connection to a Ray cluster. One that this process has already is used, and left open.

    Args:
        address: "auto" for the cluster that this machine is part of (or that `RAY_ADDRESS` names), "local" for one on
            this machine alone, made now; else the address of its head, such as "10.0.0.1:6379".

    Raises:
        ConfigError: Ray is not installed, there is no such cluster, or it cannot be joined.
    """

    def __init__(self, address: str) -> None:
        self._ray = installed()
        self._own = not self._ray.is_initialized()
        if self._own:
            _join(self._ray, address)

    def resources(self) -> list[Node]:
        """Of each living node, what it has in all ("CPU", "GPU", …), whoever uses it."""
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]

    def hire(self, share: Share) -> Any:
        """An actor that holds a `Worker`; Ray places it as soon as a node has the share free."""
        options = {"num_cpus": share.cpus, "num_gpus": share.gpus, "max_concurrency": _THREADS}
        return self._ray.remote(Worker).options(**options).remote()

    def call(self, actor: Any, method: str, *args: Any) -> Any:
        """Call a method of the actor; what comes back is given to `ready` and `result`."""
        return getattr(actor, method).remote(*args)

    def ready(self, calls: Sequence[Any], timeout: float) -> list[Any]:
        """Those of the calls that have ended; waits up to `timeout` seconds for the first one."""
        if not self._ray.wait(list(calls), num_returns=1, timeout=timeout)[0]:
            return []
        return self._ray.wait(list(calls), num_returns=len(calls), timeout=0)[0]

    def result(self, call: Any) -> Any:
        """What a call gave; waits for it.

        Raises:
            LostError: the actor is gone.
            BackendError: the method raised something.
        """
        try:
            return self._ray.get(call)
        except self._ray.exceptions.RayActorError as error:
            raise LostError(_reason(error)) from None
        except self._ray.exceptions.RayError as error:
            raise BackendError(f"a Ray worker failed: {_reason(error)}") from error

    def dismiss(self, actor: Any) -> None:
        """End the actor, if it is not gone yet."""
        self._ray.kill(actor)

    def close(self) -> None:
        """Leave the cluster, unless this process had joined it before."""
        if self._own:
            self._ray.shutdown()


def installed() -> Any:
    """The package `ray`.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import ray  # pyright: ignore
    except ImportError as error:
        raise ConfigError("--ray needs the package ray", hint='pip install "promptkit[ray]"') from error
    return cast("Any", ray)


def _join(ray: Any, address: str) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a local cluster would report on its use
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        options |= {"include_dashboard": False, "object_store_memory": _OBJECT_STORE}
    else:
        os.environ.setdefault("RAY_gcs_server_port_wait_time_s", "1")  # attempts, of half a minute each
        if address != "auto":
            _reach(address)
    try:
        ray.init(address=address, **options)
    except ConnectionError as error:
        if address == "auto":
            raise ConfigError(
                "this machine is part of no Ray cluster", hint="run `ray start --head`, give an address, or say local"
            ) from error
        raise ConfigError(f"cannot join the Ray cluster at {address}: {_reason(error)}") from error
    except Exception as error:  # another version of Ray or Python, a node without a raylet, …
        raise ConfigError(f"cannot join the Ray cluster at {address}: {_reason(error)}") from error


def _reach(address: str) -> None:
    """Look whether anybody answers there: Ray itself would try for a minute and say much."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (host and colon and port.isdecimal()):
        raise ConfigError(f"{address!r} is no address of a Ray cluster", hint="say auto, local or host:port")
    try:
        socket.create_connection((host, int(port)), timeout=_REACH).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"no Ray cluster answers at {address}: {why}", hint="look at `ray status` on its head node"
        ) from error


def _reason(error: Exception) -> str:
    """The last line that says something: Ray puts the cause at the end of long traces."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].partition(" Some common causes")[0][:300] if lines else type(error).__name__
