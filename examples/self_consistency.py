"""Self-consistency on the embedded model: a vote, a larger vote, a weighted one, and one that stops early.

    python examples/self_consistency.py

All of them look at the same samples, so each is paid for only once: the last column says what was generated anew.
"""

import tempfile
from pathlib import Path

from promptkit import Backend, CachedBackend, CoT, SelfConsistency
from promptkit.backends import default

QUESTION = "Ann has 3 boxes of 12 eggs and breaks 5. How many are left?"
VOTES = {
    "8 samples": SelfConsistency(CoT(), n=8),
    "16 samples": SelfConsistency(CoT(), n=16),
    "16, weighted": SelfConsistency(CoT(), n=16, vote="weighted"),
    "up to 40, adaptive": SelfConsistency(CoT(), n=40, adaptive=0.95),
}


def main(backend: Backend) -> None:
    """Print a line for each way to vote."""
    for name, strategy in VOTES.items():
        result = strategy.run(QUESTION, backend=backend)
        shown = ", ".join(
            f"{vote.value}: {vote.count}" + (f" ({vote.weight:.2f})" if vote.weight is not None else "")
            for vote in result.votes
        )
        new = result.usage.calls - result.usage.cached_calls
        print(f"{name:18}  answer {result.answer}  of {len(result.candidates)} samples, {new} new calls")
        print(f"{'':18}  votes {shown}")
        if result.details:
            print(f"{'':18}  {result.details}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(CachedBackend(default(), Path(folder) / "store.sqlite"))
