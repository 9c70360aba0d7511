"""What one server understands of the protocol: found out once, from what it refuses."""

import re
from typing import Any

from promptkit.backends.openai.reply import Mode
from promptkit.types import Request

_UNSUPPORTED = re.compile(
    r"unsupported|not supported|does ?n[o']t support|only supports|unrecogni[sz]ed|unknown|unexpected|deprecated"
    r"|extra inputs|not (?:permitted|allowed|available|accepted)",
    re.IGNORECASE,
)
_MOST_STOPS = 4
"""More stop strings than OpenAI takes; texts are cut at all of them here in any case."""
_LOST = {
    "temperature": "the temperature: its samples are drawn at the model's own",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "the seed: its samples cannot be drawn again",
    "max_tokens": "a limit of tokens: texts may be of any length",
}
"""What is missing where a parameter is left out, for those whose loss changes texts."""


class Dialect:
    """How to word a request for one server and model.

    Args:
        model: its name at the server.
        mode: which of the two ways to ask is used.
        logprobs: whether log-probabilities are asked for.
        official: whether the server is OpenAI's own, which prefers the newer name of the token limit.
        several: whether `n` samples may be asked for at once; `None` to find it out.
    """

    def __init__(self, model: str, mode: Mode, *, official: bool, logprobs: bool, several: bool | None) -> None:
        self.model = model
        self.mode: Mode = mode
        self.several = several
        self.official = official
        self.limit_names = ["max_tokens", "max_completion_tokens"] if mode == "chat" else ["max_tokens"]
        if official:
            self.limit_names.reverse()
        self.left_out: set[str] = set() if logprobs else {"logprobs"}

    def body(self, request: Request, samples: int) -> dict[str, Any]:
        """The JSON that asks for so many samples of a request."""
        sampling = request.sampling
        (limit, *_) = self.limit_names or ["max_tokens"]
        wording: dict[str, Any] = (
            {"messages": [message.model_dump() for message in request.messages]}
            if self.mode == "chat"
            else {"prompt": request.text}
        )
        optional = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            limit: sampling.max_tokens,
            "stop": list(sampling.stop[:_MOST_STOPS]) or None,
            "seed": request.sample_seed,
            "logprobs": True if self.mode == "chat" else 1,
            "n": samples if samples > 1 else None,
        }
        known = {name: v for name, v in optional.items() if v is not None and name not in self.left_out}
        return {"model": self.model, **wording, **known}

    def learn(self, complaint: str, param: str | None, sent: dict[str, Any]) -> tuple[bool, str | None]:
        """Take in why a request was refused as wrong.

        Args:
            complaint: the server's words.
            param: the parameter that it names, if it does.
            sent: the JSON that it refused.

        Returns:
            Whether the same request may be worded otherwise now, and what to tell the user about it.
        """
        name = _named(complaint, param, sent)
        if "n" in sent and (name == "n" or (name is None and self.several is None)):
            self.several = False
            return True, None
        if name is None or not _UNSUPPORTED.search(complaint):
            return False, None
        if name in _LIMITS:
            # Another request may have learnt the same while this one was under way.
            self.limit_names = [other for other in self.limit_names if other != name]
            if self.limit_names:
                return True, None
            name = "max_tokens"
        known = name in self.left_out
        self.left_out.add(name)
        return True, None if known or name not in _LOST else f"{self.model} does not take {_LOST[name]}"


_LIMITS = {"max_tokens", "max_completion_tokens"}
_OPTIONAL = {"temperature", "top_p", "top_k", "stop", "seed", "logprobs", "n"} | _LIMITS


def _named(complaint: str, param: str | None, sent: dict[str, Any]) -> str | None:
    """The optional parameter that a complaint is about, of those that were sent: the one it names first."""
    names = sorted(sent.keys() & _OPTIONAL)
    if param:
        return param if param in names else None
    first = re.search(rf"(?<![\w.])(?:{'|'.join(names)})(?!\w)", complaint) if names else None
    return first.group() if first else None
