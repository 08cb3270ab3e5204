"""One metric of several raters against a reference: its value per dimension and what resampled items make of it.

Rank correlation, correlation, errors, kappa and AUC come from `emonet.statistics`. Balanced accuracy and calibration
error are functions of weighted sums: a resample is a multiplicity per item, so that all resamples of a dimension are
one matrix product.

Symbols: i items, d dimensions, r raters, b resamples, c columns of sums, k calibration bins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emonet.statistics import Resampler, bootstrap_kappa, weighted_kappa_published

Floats = NDArray[np.float64]
BINS = 10
FEWEST = 2  # items that a kappa needs


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """`points` [r, d] from all items, `draws` [b, r, d] from resampled ones, `n` [r, d] items that count, `flat`
    [r, d]: the rater's values are constant while the reference varies. NaN where the metric is undefined."""

    points: Floats
    draws: Floats
    n: NDArray[np.int64]
    flat: NDArray[np.bool_]


class Metric(NamedTuple):
    """`columns`: (values [i, d], reference [i, d]) → [d]. `bootstrap`: (values [r, i, d], reference [i, d],
    resampler) → [b, r, d]."""

    columns: Callable[[Floats, Floats], Floats]
    bootstrap: Callable[[Floats, Floats, Resampler], Floats]


def against(metric: Metric, values: Floats, reference: Floats, resampler: Resampler) -> Figures:
    """Figures of values [r, i, d] against reference [i, d]."""
    points = np.stack([metric.columns(table, reference) for table in values])
    draws = metric.bootstrap(values, reference, resampler)
    return Figures(points, draws, shared(values, reference), flat(values, reference))


def average(figures: Iterable[Figures], *, by_items: bool) -> Figures:
    """Mean over several figures of one shape, each dimension over those where it is defined; `n` is their sum.

    `by_items`: a figure from more items weighs more. They are taken one at a time.
    """
    means: list[_Mean] = []
    n: NDArray[np.int64] | None = None
    for one in figures:
        if n is None:
            means, n, flat = [_Mean(one.points.shape), _Mean(one.draws.shape)], np.zeros_like(one.n), one.flat
        weight = one.n.astype(np.float64) if by_items else np.ones(one.n.shape)
        for mean, table in zip(means, (one.points, one.draws), strict=True):
            mean.add(table, weight)
        n, flat = n + one.n, flat & one.flat
    if n is None:
        raise ValueError("nothing to average")
    return Figures(means[0].value(), means[1].value(), n, flat)


class _Mean:
    """A running weighted mean that skips NaN."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._total, self._count = np.zeros(shape), np.zeros(shape)

    def add(self, table: Floats, weight: Floats) -> None:
        defined = ~np.isnan(table)
        self._total += np.where(defined, weight * table, 0.0)
        self._count += weight * defined

    def value(self) -> Floats:
        return _divide(self._total, self._count)


def join(figures: Sequence[Figures]) -> Figures:
    """Figures of several groups of raters as one."""
    return Figures(
        points=np.concatenate([one.points for one in figures]),
        draws=np.concatenate([one.draws for one in figures], axis=1),
        n=np.concatenate([one.n for one in figures]),
        flat=np.concatenate([one.flat for one in figures]),
    )


def flat_tells_nothing(figures: Figures) -> Figures:
    """A correlation of a constant with what varies counts as 0 instead of being undefined.

    In a resample the same holds wherever another rater's correlation is defined, because the reference then varies.
    """
    points = np.where(figures.flat & np.isnan(figures.points), 0.0, figures.points)
    varies = ~np.isnan(figures.draws).all(axis=1, keepdims=True)  # [b, 1, d]
    known = ~np.isnan(points)[None]
    draws = np.where(np.isnan(figures.draws) & known & (varies | figures.flat), 0.0, figures.draws)
    return Figures(points, draws, figures.n, figures.flat)


def kappa(values: Floats, person: Floats, resampler: Resampler) -> Figures:
    """Quadratically weighted kappa of category numbers values [r, i, d] and person [i, d]; NaN does not count."""
    highest = np.nanmax([np.nanmax(table, initial=0.0) for table in (values, person)])
    categories = range(int(highest) + 1)
    # On whole numbers from 0 the published way differs from the other only in asking for two items.
    points = [
        [weighted_kappa_published(a, b, categories) for a, b in zip(rater.T, person.T, strict=True)] for rater in values
    ]
    draws = bootstrap_kappa(values, person, categories, resampler, published=True)
    return Figures(np.asarray(points), draws, shared(values, person), flat(values, person))


def balanced_accuracy(predicted: Floats, present: Floats, resampler: Resampler) -> Figures:
    """Mean of the recalls of presence and absence for predicted [r, i, d] and present [i, d], both 0, 1 or NaN."""

    def columns(p: Floats, q: Floats) -> Floats:
        w, yes = ~np.isnan(p), q[:, None] > 0.5
        return np.concatenate([w & yes, w & yes & (p > 0.5), w & ~yes, w & ~yes & (p < 0.5)], axis=1)

    return _from_sums(predicted, present, columns, _balanced, resampler)


def calibration_error(probability: Floats, present: Floats, resampler: Resampler) -> Figures:
    """Expected calibration error in ten even bins of probability [r, i, d] for present [i, d].

    Bins of equal size, as `emonet.statistics.calibration_error` has them, would differ from resample to resample.
    """
    bins = np.arange(BINS)

    def columns(p: Floats, q: Floats) -> Floats:
        number = np.minimum(np.where(np.isnan(p), -1, p * BINS).astype(int), BINS - 1)
        of = (number[:, :, None] == bins).astype(np.float64)  # [i, r, k]
        tables = of, of * np.where(np.isnan(p), 0, p)[:, :, None], of * q[:, None, None]
        return np.concatenate([table.reshape(len(p), p.shape[1] * BINS) for table in tables], axis=1)

    return _from_sums(probability, present, columns, _calibration, resampler)


def _balanced(sums: Floats) -> Floats:
    yes, hit, no, spared = np.moveaxis(sums, 1, 0)
    return (_divide(hit, yes) + _divide(spared, no)) / 2


def _calibration(sums: Floats) -> Floats:
    """Sums [b, 3, r * k] → [b, r]."""
    size, said, true = np.moveaxis(sums.reshape(len(sums), 3, -1, BINS), 1, 0)  # each [b, r, k]
    return _divide(np.abs(said - true).sum(axis=2), size.sum(axis=2))


def _from_sums(
    values: Floats,
    reference: Floats,
    columns: Callable[[Floats, Floats], Floats],
    statistic: Callable[[Floats], Floats],
    resampler: Resampler,
) -> Figures:
    """Per dimension: `columns` of the items with a reference, summed under each resample's multiplicities."""
    r, _, d = values.shape
    indices = [np.flatnonzero(~np.isnan(reference[:, j]) & ~np.isnan(values[:, :, j]).all(axis=0)) for j in range(d)]
    tables = [
        np.asarray(columns(values[:, index, j].T, reference[index, j]), np.float64) for j, index in enumerate(indices)
    ]

    def evaluate(sums: Floats, table: Floats) -> Floats:
        parts = 3 if statistic is _calibration else table.shape[1] // r
        return statistic(sums.reshape(len(sums), parts, -1))

    points = np.stack([evaluate(table.sum(axis=0)[None], table)[0] for table in tables], axis=1)
    blocks = []
    for counts in resampler.blocks():
        drawn = (evaluate(counts[:, index] @ table, table) for index, table in zip(indices, tables, strict=True))
        blocks.append(np.stack(list(drawn), axis=2))  # [b, r, d]
    return Figures(points, np.concatenate(blocks), shared(values, reference), flat(values, reference))


def shared(values: Floats, reference: Floats) -> NDArray[np.int64]:
    """Items for which both are there, [r, d]."""
    return np.asarray((~np.isnan(values) & ~np.isnan(reference)[None]).sum(axis=1), np.int64)


def flat(values: Floats, reference: Floats) -> NDArray[np.bool_]:
    """Where a rater says the same of all items that the reference tells apart, [r, d]."""
    out = np.zeros((len(values), values.shape[2]), bool)
    for row, table in enumerate(values):  # one rater at a time keeps memory at one table
        both = ~np.isnan(table) & ~np.isnan(reference)
        out[row] = (_spread(table, both) == 0) & (_spread(reference, both) > 0)
    return out


def _spread(table: Floats, counted: NDArray[np.bool_]) -> Floats:
    """Largest minus smallest counted value of each column; 0 when none is counted."""
    top = np.where(counted, table, -np.inf).max(axis=0, initial=-np.inf)
    bottom = np.where(counted, table, np.inf).min(axis=0, initial=np.inf)
    return np.where(counted.any(axis=0), top, 0) - np.where(counted.any(axis=0), bottom, 0)


def _divide(total: Floats, count: Floats) -> Floats:
    out = np.full(np.shape(total), np.nan)
    np.divide(total, count, out=out, where=np.asarray(count) > 0)
    return out
