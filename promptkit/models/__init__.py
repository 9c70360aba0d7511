"""The embedded models: small language models and a sentence encoder that promptkit fetches, verifies and keeps.

    from promptkit import models

    folder = models.default_model()  # ready for AutoModelForCausalLM.from_pretrained

See `docs/models.md` for what is downloaded, from where, and why that is safe.
"""

from promptkit.models.catalogue import DEFAULT, EMBEDDED, ENCODERS, EmbeddedEncoder, EmbeddedModel, find
from promptkit.models.provision import ModelStatus, default_model, ensure, list_models, local_path
from promptkit.models.store import Progress

__all__ = [
    "DEFAULT",
    "EMBEDDED",
    "ENCODERS",
    "EmbeddedEncoder",
    "EmbeddedModel",
    "ModelStatus",
    "Progress",
    "default_model",
    "ensure",
    "find",
    "list_models",
    "local_path",
]
