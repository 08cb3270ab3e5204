"""Calibration error by its definition; figures of classes where something is missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.errors import UnknownNameError, UsageError
from emonet.statistics import auc_columns, balanced_accuracy, calibration_error, roc_auc


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_bins_of_one_width(seed: int, bins: int) -> None:
    """The sum over ranges of probability of (share of items) x (distance of mean prediction and outcome)."""
    draw = np.random.default_rng(seed)
    p = np.round(draw.random(60), 2)
    y = (draw.random(60) < p).astype(float)
    total = 0.0
    for k in range(bins):
        inside = (np.floor(p * bins) == k) | ((p == 1) & (k == bins - 1))
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    assert calibration_error(p, y, bins=bins, equal="width") == pytest.approx(total, abs=1e-12)


def test_bins_of_one_size() -> None:
    """Two halves of four items: predicted .15 and .85, true 0 and .5."""
    assert calibration_error([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 0], bins=2) == pytest.approx((0.15 + 0.35) / 2)
    assert calibration_error([0.1, 0.2, 0.8, np.nan], [0, 0, 1, 0], bins=100) == pytest.approx(0.5 / 3)


def test_recalls_are_of_the_classes_that_occur() -> None:
    """A class that is only predicted has no recall; missing pairs do not count."""
    assert balanced_accuracy([0, 1, 2, 2], [0, 0, 1, np.nan]) == pytest.approx((0.5 + 0) / 2)


def test_columns_without_both_classes() -> None:
    """The area is undefined there, and known in the others."""
    scores = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    areas = auc_columns(scores, np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 1.0]]))
    assert np.isnan(areas[0])
    assert areas[1] == 1


def test_what_is_refused() -> None:
    """Graded labels, logits, no bins, an unknown grouping."""
    with pytest.raises(UsageError, match="only 0 and 1"):
        roc_auc([1, 2], [0, 0.5])
    with pytest.raises(UsageError, match=r"from -1 to 2; expected 0 to 1"):
        calibration_error([-1, 2], [0, 1], equal="width")
    with pytest.raises(UsageError, match="bins is 0"):
        calibration_error([0.5], [1], bins=0)
    with pytest.raises(UnknownNameError, match="width"):
        calibration_error([0.5], [1], equal="widht")  # type: ignore[arg-type]
