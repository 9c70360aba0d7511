"""Local Hugging Face models: `HFBackend`.

`loading` finds and loads the weights, `backend` turns requests into rows, `engine` decodes them in a rolling batch
over the `cache`, and `sampling` chooses the tokens. `unloaded` is what is known of a model without its weights.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from promptkit.backends.hf.backend import HFBackend

__all__ = ["HFBackend"]


def __getattr__(name: str) -> Any:
    if name != "HFBackend":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from promptkit.backends.hf.backend import HFBackend  # here: a plan needs `unloaded` alone, and this takes long

    return HFBackend
