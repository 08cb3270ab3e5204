"""Tests of differences agree with scipy, and say what they cannot know."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.statistics import holm, mann_whitney, permutation_test

Floats = NDArray[np.float64]


def difference(a: Floats, b: Floats) -> float:
    """Of the means."""
    return float(a.mean() - b.mean())


def ratio(a: Floats, b: Floats) -> float:
    """Of the sums of squares: not symmetrical about its mean, undefined for zeros."""
    return float((a**2).sum() / (b**2).sum()) if b.any() else float("nan")


@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 60))
def test_exact_counts_of_unequal_samples(seed: int, n: int, m: int) -> None:
    """A small sample against a large one is counted, not approximated; either way round."""
    draw = np.random.default_rng(seed)
    a, b = draw.normal(size=n), draw.normal(1, 1, m)
    theirs = scipy.stats.mannwhitneyu(a, b)
    assert [*mann_whitney(a, b)] == pytest.approx([theirs.statistic, theirs.pvalue], rel=1e-9)
    assert mann_whitney(b, a).p == mann_whitney(a, b).p


def test_extreme_samples() -> None:
    """Far apart: two arrangements of all; equal values: p is 1; empty: NaN."""
    assert [*mann_whitney([1, 2, 3], [4, 5, 6, np.nan])] == pytest.approx([0, 2 / 20])
    assert mann_whitney([2, 2], [2, 2, 2]).p == 1
    assert np.isnan(mann_whitney([], [1.0]).p)


@pytest.mark.parametrize("statistic", [difference, ratio])
@pytest.mark.parametrize("seed", range(4))
def test_all_arrangements_as_scipy(statistic, seed: int) -> None:  # type: ignore[no-untyped-def]
    """Small samples: scipy's exact test, paired and not, also of a statistic with a skewed distribution."""
    draw = np.random.default_rng(seed)
    a, b = np.round(draw.normal(1, 1, 6), 1), np.round(draw.normal(0, 2, 6), 1)
    for paired, kind in ((True, "samples"), (False, "independent")):
        theirs = scipy.stats.permutation_test((a, b), statistic, permutation_type=kind)
        ours = permutation_test(a, b, statistic, seed=0, paired_items=paired)
        assert [*ours] == pytest.approx([theirs.statistic, theirs.pvalue], abs=1e-12)


@pytest.mark.parametrize("paired", [True, False])
def test_drawn_arrangements(paired: bool) -> None:
    """Many items: near the exact test's p; the same seed gives the same p; p is never 0."""
    draw = np.random.default_rng(1)
    a = draw.normal(0.4, 1, 40)
    b = draw.normal(size=40)
    p = permutation_test(a, b, difference, seed=1, paired_items=paired, permutations=4000).p
    test = scipy.stats.ttest_rel if paired else scipy.stats.ttest_ind
    assert p == pytest.approx(test(a, b).pvalue, abs=0.02)
    assert p == permutation_test(a, b, difference, seed=1, paired_items=paired, permutations=4000).p
    far = permutation_test(a + 100, b, difference, seed=1, paired_items=paired, permutations=50).p
    assert far == pytest.approx(2 / 51)


def test_undefined_statistics() -> None:
    """Nothing to compare, or no figure: NaN; arrangements without a figure are left out."""
    assert np.isnan(permutation_test([], [], difference, seed=0).p)
    assert np.isnan(permutation_test([1.0, 2.0], [0.0, 0.0], ratio, seed=0).p)
    zeros = permutation_test(np.zeros(20), np.r_[1.0, np.zeros(19)], ratio, seed=0, permutations=20)
    assert 0 < zeros.p <= 1
    with pytest.raises(UsageError, match="permutations is 0"):
        permutation_test([1.0], [2.0], difference, seed=0, permutations=0)


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=20))
def test_holm_keeps_order_and_gaps(p: list[float]) -> None:
    """Corrected values keep the order, are no smaller and at most 1; NaN stays where it is and does not count."""
    values = np.asarray(p, np.float64)
    corrected, known = holm(values), np.isfinite(values)
    assert np.array_equal(np.isfinite(corrected), known)
    assert (corrected[known] >= values[known]).all()
    assert (corrected[known] <= 1).all()
    assert (np.diff(corrected[known][np.argsort(values[known], kind="stable")]) >= 0).all()
    assert np.array_equal(corrected[known], holm(values[known]))
