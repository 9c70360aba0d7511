"""maj@n and pass@n from one pool, against brute force over subsets and orders."""

from collections.abc import Iterable
from itertools import combinations, permutations
from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit import FakeBackend, SelfConsistency, ZeroShot, evaluate
from promptkit.evaluation import load, load_run
from promptkit.evaluation.analysis.resampling import Pool, majority_at, pass_at, pools_of, vote_curve
from promptkit.types import Request
from tests.made_runs import run, voting_run

marks = st.text("++ab?<!", min_size=2, max_size=6)


def elected(order: Iterable[str]) -> bool:
    """Whether the vote of samples in this order is right, counted anew."""
    votes = [mark for mark in order if mark in "+ab"]
    return bool(votes) and max(votes, key=lambda mark: (votes.count(mark), -votes.index(mark))) == "+"


@settings(max_examples=60, deadline=None)
@given(marks)
def test_maj_is_the_mean_over_all_subsets_and_orders(pool: str) -> None:
    made = voting_run("self-consistency", [pool, "++++++"[: len(pool)]])
    for point in vote_curve(made):
        orders = list(permutations(pool, point.n))
        expected = (sum(map(elected, orders)) / len(orders) + 1) / 2
        assert point.majority == pytest.approx(expected, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(marks)
def test_pass_is_the_mean_over_all_subsets(pool: str) -> None:
    made = voting_run("self-consistency", [pool, "++++++"[: len(pool)]])
    for point in vote_curve(made):
        subsets = list(combinations(pool, point.n))
        expected = (sum("+" in subset for subset in subsets) / len(subsets) + 1) / 2
        assert point.pass_at == pytest.approx(expected, abs=1e-12)
        assert point.headroom >= -1e-12


def test_pass_at_is_the_published_estimator() -> None:
    # The product form of Chen et al. 2021, figure 3.
    for n, correct, k in [(10, 3, 4), (200, 7, 100), (5, 0, 2), (5, 4, 2)]:
        product = 1.0 if n - correct < k else 1 - float(np.prod(1 - k / np.arange(n - correct + 1, n + 1)))
        assert pass_at(k, n, correct) == pytest.approx(product, abs=1e-12)


def test_pass_at_is_unbiased() -> None:
    chance, n, k = 0.3, 8, 3
    mean = sum(comb(n, c) * chance**c * (1 - chance) ** (n - c) * pass_at(k, n, c) for c in range(n + 1))
    assert mean == pytest.approx(1 - (1 - chance) ** k, abs=1e-12)


@pytest.mark.parametrize(("n", "votes", "chance"), [(1, (0.5, 0.3, 0.2), 0.5), (3, (0.4, 0.35, 0.25), None)])
def test_maj_is_unbiased(n: int, votes: tuple[float, float, float], chance: float | None) -> None:
    """Over all pools of 5 that three answers' chances make, it is what n fresh samples would do."""

    def mean(size: int) -> float:
        total = 0.0
        for first in range(size + 1):
            for second in range(size + 1 - first):
                third = size - first - second
                ways = comb(size, first) * comb(size - first, second)
                weight = ways * votes[0] ** first * votes[1] ** second * votes[2] ** third
                total += weight * majority_at(n, Pool((first,) if first else (), (second, third), 0))
        return total

    assert mean(5) == pytest.approx(mean(n), abs=1e-12)
    assert chance is None or mean(5) == pytest.approx(chance, abs=1e-12)


def test_several_right_answers_count_together() -> None:
    assert majority_at(1, Pool((1, 1), (2,), 0)) == pytest.approx(0.5)
    assert majority_at(4, Pool((1, 1), (2,), 0)) == 0.0


def test_the_whole_pool_is_the_run_where_nothing_ties() -> None:
    made = voting_run("self-consistency", ["++a", "aab", "?<+", "!!a"])
    assert vote_curve(made)[-1].majority == pytest.approx(made.accuracy)


def test_a_question_that_failed_counts_as_failures() -> None:
    made = voting_run("self-consistency", ["++", "!!"])
    assert [point.majority for point in vote_curve(made)] == [0.5, 0.5]
    assert pools_of(made)[1] == Pool((), (), 2)


def test_many_samples_of_many_answers_are_exact_and_quick() -> None:
    pool = Pool((9,), (8, 7, 6, 5, 2, 1, 1, 1), 0)
    chances = [majority_at(n, pool) for n in range(1, 41)]
    assert chances[0] == pytest.approx(9 / 40)
    assert chances[-1] == 1.0
    drawn = np.random.default_rng(0).permuted(
        np.tile(np.repeat(range(9), [9, 8, 7, 6, 5, 2, 1, 1, 1]), (4000, 1)), axis=1
    )
    won = 0
    for order in drawn[:, :12]:
        counts = np.bincount(order, minlength=9)
        won += next(answer for answer in order if counts[answer] == counts.max()) == 0
    assert chances[11] == pytest.approx(won / 4000, abs=4 * (0.25 / 4000) ** 0.5)


@pytest.mark.parametrize("pools", [["+", "a"], ["?!", "<<"]], ids=["one sample", "nobody votes"])
def test_there_is_no_curve_without_two_votes_to_count(pools: list[str]) -> None:
    assert vote_curve(voting_run("self-consistency", pools)) == ()


def test_other_strategies_and_weighed_or_stopped_votes_have_no_curve() -> None:
    assert vote_curve(run("zero-shot", "++-")) == ()
    made = voting_run("self-consistency", ["++a", "aab"])
    first, second = made.samples
    stopped = first.model_copy(update={"details": {"saved_samples": 2}})
    weighed = first.model_copy(update={"votes": tuple(v.model_copy(update={"weight": 0.5}) for v in first.votes)})
    for other in (stopped, weighed):
        assert vote_curve(type(made)("s", "b", "m", (other, second), 1)) == ()
    shorter = first.model_copy(update={"candidates": first.candidates[:2]})
    assert vote_curve(type(made)("s", "b", "m", (shorter, second), 1)) == ()


@pytest.mark.parametrize("n", [0, 4])
def test_impossible_sizes_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match="makes no sense"):
        majority_at(n, Pool((1,), (2,), 0))
    with pytest.raises(ValueError, match="makes no sense"):
        pass_at(n, 3, 1)


def test_the_pool_is_kept_in_the_run_folder(tmp_path: Path) -> None:
    replies = ["The answer is 18.", "The answer is 7.", "hm", "The answer is 18."]

    def reply(request: Request) -> str:
        return replies[request.sample[-1]]

    strategy = SelfConsistency(ZeroShot(), n=4)
    (made,) = evaluate(strategy, load("multiarith-style", limit=5), FakeBackend(reply), run_dir=tmp_path / "run")
    assert made.run_dir is not None
    again = load_run(made.run_dir)
    assert [len(sample.candidates) for sample in again.samples] == [4] * 5
    assert again.samples == made.samples
    assert vote_curve(again) == vote_curve(made) != ()
    assert '"candidates":[{"status":"' in (made.run_dir / "samples.jsonl").read_text()


def test_a_folder_written_before_candidates_were_noted_still_loads(tmp_path: Path) -> None:
    (made,) = evaluate("zero-shot", load("multiarith-style", limit=2), FakeBackend("18"), run_dir=tmp_path / "run")
    assert made.run_dir is not None
    assert "candidates" not in (made.run_dir / "samples.jsonl").read_text()
    assert vote_curve(load_run(made.run_dir)) == ()
