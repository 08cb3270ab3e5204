"""Many raters against one reference under the same resamples, exactly and without a loop over resamples.

Symbols: r raters, n items, d dimensions, b resamples of a part, k raters that judged the same m items.

A resample is a multiplicity per item. Sums of products are one matrix product with the multiplicities; ranks come from
running sums over columns sorted once (`_ranking`). Raters that judged the same items share the reference's ranks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UsageError
from emonet.statistics._kappa import cut, nearest
from emonet.statistics._ranking import Part, Ranking
from emonet.statistics._resampling import Resampler

Floats = NDArray[np.float64]
Kernel = Callable[[Floats, Floats], "Drawn"]
"""Values [k, m] and reference [m], none of them NaN → what their resamples give."""

_PART = 320_000  # items x resamples of a part: 2.5 MB in float64, near the size of a core's second-level cache
_CANCELLED = 1e-4  # share of a sum of squares below which what is left of it has lost digits
_FLAT = 1e-13
_NONE = -1.0  # number of the category of a value that is in none


class Room:
    """Arrays to write over again and again: fresh memory would cost more than the sums made in it."""

    def __init__(self) -> None:
        self._held = np.empty(0)

    def arrays(self, rows: int, columns: int) -> list[Floats]:
        """Four arrays [rows, columns]. The first holds a part's multiplicities, the others are the kernel's."""
        if len(self._held) < 4 * rows * columns:
            self._held = np.empty(4 * rows * columns)
        return list(self._held[: 4 * rows * columns].reshape(4, rows, columns))


Drawn = Callable[[Floats, Room], Floats]
"""Multiplicities [m, b] → one figure per rater and resample [k, b]."""


def bootstrap_spearman(x: ArrayLike, gold: ArrayLike, resampler: Resampler, *, threads: int | None = None) -> Floats:
    """Rank correlation of x [r, n, d] with gold [n, d] in each resample: float64 [resamples, r, d].

    Items with NaN on either side are left out of their column; NaN where a resample has fewer than 2 different values.
    `threads`: None for one per core.
    """
    return _resampled(spearman_kernel, x, gold, resampler, threads)


def bootstrap_pearson(x: ArrayLike, gold: ArrayLike, resampler: Resampler, *, threads: int | None = None) -> Floats:
    """Product-moment correlation, as `bootstrap_spearman`."""
    return _resampled(_pearson_kernel, x, gold, resampler, threads)


def bootstrap_mae(x: ArrayLike, gold: ArrayLike, resampler: Resampler, *, threads: int | None = None) -> Floats:
    """Mean absolute error, as `bootstrap_spearman`."""
    return _resampled(_mae_kernel, x, gold, resampler, threads)


def bootstrap_rmse(x: ArrayLike, gold: ArrayLike, resampler: Resampler, *, threads: int | None = None) -> Floats:
    """Root of the mean squared error, as `bootstrap_spearman`."""
    return _resampled(_rmse_kernel, x, gold, resampler, threads)


def bootstrap_auc(scores: ArrayLike, present: ArrayLike, resampler: Resampler, *, threads: int | None = None) -> Floats:
    """Area under the ROC curve of scores [r, n, d] for present [n, d], 0, 1 or NaN; as `bootstrap_spearman`."""
    return _resampled(auc_kernel, scores, present, resampler, threads)


def bootstrap_kappa(
    x: ArrayLike,
    rater: ArrayLike,
    categories: Sequence[float],
    resampler: Resampler,
    *,
    published: bool = False,
    threads: int | None = None,
) -> Floats:
    """Quadratic kappa of x [r, n, d] with one rater [n, d], as `bootstrap_spearman`.

    Values become categories as in `weighted_kappa`, or as in `weighted_kappa_published`.
    """
    code, fewest = (cut, 2) if published else (nearest, 1)
    made = [np.where(np.isfinite(v) & np.isnan(c), _NONE, c) for v, c in ((v, code(v, categories)) for v in (x, rater))]
    return _resampled(partial(_kappa_kernel, fewest), made[0], made[1], resampler, threads)


def _resampled(kernel: Kernel, x: ArrayLike, gold: ArrayLike, resampler: Resampler, threads: int | None) -> Floats:
    values, reference = np.asarray(x, np.float64), np.asarray(gold, np.float64)
    if values.ndim != 3 or values.shape[1:] != reference.shape or resampler.n != len(reference):
        raise UsageError(
            f"Values {values.shape}, gold {reference.shape}, resamples of {resampler.n} items; expected [r, n, d], "
            "[n, d] and n."
        )
    raters, _, dimensions = values.shape
    out = np.full((resampler.resamples, raters, dimensions), np.nan)
    start = 0
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for block in resampler.blocks():
            parts = _parts(block.T)
            target = out[start : start + len(block)]

            def one(column: int, parts: list[Floats] = parts, target: Floats = target) -> None:
                x, y, room = np.ascontiguousarray(values[:, :, column]), reference[:, column], Room()
                for rows, items in _same_items(np.isfinite(x) & np.isfinite(y)):
                    target[:, rows, column] = _over_parts(kernel(x[rows][:, items], y[items]), parts, items, room).T

            list(pool.map(one, range(dimensions)))
            start += len(block)
    return out


def under(kernel: Kernel, x: Floats, y: Floats, counts: Floats) -> Floats:
    """A kernel's figure [b] for one rater's x [m] and y [m] under multiplicities [m, b]."""
    figures = _over_parts(kernel(x[None], y), _parts(counts), np.arange(len(y)), Room())
    return np.asarray(figures[0])


def _parts(counts: Floats) -> list[Floats]:
    """Multiplicities [n, b] cut into contiguous pieces of few resamples."""
    n, b = counts.shape
    step = min(max(_PART // max(n, 1), 16), 256)
    return [np.ascontiguousarray(counts[:, first : first + step]) for first in range(0, b, step)]


def _over_parts(drawn: Drawn, parts: list[Floats], items: NDArray[np.intp], room: Room) -> Floats:
    """Figures [k, b] of all parts [n, <= b], of which only `items` [m] count."""
    figures = []
    for part in parts:
        weights = part
        if len(items) < len(part):
            weights = room.arrays(len(items), part.shape[1])[0]
            np.take(part, items, axis=0, out=weights, mode="clip")
        figures.append(drawn(weights, room))
    return np.concatenate(figures, axis=1)


def _same_items(known: NDArray[np.bool_]) -> list[tuple[list[int], NDArray[np.intp]]]:
    """Raters by the items they have, from known [r, n]: (rows of the raters, items); raters without any are left
    out."""
    rows: dict[bytes, list[int]] = {}
    for row, mask in enumerate(known):
        rows.setdefault(mask.tobytes(), []).append(row)
    groups = [(members, np.flatnonzero(known[members[0]])) for members in rows.values()]
    return [(members, items) for members, items in groups if len(items)]


def spearman_kernel(x: Floats, y: Floats) -> Drawn:
    """Spearman's correlation: the covariance of mid-ranks over the root of the product of their variances."""
    raters, reference = [Ranking(row) for row in x], Ranking(y)

    def drawn(weights: Floats, room: Room) -> Floats:
        _, signed, *rest = room.arrays(*weights.shape)
        spread = reference.ranks(weights, signed)
        signed *= weights  # [m, b]; its columns sum to 0, so that x's ranks need no centring
        part = Part(weights, signed, rest)
        products = [ranking.product(part) for ranking in raters]
        return np.stack([_ratio(covariance, own, spread) for covariance, own in products])

    return drawn


def auc_kernel(scores: Floats, present: Floats) -> Drawn:
    """Area under the curve: won comparisons of a present with an absent item, ties counting half."""
    raters, positive = [Ranking(row) for row in scores], (present > 0.5).astype(np.float64)[:, None]

    def drawn(weights: Floats, room: Room) -> Floats:
        _, up, *rest = room.arrays(*weights.shape)
        np.multiply(weights, positive, out=up)
        part, ups = Part(weights, up, rest), up.sum(axis=0)
        pairs = ups * (weights.sum(axis=0) - ups)
        ranked = np.stack([ranking.product(part)[0] for ranking in raters])
        return np.where(pairs > 0, (ranked - ups**2 / 2) / np.where(pairs > 0, pairs, 1), np.nan)

    return drawn


def _pearson_kernel(x: Floats, y: Floats) -> Drawn:
    # Centring and scaling first keeps the sums of squares from cancelling, over- or underflowing.
    given = x, y
    x, y = np.stack([_standing(row) for row in x]), _standing(y)
    k, ones = len(x), np.ones_like(y)
    table = np.concatenate([ones[None], y[None], y[None] ** 2, x, x * x, x * y])

    def drawn(weights: Floats, room: Room) -> Floats:
        sums = table @ weights
        total, sum_y, yy = np.where(sums[0] > 0, sums[0], 1), sums[1], sums[2]
        sum_x, xx, xy = sums[3 : 3 + k], sums[3 + k : 3 + 2 * k], sums[3 + 2 * k :]
        spread_x, spread_y = xx - sum_x**2 / total, yy - sum_y**2 / total
        out = _ratio(xy - sum_x * sum_y / total, spread_x, np.broadcast_to(spread_y, spread_x.shape))
        lost = (spread_x < _CANCELLED * xx) | (spread_y < _CANCELLED * yy)
        for row, column in np.argwhere(lost):
            out[row, column] = _weighted_pearson(given[0][row], given[1], weights[:, column])
        return out

    return drawn


def _weighted_pearson(x: Floats, y: Floats, weights: Floats) -> float:
    """Correlation of the drawn items with deviations from their own means; NaN for a constant."""
    drawn = weights > 0
    w = weights[drawn]
    deviations = []
    for values in (x[drawn], y[drawn]):
        if not len(values) or np.ptp(values) <= _FLAT * np.abs(values).max():
            return float("nan")
        centred = values - (w @ values) / w.sum()
        deviations.append(centred / np.abs(centred).max())
    a, b = deviations
    return float(np.clip((w * a) @ b / (np.sqrt((w * a) @ a) * np.sqrt((w * b) @ b)), -1, 1))


def _mae_kernel(x: Floats, y: Floats) -> Drawn:
    return _mean_kernel(np.abs(x - y))


def _rmse_kernel(x: Floats, y: Floats) -> Drawn:
    mean = _mean_kernel((x - y) ** 2)
    return lambda weights, room: np.sqrt(mean(weights, room))


def _mean_kernel(values: Floats) -> Drawn:
    def drawn(weights: Floats, room: Room) -> Floats:
        total = weights.sum(axis=0)
        return np.where(total > 0, (values @ weights) / np.where(total > 0, total, 1), np.nan)

    return drawn


def _kappa_kernel(fewest: int, x: Floats, y: Floats) -> Drawn:
    """Quadratic kappa from sums: expected squared distance is N (sum x^2 + sum y^2) - 2 sum x sum y, all integers.

    `_NONE`: a shared item that is in no category; it counts only towards the `fewest` shared ones.
    """
    both = (x != _NONE) & (y != _NONE)
    x, y = np.where(both, x, 0), np.where(both, y, 0)
    table = np.concatenate([both, x, y, x * x + y * y, (x - y) ** 2])  # [5 k, m]

    def drawn(weights: Floats, room: Room) -> Floats:
        total, sum_x, sum_y, squares, found = (table @ weights).reshape(5, len(x), -1)
        expected = total * squares - 2 * sum_x * sum_y
        known = (expected > 0) & (weights.sum(axis=0) >= fewest)
        return np.where(known, 1 - total * found / np.where(known, expected, 1), np.nan)

    return drawn


def _standing(values: Floats) -> Floats:
    """Minus the mean, over the largest deviation."""
    centred = values - values.mean()
    size = np.abs(centred).max()
    return np.asarray(centred / size if size > 0 else centred)


def _ratio(covariance: Floats, spread_x: Floats, spread_y: Floats) -> Floats:
    """Correlation [..., b]; NaN where either side does not vary."""
    varies = (spread_x > 0) & (spread_y > 0)
    size = np.sqrt(np.where(varies, spread_x, 1)) * np.sqrt(np.where(varies, spread_y, 1))
    return np.where(varies, np.clip(covariance / size, -1, 1), np.nan)
