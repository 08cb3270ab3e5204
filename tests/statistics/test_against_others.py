"""Every figure equals scipy's, scikit-learn's or krippendorff's, on random and on degenerate input."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import krippendorff
import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emonet import statistics

Floats = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)


def columns(seed: int, *, n: int | None = None) -> tuple[Floats, Floats]:
    """Two columns with a common part: continuous, or whole numbers with many ties; some with missing values."""
    draw = np.random.default_rng(seed)
    n = n if n is not None else int(draw.integers(1, 40))
    x = draw.normal(size=n)
    y = x * draw.normal() + draw.normal(size=n)
    if seed % 3:
        x, y = np.rint(2 * x), np.rint(2 * y)
    if seed % 5 == 0:
        x[draw.random(n) < 0.2] = np.nan
        y[draw.random(n) < 0.2] = np.nan
    if seed % 11 == 0:
        x[:] = 1.1
    return x, y


def expected(call: Callable[[Floats, Floats], Any], x: Floats, y: Floats) -> float:
    """The other library's answer on the pairs that are complete; NaN where it complains."""
    known = np.isfinite(x) & np.isfinite(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(call(x[known], y[known]))
        except ValueError:
            return float("nan")


def same(ours: float, theirs: float) -> bool:
    """Equal to 1e-9, undefined included."""
    return bool(np.isclose(ours, theirs, rtol=1e-9, atol=1e-9, equal_nan=True))


@given(SEEDS)
def test_correlations_and_errors(seed: int) -> None:
    """Spearman, Pearson, MAE and RMSE."""
    x, y = columns(seed)
    assert same(statistics.spearman(x, y), expected(lambda a, b: scipy.stats.spearmanr(a, b).statistic, x, y))
    assert same(statistics.pearson(x, y), expected(lambda a, b: scipy.stats.pearsonr(a, b).statistic, x, y))
    assert same(statistics.mae(x, y), expected(sklearn.metrics.mean_absolute_error, x, y))
    assert same(statistics.rmse(x, y), expected(sklearn.metrics.root_mean_squared_error, x, y))


@given(SEEDS)
def test_presence(seed: int) -> None:
    """Area under the curve, recalls and F1 of classes."""
    x, y = columns(seed)
    present = np.where(np.isfinite(y), (y > 0).astype(float), np.nan)
    both = len(np.unique(present[np.isfinite(x) & np.isfinite(present)])) == 2
    auc = expected(lambda s, p: sklearn.metrics.roc_auc_score(p, s), x, present) if both else float("nan")
    assert same(statistics.roc_auc(x, present), auc)
    predicted = np.where(np.isfinite(x), np.rint(x), np.nan)
    actual = np.where(np.isfinite(y), np.rint(y), np.nan)
    recalls = expected(lambda q, a: sklearn.metrics.balanced_accuracy_score(a, q), predicted, actual)
    known = np.isfinite(predicted) & np.isfinite(actual)
    assert same(statistics.balanced_accuracy(predicted, actual), recalls if known.any() else float("nan"))
    f1 = expected(lambda q, a: sklearn.metrics.f1_score(a, q, average="macro", zero_division=0), predicted, actual)
    assert same(statistics.macro_f1(predicted, actual), f1 if known.any() else float("nan"))


@given(SEEDS, st.sampled_from(["quadratic", "linear", "none"]))
def test_kappa(seed: int, weights: Any) -> None:
    """Cohen's kappa with each weighting, values within the categories."""
    x, y = (np.clip(np.rint(column * 2 + 3), 0, 7) for column in columns(seed))
    theirs = expected(
        lambda a, b: sklearn.metrics.cohen_kappa_score(
            a.astype(int), b.astype(int), labels=list(range(8)), weights=None if weights == "none" else weights
        ),
        x,
        y,
    )
    assert same(statistics.weighted_kappa(x, y, range(8), weights=weights), theirs)


@given(SEEDS)
def test_published_kappa(seed: int) -> None:
    """The notebooks' call: whole part of each value, scikit-learn's labels 0 to 7, at least two shared items."""
    x, y = (column * 3 + 1 for column in columns(seed))

    def notebook(a: Floats, b: Floats) -> float:
        if len(a) < 2:
            return float("nan")
        return float(
            sklearn.metrics.cohen_kappa_score(a.astype(int), b.astype(int), labels=list(range(8)), weights="quadratic")
        )

    assert same(statistics.weighted_kappa_published(x, y, range(8)), expected(notebook, x, y))


@given(SEEDS, st.sampled_from(["nominal", "ordinal", "interval"]))
def test_krippendorff(seed: int, level: Any) -> None:
    """Alpha at each level, with missing ratings."""
    draw = np.random.default_rng(seed)
    ratings = np.rint(draw.normal(2, 1, (int(draw.integers(1, 6)), int(draw.integers(1, 20)))))
    ratings[draw.random(ratings.shape) < 0.3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = float(krippendorff.alpha(ratings, level_of_measurement=level))
        except ValueError:
            theirs = float("nan")
    assert same(statistics.krippendorff_alpha(ratings, level), theirs)


@given(SEEDS)
def test_mann_whitney(seed: int) -> None:
    """Exact for small samples without ties, else the corrected normal approximation, as scipy chooses."""
    draw = np.random.default_rng(seed)
    a, b = draw.normal(size=int(draw.integers(1, 15))), draw.normal(0.5, size=int(draw.integers(1, 15)))
    if seed % 2:
        a, b = np.rint(2 * a), np.rint(2 * b)
    theirs = scipy.stats.mannwhitneyu(a, b)
    ours = statistics.mann_whitney(a, b)
    assert ours.statistic == theirs.statistic
    assert same(ours.p, float(theirs.pvalue)) or np.ptp(np.concatenate([a, b])) == 0


@given(SEEDS)
def test_holm_and_ranks(seed: int) -> None:
    """Step-down correction against its definition; mid-ranks against scipy's."""
    p = np.random.default_rng(seed).random(seed % 12)
    ours = statistics.holm(p)
    ordered = np.sort(p)
    for value, corrected in zip(p, ours, strict=True):
        steps = [min(1.0, (len(p) - i) * q) for i, q in enumerate(ordered) if q <= value]
        assert same(float(corrected), max(steps))
    assert np.array_equal(statistics.mid_ranks(np.rint(p * 4)), scipy.stats.rankdata(np.rint(p * 4)))


def test_permutations_as_scipy() -> None:
    """All arrangements of small samples: the same p as scipy's exact test of a difference of means."""
    draw = np.random.default_rng(0)
    a, b = draw.normal(1, 1, 6), draw.normal(size=6)

    def difference(x: Floats, y: Floats) -> float:
        return float(x.mean() - y.mean())

    for paired, kind in ((True, "samples"), (False, "independent")):
        theirs = scipy.stats.permutation_test((a, b), difference, permutation_type=kind)
        assert same(statistics.permutation_test(a, b, difference, seed=0, paired_items=paired).p, float(theirs.pvalue))


def test_fleiss_and_shrout() -> None:
    """The examples of the original papers: Fleiss 1971 (kappa .210), Shrout and Fleiss 1979 (six forms)."""
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    ratings = np.array([np.repeat(np.arange(5), row) for row in counts], float).T
    assert statistics.fleiss_kappa(ratings) == pytest.approx(0.210, abs=5e-4)
    judges = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float).T
    forms: dict[Any, float] = {"ICC(1,1)": 0.17, "ICC(2,1)": 0.29, "ICC(3,1)": 0.71}
    forms |= {"ICC(1,k)": 0.44, "ICC(2,k)": 0.62, "ICC(3,k)": 0.91}
    for kind, value in forms.items():
        assert statistics.icc(judges, kind) == pytest.approx(value, abs=5e-3)
    assert same(statistics.cronbach_alpha(judges), statistics.icc(judges, "ICC(3,k)"))  # the same quantity
    assert statistics.percent_agreement(np.array([[1, 1, 2], [1, 2, 2], [1, 2, np.nan]])) == pytest.approx(5 / 7)


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (1, 5), (5, 1), (3, 4)])
def test_undefined_is_nan_and_silent(shape: tuple[int, int]) -> None:
    """Nobody, one rater, one item, nothing rated: NaN, never a warning or an exception."""
    nothing = np.full(shape, np.nan)
    for level in ("nominal", "ordinal", "interval"):
        assert np.isnan(statistics.krippendorff_alpha(nothing, level))
        assert np.isnan(statistics.krippendorff_alpha(np.ones(shape), level))
    for figure in (statistics.icc, statistics.cronbach_alpha, statistics.fleiss_kappa, statistics.percent_agreement):
        assert np.isnan(figure(nothing))
    empty = np.zeros(0)
    for pair in (statistics.spearman, statistics.pearson, statistics.mae, statistics.rmse, statistics.roc_auc):
        assert np.isnan(pair(empty, empty))
    assert np.isnan(statistics.mann_whitney(empty, empty).p)
    assert np.isnan(statistics.calibration_error(empty, empty))
    assert statistics.holm(empty).shape == (0,)
