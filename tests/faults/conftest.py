import pytest

from promptkit.backends.openai import server


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is seconds in life is hundredths here."""
    monkeypatch.setattr(server, "_SHORTEST_LEAVE", 0.02)
    monkeypatch.setattr(server, "_LONGEST_LEAVE", 0.1)
