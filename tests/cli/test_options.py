"""Options that commands share: what they make of a local model."""

from typing import Any

import pytest

from promptkit import backends
from promptkit.cli.options import memory
from tests.command_line import CommandLine


@pytest.mark.parametrize(
    ("text", "size"),
    [("4", 2**32), ("4GiB", 2**32), ("0.5", 2**29), ("512MiB", 2**29), (" 1.5 gib ", 3 * 2**29), (2**20, 2**20)],
)
def test_memory_is_given_in_gibibytes_or_with_its_unit(text: str | int, size: int) -> None:
    assert memory(text) == size


def test_memory_for_keys_and_values_reaches_the_model(promptkit: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []
    original = backends.from_spec

    def noting(spec: str, **options: Any) -> backends.Backend:
        given.append(options)
        return original(spec, **options)

    monkeypatch.setattr(backends, "from_spec", noting)
    asked = ("--strategy", "zero-shot", "--benchmark", "sums.jsonl", "--json")
    for command in (("run", "zero-shot", "1+1?"), ("eval", *asked)):
        said = promptkit(*command, "--kv-cache-memory", "64MiB")
        assert said.code == 0, said.err
        assert given.pop()["kv_cache_memory"] == 2**26
    assert promptkit("plan", *asked, "--kv-cache-memory", "1").code == 0  # the same options, though nothing is loaded
    assert promptkit("run", "zero-shot", "1+1?").code == 0
    assert given.pop()["kv_cache_memory"] is None
