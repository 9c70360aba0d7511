"""How far Auto-CoT has come in one cluster."""

from dataclasses import dataclass, field

from promptkit.errors import BackendError
from promptkit.strategies.selection import ChosenCluster, Refusal


@dataclass
class Walk:
    """The way through one cluster, from its centre outward."""

    members: tuple[int, ...]
    chosen: int | None = None
    refused: list[Refusal] = field(default_factory=list[Refusal])
    failure: BackendError | None = None

    def done(self) -> ChosenCluster:
        """What came of it."""
        return ChosenCluster(self.members, self.chosen, tuple(self.refused))
