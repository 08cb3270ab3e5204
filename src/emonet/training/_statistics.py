"""How sure a measured figure is: rank correlation, AUC and means with 95 % bootstrap intervals.

A resample draws whole clusters (people) with replacement, so that several items of one person do not count as
independent. It is held as a multiplicity per item; ranks and AUC are computed from the multiplicities on data sorted
once, which is exact and needs no sorting per resample. Intervals are percentiles of the resamples: in small samples
they need not contain the estimate. Items with NaN in either column are left out.

Symbols: n items, d dimensions, r resamples, g groups of tied values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UsageError

Floats = NDArray[np.float64]

LEVEL = 0.95
_CELLS = 4_000_000  # of resamples x items held at once: 32 MB


class Interval(NamedTuple):
    """An estimate and the ends of its 95 % interval; all NaN where the statistic is undefined."""

    value: float
    low: float
    high: float


def spearman_interval(
    x: ArrayLike, y: ArrayLike, clusters: Sequence[object] | None = None, *, seed: int, resamples: int = 1000
) -> Interval:
    """Spearman's rank correlation of x [n] and y [n], ties at their mid-rank.

    NaN when a column is constant or fewer than 3 items are finite. `clusters` [n]: one label per item.
    """
    a, b, groups = _finite(x, y, clusters)
    if len(a) < 3:
        return Interval(np.nan, np.nan, np.nan)
    return _interval(_spearman(a, b), len(a), groups, seed=seed, resamples=resamples)


def auc_interval(
    scores: ArrayLike, present: ArrayLike, clusters: Sequence[object] | None = None, *, seed: int, resamples: int = 1000
) -> Interval:
    """Area under the ROC curve: the chance that a positive item scores above a negative one, ties counting half.

    `present` [n]: 0 or 1. NaN without both classes; resamples that lack a class are left out.
    """
    s, p, groups = _finite(scores, present, clusters)
    return _interval(_auc(s, _binary(p)), len(s), groups, seed=seed, resamples=resamples)


def macro_auc_interval(
    scores: ArrayLike, present: ArrayLike, clusters: Sequence[object] | None = None, *, seed: int, resamples: int = 1000
) -> Interval:
    """Unweighted mean of the AUCs of scores [n, d] against present [n, d], all dimensions resampled together.

    A dimension counts when it has both classes; a cell with NaN in either array is left out of its dimension.
    """
    s, p = _tables(scores, present)
    _binary(p[np.isfinite(p)])
    return _macro([_auc(s[:, j], p[:, j]) for j in range(s.shape[1])], len(s), clusters, seed, resamples)


def macro_spearman_interval(
    x: ArrayLike, y: ArrayLike, clusters: Sequence[object] | None = None, *, seed: int, resamples: int = 1000
) -> Interval:
    """Unweighted mean of the rank correlations of the columns of x [n, d] and y [n, d]; constant columns are left
    out."""
    a, b = _tables(x, y)
    return _macro([_spearman(a[:, j], b[:, j]) for j in range(a.shape[1])], len(a), clusters, seed, resamples)


def mean_interval(
    values: ArrayLike, clusters: Sequence[object] | None = None, *, seed: int, resamples: int = 1000
) -> Interval:
    """Mean of values [n]; with 0/1 values an accuracy."""
    v, _, groups = _finite(values, values, clusters)

    def statistic(counts: Floats) -> Floats:
        return (counts @ v) / counts.sum(axis=1)  # [r]

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
            recall = (counts @ hits) / (counts @ members)  # [r, classes]; NaN for a class not drawn
        return _row_means(recall)

    return _interval(statistic, len(a), groups, seed=seed, resamples=resamples)


Statistic = Callable[[Floats], Floats]
"""Multiplicities [r, n] → one figure per resample [r]."""


def _interval(
    statistic: Statistic, n: int, clusters: Sequence[object] | None, *, seed: int, resamples: int
) -> Interval:
    if resamples < 1:
        raise UsageError(f"resamples is {resamples}, expected at least 1")
    if n == 0:
        return Interval(np.nan, np.nan, np.nan)
    value = float(statistic(np.ones((1, n)))[0])
    if not np.isfinite(value):
        return Interval(np.nan, np.nan, np.nan)
    drawn = np.concatenate([statistic(counts) for counts in _resample(n, clusters, seed, resamples)])
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return Interval(value, np.nan, np.nan)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))


def _macro(
    statistics: Sequence[Statistic], n: int, clusters: Sequence[object] | None, seed: int, resamples: int
) -> Interval:
    def statistic(counts: Floats) -> Floats:
        return _row_means(np.stack([s(counts) for s in statistics], axis=1))  # [r, d] → [r]

    return _interval(statistic, n, clusters, seed=seed, resamples=resamples)


def _resample(n: int, clusters: Sequence[object] | None, seed: int, resamples: int) -> Iterator[Floats]:
    """Blocks of multiplicities [<= r, n]; the whole is the same for a seed whatever the block size."""
    index = np.arange(n)
    if clusters is not None:
        _, index = np.unique(np.asarray([str(c) for c in clusters]), return_inverse=True)
    size = int(index.max()) + 1
    generator = np.random.default_rng(seed)
    step = max(1, _CELLS // n)
    for start in range(0, resamples, step):
        draws = generator.integers(0, size, (min(step, resamples - start), size))
        rows = np.arange(len(draws))[:, None]
        counts = np.bincount((rows * size + draws).ravel(), minlength=len(draws) * size).reshape(len(draws), size)
        yield counts[:, index].astype(np.float64)


def _spearman(x: Floats, y: Floats) -> Statistic:
    ok = np.isfinite(x) & np.isfinite(y)
    rank_x, rank_y = _ranker(x[ok]), _ranker(y[ok])

    def statistic(counts: Floats) -> Floats:
        counts = counts[:, ok]
        return _correlation(rank_x(counts), rank_y(counts), counts)

    return statistic


def _ranker(values: Floats) -> Callable[[Floats], Floats]:
    """Multiplicities [r, n] → mid-ranks [r, n] that the items have within each resample."""
    order, starts, group = _ties(values)

    def ranks(counts: Floats) -> Floats:
        if not len(values):
            return counts
        sizes = np.add.reduceat(counts[:, order], starts, axis=1)  # [r, g]
        middle = np.cumsum(sizes, axis=1) - sizes + (sizes + 1) / 2
        return middle[:, group]

    return ranks


def _correlation(a: Floats, b: Floats, weights: Floats) -> Floats:
    """Weighted Pearson correlation of the rows of a [r, n] and b [r, n]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total = weights.sum(axis=1, keepdims=True)
        a = a - (weights * a).sum(axis=1, keepdims=True) / total
        b = b - (weights * b).sum(axis=1, keepdims=True) / total
        spread = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
        value = (weights * a * b).sum(axis=1) / np.where(spread > 1e-9, spread, np.nan)
    return np.clip(value, -1.0, 1.0)


def _auc(scores: Floats, present: Floats) -> Statistic:
    ok = np.isfinite(scores) & np.isfinite(present)
    order, starts, _ = _ties(scores[ok])
    positive = present[ok][order] > 0.5

    def statistic(counts: Floats) -> Floats:
        counts = counts[:, ok][:, order]
        if not len(positive):
            return np.full(len(counts), np.nan)
        up = np.add.reduceat(counts * positive, starts, axis=1)  # [r, g] positives per tie group
        down = np.add.reduceat(counts * ~positive, starts, axis=1)
        below = np.cumsum(down, axis=1) - down
        pairs = up.sum(axis=1) * down.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (up * (below + down / 2)).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)

    return statistic


def _ties(values: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """(order that sorts, first sorted position of each tie group, each item's group)."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(values) else np.zeros(0, bool)
    group = np.empty(len(values), np.intp)
    group[order] = np.cumsum(new) - 1
    return order, np.flatnonzero(new), group


def _row_means(table: Floats) -> Floats:
    """Mean over the finite cells of each row [r, d] → [r]; NaN for a row without any."""
    finite = np.isfinite(table)
    counted = finite.sum(axis=1)
    sums = np.where(finite, table, 0.0).sum(axis=1)
    return np.where(counted > 0, sums / np.maximum(counted, 1), np.nan)


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


def _binary(present: Floats) -> Floats:
    if not np.isin(present, (0.0, 1.0)).all():
        raise UsageError("`present` must hold only 0 and 1 (or NaN for unknown); threshold graded labels first")
    return present
