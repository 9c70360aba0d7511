"""How many requests a server gets at a time: as many as it takes, found out by trying."""

from collections import deque

_CUT = 0.95
"""What is left of the level that was sustained."""
_CURVE = 0.02
"""How fast the limit bends away from that level, in requests a cubic second."""
_WORTH, _LONGEST = 20.0, 60.0
"""A pause that the server asks for should buy so many times its length without another, and seconds at most."""
_PAUSE = 0.1
"""Seconds after a refusal that does not say when to come back; doubled up to a second while nothing is accepted."""


class Throttle:
    """Additive increase, multiplicative decrease of the requests under way at one server, as TCP does it.

    It begins with `most`. A refusal (429, 503) cuts the limit to 95 % of what the server has been seen to sustain:
    accepted requests a second times the seconds that each takes (Little's law). Every round of answers raises it by
    one at most; near the level that was sustained it creeps and then bends away, as CUBIC does (RFC 9438), so that
    few requests are spent on finding the limit again. After the first refusal requests are also spaced evenly, because
    servers that count requests a second dislike bursts.

    Times are seconds of any monotonic clock, given by the caller. It holds no lock.

    Args:
        most: requests under way at the beginning and at most.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.running = 0
        self._latency = 0.0
        self._accepted: deque[float] = deque()
        self._ceiling: float | None = None  # what was sustained when the limit was last cut
        self._probing = False
        self._to_cut = False
        self._sustained = 0.0  # most requests under way, on average of a window, since the last cut
        self._unjudged = True  # whether answers have come since the last cut, or there was none
        self._cut_at = float("-inf")
        self._began = float("inf")  # when the first request did
        self._pause = _PAUSE
        self._asked_pause = 0.0  # what the last refusal asked for: the longer, the more slowly the limit is tried again
        self._next = float("-inf")
        self._closed_until = float("-inf")

    def wait(self, now: float) -> float:
        """Seconds until the next request may begin: 0 is now, infinity that one has to end first."""
        if now < self._closed_until:
            return self._closed_until - now
        if self._to_cut:
            self._cut(now)
        if self.running >= (1 if self._probing else int(self.limit)):
            return float("inf")
        return max(0.0, self._next - now)

    def begin(self, now: float) -> None:
        """A request begins."""
        self.running += 1
        self._began = min(self._began, now)
        if self._ceiling is not None and self._latency:
            self._next = max(now, self._next) + self._latency / self.limit

    def end(self) -> None:
        """A request has ended, in whatever way; `accepted` or `refused` says more where the server did."""
        self.running -= 1

    def accepted(self, begun: float, now: float) -> None:
        """The server has answered a request that began at `begun`."""
        self._probing = False
        taken = now - begun
        self._latency = 0.8 * self._latency + 0.2 * taken if self._latency else taken
        self._accepted.append(now)
        while self._accepted[0] < now - self._window:
            self._accepted.popleft()
        self._sustained = max(self._sustained, len(self._accepted) / self._window * self._latency)  # Little's law
        if begun > self._cut_at:
            self._unjudged = True
            self._pause = _PAUSE
        step = 1 / self.limit
        if self._ceiling is not None:
            depth = (1 - _CUT) * self._ceiling
            flat = max((depth / _CURVE) ** (1 / 3), min(_LONGEST, _WORTH * self._asked_pause))
            curve = depth / flat**3 if flat else _CURVE
            step = min(step, max(0.0, self._ceiling + curve * (now - self._cut_at - flat) ** 3 - self.limit))
        self.limit = min(float(self.most), self.limit + step)

    def refused(self, now: float, retry_after: float = 0.0) -> None:
        """The server wants fewer requests, and none before `retry_after` seconds have passed."""
        self._asked_pause = retry_after
        if not retry_after and now >= self._closed_until:
            retry_after = self._pause
            self._pause = min(1.0, 2 * self._pause)
        self.close(now + retry_after)
        # Cut when the next one may begin, by when more is known of what the server takes; and not twice for one surge.
        self._to_cut = self._to_cut or self._unjudged

    def close(self, until: float, *, probe: bool = False) -> None:
        """Nothing begins before this moment; with `probe`, then only one request at a time until one is accepted."""
        self._closed_until = max(self._closed_until, until)
        self._probing = self._probing or probe

    def _cut(self, now: float) -> None:
        sustained = self._sustained
        if now - self._began < self._window:  # too early to tell
            sustained = max(sustained, self.limit / 2)
        self._ceiling = min(self.limit, sustained)
        self.limit = max(1.0, _CUT * self._ceiling)
        self._to_cut = self._unjudged = False
        self._sustained = 0.0
        self._cut_at = now

    @property
    def _window(self) -> float:
        """Seconds over which accepted requests are counted."""
        return max(1.0, 2 * self._latency)
