"""The throttle against simulated servers, in simulated time."""

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.backends.openai.throttle import Throttle

LATENCY = 0.2


@dataclass
class Seen:
    """How a simulated run went."""

    rate: float
    refused: float
    most: int


def run(takes: Callable[[float, int], bool], calls: int = 1500, most: int = 64, retry_after: float = 0.0) -> Seen:
    """`calls` calls of `LATENCY` seconds to a server that `takes` one or not, given the time and how many it has."""
    chance = random.Random(7)
    throttle = Throttle(most)
    now, done, sent, refused, highest = 0.0, 0, 0, 0, 0
    waiting: deque[float] = deque([0.0] * calls)  # from when each may be tried
    asleep: list[float] = []
    ends: list[float] = []
    begun: dict[float, float] = {}
    while done < calls:
        while asleep and asleep[0] <= now:
            waiting.appendleft(heapq.heappop(asleep))
        wait = throttle.wait(now) if waiting else float("inf")
        if wait <= 1e-9:
            waiting.popleft()
            throttle.begin(now)
            sent += 1
            if takes(now, len(ends)):
                end = now + LATENCY * chance.uniform(0.97, 1.03)
                heapq.heappush(ends, end)
                begun[end] = now
                highest = max(highest, len(ends))
            else:
                throttle.end()
                throttle.refused(now, retry_after)
                refused += 1
                heapq.heappush(asleep, now + 0.5 * chance.uniform(0.5, 1))
            now += 0.002  # what sending takes
            continue
        now = min([now + wait, *ends[:1], *asleep[:1]])
        while ends and ends[0] <= now:
            end = heapq.heappop(ends)
            throttle.end()
            throttle.accepted(begun.pop(end), now)
            done += 1
    return Seen(done / now, refused / sent, highest)


def test_a_server_that_takes_all_is_asked_for_all() -> None:
    seen = run(lambda *_: True)
    assert (seen.refused, seen.most) == (0, 64)
    assert seen.rate > 0.9 * 64 / LATENCY


@pytest.mark.parametrize("retry_after", [0.0, 0.1, 1.0])
def test_a_limit_of_requests_a_second_is_found_and_kept(retry_after: float) -> None:
    recent: deque[float] = deque()

    def takes(now: float, _: int) -> bool:
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= 50:
            return False
        recent.append(now)
        return True

    seen = run(takes, retry_after=retry_after)
    assert seen.rate > 0.9 * 50
    assert seen.refused < 0.05


def test_a_limit_of_requests_at_once_is_found_and_kept() -> None:
    seen = run(lambda _, under_way: under_way < 20, calls=2500)
    assert seen.rate > 0.6 * 20 / LATENCY  # the beginning included, where it is looked for
    assert seen.refused < 0.05


def test_more_is_asked_for_when_the_server_takes_more_again() -> None:
    seen = run(lambda now, under_way: under_way < (10 if now < 5 else 60), calls=4000)
    assert seen.most >= 50


@given(st.lists(st.sampled_from(["begin", "accept", "refuse", "refuse for a second", "close"]), max_size=200))
def test_the_limit_stays_in_its_bounds_and_some_request_may_always_begin_at_last(events: list[str]) -> None:
    throttle = Throttle(8)
    now, under_way = 0.0, list[float]()
    for event in events:
        now += 0.05
        if event == "begin" and throttle.wait(now) == 0:
            throttle.begin(now)
            under_way.append(now)
        elif event == "close":
            throttle.close(now + 0.1, probe=True)
        elif under_way and event != "begin":
            begun = under_way.pop(0)
            throttle.end()
            if event == "accept":
                throttle.accepted(begun, now)
            else:
                throttle.refused(now, 1.0 if event == "refuse for a second" else 0.0)
        assert 1 <= throttle.limit <= 8
        assert throttle.running == len(under_way) <= 8
    for _ in under_way:
        throttle.end()
    assert throttle.wait(now + 100) == 0
