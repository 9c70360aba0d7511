"""What the tests of strategies share."""

from collections.abc import Callable, Sequence

import pytest

from tests.strategies.clustered_pools import LINE, Placed


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[Sequence[float]]], None]:
    """Questions lie on a line, in three groups; the test may place them otherwise."""

    def place(rows: Sequence[Sequence[float]]) -> None:
        monkeypatch.setattr("promptkit.strategies.auto_cot.embedder", Placed.at(rows))

    place(LINE)
    return place
