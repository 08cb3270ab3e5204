"""Mid-ranks of a column under any multiplicities of its items, sorted once.

Ranks change with every resample, but not the order of the values. Among items with multiplicities w a tie group's
mid-rank is (weight below it) + (its weight + 1) / 2, so running sums over the sorted order rank many resamples at once.

Symbols: n items, g groups of tied values in rising order, b resamples.
"""

from __future__ import annotations

from functools import cached_property

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

    def ranks(self, weights: Floats, out: Floats) -> Floats:
        """Writes each item's mid-rank minus the mean rank under weights [n, b] to `out` [n, b]; returns the sum of
        their squares over the resample [b]."""
        sizes = self._sums(weights, out)
        spread = _spread(sizes)
        middle = _middle(sizes)
        middle -= weights.sum(axis=0) / 2
        np.take(middle, self._group, axis=0, out=out, mode="clip")
        return spread

    def product(self, part: Part) -> tuple[Floats, Floats]:
        """(sum over the items of `part.other` times their mid-ranks less 1/2 [b], `ranks`' sum of squares [b])."""
        sizes, others = self._sums(part.weights, part.room[0]), self._sums(part.other, part.room[1])
        if sizes is not part.room[0]:
            spread = _spread(sizes)
            return np.einsum("gb,gb->b", others, _middle(sizes)), spread
        # Without ties a group is an item, and sums over all items do not depend on the order.
        return np.einsum("gb,gb->b", others, _running(sizes)) - part.cross / 2, part.spread

    def _sums(self, rows: Floats, room: Floats) -> Floats:
        """Sums [g, b] of rows [n, b] over each tie group; `room` itself, filled, where no values are tied."""
        np.take(rows, self._order, axis=0, out=room, mode="clip")
        n, groups = len(room), len(self._starts)
        if groups == n:
            return room
        if groups * _MANY <= n:
            bounds = zip(self._starts.tolist(), self._ends.tolist(), strict=True)
            return np.stack([room[first : last + 1].sum(axis=0) for first, last in bounds])
        return np.diff(_running(room)[self._ends], axis=0, prepend=0)


class Part:
    """One part's weights [n, b] and `other` [n, b], with the sums that do not depend on the order of the items.

    `room`: two arrays [n, b], written over again and again, because fresh memory costs more than the sums.
    """

    def __init__(self, weights: Floats, other: Floats, room: list[Floats]) -> None:
        self.weights, self.other, self.room = weights, other, room

    @cached_property
    def cross(self) -> Floats:
        """Sum of the products of the two, [b]."""
        return np.asarray(np.einsum("nb,nb->b", self.weights, self.other))

    @cached_property
    def spread(self) -> Floats:
        """`Ranking.ranks`' sum of squares [b] where only repeated items are tied."""
        return _spread(self.weights)


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
    """Weight below each group plus half its own, from the groups' sizes [g, b]: the mid-rank less 1/2. In place."""
    half = sizes * 0.5
    below = _running(sizes)
    below -= half
    return below


def _spread(sizes: Floats) -> Floats:
    """Sum of squared deviations of mid-ranks: that of 1..N, (N^3 - N) / 12, less the same of each tie group."""
    return np.asarray((sizes.sum(axis=0) ** 3 - np.einsum("gb,gb,gb->b", sizes, sizes, sizes)) / 12)


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
