"""Attention of a decoding step to a shared prefix and to a row's own positions, against the plain formula."""

from itertools import product
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from promptkit.backends.hf import cache as caching  # noqa: E402
from promptkit.backends.hf.cache import Kept, RaggedCache, stepping  # noqa: E402

ROWS, HEADS, GROUPS, SIZE, SPAN, PREFIX = 5, 6, 2, 16, 11, 21
LENGTHS = [1, 9, 4, 7, 2]
"""Positions that the first of the new tokens sees of its row."""
LAYER = SimpleNamespace(layer_idx=0)


@pytest.mark.parametrize("spread", [1.0, 8.0], ids=["near scores", "far scores"])
@pytest.mark.parametrize("sharing", [[], [[0, 1, 2, 3, 4]], [[0, 3], [4, 1]]], ids=["no prefix", "one", "two"])
@pytest.mark.parametrize("new", [1, 3])
@pytest.mark.parametrize("op", ["flash", "plain"])
def test_it_is_what_the_formula_says(
    spread: float, sharing: list[list[int]], op: str, new: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if op == "plain":
        monkeypatch.setattr(caching, "_flash", lambda: None)
    draw = torch.Generator().manual_seed(3)
    query = spread * torch.randn(ROWS, HEADS, new, SIZE, generator=draw)
    keys, values = (torch.randn(ROWS, GROUPS, SPAN, SIZE, generator=draw) for _ in range(2))
    shared = [[torch.randn(1, GROUPS, PREFIX, SIZE, generator=draw) for _ in range(2)] for _ in sharing]
    cache = RaggedCache.__new__(RaggedCache)
    cache.prefixes = [
        (Kept([0] * PREFIX, [(part[0], part[1])]), torch.tensor(rows))
        for part, rows in zip(shared, sharing, strict=True)
    ]
    ends = torch.tensor(LENGTHS)[:, None] + torch.arange(new)
    unseen = torch.arange(SPAN) >= ends[:, :, None]
    mask = torch.zeros(ROWS, new, SPAN).masked_fill_(unseen, torch.finfo(torch.float32).min)[:, None]
    with torch.inference_mode(), stepping(cache):
        found, _ = caching._attention(LAYER, query, keys, values, mask, scaling=0.25)
    assert found.shape == (ROWS, new, HEADS, SIZE)
    for row, place in product(range(ROWS), range(new)):
        length = LENGTHS[row] + place
        own = [keys[row, :, :length], values[row, :, :length]]
        before = [part for part, rows in zip(shared, sharing, strict=True) if row in rows]
        seen_keys, seen_values = (torch.cat([*(part[i][0] for part in before), own[i]], dim=1).double() for i in (0, 1))
        for head in range(HEADS):
            group = head // (HEADS // GROUPS)
            scores = seen_keys[group] @ query[row, head, place].double() * 0.25
            rounding = 2 * torch.finfo(torch.float32).eps * max(8.0, float(scores.abs().max()))  # of a dot product
            expected = scores.softmax(0) @ seen_values[group]
            torch.testing.assert_close(found[row, place, head].double(), expected, atol=rounding, rtol=1e-5)


def test_this_torch_tells_the_log_sum_exp() -> None:
    assert caching._flash() is not None, "decoding with demonstrations takes the slow way: look at docs/performance.md"
