"""Isotonic maps recover a known probability and stay small and monotone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from emonet.errors import UsageError
from emonet.statistics import calibration_error
from emonet.training._calibration import calibrated, fit_calibration


def test_known_curve_is_recovered() -> None:
    """Yes/no answers drawn from a logistic curve give that curve back."""
    generator = np.random.default_rng(0)
    raw = generator.uniform(-1, 8, 8000)
    truth = 1 / (1 + np.exp(-(raw - 4)))
    fitted = fit_calibration(raw, (generator.random(8000) < truth).astype(float), data="generated")
    grid = np.linspace(-0.5, 7.5, 50)
    assert np.abs(calibrated(fitted, grid) - 1 / (1 + np.exp(-(grid - 4)))).max() < 0.06
    assert calibration_error(calibrated(fitted, raw), truth) < 0.02


def test_blocks_agree_with_sklearn() -> None:
    """With all points kept the values at the scores are close to scikit-learn's isotonic regression."""
    generator = np.random.default_rng(1)
    raw = np.round(generator.normal(size=400), 1)
    share = np.clip(0.5 + 0.3 * raw + generator.normal(scale=0.2, size=400), 0, 1)
    fitted = fit_calibration(raw, share, data="generated", points=1000, min_items=1)
    expected = IsotonicRegression().fit(raw, share).predict(raw)
    assert np.abs(calibrated(fitted, raw) - expected).mean() < 0.02


def test_few_points_and_no_certainty_from_one_item() -> None:
    """At most 20 points; one stray yes at the top does not become probability 1."""
    raw = np.linspace(0, 7, 2000)
    share = np.zeros(2000)
    share[-1] = 1
    fitted = fit_calibration(raw, share, data="generated")
    assert len(fitted.x) <= 20
    assert max(fitted.y) < 0.05


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 10)), min_size=30, max_size=200))
def test_maps_are_monotone(pairs: list[tuple[int, int]]) -> None:
    """x rises strictly, y never falls, both within bounds, for any data."""
    raw, votes = np.asarray(pairs, float).T
    fitted = fit_calibration(raw, votes / 10, data="generated", min_items=5, points=8)
    assert len(fitted.x) == len(fitted.y) <= 8
    assert (np.diff(fitted.x) > 0).all()
    assert (np.diff(fitted.y) >= 0).all()
    assert 0 <= min(fitted.y) <= max(fitted.y) <= 1


def test_wrong_input_is_refused() -> None:
    """Too few items, shares out of range and unequal lengths are named."""
    with pytest.raises(UsageError, match="at least 30"):
        fit_calibration([1.0, 2.0], [0.0, 1.0], data="x")
    with pytest.raises(UsageError, match=r"expected 0\.\.1"):
        fit_calibration(np.arange(40), np.arange(40), data="x")
    with pytest.raises(UsageError, match="one length"):
        fit_calibration([1.0], [0.0, 1.0], data="x")


def test_missing_scores_stay_missing() -> None:
    """NaN in, NaN out."""
    fitted = fit_calibration(np.arange(60), np.linspace(0, 1, 60), data="x")
    assert np.isnan(calibrated(fitted, [np.nan, 3.0])).tolist() == [True, False]
