"""Who is ahead of whom, and how surely: differences between raters, intervals of ranks, groups of ties.

Two raters are compared on the dimensions that both have, with the same resamples for both, so that what makes an item
hard for everyone cancels out. A rank's interval counts the raters that are surely ahead and surely behind (Mogstad,
Romano, Shaikh, Wilhelm 2024, "Inference for ranks"), all pairs together at 95 % (Holm).

Symbols: r raters, d dimensions, b resamples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.benchmark._figures import Figures
from emonet.benchmark._measure import Measured
from emonet.benchmark._results import LOWER_IS_BETTER
from emonet.benchmark._scores import PUBLISHED_SEED
from emonet.statistics import holm

Floats = NDArray[np.float64]
LEVEL = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Differences of all pairs, larger is better. `difference` [r, r]: row minus column; `error` [r, r]: its standard
    error; `p` [r, r] after Holm's correction over all pairs; NaN where two raters share no dimension."""

    difference: Floats
    error: Floats
    p: Floats


def rank_rows(measured: Measured, *, resamples: int) -> Iterator[dict[str, Any]]:
    """Rows of `ranks` for every metric; a rater without a value has none."""
    for metric, figures in measured.figures.items():
        there = np.flatnonzero(np.isfinite(figures.points).any(axis=1))
        if not len(there):
            continue
        part = Figures(figures.points[there], figures.draws[:, there], figures.n[there], figures.flat[there])
        sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
        standing = compare_all(part, sign, published=measured.definition == "published", resamples=resamples)
        place, low, high = ranks(standing)
        letters = tie_groups(standing, place)
        for number, row in enumerate(there):
            yield {
                "definition": measured.definition,
                "metric": metric,
                "rater": measured.names[row],
                "rank": float(place[number]),
                "rank_low": int(low[number]),
                "rank_high": int(high[number]),
                "tie_group": letters[number],
            }


def compare_all(figures: Figures, sign: float, *, published: bool, resamples: int) -> Standing:
    """Differences of all pairs of raters in their means over shared dimensions.

    published: means over each rater's own dimensions, and dimensions are resampled instead of items.
    """
    known = np.isfinite(figures.points)
    points = sign * np.where(known, figures.points, 0.0)
    if published:
        difference, draws = _own_means(points, known, resamples)
    else:
        difference = shared_differences(points, known)
        draws = np.stack([shared_differences(sign * np.nan_to_num(t), known & np.isfinite(t)) for t in figures.draws])
    error = standard_error(draws)
    return Standing(difference, error, _corrected(difference, error))


def shared_differences(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Row minus column in the mean over the dimensions known for both; values [r, d] are 0 where not known."""
    there = known.astype(np.float64)
    count = there @ there.T
    total = values @ there.T
    out = np.full(count.shape, np.nan)
    np.divide(total - total.T, count, out=out, where=count > 0)
    return out


def standard_error(draws: Floats) -> Floats:
    """Standard deviation over the resamples (first axis) where a figure is defined; NaN where fewer than two are."""
    known = np.isfinite(draws)
    n = known.sum(axis=0)
    middle = np.where(known, draws, 0.0).sum(axis=0) / np.maximum(n, 1)
    squares = np.where(known, (draws - middle) ** 2, 0.0).sum(axis=0)
    return np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)


def normal_p(difference: Floats, error: Floats) -> Floats:
    """Two-sided p of differences against 0 with bootstrap standard errors; an error of 0 is taken at its word."""
    z = np.divide(np.abs(difference), error, out=np.where(difference == 0, 0.0, np.inf), where=error > 1e-12)
    p = np.asarray([erfc(value / sqrt(2)) for value in z.ravel()]).reshape(z.shape)
    return np.where(np.isnan(difference) | np.isnan(error), np.nan, p)


def ranks(standing: Standing) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """(rank, lowest, highest) of each rater; equal values share the mean of their places."""
    r = len(standing.difference)
    ahead = (standing.difference < 0).sum(axis=1)
    level = (standing.difference == 0).sum(axis=1) - 1  # others with the same value
    sure = standing.p < LEVEL
    better = (sure & (standing.difference < 0)).sum(axis=1)
    worse = (sure & (standing.difference > 0)).sum(axis=1)
    return 1 + ahead + level / 2, 1 + better, r - worse


def tie_groups(standing: Standing, place: Floats) -> list[str]:
    """Letters in order of rank: two raters that share a letter could not be told apart.

    Insert and absorb (Piepho 2004, "An algorithm for a letter-based representation of all-pairwise comparisons").
    """
    r = len(place)
    order = sorted(range(r), key=lambda row: place[row])
    groups = [set(range(r))]
    for position, a in enumerate(order):
        for b in order[position + 1 :]:
            if standing.p[a, b] < LEVEL:
                split = [part for group in groups for part in _split(group, a, b)]
                groups = [part for part in split if not any(part < other for other in split)]
                groups = [part for k, part in enumerate(groups) if part not in groups[:k]]
    rank_in = {row: number for number, row in enumerate(order)}
    groups.sort(key=lambda group: sorted(rank_in[row] for row in group))
    return ["".join(_letter(k) for k, group in enumerate(groups) if row in group) for row in range(r)]


def _split(group: set[int], a: int, b: int) -> Sequence[set[int]]:
    return [group - {a}, group - {b}] if a in group and b in group else [group]


def _letter(number: int) -> str:
    """a, b, ..., z, A, ..., Z and then numbers in brackets."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return letters[number] if number < len(letters) else f"[{number + 1}]"


def _own_means(points: Floats, known: NDArray[np.bool_], resamples: int) -> tuple[Floats, Floats]:
    """Differences of means over each rater's own dimensions: ([r, r], under resampled dimensions [b, r, r])."""
    d = points.shape[1]
    picks = np.random.default_rng(PUBLISHED_SEED).integers(0, d, (resamples, d))
    times = np.stack([np.bincount(row, minlength=d) for row in picks]).astype(np.float64)  # [b, d]
    count = times @ known.T
    means = np.divide(times @ points.T, count, out=np.full(count.shape, np.nan), where=count > 0)  # [b, r]
    own = points.sum(axis=1) / known.sum(axis=1)
    return own[:, None] - own[None], means[:, :, None] - means[:, None]


def _corrected(difference: Floats, error: Floats) -> Floats:
    """p of all pairs, Holm's correction over those that can be compared."""
    upper = np.triu_indices(len(difference), 1)
    adjusted = holm(normal_p(difference[upper], error[upper]))
    out = np.full(difference.shape, np.nan)
    out[upper] = adjusted
    out.T[upper] = adjusted
    return out
