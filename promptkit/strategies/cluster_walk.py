"""How far Auto-CoT has come in one cluster."""

from dataclasses import dataclass, field

from promptkit.errors import BackendError
from promptkit.strategies.selection import ChosenCluster, Reason, Refusal, demonstration, rationale_problem
from promptkit.types import Demonstration, PoolItem, Result


@dataclass
class Walk:
    """The way through one cluster, from its centre outward."""

    members: tuple[int, ...]
    chosen: int | None = None
    refused: list[Refusal] = field(default_factory=list[Refusal])
    failure: BackendError | None = None

    def look_at(
        self, place: int, item: PoolItem, found: Result | BackendError | Reason, limit: int
    ) -> Demonstration | None:
        """What the next question makes: a demonstration, or a refusal.

        Args:
            place: the question's, in the pool.
            item: the question.
            found: what came of asking it, or why it was not asked.
            limit: of the rationale's lines.
        """
        reason: Reason | None
        if isinstance(found, Result):
            reason = rationale_problem(item.question, found, limit)
            if reason is None:
                self.chosen = place
                return demonstration(item, found)
        elif isinstance(found, BackendError):
            self.failure, reason = found, "call failed"
        else:
            reason = found
        self.refused.append(Refusal(place, reason))
        return None

    def done(self) -> ChosenCluster:
        """What came of it."""
        return ChosenCluster(self.members, self.chosen, tuple(self.refused))
