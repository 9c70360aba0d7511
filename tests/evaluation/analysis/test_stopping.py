"""What early stopping would have saved, against the strategy itself."""

from itertools import permutations

import pytest

from promptkit import FakeBackend, Question, SelfConsistency, ZeroShot
from promptkit.evaluation.analysis.stopping import adaptive_savings
from promptkit.types import Request
from tests.made_runs import run, voting_run

WORDS = {"+": "The answer is 18.", "a": "The answer is 7.", "b": "The answer is 9.", "?": "Many."}


def drawn(order: tuple[str, ...], threshold: float) -> tuple[int, bool]:
    """How many samples the strategy itself draws when they come in this order, and whether it is right."""

    def reply(request: Request) -> str:
        return WORDS[order[request.sample[-1]]]

    strategy = SelfConsistency(ZeroShot(), n=len(order), adaptive=threshold)
    result = strategy.run(Question(text="How many?"), backend=FakeBackend(reply))
    return len(result.candidates), result.answer == "18"


@pytest.mark.parametrize("pool", ["+++a", "++aa?", "++ab", "aaa+"])
def test_it_is_what_the_strategy_does_over_all_orders(pool: str) -> None:
    orders = sorted(set(permutations(pool)))
    for stop in adaptive_savings(voting_run("self-consistency", [pool]), [0.8, 0.95], orders=4000):
        found = [drawn(order, stop.threshold) for order in orders]
        assert stop.samples == pytest.approx(sum(count for count, _ in found) / len(found), abs=0.06)
        assert stop.accuracy == pytest.approx(sum(right for _, right in found) / len(found), abs=0.03)


def test_sure_pools_stop_early_and_unsure_ones_draw_all() -> None:
    (stop,) = adaptive_savings(voting_run("self-consistency", ["+" * 10, "+a" * 5], tokens=7), [0.95])
    assert stop.of == 10
    assert 4 < stop.samples <= (4 + 10) / 2
    assert stop.saved == pytest.approx(1 - stop.samples / 10)
    assert stop.tokens == pytest.approx(7 * stop.samples)


def test_a_stricter_threshold_draws_more() -> None:
    made = voting_run("self-consistency", ["++++aab+", "+abab+++", "aaaaaaa+"])
    found = adaptive_savings(made, [0.7, 0.9, 0.99])
    assert [stop.samples for stop in found] == sorted(stop.samples for stop in found)
    assert found == adaptive_savings(made, [0.7, 0.9, 0.99])


def test_drawing_orders_leaves_the_error_that_it_says() -> None:
    made = voting_run("self-consistency", ["++aa", "+aab", "++ab"] * 5)
    found = [adaptive_savings(made, [0.7], orders=40, seed=seed)[0] for seed in range(60)]
    mean = sum(stop.accuracy for stop in found) / 60
    spread = (sum((stop.accuracy - mean) ** 2 for stop in found) / 59) ** 0.5
    assert found[0].error == pytest.approx(spread, rel=0.4)


def test_pools_that_nobody_voted_in_are_wrong_and_other_runs_have_none() -> None:
    (stop,) = adaptive_savings(voting_run("self-consistency", ["??!", "+++"]), [0.99])
    assert (stop.accuracy, stop.samples) == (0.5, 3)
    assert adaptive_savings(run("zero-shot", "++-")) == ()


@pytest.mark.parametrize(("threshold", "orders"), [(0.5, 10), (1.0, 10), (0.9, 0)])
def test_impossible_settings_are_refused(threshold: float, orders: int) -> None:
    with pytest.raises(ValueError, match=r"above 0\.5 and below 1"):
        adaptive_savings(voting_run("self-consistency", ["++"]), [threshold], orders=orders)
