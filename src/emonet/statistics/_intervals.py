"""One figure of one model with its 95 % interval: what a model card states.

Items with NaN in either column are left out. `clusters` [n]: one label per item; whole clusters are resampled.
Symbols: n items, d dimensions, b resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UsageError
from emonet.statistics._bootstrap import Kernel, auc_kernel, spearman_kernel, under
from emonet.statistics._presence import binary
from emonet.statistics._resampling import UNDEFINED, Interval, Resampler, percentile_interval

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Multiplicities [b, n] → one figure per resample [b]."""


def spearman_interval(
    x: ArrayLike, y: ArrayLike, clusters: Sequence[object] | None = None, *, seed: int, resamples: int = 1000
) -> Interval:
    """Spearman's rank correlation of x [n] and y [n], ties at their mid-rank.

    NaN when a column is constant or fewer than 3 items are finite.
    """
    a, b, groups = _finite(x, y, clusters)
    if len(a) < 3:
        return UNDEFINED
    return _interval(
        lambda counts: under(spearman_kernel, a, b, counts.T), len(a), groups, seed=seed, resamples=resamples
    )


def auc_interval(
    scores: ArrayLike, present: ArrayLike, clusters: Sequence[object] | None = None, *, seed: int, resamples: int = 1000
) -> Interval:
    """Area under the ROC curve: the chance that a positive item scores above a negative one, ties counting half.

    `present` [n]: 0 or 1. NaN without both classes; resamples that lack a class are left out.
    """
    s, p, groups = _finite(scores, present, clusters)
    binary(p)
    return _interval(lambda counts: under(auc_kernel, s, p, counts.T), len(s), groups, seed=seed, resamples=resamples)


def macro_auc_interval(
    scores: ArrayLike, present: ArrayLike, clusters: Sequence[object] | None = None, *, seed: int, resamples: int = 1000
) -> Interval:
    """Unweighted mean of the AUCs of scores [n, d] against present [n, d], all dimensions resampled together.

    A dimension counts when it has both classes; a cell with NaN in either array is left out of its dimension.
    """
    s, p = _tables(scores, present)
    binary(p[np.isfinite(p)])
    return _macro(auc_kernel, s, p, clusters, seed, resamples)


def macro_spearman_interval(
    x: ArrayLike, y: ArrayLike, clusters: Sequence[object] | None = None, *, seed: int, resamples: int = 1000
) -> Interval:
    """Unweighted mean of the rank correlations of the columns of x [n, d] and y [n, d]; constant columns are left
    out."""
    a, b = _tables(x, y)
    return _macro(spearman_kernel, a, b, clusters, seed, resamples)


def mean_interval(
    values: ArrayLike, clusters: Sequence[object] | None = None, *, seed: int, resamples: int = 1000
) -> Interval:
    """Mean of values [n]; with 0/1 values an accuracy."""
    v, _, groups = _finite(values, values, clusters)

    def statistic(counts: Floats) -> Floats:
        return np.asarray((counts @ v) / counts.sum(axis=1))

    return _interval(statistic, len(v), groups, seed=seed, resamples=resamples)


def balanced_accuracy_interval(
    predicted: ArrayLike,
    actual: ArrayLike,
    clusters: Sequence[object] | None = None,
    *,
    seed: int,
    resamples: int = 1000,
) -> Interval:
    """Mean of the classes' recalls for class numbers predicted [n] and actual [n]."""
    q, a, groups = _finite(predicted, actual, clusters)
    members = np.unique(a)[None, :] == a[:, None]  # [n, classes]
    hits = members & (q == a)[:, None]

    def statistic(counts: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            recall = (counts @ hits) / (counts @ members)  # [b, classes]; NaN for a class not drawn
        return row_means(recall)

    return _interval(statistic, len(a), groups, seed=seed, resamples=resamples)


def row_means(table: Floats) -> Floats:
    """Mean over the finite cells of each row [b, d] → [b]; NaN for a row without any."""
    finite = np.isfinite(table)
    counted = finite.sum(axis=1)
    sums = np.where(finite, table, 0.0).sum(axis=1)
    return np.where(counted > 0, sums / np.maximum(counted, 1), np.nan)


def _interval(
    statistic: Statistic, n: int, clusters: Sequence[object] | None, *, seed: int, resamples: int
) -> Interval:
    resampler = Resampler(n, clusters, seed=seed, resamples=resamples)
    if n == 0:
        return UNDEFINED
    value = float(statistic(np.ones((1, n)))[0])
    if not np.isfinite(value):
        return UNDEFINED
    return percentile_interval(np.concatenate([statistic(counts) for counts in resampler.blocks()]), value)


def _macro(
    kernel: Kernel,
    x: Floats,
    y: Floats,
    clusters: Sequence[object] | None,
    seed: int,
    resamples: int,
) -> Interval:
    known = np.isfinite(x) & np.isfinite(y)

    def statistic(counts: Floats) -> Floats:
        cells = [
            under(kernel, x[ok, j], y[ok, j], counts.T[ok]) if ok.any() else np.full(len(counts), np.nan)
            for j, ok in enumerate(known.T)
        ]
        return row_means(np.stack(cells, axis=1))

    return _interval(statistic, len(x), clusters, seed=seed, resamples=resamples)


def _finite(
    x: ArrayLike, y: ArrayLike, clusters: Sequence[object] | None
) -> tuple[Floats, Floats, Sequence[object] | None]:
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if a.ndim != 1 or a.shape != b.shape or (clusters is not None and len(clusters) != len(a)):
        raise UsageError(
            f"expected columns of one length, got shapes {a.shape} and {b.shape}"
            + (f" and {len(clusters)} clusters" if clusters is not None else "")
        )
    ok = np.isfinite(a) & np.isfinite(b)
    kept = None if clusters is None else [c for c, k in zip(clusters, ok, strict=True) if k]
    return a[ok], b[ok], kept


def _tables(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if a.ndim != 2 or a.shape != b.shape:
        raise UsageError(f"expected two tables [n, d] of one shape, got {a.shape} and {b.shape}")
    return a, b
