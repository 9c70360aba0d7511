"""What passes is tried again, a bounded number of times, as the server asks."""

import email.utils
import time

import pytest

from promptkit.backends.openai.failures import retry_after, used_up
from promptkit.errors import AuthError, BackendError, BackendTimeoutError, ContextOverflowError, RateLimitError
from promptkit.types import Completion
from tests.faults.asking import answer, answers, backend, request
from tests.faults.server import MisbehavingServer, cut_off, drip, endless, good, raw, silent, status


@pytest.mark.parametrize(
    "act",
    [
        status(429),
        status(429, headers={"retry-after": "0"}),
        status(500),
        status(502),
        status(503),
        raw(b'{"choices": [{"mess'),
        raw(b"<html>busy</html>"),
        raw(b"\xff\xfe"),
        raw(b"[]"),
        raw(b'{"choices": []}'),
        raw(b'{"choices": [null]}'),
        raw(b'{"choices": [{"message": {"content": 7}}]}'),
        cut_off(reset=False),
        cut_off(reset=True),
    ],
    ids=[
        *("429", "429 with Retry-After", "500", "502", "503", "cut JSON", "HTML", "no UTF-8", "a list", "no choices"),
        *("null choice", "number for text", "body cut off", "reset in mid-body"),
    ],
)
def test_what_passes_is_tried_again(act) -> None:
    with MisbehavingServer([act, good()]) as server:
        found = answer(backend(server.url))
    assert isinstance(found, Completion)
    assert found.text == "The answer is 4."
    assert len(server.seen) == 2
    assert server.seen[0].body == server.seen[1].body


@pytest.mark.parametrize(
    ("act", "kind", "told"),
    [
        (status(429, "slow down"), RateLimitError, "asks for fewer calls: slow down"),
        (status(500, "oops"), BackendError, r"failed \(500\): oops"),
        (status(503), BackendError, "is overloaded"),
        (raw(b"{"), BackendError, "sent no valid JSON"),
        (raw(b'{"error": {"message": "out of memory"}}'), BackendError, "sent no choices: out of memory"),
        (
            good(choices=[{"message": {"content": None}, "finish_reason": "tool_calls"}]),
            BackendError,
            "a call of a tool",
        ),
        (cut_off(reset=True), BackendError, "broke the connection"),
    ],
)
def test_tries_are_bounded_and_the_last_failure_is_told(act, kind: type[BackendError], told: str) -> None:
    with MisbehavingServer(act) as server:
        found = answer(backend(server.url, retries=2))
        assert isinstance(found, kind)
        with pytest.raises(kind, match=told):
            raise found
    assert server.url in str(found)
    assert len(server.seen) == 3
    assert found.__cause__ is None and found.__context__ is None


@pytest.mark.parametrize("act", [silent(1.0), drip(0.05)], ids=["silence", "a slow drip"])
def test_a_server_that_takes_too_long_is_a_time_out(act) -> None:
    with MisbehavingServer([act, good()]) as server:
        assert isinstance(answer(backend(server.url, timeout=0.2)), Completion)
    with MisbehavingServer(act) as server:
        found = answer(backend(server.url, timeout=0.1, retries=1))
    assert isinstance(found, BackendTimeoutError)
    assert "did not answer in time (raise timeout=)" in str(found)
    assert len(server.seen) == 2


def test_a_huge_body_is_not_read_to_its_end() -> None:
    with MisbehavingServer(endless) as server:
        found = answer(backend(server.url))
    assert isinstance(found, BackendError)
    assert "sent more than 16 MiB" in str(found)
    assert len(server.seen) == 1


def test_a_body_that_would_unpack_to_a_huge_one_is_refused() -> None:
    with MisbehavingServer(raw(b"\x1f\x8b", headers={"content-encoding": "gzip"})) as server:
        found = answer(backend(server.url))
    assert "compressed body" in str(found)
    assert server.seen[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("act", "kind", "told"),
    [
        (status(400, "no such thing"), BackendError, r"refuses the request \(400\): no such thing"),
        (raw(b'{"detail": "bad"}', 422), BackendError, r"refuses the request \(422\): bad"),
        (status(400, "x", code="context_length_exceeded"), ContextOverflowError, "use fewer demonstrations"),
        (status(400, "This model's maximum context length is 10 tokens"), ContextOverflowError, "maximum context"),
    ],
)
def test_what_cannot_succeed_is_asked_once_and_fails_its_question_alone(act, kind, told: str) -> None:
    with MisbehavingServer([act, good()]) as server:
        first, second = answers(backend(server.url, concurrency=1), request("one"), request("two"))
    assert type(first) is kind
    with pytest.raises(kind, match=told):
        raise first
    assert isinstance(second, Completion)
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("act", "kind", "told"),
    [
        (status(401, "wrong key"), AuthError, r"refuses the key \(401\): wrong key \(check the key"),
        (status(403), AuthError, r"refuses the key \(403\)"),
        (status(429, "no money", code="insufficient_quota"), AuthError, "the account has nothing left: no money"),
        (status(404, "no model m"), BackendError, r"\(404\): no model m \(check the model's name and the base URL"),
        (raw(b"", 307, {"location": "http://127.0.0.2:9/v1"}), BackendError, "sends us elsewhere: http://127.0.0.2:9"),
    ],
)
def test_what_is_wrong_for_all_ends_the_run_at_once(act, kind, told: str) -> None:
    with MisbehavingServer(act) as server, pytest.raises(kind, match=told):
        answers(backend(server.url, concurrency=1), *(request(str(number)) for number in range(20)))
    assert len(server.seen) == 1


def test_a_model_that_vanishes_later_fails_its_questions_alone() -> None:
    with MisbehavingServer([good(), status(404), good()]) as server:
        found = answers(backend(server.url, concurrency=1), request("1"), request("2"), request("3"))
    assert [isinstance(one, Completion) for one in found] == [True, False, True]


def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with MisbehavingServer() as other:
        target = raw(b"", 302, {"location": f"{other.url}/chat/completions"})
        with MisbehavingServer(target) as server, pytest.raises(BackendError, match="give that address as base URL"):
            answer(backend(server.url))
    assert server.seen[0].headers["authorization"] == "Bearer sk-secret"
    assert other.seen == []


def test_the_server_is_left_alone_for_as_long_as_it_asks() -> None:
    with MisbehavingServer([status(429, headers={"retry-after": "0.3"}), good()]) as server:
        assert isinstance(answer(backend(server.url)), Completion)
    assert server.seen[1].at - server.seen[0].at >= 0.3


def test_a_spent_limit_is_obeyed_before_it_is_refused() -> None:
    spent = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "300ms"}
    with MisbehavingServer([good(headers=spent), good()]) as server:
        found = answers(backend(server.url, concurrency=1), request("1"), request("2"))
    assert all(isinstance(one, Completion) for one in found)
    assert server.seen[1].at - server.seen[0].at >= 0.3


def test_nobody_waits_longer_than_allowed() -> None:
    with MisbehavingServer(status(429, headers={"retry-after": "3600"})) as server:
        began = time.monotonic()
        found = answer(backend(server.url))
    assert isinstance(found, RateLimitError)
    assert len(server.seen) == 1
    assert time.monotonic() - began < 60  # far from the hour


def test_retry_after_is_read_in_all_its_forms() -> None:
    assert retry_after({"retry-after": "2"}) == 2
    assert retry_after({"retry-after": "2", "retry-after-ms": "150"}) == 0.15
    assert 50 < retry_after({"retry-after": email.utils.formatdate(time.time() + 60, usegmt=True)}) <= 60
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    for nonsense in ("-5", "soon", "nan", "inf", "1e300", ""):
        assert retry_after({"retry-after": nonsense}) == 0
    assert retry_after({}) == 0
    assert retry_after({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}) == 360


@pytest.mark.parametrize(("said", "seconds"), [("20ms", 0.02), ("1.5s", 1.5), ("1h2m3s", 3723), ("7", 7), ("?", 0)])
def test_limits_are_read(said: str, seconds: float) -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": said}
    assert used_up(headers) == pytest.approx(seconds)
    assert used_up({**headers, "x-ratelimit-remaining-requests": "1"}) == 0
