"""How far raters agree with each other: intraclass correlation, Cronbach's alpha, Fleiss' kappa, per cent.

Symbols: r raters, n items, c distinct values. Ratings are [r, n] with NaN where a rater did not judge.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UnknownNameError, UsageError

Floats = NDArray[np.float64]
Icc = Literal["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]
_ICCS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
_NAN = float("nan")
_ROUNDING = 1e-12  # share of the variance below which a denominator is 0 but for rounding


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
    if k < 2 or n < 2 or _constant(table):
        return _NAN
    table = table - table.mean()
    items = k * (table.mean(axis=0) ** 2).sum()
    raters = n * (table.mean(axis=1) ** 2).sum()
    within = ((table - table.mean(axis=0)) ** 2).sum()
    msr, msw = items / (n - 1), within / (n * (k - 1))
    msc, mse = raters / (k - 1), (within - raters) / ((n - 1) * (k - 1))
    top, error = (msr - msw, msw) if kind.startswith("ICC(1") else (msr - mse, mse)
    shift = (msc - mse) / n if kind.startswith("ICC(2") else 0.0
    bottom = msr + shift if kind.endswith("k)") else msr + (k - 1) * error + k * shift
    return float(top / bottom) if abs(bottom) > _ROUNDING * (msr + msw) else _NAN


def cronbach_alpha(ratings: ArrayLike) -> float:
    """Cronbach's alpha (Psychometrika 16, 1951), raters taken as the parts of a test.

    Items that some rater did not judge are left out. NaN below 2 raters or 2 items, or when the raters' sum does not
    vary.
    """
    table = _complete(ratings)
    k, n = table.shape
    if k < 2 or n < 2 or _constant(table):
        return _NAN
    parts, whole = table.var(axis=1, ddof=1).sum(), table.sum(axis=0).var(ddof=1)
    return float(k / (k - 1) * (1 - parts / whole)) if whole > _ROUNDING * parts else _NAN


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


def _constant(table: Floats) -> bool:
    return bool(np.ptp(table) <= _ROUNDING * np.abs(table).max())
