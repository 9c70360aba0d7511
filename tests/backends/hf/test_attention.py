"""Attention of a decoding step to a shared prefix and to a row's own positions, against the plain formula."""

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from promptkit.backends.hf import cache as caching  # noqa: E402
from promptkit.backends.hf.cache import Kept, RaggedCache, stepping  # noqa: E402

ROWS, HEADS, GROUPS, SIZE, SPAN, PREFIX = 5, 6, 2, 16, 9, 21
LENGTHS = [1, 9, 4, 7, 2]
LAYER = SimpleNamespace(layer_idx=0)


@pytest.mark.parametrize("spread", [1.0, 8.0], ids=["near scores", "far scores"])
@pytest.mark.parametrize("sharing", [[], [[0, 1, 2, 3, 4]], [[0, 3], [4, 1]]], ids=["no prefix", "one", "two"])
@pytest.mark.parametrize("op", ["flash", "plain"])
def test_it_is_what_the_formula_says(
    spread: float, sharing: list[list[int]], op: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if op == "plain":
        monkeypatch.setattr(caching, "_flash", lambda: None)
    draw = torch.Generator().manual_seed(3)
    query = spread * torch.randn(ROWS, HEADS, 1, SIZE, generator=draw)
    keys, values = (torch.randn(ROWS, GROUPS, SPAN, SIZE, generator=draw) for _ in range(2))
    shared = [[torch.randn(1, GROUPS, PREFIX, SIZE, generator=draw) for _ in range(2)] for _ in sharing]
    cache = RaggedCache.__new__(RaggedCache)
    cache.prefixes = [
        (Kept([0] * PREFIX, [(part[0], part[1])]), torch.tensor(rows))
        for part, rows in zip(shared, sharing, strict=True)
    ]
    unseen = torch.arange(SPAN) >= torch.tensor(LENGTHS)[:, None]
    mask = torch.zeros(ROWS, SPAN).masked_fill_(unseen, torch.finfo(torch.float32).min)[:, None, None]
    with torch.inference_mode(), stepping(cache):
        found, _ = caching._attention(LAYER, query, keys, values, mask, scaling=0.25)
    for row, length in enumerate(LENGTHS):
        own = [keys[row, :, :length], values[row, :, :length]]
        before = [part for part, rows in zip(shared, sharing, strict=True) if row in rows]
        seen_keys, seen_values = (torch.cat([*(part[i][0] for part in before), own[i]], dim=1).double() for i in (0, 1))
        for head in range(HEADS):
            group = head // (HEADS // GROUPS)
            weights = (seen_keys[group] @ query[row, head, 0].double() * 0.25).softmax(0)
            torch.testing.assert_close(found[row, 0, head].double(), weights @ seen_values[group], atol=2e-6, rtol=1e-5)


def test_this_torch_tells_the_log_sum_exp() -> None:
    assert caching._flash() is not None, "decoding with demonstrations takes the slow way: look at docs/performance.md"
