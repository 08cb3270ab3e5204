"""Mid-ranks of a column under any multiplicities of its items, sorted once.

Ranks change with every resample, but not the order of the values. Among items with multiplicities w a tie group's
mid-rank is (weight below it) + (its weight + 1) / 2, so running sums over the sorted order rank many resamples at once.

Symbols: n items, g groups of tied values in rising order, b resamples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_RUN = 16  # rows summed one after another in `_running`
_MANY = 16  # items per tie group from which a sum per group is faster than running sums


class Ranking:
    """The sorted order of one column of values [n] without NaN."""

    def __init__(self, values: Floats) -> None:
        self._order, self._starts, self._group = tie_groups(values)
        self._ends = np.append(self._starts[1:], len(values)) - 1

    def ranks(self, weights: Floats) -> tuple[Floats, Floats]:
        """(each item's mid-rank minus the mean rank [n, b], sum of their squares over the resample [b]) under weights
        [n, b]."""
        sizes = self._sums(weights)
        middle = _middle(sizes)
        middle -= weights.sum(axis=0) / 2
        return np.take(middle, self._group, axis=0), _spread(sizes)

    def product(self, weights: Floats, other: Floats) -> tuple[Floats, Floats]:
        """(sum over the items of other [n, b] times their mid-ranks less 1/2 [b], `ranks`' sum of squares [b])."""
        sizes = self._sums(weights)
        return np.einsum("gb,gb->b", self._sums(other), _middle(sizes)), _spread(sizes)

    def _sums(self, rows: Floats) -> Floats:
        """Sums [g, b] of rows [n, b] over each tie group."""
        ordered = np.take(rows, self._order, axis=0)
        n, groups = len(ordered), len(self._starts)
        if groups == n:
            return ordered
        if groups * _MANY <= n:
            bounds = zip(self._starts.tolist(), self._ends.tolist(), strict=True)
            return np.stack([ordered[first : last + 1].sum(axis=0) for first, last in bounds])
        return np.diff(_running(ordered)[self._ends], axis=0, prepend=0)


def mid_ranks(values: Floats) -> Floats:
    """Ranks [n] from 1 with ties at their mean, as scipy.stats.rankdata."""
    order, starts, group = tie_groups(values)
    sizes = np.diff(np.append(starts, len(order)))
    return (starts + (sizes + 1) / 2)[group] if len(order) else np.zeros(0)


def tie_groups(values: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """(order that sorts, first sorted position of each tie group, each item's group) of values [n]."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(values) else np.zeros(0, bool)
    group = np.empty(len(values), np.intp)
    group[order] = np.cumsum(new) - 1
    return order, np.flatnonzero(new), group


def _middle(sizes: Floats) -> Floats:
    """Weight below each group plus half its own, from the groups' sizes [g, b]: the mid-rank less 1/2."""
    below = _running(sizes.copy())
    below -= sizes / 2
    return below


def _spread(sizes: Floats) -> Floats:
    """Sum of squared deviations of mid-ranks: that of 1..N, (N^3 - N) / 12, less the same of each tie group."""
    return (sizes.sum(axis=0) ** 3 - np.einsum("gb,gb->b", sizes * sizes, sizes)) / 12


def _running(rows: Floats) -> Floats:
    """Running sums down the rows [n, b], in place.

    numpy's cumsum down the rows strides from row to row and is ten times slower than adding whole rows.
    """
    n, b = rows.shape
    whole = n - n % _RUN
    if whole:
        blocks = rows[:whole].reshape(-1, _RUN, b)
        for step in range(1, _RUN):
            blocks[:, step] += blocks[:, step - 1]
        before = _running(blocks[:-1, -1].copy())
        blocks[1:] += before[:, None]
    for row in range(max(whole, 1), n):
        rows[row] += rows[row - 1]
    return rows
