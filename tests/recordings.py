"""The logs behind Kojima et al. (2022), as their authors published them.

They lie outside the repository (`../shared/recordings`); `load` skips the test where they are absent.
"""

from pathlib import Path

import pytest

from benchmarks.recordings import Block, Recording, parse

__all__ = ["FOLDER", "NAMES", "Block", "Recording", "load"]

FOLDER = Path(__file__).parents[2] / "shared" / "recordings"
NAMES = ("addsub_zero_shot", "addsub_zero_shot_cot", "singleeq_zero_shot", "singleeq_zero_shot_cot")
"""The recordings there are."""


def load(name: str) -> Recording:
    """The recording of that name, one of `NAMES`."""
    path = FOLDER / f"{name}.log"
    if not path.exists():
        pytest.skip(f"the recording {path} is not there")
    return parse(path.read_text(encoding="utf-8"))
