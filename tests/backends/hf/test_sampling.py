"""Choosing tokens: exact distributions, minimal nuclei, and one stream a row."""

import random
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from promptkit.backends.hf.sampling import Sampler, _argmax, choose, top

DRAWS = 4000


def sampler(temperature: float = 1.0, top_p: float = 1.0, top_k: int | None = None, seed: int = 0) -> Sampler:
    return Sampler(temperature, top_p, top_k, random.Random(seed))


def random_logits(size: int, spread: float = 1.5, seed: int = 0) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed)) * spread


def exact(logits: torch.Tensor, temperature: float, top_p: float, top_k: int | None) -> torch.Tensor:
    """The distribution that is asked for, straight from its definition."""
    probabilities = (logits.double() / temperature).softmax(-1)
    order = probabilities.argsort(descending=True, stable=True)
    kept = order[:top_k]
    within = probabilities[kept] / probabilities[kept].sum()
    nucleus = kept[: int((within.cumsum(0) < top_p - 1e-12).sum()) + 1]
    result = torch.zeros_like(probabilities)
    result[nucleus] = probabilities[nucleus] / probabilities[nucleus].sum()
    return result


def draws(logits: torch.Tensor, chosen: Sampler, count: int = DRAWS) -> list[int]:
    return [choose(logits[None], [chosen])[0][0] for _ in range(count)]


def assert_fits(drawn: list[int], expected: torch.Tensor) -> None:
    """Nothing impossible was drawn, and a chi-square test finds no difference (bins of at least five)."""
    counts = torch.zeros_like(expected)
    for token, number in Counter(drawn).items():
        counts[token] = number
    assert counts[expected == 0].sum() == 0
    order = expected.argsort(descending=True)
    order = order[expected[order] > 0]
    observed, hoped = [0.0], [0.0]
    for token in order.tolist():
        if hoped[-1] >= 5:
            observed.append(0.0)
            hoped.append(0.0)
        observed[-1] += float(counts[token])
        hoped[-1] += float(expected[token]) * len(drawn)
    if hoped[-1] < 5 and len(hoped) > 1:
        observed[-2:], hoped[-2:] = [sum(observed[-2:])], [sum(hoped[-2:])]
    if len(hoped) > 1:
        assert chisquare(observed, hoped).pvalue > 1e-3


@pytest.mark.parametrize("size", [10, 64, 500, 5120])
@pytest.mark.parametrize(
    ("temperature", "top_p", "top_k"),
    [
        (1.0, 1.0, None),
        (0.5, 1.0, None),
        (2.0, 1.0, None),
        (1.0, 0.8, None),
        (3.0, 0.97, None),
        (1.0, 1.0, 5),
        (2.0, 1.0, 100),
        (1.3, 0.7, 8),
        (3.0, 0.9, 200),
    ],
)
def test_the_distribution_is_the_one_asked_for(size: int, temperature: float, top_p: float, top_k: int | None) -> None:
    logits = random_logits(size)
    drawn = draws(logits, sampler(temperature, top_p, top_k, seed=1))
    assert_fits(drawn, exact(logits, temperature, top_p, top_k))


def test_the_tail_beyond_the_first_candidates_is_exact() -> None:
    logits = random_logits(400, spread=0.3)
    expected = exact(logits, 1.0, 1.0, None)
    tail = logits.argsort(descending=True)[64:].tolist()
    drawn = [token for token in draws(logits, sampler(seed=2), 6000) if token in set(tail)]
    assert len(drawn) > 3000
    of_tail = torch.zeros_like(expected)
    of_tail[tail] = expected[tail] / expected[tail].sum()
    assert_fits(drawn, of_tail)


def test_rows_keep_to_their_own_settings() -> None:
    logits = random_logits(200)
    settings_of = [(0.0, 1.0, None), (1.0, 1.0, None), (0.6, 0.5, None), (1.5, 1.0, 3), (2.0, 0.95, 90)]
    together = [sampler(*values, seed=row) for row, values in enumerate(settings_of)]
    alone = [sampler(*values, seed=row) for row, values in enumerate(settings_of)]
    for step in range(50):
        rows = torch.stack([random_logits(200, seed=10 * step + row) for row in range(len(together))])
        expected = [choose(rows[row : row + 1], [alone[row]])[0][0] for row in range(len(alone))]
        assert choose(rows, together)[0] == expected
    assert choose(logits[None], [sampler(0.0)])[0] == [int(logits.argmax())]


def test_log_probabilities_are_those_of_the_tempered_distribution() -> None:
    for top_p, top_k in [(1.0, None), (0.7, None), (1.0, 5), (0.99, 150)]:
        for seed in range(20):
            logits = random_logits(300, spread=0.5, seed=seed)
            (token,), (logprob,) = choose(logits[None], [sampler(0.8, top_p, top_k, seed)])
            assert logprob == pytest.approx(float((logits / 0.8).log_softmax(-1)[token]), abs=1e-5)
    assert choose(random_logits(5)[None], [sampler(0.0)])[1] == [None]


finite = st.integers(-2000, 2000).map(lambda number: number / 64)  # far enough apart for float32
any_logits = st.lists(st.one_of(finite, st.just(float("-inf")), st.sampled_from([0.0, 1.0])), min_size=1, max_size=150)
usable = any_logits.filter(lambda values: max(values) > float("-inf"))


@given(
    usable,
    st.floats(1e-6, 50),
    st.one_of(st.just(1.0), st.floats(0.01, 1.0)),
    st.one_of(st.none(), st.integers(1, 160)),
    st.integers(0, 2**31),
)
@settings(max_examples=300, deadline=None)
def test_only_tokens_within_bounds_are_drawn(
    values: list[float], temperature: float, top_p: float, top_k: int | None, seed: int
) -> None:
    logits = torch.tensor(values)
    (token,), (logprob,) = choose(logits[None], [sampler(temperature, top_p, top_k, seed)])
    assert values[token] > float("-inf")
    assert logprob is not None
    assert logprob <= 1e-5
    larger = [value for value in values if value > values[token]]
    if top_k is not None:
        assert len(larger) < top_k
    # The nucleus is minimal: what is more likely than the token does not reach top_p yet.
    probabilities = ((logits.double() - max(values)) / temperature).softmax(-1)
    allowed = probabilities.sort(descending=True).values[:top_k].sum()
    mass = probabilities[logits > logits[token]].sum()
    assert float(mass) < top_p * float(allowed) + 1e-5


@given(usable, st.integers(0, 2**31))
@settings(max_examples=100, deadline=None)
def test_top_k_of_one_and_a_tiny_temperature_are_greedy(values: list[float], seed: int) -> None:
    logits = torch.tensor(values)
    assert values[choose(logits[None], [sampler(1.0, top_k=1, seed=seed)])[0][0]] == max(values)
    assert values[choose(logits[None], [sampler(1e-30, seed=seed)])[0][0]] == max(values)
    assert values[choose(logits[None], [sampler(1.0, top_p=1e-9, seed=seed)])[0][0]] == max(values)


class Stuck(random.Random):
    """A stream that only gives the value next to one, where rounding shows."""

    def random(self) -> float:
        return 1 - 2**-53


@given(usable, st.sampled_from([1.0, 0.999999]), st.one_of(st.none(), st.integers(1, 160)))
@settings(max_examples=200, deadline=None)
def test_the_last_of_all_draws_still_gives_a_possible_token(
    values: list[float], top_p: float, top_k: int | None
) -> None:
    logits = torch.tensor(values)
    (token,), _ = choose(logits[None], [Sampler(1.0, top_p, top_k, Stuck())])
    assert values[token] > float("-inf")


@given(st.integers(1, 4), st.sampled_from([1, 63, 64, 128, 320]), st.integers(0, 10**6), st.booleans())
@settings(max_examples=100, deadline=None)
def test_the_two_level_argmax_is_argmax(rows: int, size: int, seed: int, ties: bool) -> None:
    """Of equal logits the first one wins in both."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, size, generator=generator)
    if ties:
        logits = logits.round()
        logits[torch.rand(rows, size, generator=generator) < 0.3] = float("-inf")
    expected = [row.index(max(row)) for row in logits.tolist()]
    assert _argmax(logits).tolist() == expected == logits.argmax(-1).tolist()
    assert _argmax(logits.bfloat16()).tolist() == logits.bfloat16().argmax(-1).tolist()


@given(
    st.integers(1, 4), st.sampled_from([1, 63, 64, 320, 512]), st.integers(1, 8), st.integers(0, 10**6), st.booleans()
)
@settings(max_examples=100, deadline=None)
def test_the_two_level_search_finds_the_largest_in_order(
    rows: int, size: int, count: int, seed: int, ties: bool
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, size, generator=generator)
    if ties:
        logits = logits.round()
        logits[torch.rand(rows, size, generator=generator) < 0.3] = float("-inf")
    for row, places in zip(logits.tolist(), top(logits, count).tolist(), strict=True):
        assert len(set(places)) == len(places)
        assert [row[place] for place in places] == sorted(row, reverse=True)[:count]


@pytest.mark.parametrize("size", [128, 8192])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("bad", [float("nan"), float("-inf")])
def test_logits_that_are_no_numbers_are_refused(temperature: float, bad: float, size: int) -> None:
    logits = torch.full((1, size), bad)
    with pytest.raises(ArithmeticError, match="no numbers"):
        choose(logits, [sampler(temperature)])
    if bad != bad:
        logits = random_logits(size)[None]
        logits[0, 77] = bad
        with pytest.raises(ArithmeticError, match="no numbers"):
            choose(logits, [sampler(temperature)])


def test_a_stream_depends_on_its_seed_alone() -> None:
    logits = random_logits(300)
    assert draws(logits, sampler(seed=5), 30) == draws(logits, sampler(seed=5), 30)
    assert draws(logits, sampler(seed=5), 30) != draws(logits, sampler(seed=6), 30)
