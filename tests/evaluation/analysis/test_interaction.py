"""Whether a gain depends on the model: an exact test by brute force, an interval by simulation."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test

from promptkit.errors import ConfigError
from promptkit.evaluation.analysis.interaction import contrast_interval, interactions, sign_flip
from promptkit.evaluation.statistics import mcnemar_exact
from tests.made_runs import run

differences = st.lists(st.integers(-2, 2), min_size=1, max_size=9)


@settings(max_examples=80, deadline=None)
@given(differences)
def test_the_test_counts_all_signs(made: list[int]) -> None:
    sums = [
        sum(sign * one for sign, one in zip(signs, made, strict=True)) for signs in product((-1, 1), repeat=len(made))
    ]
    expected = np.mean([abs(total) >= abs(sum(made)) for total in sums])
    assert sign_flip(made) == pytest.approx(expected, abs=1e-12)


def test_it_is_scipys_permutation_test_of_pairs() -> None:
    made = [2, 1, 1, 0, -1, 2, 1, 0, 1]
    reference = permutation_test(
        (made, [0] * len(made)),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=10**5,
    )
    assert sign_flip(made) == pytest.approx(reference.pvalue, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_without_double_differences_it_is_mcnemars(fixed: int, broken: int) -> None:
    assert sign_flip([1] * fixed + [-1] * broken + [0] * 5) == pytest.approx(mcnemar_exact(fixed, broken), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-2, 2), min_size=1, max_size=80))
def test_interval_and_p_value_say_the_same(made: list[int]) -> None:
    low, high = contrast_interval(made)
    assert -2 <= low <= np.mean(made) <= high <= 2
    assert (low < 0 < high or low == high == 0) <= (sign_flip(made) >= 0.05)
    mirrored = contrast_interval([-one for one in made])
    assert (low, high) == pytest.approx((-mirrored.high, -mirrored.low), abs=1e-12)


def test_no_difference_at_all_does_not_look_certain() -> None:
    low, high = contrast_interval([0] * 20)
    assert low < -0.05
    assert high > 0.05


@pytest.mark.parametrize("n", [20, 60])
@pytest.mark.parametrize(
    ("first", "second"), [((0.05, 0.05), (0.05, 0.05)), ((0.1, 0.1), (0.3, 0.05)), ((0.02, 0.1), (0.4, 0.02))]
)
def test_the_interval_covers_and_the_test_keeps_its_level(
    n: int, first: tuple[float, float], second: tuple[float, float]
) -> None:
    generator = np.random.default_rng(n)
    truth = (second[0] - second[1]) - (first[0] - first[1])
    drawn = [
        generator.choice([1, -1, 0], p=[fixed, broken, 1 - fixed - broken], size=(400, n))
        for fixed, broken in (first, second)
    ]
    made = [[int(one) for one in row] for row in drawn[1] - drawn[0]]
    held = [low - 1e-12 <= truth <= high + 1e-12 for low, high in map(contrast_interval, made)]
    assert np.mean(held) >= 0.91
    if truth == 0:
        assert np.mean([sign_flip(row) < 0.05 for row in made]) <= 0.05


def test_the_contrast_is_the_difference_of_the_gains() -> None:
    runs = [
        run("zero-shot", "-" * 30 + "+" * 10, backend="big"),
        run("cot", "+" * 30 + "-" * 10, backend="big"),
        run("zero-shot", "+" * 20 + "-" * 20, backend="small"),
        run("cot", "+" * 18 + "-" * 22, backend="small"),
    ]
    (found,) = interactions(runs)
    assert (found.more.a.backend, found.less.a.backend) == ("big", "small")
    assert found.contrast == pytest.approx(found.more.delta - found.less.delta) == pytest.approx(0.55)
    assert found.p_value == sign_flip([1] * 18 + [2] * 2 + [1] * 10 + [-1] * 10)
    assert found.ci95.low <= found.contrast <= found.ci95.high
    assert interactions(runs[::-1])[0].contrast == found.contrast


def test_gains_are_over_the_fair_baseline_and_corrected_for_all() -> None:
    marks = {"direct": "-" * 12, "cot": "+" * 12, "zero-shot": "+" * 6 + "-" * 6}
    runs = [run(name, text, backend=where) for where in ("a", "b", "c") for name, text in marks.items()]
    found = interactions(runs)
    assert len(found) == 2 * 3
    assert {one.more.a.strategy for one in found} == {"zero-shot"}
    assert {one.more.b.strategy for one in found} == {"direct", "cot"}
    runs[1] = run("cot", "-" * 12, backend="a")
    alone = interactions([one for one in runs if one.strategy != "direct" and one.backend != "c"])
    several = interactions(runs)
    assert several[0].p_value > alone[0].p_value
    assert several[0].more.b.strategy == "cot"


def test_without_zero_shot_the_first_strategy_is_the_baseline() -> None:
    runs = [run(name, "+-" * 6, backend=where) for where in ("a", "b") for name in ("direct", "cot", "tot")]
    assert {one.more.a.strategy for one in interactions(runs)} == {"direct"}


def test_one_model_or_one_strategy_has_no_interaction() -> None:
    assert interactions([run("a", "+-"), run("b", "++")]) == []
    assert interactions([run("a", "+-", backend="x"), run("a", "++", backend="y")]) == []


def test_models_that_were_asked_other_questions_are_refused() -> None:
    runs = [run(name, "+" * n, backend=f"m{n}") for n in (3, 4) for name in ("a", "b")]
    with pytest.raises(ConfigError, match="different questions"):
        interactions(runs)


@pytest.mark.parametrize("made", [[3], [-4, 1]])
def test_impossible_differences_are_refused(made: list[int]) -> None:
    with pytest.raises(ValueError, match="between -2 and 2"):
        sign_flip(made)
    with pytest.raises(ValueError, match="no questions"):
        contrast_interval([])
