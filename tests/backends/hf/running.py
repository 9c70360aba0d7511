"""Asking a backend many things at once, as a run does."""

from typing import Any

import torch

from promptkit.backends.hf import HFBackend
from promptkit.flow import ask
from promptkit.scheduler import run_flows
from promptkit.types import Completion, Message, Request, Sampling

PROMPTS = [
    "Q: a",
    "How many apples are there?",
    "The answer (arabic numerals) is",
    "Let's think step by step. " * 6,
    "0123456789",
    "Q: How many? A:",
    "step",
    "apples " * 20,
]
"""Of several lengths."""


def request(text: str, sample: int | None = None, **sampling: Any) -> Request:
    """One user message."""
    index = () if sample is None else (sample,)
    return Request(messages=(Message(role="user", content=text),), sampling=Sampling(**sampling), sample=index)


def outcomes(backend: HFBackend, requests: list[Request]) -> list[Completion | Exception]:
    """What became of each request, in their order."""
    ended = {outcome.index: outcome for outcome in run_flows((ask(request) for request in requests), backend)}
    answers = [ended[index].error or ended[index].value for index in range(len(requests))]
    return [answer for answer in answers if answer is not None]


def complete(backend: HFBackend, requests: list[Request]) -> list[Completion]:
    """The completions of requests of which none may fail."""
    answers = outcomes(backend, requests)
    assert all(isinstance(answer, Completion) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, Completion)]


def texts(backend: HFBackend, requests: list[Request]) -> list[str]:
    """Their texts alone."""
    return [completion.text for completion in complete(backend, requests)]


@torch.inference_mode()
def greedy(backend: HFBackend, request: Request) -> tuple[str, int]:
    """Text and number of tokens that `generate` makes of one request, alone."""
    ids = torch.tensor([backend.render(request)[1]])
    output = backend.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=request.sampling.max_tokens,
        do_sample=False,
        eos_token_id=sorted(backend._ends),
        top_p=None,
        top_k=None,
        temperature=None,
    )
    new = output[0, ids.shape[1] :]
    return backend.tokenizer.decode(new, skip_special_tokens=True), len(new)
