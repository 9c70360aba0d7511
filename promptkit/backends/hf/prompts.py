"""Prompts as a model sees them: rendered, and as token ids."""

from collections.abc import Set
from typing import Any, Literal, TypeAlias

from promptkit.errors import BackendError
from promptkit.types import Request

Mode: TypeAlias = Literal["chat", "completion"]


def render(tokenizer: Any, request: Request, mode: Mode, ends: Set[int], name: str) -> tuple[str, list[int]]:
    """A prompt as text and as token ids, special tokens added once.

    Args:
        tokenizer: of transformers.
        request: what is asked.
        mode: "chat" takes its messages, "completion" its text.
        ends: token ids that end a text.
        name: of the model, for messages.

    Raises:
        BackendError: the model's chat template refuses the messages.
    """
    if mode == "completion":
        ids: list[int] = tokenizer(request.text)["input_ids"]
        plain: list[int] = tokenizer(request.text, add_special_tokens=False)["input_ids"]
        # A tokenizer that closes every text would make the model see its end before it has begun.
        if ids and ids[-1] in ends and ids[-len(plain) - 1 : -1] == plain:
            ids = ids[:-1]
        return tokenizer.decode(ids), ids
    messages = [message.model_dump() for message in request.messages]
    continues = messages[-1]["role"] == "assistant"
    try:
        text: str = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=not continues, continue_final_message=continues
        )
    except Exception as error:  # templates raise whatever they like
        problem = f"the chat template of {name} refuses these messages: {error}"
        raise BackendError(problem, hint="use a template without that role, or completion mode") from error
    return text, tokenizer(text, add_special_tokens=False)["input_ids"]
