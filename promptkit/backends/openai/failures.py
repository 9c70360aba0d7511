"""What went wrong with an attempt, in promptkit's words, and what to do about it.

Exceptions of the SDK and of its HTTP library hold the request, and that the key; so none of them is kept, not even as
a `__cause__`. Whatever a server says is shortened, and the key is taken out where the server repeats it.
"""

import email.utils
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import httpx2
import openai

from promptkit.backends.openai.reply import UnreadableReplyError
from promptkit.errors import AuthError, BackendError, BackendTimeoutError, ContextOverflowError, RateLimitError

What: TypeAlias = Literal["busy", "unreachable", "broken", "refused", "filtered", "missing", "hopeless"]
"""What to do: "busy", "unreachable" and "broken" may go better later; "refused" is this request's own fault and
"filtered" its content's; "missing" is a wrong address; after "hopeless" nothing else can succeed either."""

_OVERFLOW = re.compile(
    r"context.{0,3}length|context.{0,3}window|context.{0,3}size|maximum context|too many (?:input )?tokens"
    r"|prompt is too long|input is too long|longer than the (?:model|maximum)",
    re.IGNORECASE,
)
_LONGEST = 300


@dataclass(frozen=True)
class Failure:
    """Why an attempt gave no completion."""

    error: BackendError
    what: What
    retry_after: float = 0.0
    """Seconds that the server asks to be left alone."""
    param: str | None = None
    """The parameter that the server complains about, where it says so."""


class TooLargeError(Exception):
    """A server sends more than is taken."""


def explain(error: Exception, where: str, key: str) -> Failure:
    """The failure that an exception of an attempt stands for.

    Args:
        error: what was raised.
        where: the server's address, without secrets.
        key: what must not be shown.
    """
    causes = list(_chain(error))
    match error:
        case openai.APIStatusError():
            return _of_status(error, where, key)
        case UnreadableReplyError():
            return Failure(BackendError(f"{where} sent {_told(str(error), key)}"), "broken")
        case TooLargeError():
            return Failure(BackendError(f"{where} sent {error}", hint="no completion is as long as that"), "refused")
        case openai.APIConnectionError() if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes):
            return Failure(
                BackendError(
                    f"the certificate of {where} cannot be verified: {_told(str(causes[-1]), key)}",
                    hint="name your own authority's certificate in SSL_CERT_FILE",
                ),
                "hopeless",
            )
        case openai.APITimeoutError() if not any(isinstance(one, httpx2.ConnectTimeout) for one in causes):
            return Failure(BackendTimeoutError(f"{where} did not answer in time", hint="raise timeout="), "broken")
        case openai.APIConnectionError() if any(_never_arrived(one) for one in causes):
            reason = "no connection in time" if isinstance(error, openai.APITimeoutError) else str(causes[-1])
            return Failure(
                BackendError(
                    f"cannot reach {where}: {_told(reason, key)}",
                    hint="check the address, and that the server runs; what is stored is not lost",
                ),
                "unreachable",
            )
        case openai.APIConnectionError():
            reason = _told(str(causes[-1]), key) or type(causes[-1]).__name__
            return Failure(BackendError(f"{where} broke the connection: {reason}"), "broken")
        case _:
            reason = _told(str(error), key) or "no more is known"
            return Failure(BackendError(f"cannot ask {where}: {type(error).__name__}: {reason}"), "refused")


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the headers of a refusal ask to wait: RFC 9110, 10.2.3, and OpenAI's `retry-after-ms`."""
    if (millis := _number(headers.get("retry-after-ms"))) is not None:
        return max(0.0, millis / 1000)
    said = headers.get("retry-after")
    if (seconds := _number(said)) is not None:
        return max(0.0, seconds)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said or "").timestamp() - time.time())
    except (ValueError, OverflowError):
        return used_up(headers)


def used_up(headers: Mapping[str, str]) -> float:
    """Seconds until the server takes more, where its `x-ratelimit-*` headers say that a limit is spent, else 0."""
    waits = [
        _duration(headers.get(f"x-ratelimit-reset-{what}", ""))
        for what in ("requests", "tokens")
        if (left := _number(headers.get(f"x-ratelimit-remaining-{what}"))) is not None and left <= 0
    ]
    return max(waits, default=0.0)


def _of_status(error: openai.APIStatusError, where: str, key: str) -> Failure:
    told = _told(_message(error), key)
    param = error.param if isinstance(cast("object", error.param), str) else None
    status, code = error.status_code, str(error.code or "")
    headers = error.response.headers
    if 300 <= status < 400:
        target = _told(headers.get("location", "nowhere"), key)
        said = f"{where} sends us elsewhere: {target}"
        return Failure(BackendError(said, hint="give that address as base URL if you trust it"), "hopeless")
    if status == 429 and "insufficient_quota" in (code, str(error.type or "")):
        said = f"{where}: the account has nothing left: {told}"
        return Failure(AuthError(said, hint="look at its plan and billing; what is stored is not lost"), "hopeless")
    if status == 429:
        hint = "lower concurrency, or wait; what is stored is not lost"
        return Failure(RateLimitError(f"{where} asks for fewer calls: {told}", hint=hint), "busy", retry_after(headers))
    if status == 503:
        return Failure(BackendError(f"{where} is overloaded: {told}"), "busy", retry_after(headers))
    if status in (401, 403):
        hint = "check the key (OPENAI_API_KEY, --api-key-env, --api-key-file) and what it may use"
        return Failure(AuthError(f"{where} refuses the key ({status}): {told}", hint=hint), "hopeless")
    if status == 404:
        hint = "check the model's name and the base URL, which mostly ends in /v1"
        return Failure(BackendError(f"{where} does not have it (404): {told}", hint=hint), "missing")
    if status >= 500 or status in (408, 409, 425):
        return Failure(BackendError(f"{where} failed ({status}): {told}"), "broken", retry_after(headers))
    if status in (400, 413, 422) and (code == "context_length_exceeded" or _OVERFLOW.search(told)):
        hint = "shorten the question, use fewer demonstrations or lower max_tokens"
        return Failure(ContextOverflowError(f"too long for {where}: {told}", hint=hint), "refused")
    if code in ("content_filter", "content_policy_violation"):
        return Failure(BackendError(told), "filtered")
    return Failure(BackendError(f"{where} refuses the request ({status}): {told}"), "refused", param=param)


def _message(error: openai.APIStatusError) -> str:
    """What the server says, in the forms of OpenAI, FastAPI and others."""
    body: Any = error.body
    for name in ("error", "message", "detail"):
        if isinstance(body, dict) and name in body:
            body = cast("dict[str, Any]", body)[name]
    if isinstance(body, dict):
        body = cast("dict[str, Any]", body).get("message", cast("object", body))
    return str(body or error.response.reason_phrase or "no reason given")


def _told(text: str, key: str) -> str:
    """A server's words: one line, not long, without the key."""
    line = " ".join(text.replace(key, "[key]").split() if len(key) > 4 else text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _never_arrived(error: BaseException) -> bool:
    kinds = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol)
    return isinstance(error, kinds)


def _chain(error: BaseException) -> Iterator[BaseException]:
    yield error
    if (below := error.__cause__ or error.__context__) is not None:
        yield from _chain(below)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= abs(number) < 1e9 else None


def _duration(text: str) -> float:
    """Seconds in "6m0s", "20ms", "1.5s" or "12"; 0 where it is none of these."""
    if (seconds := _number(text)) is not None:
        return max(0.0, seconds)
    parts = re.findall(r"([\d.]+)(ms|h|m|s)", text)
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    return sum((_number(number) or 0.0) * units[unit] for number, unit in parts)
