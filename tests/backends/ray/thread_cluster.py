"""A cluster whose workers are threads of this process, and die when a test says so."""

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from promptkit.backends.ray.cluster import LostError, RayCluster
from promptkit.backends.ray.shares import Share
from promptkit.backends.ray.worker import Worker


class Actor:
    """A worker and the calls to it that have not ended."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.calls: list[Future[Any]] = []
        self.dead = False

    def die(self, reason: str = "its node has died") -> None:
        """Whatever is asked of it fails from now on, and so does what was asked before."""
        self.dead = True
        for call in self.calls:
            if not call.done():
                call.set_exception(LostError(reason))


class ThreadCluster(RayCluster):
    """As `RayCluster`, without Ray.

    Args:
        worker: makes the workers.
        room: places for workers; what is hired beyond waits until one has died.
        nodes: what `resources` says.
    """

    def __init__(
        self, worker: type[Worker] = Worker, room: int = 100, nodes: Sequence[dict[str, float]] = ({"CPU": 4.0},)
    ) -> None:
        self._worker = worker
        self._room = room
        self._nodes = list(nodes)
        self.hired: list[Actor] = []
        self.shares: list[Share] = []
        self.closed = False

    @property
    def living(self) -> list[Actor]:
        return [actor for actor in self.hired if not actor.dead]

    def resources(self) -> list[dict[str, float]]:
        return self._nodes

    def hire(self, share: Share) -> Actor:
        self.hired.append(Actor(self._worker()))
        self.shares.append(share)
        return self.hired[-1]

    def call(self, actor: Actor, method: str, *args: Any) -> Future[Any]:
        call = Future[Any]()
        actor.calls.append(call)
        if actor.dead:
            call.set_exception(LostError("its node has died"))
        elif self.living.index(actor) < self._room:
            threading.Thread(target=self._answer, args=(actor, method, args, call), daemon=True).start()
        return call

    def _answer(self, actor: Actor, method: str, args: Sequence[Any], call: "Future[Any]") -> None:
        try:
            found = getattr(actor.worker, method)(*args)
        except Exception as error:
            call.set_exception(error)
        else:
            if not actor.dead:
                call.set_result(found)

    def ready(self, calls: "Sequence[Future[Any]]", timeout: float) -> "list[Future[Any]]":
        return list(wait(calls, timeout, FIRST_COMPLETED).done)

    def result(self, call: "Future[Any]") -> Any:
        return call.result()

    def dismiss(self, actor: Actor) -> None:
        actor.die("it was dismissed")

    def close(self) -> None:
        self.closed = True
