"""Kappa, balanced accuracy and calibration error against independent computations, whole and resampled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score

from emonet.benchmark._figures import (
    Figures,
    average,
    balanced_accuracy,
    calibration_error,
    flat,
    flat_tells_nothing,
    kappa,
)
from emonet.statistics import Resampler

Floats = NDArray[np.float64]


def _votes(seed: int, *, top: int = 7, r: int = 3, items: int = 40, d: int = 2) -> tuple[Floats, Floats]:
    """Two-thirds agreeing votes with gaps: values [r, i, d], reference [i, d]."""
    generator = np.random.default_rng(seed)
    reference = generator.integers(0, top + 1, (items, d)).astype(float)
    noise = generator.integers(0, top + 1, (r, items, d))
    values = np.where(generator.random((r, items, d)) < 0.6, reference[None], noise).astype(float)
    values[generator.random(values.shape) < 0.1] = np.nan
    reference[generator.random(reference.shape) < 0.1] = np.nan
    return values, reference


def _pairs(values: Floats, reference: Floats, counts: Floats | None = None) -> tuple[Floats, Floats]:
    """The complete pairs of one rater and dimension, repeated by their multiplicity."""
    ok = ~np.isnan(values) & ~np.isnan(reference)
    times = np.ones(ok.sum(), int) if counts is None else counts[ok].astype(int)
    return np.repeat(values[ok], times), np.repeat(reference[ok], times)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_kappa_is_sklearns(seed: int) -> None:
    """The form by moments equals the one by confusion matrix, also on resampled items."""
    values, reference = _votes(seed)
    resampler = Resampler(40, seed=seed, resamples=3)
    figures = kappa(values, reference, resampler)
    counts = np.concatenate(list(resampler.blocks()))
    for row in range(3):
        for column in range(2):
            a, b = _pairs(values[row, :, column], reference[:, column])
            expected = cohen_kappa_score(a, b, weights="quadratic", labels=range(8))
            assert figures.points[row, column] == pytest.approx(expected)
            assert figures.n[row, column] == len(a)
            for draw in range(3):
                a, b = _pairs(values[row, :, column], reference[:, column], counts[draw])
                expected = cohen_kappa_score(a, b, weights="quadratic", labels=range(8))
                assert figures.draws[draw, row, column] == pytest.approx(expected)


@pytest.mark.parametrize("case", ["whole", "resampled"])
def test_balanced_accuracy_is_sklearns(case: str) -> None:
    """Mean of the two recalls, whole and resampled."""
    values, reference = _votes(1, top=1)
    resampler = Resampler(40, seed=5, resamples=4)
    figures = balanced_accuracy(values, reference, resampler)
    counts = np.concatenate(list(resampler.blocks()))
    chosen: list[tuple[Floats, Floats | None]] = [(figures.points, None)]
    if case == "resampled":
        chosen = [(figures.draws[k], counts[k]) for k in range(4)]
    for table, times in chosen:
        predicted, truth = _pairs(values[2, :, 1], reference[:, 1], times)
        assert table[2, 1] == pytest.approx(balanced_accuracy_score(truth, predicted))


def test_calibration_error_by_hand() -> None:
    """Half of the items are said to 0.8 and true half the time, half to 0.2 and never true: error 0.3 and 0.2."""
    values = np.asarray([0.8] * 4 + [0.2] * 4)[None, :, None]
    present = np.asarray([1, 0, 1, 0, 0, 0, 0, 0], float)[:, None]
    figures = calibration_error(values, present, Resampler(8, seed=0, resamples=2))
    assert figures.points[0, 0] == pytest.approx(0.25)
    edges = calibration_error(np.ones((1, 8, 1)), np.ones((8, 1)), Resampler(8, seed=0, resamples=2))
    assert edges.points[0, 0] == 0.0


@pytest.mark.parametrize("metric", [kappa, balanced_accuracy, calibration_error])
def test_undefined_is_nan(metric: Callable[[Floats, Floats, Resampler], Figures]) -> None:
    """A rater that judged nothing and a dimension without votes have no figure and do not disturb the others."""
    values, reference = _votes(2, top=1)
    values[1], reference[:, 1] = np.nan, np.nan
    figures = metric(values, reference, Resampler(40, seed=0, resamples=5))
    assert np.isnan(figures.points[1]).all()
    assert np.isnan(figures.points[:, 1]).all()
    assert np.isfinite(figures.points[[0, 2], 0]).all()
    assert figures.n[1].tolist() == [0, 0]


def test_constant_raters() -> None:
    """A constant agrees no better than chance; two equal constants cannot be judged."""
    reference = np.asarray([0, 1, 2, 3, 7, 7], float)[:, None]
    figures = kappa(np.full((1, 6, 1), 3.0), reference, Resampler(6, seed=0, resamples=2))
    assert figures.points[0, 0] == 0.0
    same = kappa(np.full((1, 6, 1), 3.0), np.full((6, 1), 3.0), Resampler(6, seed=0, resamples=2))
    assert np.isnan(same.points).all()


def test_flat_raters_are_found_and_count_as_nothing() -> None:
    """Constant while the reference varies: correlation 0 instead of undefined; a constant reference stays undefined."""
    values = np.stack([np.full((5, 2), 3.0), np.arange(10.0).reshape(5, 2)])
    reference = np.stack([np.arange(5.0), np.full(5, 2.0)], axis=1)
    found = flat(values, reference)
    assert found.tolist() == [[True, False], [False, False]]
    points = np.asarray([[np.nan, np.nan], [1.0, np.nan]])
    figures = Figures(points, np.stack([points, points]), np.full((2, 2), 5), found)
    corrected = flat_tells_nothing(figures)
    assert np.array_equal(corrected.points, [[0.0, np.nan], [1.0, np.nan]], equal_nan=True)
    assert np.array_equal(corrected.draws[0], corrected.points, equal_nan=True)


def test_averages_skip_what_is_undefined() -> None:
    """People who did not judge a dimension leave its mean to the others; item numbers weigh when asked for."""
    one = Figures(
        np.asarray([[1.0, np.nan]]), np.asarray([[[1.0, np.nan]]]), np.asarray([[10, 0]]), np.zeros((1, 2), bool)
    )
    two = Figures(np.asarray([[0.0, 0.5]]), np.asarray([[[0.0, 0.5]]]), np.asarray([[30, 30]]), np.zeros((1, 2), bool))
    plain, weighted = average([one, two], by_items=False), average([one, two], by_items=True)
    assert plain.points.tolist() == [[0.5, 0.5]]
    assert weighted.points.tolist() == [[0.25, 0.5]]
    assert weighted.n.tolist() == [[40, 30]]
