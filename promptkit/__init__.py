"""promptkit: which prompting strategy pays off on your model and task, by how much, and how sure you can be."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from promptkit.backends.base import Backend
    from promptkit.backends.cached import CachedBackend
    from promptkit.backends.fake import FakeBackend
    from promptkit.backends.hf import HFBackend
    from promptkit.backends.openai import OpenAIBackend
    from promptkit.backends.ray import RayBackend
    from promptkit.evaluation import Benchmark, Run, compare, evaluate, label_ablation, score_steps, wording_ablation
    from promptkit.flow import Flow, ask, gather, sampled
    from promptkit.strategies import (
        AutoCoT,
        Balanced,
        Chain,
        CoT,
        Diverse,
        FewShot,
        Random,
        Router,
        SelfConsistency,
        Similar,
        Step,
        Strategy,
        TreeOfThoughts,
        ZeroShot,
        register_parser,
    )
    from promptkit.types import Completion, Demonstration, Example, Message, Question, Request, Result, Sampling

# Each name is imported when it is first used, so that `import promptkit` takes milliseconds and loads no torch.
_HOMES = {
    "promptkit.backends.base": ["Backend"],
    "promptkit.backends.cached": ["CachedBackend"],
    "promptkit.backends.fake": ["FakeBackend"],
    "promptkit.backends": ["HFBackend", "OpenAIBackend"],
    "promptkit.backends.ray": ["RayBackend"],
    "promptkit.evaluation": [
        "Benchmark",
        "Run",
        "compare",
        "evaluate",
        "label_ablation",
        "score_steps",
        "wording_ablation",
    ],
    "promptkit.flow": ["Flow", "ask", "gather", "sampled"],
    "promptkit.strategies": [
        "AutoCoT",
        "Balanced",
        "Chain",
        "CoT",
        "Diverse",
        "FewShot",
        "Random",
        "Router",
        "SelfConsistency",
        "Similar",
        "Step",
        "Strategy",
        "TreeOfThoughts",
        "ZeroShot",
        "register_parser",
    ],
    "promptkit.types": [
        "Completion",
        "Demonstration",
        "Example",
        "Message",
        "Question",
        "Request",
        "Result",
        "Sampling",
    ],
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AutoCoT",
    "Backend",
    "Balanced",
    "Benchmark",
    "CachedBackend",
    "Chain",
    "CoT",
    "Completion",
    "Demonstration",
    "Diverse",
    "Example",
    "FakeBackend",
    "FewShot",
    "Flow",
    "HFBackend",
    "Message",
    "OpenAIBackend",
    "Question",
    "Random",
    "RayBackend",
    "Request",
    "Result",
    "Router",
    "Run",
    "Sampling",
    "SelfConsistency",
    "Similar",
    "Step",
    "Strategy",
    "TreeOfThoughts",
    "ZeroShot",
    "ask",
    "compare",
    "evaluate",
    "gather",
    "label_ablation",
    "register_parser",
    "sampled",
    "score_steps",
    "wording_ablation",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'promptkit' has no attribute {name!r}")
    if name in ("HFBackend", "OpenAIBackend"):
        from promptkit.backends import hf_backend, openai_backend

        # They say what to install where a package is missing.
        value: Any = hf_backend() if name == "HFBackend" else openai_backend()
    else:
        value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
