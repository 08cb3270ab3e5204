"""Cohen's kappa between two raters, and of all pairs of raters at once.

Symbols: r raters, n items, d dimensions, c categories.

kappa = 1 - (weighted disagreement found) / (that expected from both raters' own frequencies). With quadratic weights
(i - j)^2 it is Cohen's weighted kappa (Psychological Bulletin 70, 1968).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UnknownNameError, UsageError
from emonet.statistics._columns import paired

Floats = NDArray[np.float64]
Weights = Literal["quadratic", "linear", "none"]


def weighted_kappa(a: ArrayLike, b: ArrayLike, categories: Sequence[float], *, weights: Weights = "quadratic") -> float:
    """Kappa of a [n] and b [n], each value taken to the nearest category, a half upwards.

    NaN without pairs, or when both raters use one and the same category only.
    """
    x, y = paired(a, b)
    table = _tables(np.stack([nearest(x, categories), nearest(y, categories)]), len(categories))[0, :, 1, :]
    return float(_kappa(table, _disagreement(len(categories), weights)))


def weighted_kappa_published(a: ArrayLike, b: ArrayLike, categories: Sequence[float]) -> float:
    """Quadratic kappa as in EmoNet-Face's notebooks: values are cut to whole numbers toward zero, and pairs with one
    that is then no category are lost. NaN below 2 shared items or when undefined."""
    x, y = paired(a, b)
    if len(x) < 2:
        return float("nan")
    codes = np.stack([cut(x, categories), cut(y, categories)])
    return float(_kappa(_tables(codes, len(categories))[0, :, 1, :], _disagreement(len(categories), "quadratic")))


def kappa_matrix(
    values: ArrayLike, categories: Sequence[float], *, published: bool = False
) -> tuple[Floats, NDArray[np.int64]]:
    """Quadratic kappa of every pair of raters in values [r, n, d], NaN where not rated: float64 [r, r, d], NaN on the
    diagonal; and how many items each pair shares, int64 [r, r, d].

    `published`: the notebooks' rule instead of the nearest category (see `weighted_kappa_published`).
    """
    cube = np.asarray(values, np.float64)
    if cube.ndim != 3:
        raise UsageError(f"Values of shape {cube.shape}; expected raters, items and dimensions, [r, n, d].")
    raters, _, dimensions = cube.shape
    out = np.full((raters, raters, dimensions), np.nan)
    shared = np.zeros((raters, raters, dimensions), np.int64)
    penalty = _disagreement(len(categories), "quadratic")
    for column in range(dimensions):
        rated = np.isfinite(cube[:, :, column])
        shared[:, :, column] = rated.astype(np.int64) @ rated.T.astype(np.int64)
        codes = (cut if published else nearest)(cube[:, :, column], categories)
        found = _kappa(_tables(codes, len(categories)).transpose(0, 2, 1, 3), penalty)  # [r, r]
        enough = shared[:, :, column] >= (2 if published else 1)
        out[:, :, column] = np.where(enough & ~np.eye(raters, dtype=bool), found, np.nan)
    return out, shared


def nearest(values: ArrayLike, categories: Sequence[float]) -> Floats:
    """Number of the category nearest to each value, halves upwards, outside to the ends; NaN stays."""
    x, known = np.asarray(values, np.float64), np.asarray(categories, np.float64)
    if (np.diff(known) <= 0).any() or not len(known):
        raise UsageError(f"categories are {list(categories)}; expected increasing numbers.")
    borders = (known[1:] + known[:-1]) / 2
    return np.where(np.isfinite(x), np.searchsorted(borders, x, side="right"), np.nan)


def cut(values: ArrayLike, categories: Sequence[float]) -> Floats:
    """Number of the category that each value is when cut toward zero; NaN when it is none."""
    whole, known = np.trunc(np.asarray(values, np.float64)), np.asarray(categories, np.float64)
    place = np.searchsorted(known, np.where(np.isfinite(whole), whole, known[0])).clip(0, len(known) - 1)
    return np.where(known[place] == whole, place, np.nan)


def _tables(codes: Floats, categories: int) -> Floats:
    """Joint counts [r, c, r, c] of all pairs of raters from category numbers [r, n]."""
    member = (codes[:, :, None] == np.arange(categories)).astype(np.float64)  # [r, n, c]; all 0 where NaN
    flat = member.transpose(1, 0, 2).reshape(codes.shape[1], len(codes) * categories)  # [n, r*c]
    return np.asarray((flat.T @ flat).reshape(len(codes), categories, len(codes), categories))


def _kappa(tables: Floats, penalty: Floats) -> Floats:
    """Kappa of joint counts [..., c, c]."""
    total = tables.sum(axis=(-2, -1))
    found = (tables * penalty).sum(axis=(-2, -1))
    expected = np.einsum("...i,ij,...j->...", tables.sum(axis=-1), penalty, tables.sum(axis=-2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - found * total / expected, np.nan)


def _disagreement(categories: int, weights: Weights) -> Floats:
    steps = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories))).astype(np.float64)
    if weights not in ("quadratic", "linear", "none"):
        raise UnknownNameError("kappa weighting", weights, ("quadratic", "linear", "none"))
    return steps**2 if weights == "quadratic" else steps if weights == "linear" else (steps > 0).astype(np.float64)
