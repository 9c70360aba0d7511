"""Servers that die, come back, and share the work; and runs that are broken off."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from promptkit import OpenAIBackend
from promptkit.backends.base import Group
from promptkit.errors import BackendError
from promptkit.flow import Flow, ask
from promptkit.scheduler import run_flows
from promptkit.types import Completion
from tests.faults.asking import answers, backend, request
from tests.faults.server import Exchange, MisbehavingServer, good, silent, status


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_a_server_that_is_not_there_ends_the_run_soon() -> None:
    where = backend(f"http://127.0.0.1:{free_port()}/v1", retries=50)
    with pytest.raises(BackendError, match=r"cannot reach http://127.0.0.1:\d+/v1: .*refused .*that the server runs"):
        answers(where, *(request(str(number)) for number in range(9)))


def test_a_server_that_dies_and_comes_back_loses_nothing() -> None:
    server = MisbehavingServer()
    server.start()
    where = backend(server.url, concurrency=2, retries=20, backoff=0.05)
    found = []
    down = threading.Timer(0.3, server.start)

    def flow(number: int) -> Flow[Completion]:
        return (yield from ask(request(str(number))))

    for count, outcome in enumerate(run_flows((flow(number) for number in range(12)), where)):
        found.append(outcome.value)
        if count == 3:
            server.stop()
            down.start()
    server.stop()
    assert [one.text for one in found if one] == ["The answer is 4."] * 12


def test_several_servers_share_the_work() -> None:
    with MisbehavingServer(silent(0.05)) as one, MisbehavingServer(silent(0.05)) as two:
        found = answers(backend(one.url, two.url, concurrency=2), *(request(str(number)) for number in range(24)))
    assert all(isinstance(answer, Completion) for answer in found)
    assert min(len(one.seen), len(two.seen)) > 6
    assert max(one.most_at_once, two.most_at_once) <= 2


def test_answers_that_have_arrived_are_told_so_that_they_are_stored_together() -> None:
    with MisbehavingServer() as server:
        where = backend(server.url, concurrency=8)
        pending = [Group((request(str(number)),)) for number in range(8)]
        told: list[bool] = []

        def take(k: int) -> list[Group]:
            groups = pending[:k]
            del pending[:k]
            return groups

        for _ in where.serve(take):
            time.sleep(0.2)  # in which the others arrive
            told.append(where.has_ready())
    assert told == [True] * 7 + [False]


@pytest.mark.parametrize("fault", ["refuses connections", "fails"])
def test_the_work_of_a_dead_server_goes_to_the_others(fault: str) -> None:
    with MisbehavingServer() as well, MisbehavingServer(status(500)) as ill:
        if fault == "refuses connections":
            ill.stop()
        where = backend(well.url, ill.url, concurrency=2, retries=6)
        with pytest.warns(UserWarning, match=f"{ill.url}.*: it is left out and tried again later"):
            found = answers(where, *(request(str(number)) for number in range(40)))
    assert all(isinstance(answer, Completion) for answer in found)
    assert len(ill.seen) < 20


@pytest.mark.filterwarnings("ignore:http.*left out", "ignore:http.*is back")
def test_a_server_that_is_well_again_works_again() -> None:
    with MisbehavingServer(silent(0.02)) as well, MisbehavingServer([*[status(500)] * 4, good()]) as ill:
        where = backend(well.url, ill.url, concurrency=2, retries=9)
        found = answers(where, *(request(str(number)) for number in range(80)))
    assert all(isinstance(answer, Completion) for answer in found)
    assert len(ill.seen) > 10


def test_fewer_are_under_way_where_a_server_is_overloaded() -> None:
    """With room for 4, a server that refuses the fifth is soon asked for no more than it takes."""
    busy = threading.Semaphore(4)

    def act(exchange: Exchange) -> None:
        if not busy.acquire(blocking=False):
            return status(429)(exchange)
        time.sleep(0.05)
        busy.release()
        return good()(exchange)

    with MisbehavingServer(act) as server:
        where = backend(server.url, concurrency=16, retries=20)
        found = answers(where, *(request(str(number)) for number in range(120)))
    assert all(isinstance(answer, Completion) for answer in found)
    refused = len(server.seen) - 120
    assert 0 < refused < 120


def test_work_is_pulled_only_when_there_is_room() -> None:
    asked: list[int] = []
    pending = [Group((request(str(number)),)) for number in range(30)]

    def take(k: int) -> list[Group]:
        asked.append(k)
        return [pending.pop() for _ in range(min(k, len(pending)))]

    with MisbehavingServer() as server:
        where = backend(server.url, concurrency=4, native_n=False)
        for served, _ in enumerate(where.serve(take), start=1):
            assert 30 - len(pending) <= served + 4
    assert pending == []
    assert set(asked) == {1}


def test_a_run_that_is_broken_off_does_not_hang_and_asks_no_more() -> None:
    with MisbehavingServer([good(), silent(0.3)]) as server:
        where = backend(server.url, concurrency=2)
        run = where.serve(Pending(50))
        next(run)
        run.close()
        seen = len(server.seen)
        time.sleep(0.4)
        assert len(server.seen) <= seen + 1
    where.close()


class Pending:
    def __init__(self, count: int) -> None:
        self.groups: Iterator[Group] = (Group((request(str(number)),)) for number in range(count))

    def __call__(self, k: int) -> list[Group]:
        return [group for _, group in zip(range(k), self.groups, strict=False)]


def test_a_backend_serves_again_after_a_failed_run() -> None:
    with MisbehavingServer([status(401), good()]) as server:
        where = backend(server.url)
        with pytest.raises(BackendError, match="401"):
            answers(where, request())
        assert isinstance(answers(where, request())[0], Completion)


def test_options_that_make_no_sense_are_refused() -> None:
    from promptkit.errors import ConfigError

    local = "http://localhost:1/v1"
    for options, told in [
        ({"base_url": "localhost:8000"}, "no base URL"),
        ({"base_url": "ftp://host/v1"}, "no base URL"),
        ({"base_url": "http://[::1/v1"}, "no base URL"),
        ({"base_url": local, "mode": "talk"}, "unknown mode"),
        ({"base_url": local, "concurrency": 0}, "concurrency must be at least 1"),
        ({"base_url": local, "retries": -1}, "retries must be at least 0"),
        ({"base_url": local, "timeout": 0}, "timeout must be more than 0"),
        ({"base_url": local, "max_seconds": float("nan")}, "max_seconds must be more than 0"),
    ]:
        with pytest.raises(ConfigError, match=told):
            OpenAIBackend("m", **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no model named"):
        OpenAIBackend(" ", base_url=local)
