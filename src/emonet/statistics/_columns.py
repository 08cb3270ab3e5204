"""How near a rater's values are to the reference: correlations and errors of one pair of columns or of many.

Symbols: n items, d dimensions. A pair with NaN on either side is left out. Nothing warns; what is undefined is NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UsageError
from emonet.statistics._ranking import mid_ranks

Floats = NDArray[np.float64]
_FLAT = 1e-13  # share of its size by which a column must vary not to count as constant


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Product-moment correlation of x [n] and y [n]; NaN below 2 pairs or for a constant column."""
    a, b = paired(x, y)
    if len(a) < 2:
        return float("nan")
    a, b = _centred(a), _centred(b)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (a @ b) / (np.sqrt(a @ a) * np.sqrt(b @ b))
    return float(np.clip(value, -1, 1))


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Rank correlation with ties at their mean rank; NaN below 2 pairs or for a constant column."""
    a, b = paired(x, y)
    return pearson(mid_ranks(a), mid_ranks(b))


def mae(x: ArrayLike, y: ArrayLike) -> float:
    """Mean absolute error; NaN without pairs."""
    a, b = paired(x, y)
    return float(np.abs(a - b).mean()) if len(a) else float("nan")


def rmse(x: ArrayLike, y: ArrayLike) -> float:
    """Root of the mean squared error; NaN without pairs."""
    a, b = paired(x, y)
    return float(np.sqrt(((a - b) ** 2).mean())) if len(a) else float("nan")


def spearman_columns(x: ArrayLike, y: ArrayLike) -> Floats:
    """`spearman` of each column of x [n, d] and y [n, d]: float64 [d]."""
    return columns(spearman, x, y)


def pearson_columns(x: ArrayLike, y: ArrayLike) -> Floats:
    """`pearson` of each column: float64 [d]."""
    return columns(pearson, x, y)


def mae_columns(x: ArrayLike, y: ArrayLike) -> Floats:
    """`mae` of each column: float64 [d]."""
    return columns(mae, x, y)


def rmse_columns(x: ArrayLike, y: ArrayLike) -> Floats:
    """`rmse` of each column: float64 [d]."""
    return columns(rmse, x, y)


def columns(statistic: Callable[[Floats, Floats], float], x: ArrayLike, y: ArrayLike) -> Floats:
    """A statistic of each column of two tables [n, d]; `UsageError` when their shapes differ."""
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if a.ndim != 2 or a.shape != b.shape:
        raise UsageError(f"Tables of shapes {a.shape} and {b.shape}; expected two tables [n, d] of one shape.")
    return np.array([statistic(a[:, j], b[:, j]) for j in range(a.shape[1])], np.float64)


def paired(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """The pairs of x [n] and y [n] that have both values."""
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise UsageError(f"Columns of shapes {a.shape} and {b.shape}; expected two columns of one length.")
    known = np.isfinite(a) & np.isfinite(b)
    return a[known], b[known]


def _centred(values: Floats) -> Floats:
    """Minus the mean, over the largest deviation, so that squares neither over- nor underflow; all NaN for a constant,
    whose rounding errors would otherwise correlate."""
    if np.ptp(values) <= _FLAT * np.abs(values).max():
        return np.full_like(values, np.nan)
    centred = values - values.mean()
    return np.asarray(centred / np.abs(centred).max())
