"""How far raters agree with each other: Krippendorff's alpha, intraclass correlation, Cronbach, Fleiss, per cent.

Symbols: r raters, n items, c distinct values, b resamples. Ratings are [r, n] with NaN where a rater did not judge.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UnknownNameError, UsageError
from emonet.statistics._resampling import Resampler

Floats = NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval"]
Icc = Literal["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]
_ICCS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
_NAN = float("nan")


def krippendorff_alpha(ratings: ArrayLike, level: Level) -> float:
    """Krippendorff's alpha of ratings [r, n] (Content Analysis, chapter on reliability).

    Items with fewer than two ratings say nothing. NaN when no item has two, or when all values are equal.
    """
    return float(_alpha(_Coincidences(ratings, level), np.ones((1, np.shape(ratings)[1])))[0])


def bootstrap_alpha(ratings: ArrayLike, level: Level, resampler: Resampler) -> Floats:
    """Alpha in each resample of the items: float64 [resamples]."""
    made = _Coincidences(ratings, level)
    parts = [_alpha(made, block) for block in resampler.blocks()]
    return np.concatenate(parts) if parts else np.full(resampler.resamples, np.nan)


class _Coincidences:
    """Per item, how often each pair of values meets, so that resampled tables are one matrix product."""

    def __init__(self, ratings: ArrayLike, level: Level) -> None:
        table = _ratings(ratings)
        if level not in ("nominal", "ordinal", "interval"):
            raise UnknownNameError("level of measurement", level, ("nominal", "ordinal", "interval"))
        self.level = level
        self.values = np.unique(table[np.isfinite(table)])
        counts = (table[:, :, None] == self.values).sum(axis=0).astype(np.float64)  # [n, c]
        rated = counts.sum(axis=1)
        self.counts = np.where(rated[:, None] >= 2, counts, 0)
        pairs = counts[:, :, None] * counts[:, None, :]
        own = np.arange(len(self.values))
        pairs[:, own, own] -= counts
        weight = np.where(rated >= 2, 1 / np.maximum(rated - 1, 1), 0)
        self.pairs = (pairs * weight[:, None, None]).reshape(table.shape[1], len(self.values) ** 2)  # [n, c*c]


def _alpha(made: _Coincidences, weights: Floats) -> Floats:
    """Alpha [b] under multiplicities [b, n]."""
    c = len(made.values)
    if c == 0:
        return np.full(len(weights), np.nan)
    found = (weights @ made.pairs).reshape(-1, c, c)
    frequency = weights @ made.counts  # [b, c]
    total = frequency.sum(axis=1)
    distance = _distances(made.level, made.values, frequency)
    observed = (found * distance).sum(axis=(1, 2))
    expected = np.einsum("bi,bij,bj->b", frequency, np.broadcast_to(distance, found.shape), frequency)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan)


def _distances(level: Level, values: Floats, frequency: Floats) -> Floats:
    """Squared distance of each pair of values, [1 or b, c, c]."""
    if level == "nominal":
        return np.asarray((values[:, None] != values)[None], np.float64)
    if level == "interval":
        return ((values[:, None] - values) ** 2)[None]
    # Ordinal: how many ratings lie between two values, half of those at either end.
    middle = np.cumsum(frequency, axis=1) - frequency / 2
    return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2)


def icc(ratings: ArrayLike, kind: Icc = "ICC(2,1)") -> float:
    """Intraclass correlation (Shrout and Fleiss, Psychological Bulletin 86, 1979) of ratings [r, n].

    Items that some rater did not judge are left out. (1,.): raters differ from item to item; (2,.): raters are a
    sample; (3,.): these raters only. (.,1): one rater's reliability; (.,k): that of their mean. NaN below 2 raters or
    2 items, or without any variation.
    """
    if kind not in _ICCS:
        raise UnknownNameError("intraclass correlation", kind, _ICCS)
    table = _complete(ratings)
    k, n = table.shape
    if k < 2 or n < 2:
        return _NAN
    mean = table.mean()
    items = k * ((table.mean(axis=0) - mean) ** 2).sum()
    raters = n * ((table.mean(axis=1) - mean) ** 2).sum()
    within = ((table - table.mean(axis=0)) ** 2).sum()
    msr, msw = items / (n - 1), within / (n * (k - 1))
    msc, mse = raters / (k - 1), (within - raters) / ((n - 1) * (k - 1))
    top, error = (msr - msw, msw) if kind.startswith("ICC(1") else (msr - mse, mse)
    shift = (msc - mse) / n if kind.startswith("ICC(2") else 0.0
    bottom = msr + shift if kind.endswith("k)") else msr + (k - 1) * error + k * shift
    return float(top / bottom) if abs(bottom) > 1e-12 else _NAN


def cronbach_alpha(ratings: ArrayLike) -> float:
    """Cronbach's alpha, raters taken as the test's parts; items that some rater did not judge are left out."""
    table = _complete(ratings)
    k, n = table.shape
    if k < 2 or n < 2:
        return _NAN
    whole = table.sum(axis=0).var(ddof=1)
    return float(k / (k - 1) * (1 - table.var(axis=1, ddof=1).sum() / whole)) if whole > 1e-12 else _NAN


def fleiss_kappa(ratings: ArrayLike) -> float:
    """Fleiss' kappa of categories in ratings [r, n]; items with fewer than two ratings are left out.

    With unequal numbers of ratings an item counts once, and the frequencies are those of all ratings.
    """
    table = _ratings(ratings)
    table = table[:, np.isfinite(table).sum(axis=0) >= 2]
    if not table.size:
        return _NAN
    values = np.unique(table[np.isfinite(table)])
    counts = (table[:, :, None] == values).sum(axis=0).astype(np.float64)  # [n, c]
    rated = counts.sum(axis=1)
    found = ((counts * (counts - 1)).sum(axis=1) / (rated * (rated - 1))).mean()
    chance = ((counts.sum(axis=0) / counts.sum()) ** 2).sum()
    return float((found - chance) / (1 - chance)) if chance < 1 else _NAN


def percent_agreement(ratings: ArrayLike) -> float:
    """Share of pairs of ratings of one item that are equal, over all pairs of all items; NaN without pairs."""
    table = _ratings(ratings)
    values = np.unique(table[np.isfinite(table)])
    counts = (table[:, :, None] == values).sum(axis=0).astype(np.float64)
    rated = counts.sum(axis=1)
    pairs = (rated * (rated - 1)).sum()
    return float((counts * (counts - 1)).sum() / pairs) if pairs > 0 else _NAN


def _ratings(ratings: ArrayLike) -> Floats:
    table = np.asarray(ratings, np.float64)
    if table.ndim != 2:
        raise UsageError(f"Ratings of shape {table.shape}; expected [raters, items].")
    return table


def _complete(ratings: ArrayLike) -> Floats:
    table = _ratings(ratings)
    return table[:, np.isfinite(table).all(axis=0)]
