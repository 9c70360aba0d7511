"""What of a node each worker takes, and how many workers the nodes of a cluster have room for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from promptkit.errors import ConfigError

Node: TypeAlias = dict[str, float]
"""What a node has of each resource: "CPU", "GPU", and others that are not looked at."""


@dataclass(frozen=True)
class Share:
    """What one worker takes of its node."""

    cpus: float
    gpus: float

    def __str__(self) -> str:
        gpus = f" and {self.gpus:g} GPU" if self.gpus else ""
        return f"{self.cpus:g} CPU{gpus}"


def share_of(nodes: Sequence[Node], cpus: float | None, gpus: float | None) -> Share:
    """What each worker takes: as was said, else a GPU, else a whole node.

    Raises:
        ConfigError: a share is negative, or nothing.
    """
    if gpus is None:
        gpus = 1.0 if cpus is None and any(node.get("GPU") for node in nodes) else 0.0
    if cpus is None:
        cpus = 1.0 if gpus else min((node["CPU"] for node in nodes if node.get("CPU")), default=1.0)
    if cpus < 0 or gpus < 0 or not (cpus or gpus):
        raise ConfigError("a Ray worker needs a share of CPUs or GPUs", hint="give --ray-cpus or --ray-gpus above 0")
    return Share(cpus, gpus)


def places(nodes: Sequence[Node], share: Share) -> int:
    """How many workers the nodes have room for, if nobody else used them."""
    wanted = [(name, part) for name, part in (("CPU", share.cpus), ("GPU", share.gpus)) if part]
    return sum(min(int(node.get(name, 0.0) / part + 1e-9) for name, part in wanted) for node in nodes)


def shown(nodes: Sequence[Node]) -> str:
    """The nodes in words, each kind once."""
    return ", ".join(sorted({f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in nodes}))
