"""Servers that speak OpenAI's protocol, hosted or local: `OpenAIBackend`.

`keys` finds the key, `dialect` turns a request into what this server understands, `reply` reads what it sends,
`failures` says what went wrong, `server` makes one attempt, `throttle` decides how many are under way, `fleet` shares
the work among servers, and `backend` serves a run.
"""

from promptkit.backends.openai.backend import OpenAIBackend

__all__ = ["OpenAIBackend"]
