"""Figures agree with scipy and scikit-learn, intervals behave."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.statistics import (
    auc_interval,
    balanced_accuracy_interval,
    macro_auc_interval,
    macro_spearman_interval,
    mean_interval,
    spearman_interval,
)


def _columns(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = np.round(generator.normal(size=n), 1)  # rounding makes ties
    return x, np.round(x + generator.normal(size=n), 1)


@pytest.mark.parametrize("seed", range(5))
def test_spearman_equals_scipy_with_ties(seed: int) -> None:
    """The value is scipy's."""
    x, y = _columns(seed)
    assert spearman_interval(x, y, seed=0, resamples=5).value == pytest.approx(
        scipy.stats.spearmanr(x, y).statistic, abs=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_auc_equals_sklearn_with_ties(seed: int) -> None:
    """The value is scikit-learn's."""
    x, y = _columns(seed)
    present = (y > 0.3).astype(float)
    assert auc_interval(x, present, seed=0, resamples=5).value == pytest.approx(
        sklearn.metrics.roc_auc_score(present, x), abs=1e-12
    )


def test_macro_figures_are_means_of_their_columns() -> None:
    """Macro AUC and Spearman equal the mean over dimensions; a column without both classes does not count."""
    generator = np.random.default_rng(3)
    scores = generator.normal(size=(80, 3))
    present = (scores + generator.normal(size=(80, 3)) > 0.5).astype(float)
    present[:, 2] = 0
    single = [auc_interval(scores[:, j], present[:, j], seed=0, resamples=3).value for j in range(2)]
    assert macro_auc_interval(scores, present, seed=0, resamples=3).value == pytest.approx(np.mean(single))
    rho = [scipy.stats.spearmanr(scores[:, j], present[:, j]).statistic for j in range(2)]
    assert macro_spearman_interval(scores, present, seed=0, resamples=3).value == pytest.approx(np.mean(rho))


def test_balanced_accuracy_equals_sklearn() -> None:
    """Mean recall is scikit-learn's balanced accuracy."""
    generator = np.random.default_rng(4)
    actual = generator.choice(4, size=200, p=[0.7, 0.1, 0.1, 0.1])
    predicted = np.where(generator.random(200) < 0.6, actual, generator.choice(4, size=200))
    expected = sklearn.metrics.balanced_accuracy_score(actual, predicted)
    assert balanced_accuracy_interval(predicted, actual, seed=0, resamples=3).value == pytest.approx(expected)


def test_bootstrap_agrees_with_resampling_the_rows() -> None:
    """The multiplicity form gives the interval of a bootstrap that copies rows and ranks them anew."""
    x, y = _columns(7)
    generator = np.random.default_rng(1)
    rows = generator.integers(0, len(x), (2000, len(x)))
    direct = [scipy.stats.spearmanr(x[r], y[r]).statistic for r in rows]
    fast = spearman_interval(x, y, seed=2, resamples=4000)
    assert (fast.low, fast.high) == pytest.approx(tuple(np.quantile(direct, [0.025, 0.975])), abs=0.012)


def test_accuracy_interval_matches_the_binomial_error() -> None:
    """For independent items the interval of a mean is about 1.96 standard errors wide on each side."""
    values = np.random.default_rng(5).random(2000) < 0.7
    value, low, high = mean_interval(values, seed=0)
    expected = 1.96 * np.sqrt(value * (1 - value) / 2000)
    assert (high - low) / 2 == pytest.approx(expected, rel=0.12)
    assert low < value < high


def test_clusters_widen_the_interval() -> None:
    """Ten copies of one person's item say no more than one; without clusters the interval would be too narrow."""
    x, y = _columns(6, n=40)
    x10, y10 = np.repeat(x, 10), np.repeat(y, 10)
    people = np.repeat(np.arange(40), 10).tolist()
    clustered = spearman_interval(x10, y10, people, seed=0)
    naive = spearman_interval(x10, y10, seed=0)
    single = spearman_interval(x, y, seed=0)
    assert clustered.high - clustered.low > 2 * (naive.high - naive.low)
    assert clustered.high - clustered.low == pytest.approx(single.high - single.low, rel=0.15)


def test_seed_fixes_the_interval() -> None:
    """Same seed, same figures; another seed, other ends."""
    x, y = _columns(8)
    assert spearman_interval(x, y, seed=1) == spearman_interval(x, y, seed=1)
    assert spearman_interval(x, y, seed=1) != spearman_interval(x, y, seed=2)


def test_undefined_figures_are_nan() -> None:
    """A constant column or a missing class gives NaN, never a number."""
    assert np.isnan(spearman_interval([1, 1, 1, 1], [1, 2, 3, 4], seed=0)).all()
    assert np.isnan(auc_interval([1, 2, 3], [0, 0, 0], seed=0)).all()
    assert np.isnan(mean_interval([], seed=0)).all()


def test_nan_items_are_left_out() -> None:
    """An item without a score does not count."""
    x, y = _columns(9)
    with_gaps = spearman_interval(np.append(x, np.nan), np.append(y, 3.0), seed=0)
    assert with_gaps == spearman_interval(x, y, seed=0)


def test_wrong_arguments_are_named() -> None:
    """Unequal lengths and graded labels for an AUC are refused."""
    with pytest.raises(UsageError, match="one length"):
        spearman_interval([1, 2], [1, 2, 3], seed=0)
    with pytest.raises(UsageError, match="only 0 and 1"):
        auc_interval([1, 2, 3], [0, 0.5, 1], seed=0)


columns = st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=3, max_size=40)


@settings(max_examples=60, deadline=None)
@given(columns)
def test_spearman_stays_in_bounds_and_ignores_monotone_maps(pairs: list[tuple[int, int]]) -> None:
    """Within -1..1, ends in order; a strictly rising map of either column changes nothing."""
    x, y = np.asarray(pairs, float).T
    first = spearman_interval(x, y, seed=0, resamples=50)
    mapped = spearman_interval(np.exp(x / 10), y**3, seed=0, resamples=50)
    assert first == pytest.approx(mapped, abs=1e-9, nan_ok=True)
    if np.isfinite(first.low):
        assert -1 <= first.low <= first.high <= 1
        assert -1 <= first.value <= 1


@settings(max_examples=60, deadline=None)
@given(columns)
def test_auc_stays_in_bounds_and_mirrors(pairs: list[tuple[int, int]]) -> None:
    """Within 0..1; a falling map mirrors it about one half."""
    x, y = np.asarray(pairs, float).T
    present = (y > 0).astype(float)
    first = auc_interval(x, present, seed=0, resamples=50)
    mirrored = auc_interval(-x, present, seed=0, resamples=50)
    assert first.value == pytest.approx(1 - mirrored.value, abs=1e-12, nan_ok=True)
    if np.isfinite(first.low):
        assert 0 <= first.low <= first.high <= 1
