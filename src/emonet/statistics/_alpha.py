"""Krippendorff's alpha, also of many resamples at once.

Symbols: r raters, n items, d dimensions, t single ratings, c distinct values, b resamples.

alpha = 1 - (disagreement within items) / (disagreement of all ratings paired at random). Every level measures it as a
squared distance: of the values (interval), of the values' mid-ranks among all ratings (ordinal), or of 0 or 1
(nominal). Within an item of m ratings each pair weighs 1 / (m - 1).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UnknownNameError, UsageError
from emonet.statistics._resampling import Resampler

Floats = NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval"]
_FEW = 16  # values up to which frequencies and pairs of values are products of tables; more: counted one by one


def krippendorff_alpha(ratings: ArrayLike, level: Level) -> float:
    """Krippendorff's alpha of ratings [r, n], NaN where not rated (Content Analysis, 4th edition, chapter 12).

    Items with fewer than two ratings say nothing. NaN when no item has two, or when all values are equal.
    """
    table = np.asarray(ratings, np.float64)
    if table.ndim != 2:
        raise UsageError(f"Ratings of shape {table.shape}; expected [raters, items].")
    return float(alpha_columns(table[:, :, None], level)[0])


def alpha_columns(ratings: ArrayLike, level: Level) -> Floats:
    """`krippendorff_alpha` of each dimension of ratings [r, n, d]: float64 [d]."""
    made = [_Ratings(column, level) for column in _dimensions(ratings)]
    return np.array([column.alpha(np.ones((1, column.items)))[0] for column in made], np.float64)


def bootstrap_alpha(ratings: ArrayLike, level: Level, resampler: Resampler) -> Floats:
    """Alpha in each resample of the items: [resamples] of ratings [r, n], [resamples, d] of ratings [r, n, d]."""
    table = np.asarray(ratings, np.float64)
    made = [_Ratings(column, level) for column in _dimensions(table[:, :, None] if table.ndim == 2 else table)]
    if any(column.items != resampler.n for column in made):
        raise UsageError(f"Ratings of {made[0].items} items, resamples of {resampler.n}; expected the same number.")
    out = np.full((resampler.resamples, len(made)), np.nan)
    start = 0
    for block in resampler.blocks():
        for number, column in enumerate(made):
            out[start : start + len(block), number] = column.alpha(block)
        start += len(block)
    return out[:, 0] if table.ndim == 2 else out


def _dimensions(ratings: ArrayLike) -> list[Floats]:
    cube = np.asarray(ratings, np.float64)
    if cube.ndim != 3:
        raise UsageError(f"Ratings of shape {cube.shape}; expected [raters, items, dimensions].")
    return list(np.moveaxis(cube, 2, 0))


class _Ratings:
    """One dimension's ratings, with all that no resample changes."""

    def __init__(self, ratings: Floats, level: Level) -> None:
        if level not in ("nominal", "ordinal", "interval"):
            raise UnknownNameError("level of measurement", level, ("nominal", "ordinal", "interval"))
        self.items, self._level = ratings.shape[1], level
        known = np.isfinite(ratings)
        known &= known.sum(axis=0) >= 2
        self._pairable = np.flatnonzero(known.any(axis=0))  # the n items that count from here on
        self._m = known.sum(axis=0)[self._pairable].astype(np.float64)  # [n] ratings of each
        self._item = (np.cumsum(known.any(axis=0)) - 1)[np.nonzero(known)[1]]  # [t]
        self._values, self._code = np.unique(ratings[known], return_inverse=True)  # [c], [t]
        self._counts, self._pairs = self._tables()
        self._within = self._fixed_disagreement()  # [n]; None for ordinal, where it changes with the ranks

    def alpha(self, weights: Floats) -> Floats:
        """Alpha [b] under multiplicities [b, all items]."""
        if not len(self._values):
            return np.full(len(weights), np.nan)
        w = weights[:, self._pairable]
        frequency = self._frequencies(w)  # [b, c]
        total = frequency.sum(axis=1)
        if self._within is not None:
            within = w @ self._within
        else:
            within = self._ordinal_disagreement(w, np.cumsum(frequency, axis=1) - frequency / 2)
        expected = self._expected(frequency, total)
        varies = (frequency > 0).sum(axis=1) > 1
        return np.where(varies, 1 - (total - 1) * within / np.where(varies, expected, 1), np.nan)

    def _expected(self, frequency: Floats, total: Floats) -> Floats:
        """Distance over all ordered pairs of ratings, [b]."""
        if self._level == "nominal":
            return np.asarray(total**2 - (frequency**2).sum(axis=1))
        values = np.broadcast_to(self._values, frequency.shape)
        if self._level == "ordinal":
            values = np.cumsum(frequency, axis=1) - frequency / 2
        mean = (frequency * values).sum(axis=1) / np.maximum(total, 1)
        return np.asarray(2 * total * (frequency * (values - mean[:, None]) ** 2).sum(axis=1))

    def _fixed_disagreement(self) -> Floats | None:
        """Distance over the ordered pairs within each item, over m - 1, [n]."""
        if self._level == "ordinal":
            return None
        n = len(self._m)
        if self._level == "nominal":
            cells, counts = np.unique(self._item * len(self._values) + self._code, return_counts=True)
            same = np.bincount(cells // max(len(self._values), 1), counts**2, minlength=n)
            return np.asarray((self._m**2 - same) / (self._m - 1))
        value = self._values[self._code]
        mean = np.bincount(self._item, value, minlength=n) / self._m
        squares = np.bincount(self._item, (value - mean[self._item]) ** 2, minlength=n)
        return np.asarray(2 * self._m * squares / (self._m - 1))

    def _ordinal_disagreement(self, w: Floats, ranks: Floats) -> Floats:
        """Squared differences of ranks [b, c] over the pairs within items, [b]."""
        if self._pairs is not None:
            first, second = np.triu_indices(len(self._values), 1)
            return np.asarray(((w @ self._pairs) * (ranks[:, first] - ranks[:, second]) ** 2).sum(axis=1))
        n = len(self._m)
        found = np.empty(len(w))
        for row, (times, rank) in enumerate(zip(w, ranks, strict=True)):
            value = rank[self._code]
            mean = np.bincount(self._item, value, minlength=n) / self._m
            squares = np.bincount(self._item, (value - mean[self._item]) ** 2, minlength=n)
            found[row] = times @ (2 * self._m * squares / (self._m - 1))
        return found

    def _frequencies(self, w: Floats) -> Floats:
        """How often each value comes, [b, c]."""
        if self._counts is not None:
            return np.asarray(w @ self._counts)
        return np.stack([np.bincount(self._code, times[self._item], minlength=len(self._values)) for times in w])

    def _tables(self) -> tuple[Floats | None, Floats | None]:
        """How often each item was given each value [n, c], and each pair of different values over m - 1
        [n, c (c - 1) / 2]; None where there are too many."""
        if len(self._values) > _FEW:
            return None, None
        counts = np.zeros((len(self._m), len(self._values)))
        np.add.at(counts, (self._item, self._code), 1)
        if self._level != "ordinal":
            return counts, None
        first, second = np.triu_indices(len(self._values), 1)
        return counts, 2 * counts[:, first] * counts[:, second] / (self._m - 1)[:, None]
