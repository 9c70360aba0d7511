"""What `promptkit doctor` looks at: whether this machine has what promptkit needs, and what to do where it has not."""

from promptkit.diagnosis.part import Part, State
from promptkit.diagnosis.rounds import diagnose

__all__ = ["Part", "State", "diagnose"]
