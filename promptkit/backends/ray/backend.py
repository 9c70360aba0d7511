"""A backend spread over a Ray cluster: the driver keeps scheduler, store and budget, the workers only generate."""

import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from promptkit import __version__
from promptkit.backends.base import Answer, Backend, Group, Take
from promptkit.backends.ray.cluster import LostError, RayCluster
from promptkit.backends.ray.shares import places, share_of, shown
from promptkit.backends.ray.worker import About, News
from promptkit.errors import BackendError, ConfigError, PromptkitError
from promptkit.types import Price, Request

_PORTION = 16
"""Requests that are handed out at a time, so that a few prompts are spread over all workers."""
_DEATHS = 4
"""So often may a worker die without an answer in between, or with the same request under way."""
_SUSPECT = 2
"""A request that was under way at so many deaths is given to a worker that does nothing else."""
_LOOK = 1.0
"""Seconds between two looks at whether there is any worker at all."""


@dataclass(eq=False)
class _Member:
    """One worker as the driver sees it."""

    actor: Any
    call: Any
    """What it was asked last and has not told yet; `None` once it has told, until it is asked for more."""
    deaths: int = 0
    """How many before it, in its place, have died without an answer."""
    placed: bool = False
    loaded: bool = False
    holds: dict[str, Request] = field(default_factory=dict[str, Request])
    """What it was given and has not answered, by key."""
    given: int = 0
    limit: int = 0
    last_group: str = ""
    alone: bool = False
    """Whether what it holds is a suspect."""

    @property
    def room(self) -> int:
        """Requests that it would take now."""
        return 0 if self.alone and self.holds else max(0, self.limit - self.given)


class RayBackend(Backend):
    """Runs a backend of your choice on many machines: one Ray actor each holds one, and takes what it has room for.

    Store, budget, progress and run folder are the driver's, so that a run equals one on a single machine. A worker that
    dies is replaced, and what it had not answered is asked again; one at which four workers have died fails.

    Args:
        make: makes the backend, in each worker; for example `partial(HFBackend, "Qwen/Qwen2.5-7B-Instruct")`. Every
            node needs promptkit in this version, and whatever the function needs.
        address: "auto", "local" or the address of the cluster's head; see `RayCluster`.
        workers: how many; unset, as many as the nodes of this moment have room for. Given, some may come later, as
            on a cluster that grows.
        cpus: of each worker; unset, 1 beside a GPU and else all that the smallest node has.
        gpus: of each worker, parts of one too; unset, 1 where the cluster has any.
        patience: seconds without any worker after which the run ends.
        cluster: in place of a Ray cluster, for tests.

    Raises:
        ConfigError: the cluster cannot be reached, has no room for a worker, or has another version of promptkit.
        PromptkitError: what `make` raised.
    """

    def __init__(
        self,
        make: Callable[[], Backend],
        address: str = "auto",
        *,
        workers: int | None = None,
        cpus: float | None = None,
        gpus: float | None = None,
        patience: float = 120.0,
        cluster: RayCluster | None = None,
    ) -> None:
        if workers is not None and workers < 1:
            raise ConfigError(f"a run needs at least 1 Ray worker, not {workers}")
        self._make = make
        self._patience = patience
        self._ready: deque[tuple[Request, Answer]] = deque()
        self._waiting: deque[Group] = deque()
        self._died_with: Counter[str] = Counter()
        self._alone_since = time.monotonic()
        self._about: About | None = None
        self._cluster = cluster or RayCluster(address)
        self._crew: list[_Member] = []
        try:
            nodes = self._cluster.resources()
            self._share = share_of(nodes, cpus, gpus)
            count = places(nodes, self._share) if workers is None else workers
            if not count:
                raise ConfigError(
                    f"no node of the Ray cluster has {self._share} for a worker: nodes have {shown(nodes)}",
                    hint="lower --ray-cpus or --ray-gpus",
                )
            self._crew = [self._hired() for _ in range(count)]
            while self._about is None:
                self._listen()
        except BaseException:
            self.close()
            raise
        self.name, self._identity, self._price = self._about.name, self._about.identity, self._about.price

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        """Hand out what the workers have room for, and yield each answer as it comes back.

        Raises:
            BackendError: a backend cannot go on, or no worker is left and none can be had.
        """
        try:
            while True:
                self._hand(take)
                if not self._waiting and not any(member.holds for member in self._crew):
                    return
                failure: PromptkitError | None = None
                try:
                    self._listen()
                except PromptkitError as error:
                    failure = error
                while self._ready:  # paid for, whatever has failed since
                    yield self._ready.popleft()
                if failure:
                    raise failure
        finally:  # where the run was broken off: late answers belong to nobody
            self._waiting.clear()
            self._ready.clear()
            self._died_with.clear()
            for member in self._crew:
                member.holds.clear()

    def has_ready(self) -> bool:
        """Whether another answer has arrived."""
        return bool(self._ready)

    def identity(self) -> dict[str, Any]:
        """That of the workers' backend: where it runs changes no text."""
        return self._identity

    def price(self) -> Price | None:
        """That of the workers' backend."""
        return self._price

    def count_tokens(self, text: str) -> int:
        """As the workers' backend counts; asked of one of them."""
        for member in self._crew:
            if member.loaded:
                try:
                    return self._cluster.result(self._cluster.call(member.actor, "count_tokens", text))
                except LostError:
                    continue
        raise BackendError("no Ray worker is left to count tokens")

    def close(self) -> None:
        """End the workers and leave the cluster."""
        for member in self._crew:
            self._cluster.dismiss(member.actor)
        self._crew.clear()
        self._cluster.close()

    # -- handing out --------------------------------------------------------------------------------

    def _hand(self, take: Take) -> None:
        gifts: dict[_Member, list[Group]] = {}
        while True:
            free = sum(member.room for member in self._crew)
            if not self._waiting and (free or not any(member.holds for member in self._crew)):
                self._waiting.extend(take(min(max(free, 1), _PORTION)))
            if not self._waiting or (member := self._best_for(self._waiting[0])) is None:
                break
            requests = self._waiting.popleft().requests
            most = max(1, member.room // 2)  # a worker that takes one ahead takes the second after all have one
            if requests[most:]:
                self._waiting.appendleft(Group(requests[most:]))
            now = Group(requests[:most])
            member.given += len(now.requests)
            member.holds |= {request.key: request for request in now.requests}
            member.last_group = now.first.group_key
            member.alone = self._suspected(now)
            gifts.setdefault(member, []).append(now)
        for member, groups in gifts.items():
            if member.call is None:
                member.call = self._cluster.call(member.actor, "news", groups)
            else:
                self._cluster.call(member.actor, "give", groups)

    def _best_for(self, group: Group) -> _Member | None:
        """The worker with the most room; but samples of a prompt stay together in large batches, for its prefill."""
        free = [member for member in self._crew if member.room and not (self._suspected(group) and member.holds)]
        for member in free:
            if member.last_group == group.first.group_key and member.room >= _PORTION:
                return member
        return max(free, key=lambda member: member.room, default=None)

    def _suspected(self, group: Group) -> bool:
        """Whether the group may be what workers have died of; whatever was under way then is alone in its group."""
        return self._died_with[group.first.key] >= _SUSPECT

    # -- what comes back ----------------------------------------------------------------------------

    def _listen(self) -> None:
        """Wait until a worker tells something, and take it in."""
        if any(member.placed for member in self._crew):
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > self._patience:
            raise BackendError(
                f"the Ray cluster has had no room for a worker with {self._share} for {self._patience:g} s",
                hint="look at `ray status`; others may be using it",
            )
        for member in self._crew:
            if member.call is None:
                member.call = self._cluster.call(member.actor, "news")
        ended = self._cluster.ready([member.call for member in self._crew], _LOOK)
        for place, member in enumerate(self._crew):
            if member.call not in ended:
                continue
            try:
                self._heard(member, self._cluster.result(member.call))
            except LostError as lost:
                self._crew[place] = self._replaced(member, str(lost))

    def _heard(self, member: _Member, told: object) -> None:
        """Go on with a worker from what it has told: its version, what it holds, or answers."""
        match told:
            case str(version):
                if version != __version__:
                    raise ConfigError(
                        f"a node of the Ray cluster has promptkit {version}, and here is {__version__}",
                        hint="install the same one everywhere",
                    )
                member.placed = True
                member.call = self._cluster.call(member.actor, "start", self._make, str(Path.cwd()))
            case About():
                self._check_same(told)
                member.loaded, member.call = True, None
            case News():
                if told.answers:
                    member.deaths = 0
                for key, answer in told.answers:
                    if (request := member.holds.pop(key, None)) is not None:
                        self._died_with.pop(key, None)
                        self._ready.append((request, answer))
                if told.ended:
                    raise told.ended
                member.limit, member.call = told.limit, None
            case _:
                raise cast("PromptkitError", told)

    def _check_same(self, about: About) -> None:
        """Refuse a worker whose texts would be stored as those of another model."""
        first = self._about = self._about or about
        if about.identity != first.identity:
            names = sorted(first.identity.keys() | about.identity.keys())
            pairs = [(name, first.identity.get(name), about.identity.get(name)) for name in names]
            said = ", ".join(f"{name} {one!r} and {other!r}" for name, one, other in pairs if one != other)
            raise ConfigError(
                f"the Ray workers hold different models: {said}",
                hint="nodes differ, so say what to use (--dtype), or keep to nodes of one kind",
            )

    def _hired(self, deaths: int = 0) -> _Member:
        actor = self._cluster.hire(self._share)
        return _Member(actor, self._cluster.call(actor, "version"), deaths)

    def _replaced(self, member: _Member, reason: str) -> _Member:
        """Another worker in the place of one that is gone; its unfinished requests wait again, before all others."""
        self._cluster.dismiss(member.actor)
        if member.deaths + 1 >= _DEATHS:
            raise BackendError(f"a Ray worker died {_DEATHS} times without an answer, the last time: {reason}")
        self._died_with.update(member.holds.keys())
        for key, request in member.holds.items():
            if self._died_with[key] < _DEATHS:
                self._waiting.appendleft(Group((request,)))
            else:
                died = BackendError(f"a Ray worker died each of the {_DEATHS} times that this was asked: {reason}")
                self._ready.append((request, died))
        if member.loaded:
            again = f"its {len(member.holds)} unfinished requests run again on the others"
            warnings.warn(f"a Ray worker died and is replaced; {again} ({reason})", stacklevel=4)
        return self._hired(member.deaths + 1)
