"""Whose time it was: wall-clock seconds shared among strategies that ran side by side."""

import time

from promptkit.backends.base import Answer
from promptkit.types import Completion, Request


class Clock:
    """Shares the wall-clock time among strategies that ran side by side."""

    def __init__(self) -> None:
        self.spans: dict[str, tuple[float, float]] = {}

    def note(self, request: Request, answer: Answer) -> None:
        """A call has ended now."""
        if isinstance(answer, Completion) and not answer.cached:
            now = time.perf_counter()
            self.spans[request.key] = (now - answer.seconds, now)

    def shares(self, keys: list[list[str]]) -> list[float]:
        """Seconds of each list of request keys: at each moment, its part of the calls under way."""
        owner: dict[str, int] = {}
        for number, part in enumerate(keys):
            for key in part:
                owner.setdefault(key, number)  # a call that two strategies share was paid for by the first
        events = [(start, 1, owner[key]) for key, (start, _) in self.spans.items() if key in owner]
        events += [(end, -1, owner[key]) for key, (_, end) in self.spans.items() if key in owner]
        seconds = [0.0] * len(keys)
        active = [0] * len(keys)
        before = 0.0
        for moment, change, number in sorted(events):
            if running := sum(active):
                for place, count in enumerate(active):
                    seconds[place] += (moment - before) * count / running
            active[number] += change
            before = moment
        return seconds
