"""Cohen's kappa against statsmodels and scikit-learn, and the paired difference of points against its definition."""

import warnings
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.evaluation.judging.agreement import agreement, cohen_kappa
from promptkit.evaluation.judging.table import said
from promptkit.evaluation.statistics.paired_points import points_difference

TABLES = st.integers(2, 5).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 30), min_size=k, max_size=k), min_size=k, max_size=k)
)


@given(TABLES, st.sampled_from(["none", "quadratic"]))
@settings(deadline=None)
def test_kappa_and_its_interval_are_those_of_statsmodels(table: list[list[int]], weights: str) -> None:
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater", reason="statsmodels is not installed")
    ours = cohen_kappa(table, weights)  # pyright: ignore
    if ours is None:
        return
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        theirs = inter_rater.cohens_kappa(np.array(table), wt="quadratic" if weights == "quadratic" else None)
    kappa, interval = ours
    assert kappa == pytest.approx(theirs.kappa, abs=1e-9)
    if theirs.var_kappa > 1e-12:
        assert tuple(interval) == pytest.approx((theirs.kappa_low, theirs.kappa_upp), abs=1e-9)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=60))
@settings(deadline=None)
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    one = {str(place): str(a) for place, (a, _) in enumerate(pairs)}
    other = {str(place): str(b) for place, (_, b) in enumerate(pairs)}
    found = agreement(one, other, ["1", "2", "3", "4", "5"], weights="quadratic")
    if found.kappa is None:
        return
    a, b = zip(*pairs, strict=True)
    theirs = metrics.cohen_kappa_score(a, b, weights="quadratic", labels=[1, 2, 3, 4, 5])
    assert found.kappa == pytest.approx(theirs, abs=1e-9)
    assert found.share == sum(x == y for x, y in pairs) / len(pairs)


def test_a_published_example() -> None:
    """Two raters, 200 patients, three diagnoses: kappa .68 (Fleiss, 1981, chapter 13)."""
    found = cohen_kappa([[150, 2, 8], [10, 8, 2], [0, 0, 20]])
    assert found is not None and found[0] == pytest.approx(0.68, abs=0.005)


def test_few_texts_have_no_interval_of_kappa() -> None:
    names = [f"{n}" for n in range(20)]
    one = {name: "yes" if int(name) % 2 else "no" for name in names}
    other = one | {"0": "yes"}
    assert said(agreement(one, other, ["no", "yes"])) == "agree on 95 % of 20, kappa 0.90 (95 % interval 0.71 to 1.00)."
    few = agreement({"0": "no"}, other, ["no", "yes"])
    assert said(few) == "agree on 0 % of 1, kappa 0.00 (of fewer than 20 texts no interval can be told)."


def test_where_chance_alone_agrees_kappa_is_not_defined() -> None:
    same = {"a": "yes", "b": "yes"}
    found = agreement(same, same, ("no", "yes"))
    assert (found.n, found.share, found.kappa, found.ci95) == (2, 1.0, None, None)
    assert agreement({"a": "yes"}, {"b": "no"}, ("no", "yes")).n == 0


def test_only_what_both_have_judged_counts() -> None:
    found = agreement({"a": "yes", "b": "no", "c": "no"}, {"b": "no", "a": "yes", "d": "yes"}, ("no", "yes"))
    assert (found.n, found.share, found.kappa) == (2, 1.0, 1.0)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=9))
@settings(deadline=None, max_examples=60)
def test_the_p_value_is_that_of_all_flips_of_signs(pairs: list[tuple[int, int]]) -> None:
    differences = [b - a for a, b in pairs]
    found = points_difference([a for a, _ in pairs], [b for _, b in pairs])
    observed = abs(sum(differences))
    signs = product((1, -1), repeat=len(pairs))
    flips = [abs(sum(s * d for s, d in zip(flip, differences, strict=True))) for flip in signs]
    assert found.p_value == pytest.approx(min(1.0, sum(one >= observed for one in flips) / len(flips)), abs=1e-9)
    assert found.delta == pytest.approx(sum(differences) / len(pairs))
    assert found.ci95.low <= found.delta + 1e-9 and found.delta - 1e-9 <= found.ci95.high


def test_points_are_seeded_and_refuse_what_cannot_be_paired() -> None:
    rng = np.random.default_rng(1)
    a, b = list(rng.integers(0, 4, 50)), list(rng.integers(0, 4, 50))
    assert points_difference(a, b, seed=3) == points_difference(a, b, seed=3)
    for wrong in (([1.0], []), ([], [])):
        with pytest.raises(ValueError):
            points_difference(*wrong)
