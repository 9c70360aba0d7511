"""Reading what a server sends. It is hostile text until it has passed here."""

import json
import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from promptkit.types import Completion, FinishReason, StopStrings

Mode: TypeAlias = Literal["chat", "completion"]


class UnreadableReplyError(Exception):
    """What came is no completion; the message says why."""


@dataclass(frozen=True)
class Counts:
    """Tokens of a reply, all choices together."""

    prompt: int
    completion: int
    reused: int
    """Of the prompt's, those that the server read from its own cache."""


def read_reply(body: bytes, mode: Mode, stop: StopStrings, wanted: int) -> list[Completion]:
    """The completions in a reply, at most `wanted`.

    A refusal has the finish reason "content_filter" and the model's words, if any, as its text. Texts are cut at the
    stop strings, which some servers leave in and some do not know. The tokens of the completions add up
    to what the server counted: the prompt's, which it reads once, are those of the first.

    Raises:
        UnreadableReplyError: the reply is no JSON, or has no choices, or they hold no text.
    """
    try:
        data: Any = json.loads(body)
    except ValueError:
        raise UnreadableReplyError("no valid JSON") from None
    choices = _get(data, "choices")
    if not isinstance(choices, list) or not choices:
        told = _get(_get(data, "error"), "message")
        raise UnreadableReplyError(f"no choices: {told}" if isinstance(told, str) else "no choices")
    found = [_choice(choice, mode, stop) for choice in cast("list[Any]", choices)[:wanted]]
    counts = _counts(_get(data, "usage"))
    if counts is None:
        return [completion.model_copy(update={"counted": False}) for completion in found]
    share, rest = divmod(counts.completion, len(found))
    return [
        completion.model_copy(
            update={
                "prompt_tokens": counts.prompt if place == 0 else 0,
                "completion_tokens": share + (place < rest),
                "reused_prompt_tokens": counts.reused if place == 0 else 0,
            }
        )
        for place, completion in enumerate(found)
    ]


def _choice(choice: Any, mode: Mode, stop: StopStrings) -> Completion:
    said = _get(choice, "message") if mode == "chat" else choice
    text = _get(said, "content" if mode == "chat" else "text")
    reason = _get(choice, "finish_reason")
    refusal = _get(said, "refusal")
    finish: FinishReason = "stop"
    if isinstance(refusal, str) and refusal:
        text, finish = refusal, "content_filter"
    elif reason == "content_filter":
        finish = "content_filter"
    elif reason in ("length", "max_tokens"):
        finish = "length"
    elif reason in ("tool_calls", "function_call"):
        raise UnreadableReplyError("a call of a tool instead of a text")
    if not isinstance(said, dict) or not isinstance(text, str | None):
        raise UnreadableReplyError("a choice without a text")
    text = _clean(text or "")  # null is what servers send for no text at all
    if finish != "content_filter" and (cuts := [at for one in stop if (at := text.find(one)) >= 0]):
        text, finish = text[: min(cuts)], "stop"
    return Completion(text=text, finish_reason=finish, logprob=_logprob(_get(choice, "logprobs")))


def _clean(text: str) -> str:
    """The text without half characters, which JSON can hold but no file."""
    return text.encode("utf-8", "replace").decode()


def _logprob(found: Any) -> float | None:
    """The sum of the tokens' log-probabilities, of a chat's or a completion's form."""
    content = _get(found, "content")
    tokens = (
        [_get(token, "logprob") for token in cast("list[Any]", content)]
        if isinstance(content, list)
        else _get(found, "token_logprobs")
    )
    if not isinstance(tokens, list) or not tokens:
        return None
    values = cast("list[Any]", tokens)
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return None
    total = math.fsum(values)
    return total if math.isfinite(total) else None


def _counts(usage: Any) -> Counts | None:
    prompt, completion = (_whole(_get(usage, name)) for name in ("prompt_tokens", "completion_tokens"))
    if prompt is None or completion is None:
        return None
    reused = _whole(_get(_get(usage, "prompt_tokens_details"), "cached_tokens")) or 0
    return Counts(prompt, completion, min(reused, prompt))


def _whole(number: Any) -> int | None:
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None


def _get(data: Any, name: str) -> Any:
    return cast("dict[str, Any]", data).get(name) if isinstance(data, dict) else None
