"""The driver's side, with workers in threads: who gets what, and what happens when workers die."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest

from promptkit import CachedBackend, FakeBackend, RayBackend, SelfConsistency, ZeroShot
from promptkit.backends.base import Backend, Group
from promptkit.backends.ray.shares import Share, places, share_of
from promptkit.backends.ray.worker import Worker
from promptkit.budget import Budget, Meter
from promptkit.errors import AuthError, BackendError, ConfigError, ModelError
from promptkit.flow import gather, sampled
from promptkit.scheduler import Outcome, run_flows
from promptkit.types import Completion, Request
from tests.backends.ray.thread_cluster import Actor, ThreadCluster
from tests.scripted import echo, one, prompt

DIED = "a Ray worker died and is replaced"


class Crew:
    """Makes the backends of the workers and remembers them; each answers with `answer`."""

    def __init__(self, answer: Callable[[Request], Completion] = echo, batch_size: int = 1) -> None:
        self.made: list[FakeBackend] = []
        self.answer = answer
        self.batch_size = batch_size

    def __call__(self) -> FakeBackend:
        self.made.append(FakeBackend(self.answer, batch_size=self.batch_size))
        return self.made[-1]

    @property
    def calls(self) -> list[Request]:
        return [request for backend in self.made for request in backend.calls]


def spread(
    make: Callable[[], Backend], workers: int, cluster: ThreadCluster | None = None, **options: Any
) -> RayBackend:
    return RayBackend(make, workers=workers, cluster=cluster or ThreadCluster(), **options)


def texts(backend: Backend, count: int, meter: Meter | None = None) -> dict[int, str | None]:
    """What became of questions by their numbers."""
    flows = (one(f"question {number}") for number in range(count))
    return {outcome.index: outcome.value for outcome in run_flows(flows, backend, meter=meter)}


def expected(count: int) -> dict[int, str]:
    return {number: f"question {number}||None" for number in range(count)}


def test_every_question_is_asked_once_and_all_workers_have_work() -> None:
    together = threading.Barrier(3, timeout=20)  # passed only when all three workers have a question
    begun = threading.local()

    def answer(request: Request) -> Completion:
        if not hasattr(begun, "yes"):
            begun.yes = True
            together.wait()
        return echo(request)

    crew = Crew(answer)
    assert texts(spread(crew, 3), 50) == expected(50)
    assert len(crew.calls) == len({request.key for request in crew.calls}) == 50
    assert len(crew.made) == 3


def test_it_is_what_its_workers_are() -> None:
    crew = Crew()
    backend = spread(crew, 2)
    assert backend.name == "fake"
    assert backend.identity() == FakeBackend().identity()
    assert backend.price() == FakeBackend().price()
    assert backend.count_tokens("three small words") == 3


def test_it_can_be_used_again_and_strategies_run_on_it() -> None:
    backend = spread(Crew(lambda request: Completion(text=f"The answer is {len(request.sample)}.")), 2)
    assert SelfConsistency(ZeroShot(), 4).run("How many?", backend=backend).answer == "1"
    assert texts(backend, 3).keys() == {0, 1, 2}
    assert texts(backend, 0) == {}


def test_what_a_worker_is_given_travels_with_the_question_for_its_news() -> None:
    class Counting(ThreadCluster):
        def call(self, actor: Actor, method: str, *args: Any) -> Any:
            methods[method] += 1
            return super().call(actor, method, *args)

    methods: Counter[str] = Counter()
    assert texts(spread(Crew(), 1, Counting()), 50) == expected(50)
    assert methods["give"] == 0
    assert methods["news"] <= 2 * 50 + 2, "it tells answers and new room at most apart"


def test_samples_of_a_prompt_stay_together_in_large_batches() -> None:
    crew = Crew(batch_size=64)

    def samples() -> Any:
        return (yield from gather(sampled(one("a"), number, 0.7) for number in range(24)))

    list(run_flows([samples()], spread(crew, 2)))
    assert sorted(len(backend.calls) for backend in crew.made) == [0, 24]


def test_a_worker_that_dies_is_replaced_and_costs_no_question() -> None:
    cluster = ThreadCluster()
    reached, go_on = threading.Event(), threading.Event()

    def answer(request: Request) -> Completion:
        if request.text == "question 5" and not reached.is_set():
            reached.set()
            assert go_on.wait(20)  # it hangs in the worker that is about to die
        return echo(request)

    def kill() -> None:
        assert reached.wait(20)
        victim = next(actor for actor in cluster.hired if actor.worker._under_way)
        victim.die()
        go_on.set()

    crew = Crew(answer)
    backend = spread(crew, 2, cluster)
    threading.Thread(target=kill, daemon=True).start()
    with pytest.warns(UserWarning, match=DIED):
        assert texts(backend, 30) == expected(30)
    assert len(cluster.hired) == 3


def test_a_request_that_kills_every_worker_fails_alone() -> None:
    cluster = ThreadCluster()

    class Mortal(Worker):
        def give(self, groups: Sequence[Group]) -> None:
            if any("poison" in request.text for group in groups for request in group.requests):
                next(actor for actor in cluster.hired if actor.worker is self).die("out of memory")
            else:
                super().give(groups)

    cluster._worker = Mortal
    flows = [one(text) for text in ("a", "poison", "b", "c")]
    with pytest.warns(UserWarning, match=DIED):
        outcomes = {outcome.index: outcome for outcome in run_flows(flows, spread(Crew(), 2, cluster))}
    assert {place: outcome.value for place, outcome in outcomes.items()} == {
        0: "a||None",
        1: None,
        2: "b||None",
        3: "c||None",
    }
    assert str(outcomes[1].error) == "a Ray worker died each of the 4 times that this was asked: out of memory"


def test_workers_that_die_as_soon_as_they_live_end_the_run() -> None:
    class Stillborn(ThreadCluster):
        def call(self, actor: Actor, method: str, *args: Any) -> Any:
            if method == "start":
                actor.die()
            return super().call(actor, method, *args)

    cluster = Stillborn()
    with pytest.raises(BackendError, match="died 4 times without an answer, the last time: its node has died"):
        spread(Crew(), 1, cluster)
    assert cluster.closed
    assert cluster.living == []


def test_a_run_without_any_worker_ends_when_patience_does() -> None:
    with pytest.raises(BackendError, match=r"has had no room for a worker with 4 CPU for 0\.01 s \(look at `ray st"):
        spread(Crew(), 1, ThreadCluster(room=0), patience=0.01)


def test_workers_that_come_later_are_used() -> None:
    cluster = ThreadCluster(room=1)
    assert texts(spread(Crew(), 2, cluster), 10) == expected(10)
    assert len(cluster.hired) == 2


def test_an_error_of_loading_reaches_the_user_as_it_is() -> None:
    def make() -> Backend:
        raise ModelError("there is no such model", hint="look again")

    cluster = ThreadCluster()
    with pytest.raises(ModelError, match=r"^there is no such model \(look again\)$"):
        spread(make, 2, cluster)
    assert cluster.closed


def test_another_version_of_promptkit_is_refused() -> None:
    class Old(Worker):
        def version(self) -> str:
            return "0.0.1"

    with pytest.raises(ConfigError, match=r"has promptkit 0\.0\.1, and here is .* \(install the same one everywhere\)"):
        spread(Crew(), 2, ThreadCluster(Old))


def test_workers_with_different_models_are_refused() -> None:
    crew, numbers = Crew(), count(1)

    def make() -> Backend:
        backend = crew()
        dtype = f"float{16 * next(numbers)}"
        backend.identity = lambda: {"model": "m", "dtype": dtype}  # type: ignore[method-assign]
        return backend

    with pytest.raises(
        ConfigError, match=r"hold different models: dtype 'float(16|32)' and 'float(16|32)' \(.*--dtype"
    ):
        texts(spread(make, 2), 10_000)


def test_a_refused_key_ends_the_run_and_what_was_paid_for_is_kept(tmp_path: Any) -> None:
    def answer(request: Request) -> Completion:
        if request.text == "question 7":
            raise AuthError("the key is refused")
        return echo(request)

    store = CachedBackend(spread(Crew(answer, batch_size=4), 1), tmp_path / "store.sqlite")
    with pytest.raises(AuthError):
        texts(store, 8)
    store.close()
    again = Crew()
    assert texts(CachedBackend(spread(again, 1), tmp_path / "store.sqlite"), 8) == expected(8)
    assert len(again.calls) == 4


def test_a_run_that_was_broken_off_leaves_nothing_to_the_next_one() -> None:
    crew = Crew()
    backend = spread(crew, 2)
    serving = backend.serve(_Endless().take)
    for _ in range(5):
        next(serving)
    serving.close()  # type: ignore[attr-defined]
    assert texts(backend, 20) == expected(20)


class _Endless:
    """Hands out new requests without end."""

    def __init__(self) -> None:
        self.number = 0

    def take(self, _: int) -> list[Group]:
        self.number += 1
        return [Group((prompt(f"endless {self.number}"),))]


def test_a_budget_holds_over_all_workers() -> None:
    crew = Crew()
    meter = Meter(Budget(max_calls=7))
    assert len(texts(spread(crew, 3), 50, meter)) == 7
    assert len(crew.calls) == meter.calls == 7


def test_stopping_finishes_what_is_in_flight() -> None:
    meter = Meter()

    def answer(request: Request) -> Completion:
        if request.text == "question 10":
            meter.stop("it was interrupted")
        return echo(request)

    crew = Crew(answer)
    found = texts(spread(crew, 3), 1000, meter)
    assert 10 < len(found) < 100
    assert len(crew.calls) == len(found) == meter.calls


def test_a_failed_call_fails_its_question_alone() -> None:
    def answer(request: Request) -> Completion:
        if request.text == "question 3":
            raise BackendError("too long")
        return echo(request)

    outcomes: list[Outcome[str]] = list(run_flows((one(f"question {n}") for n in range(6)), spread(Crew(answer), 2)))
    assert [(outcome.index, str(outcome.error)) for outcome in outcomes if outcome.error] == [(3, "too long")]


@pytest.mark.parametrize(
    ("nodes", "cpus", "gpus", "share", "workers"),
    [
        ([{"CPU": 8.0}], None, None, Share(8, 0), 1),
        ([{"CPU": 8.0}, {"CPU": 4.0}, {"memory": 1.0}], None, None, Share(4, 0), 3),
        ([{"CPU": 8.0}], 2, None, Share(2, 0), 4),
        ([{"CPU": 2.0}], 0.5, None, Share(0.5, 0), 4),
        ([{"CPU": 0.3}], 0.1, None, Share(0.1, 0), 3),
        ([{"CPU": 8.0, "GPU": 4.0}, {"CPU": 8.0}], None, None, Share(1, 1), 4),
        ([{"CPU": 8.0, "GPU": 1.0}], None, 0.25, Share(1, 0.25), 4),
        ([{"CPU": 8.0, "GPU": 4.0}], 4, None, Share(4, 0), 2),
        ([{"CPU": 8.0, "GPU": 4.0}], 0, 2, Share(0, 2), 2),
    ],
)
def test_shares_of_nodes(
    nodes: list[dict[str, float]], cpus: float | None, gpus: float | None, share: Share, workers: int
) -> None:
    assert share_of(nodes, cpus, gpus) == share
    assert places(nodes, share) == workers


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"workers": 0}, "a run needs at least 1 Ray worker, not 0"),
        ({"cpus": -1.0}, "needs a share of CPUs or GPUs"),
        ({"cpus": 0.0}, "needs a share of CPUs or GPUs"),
        ({"cpus": 16.0}, "no node of the Ray cluster has 16 CPU for a worker: nodes have 4 CPU and 0 GPU"),
        ({"gpus": 1.0}, "no node of the Ray cluster has 1 CPU and 1 GPU for a worker"),
    ],
)
def test_what_cannot_be_is_refused_at_once(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        RayBackend(Crew(), cluster=ThreadCluster(), **options)
