"""Latent classes from raters of unknown reliability (Dawid and Skene, Applied Statistics 28, 1979).

Symbols: r raters, n items, m repeats, k levels, g groups of items, l single answers.

Each item has one true level, drawn from the shares of its group. A rater with confusion matrix C gives level b where
the truth is a with probability C[a, b], independently of the other raters given the truth. EM alternates between the
probability of each level for each item and the shares and matrices. What was not rated is left out, which stays right
when later raters were asked depending on earlier answers: the choice then depends only on what is in the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UsageError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class DawidSkene:
    """What EM found.

    `levels` [k]. `posterior` float64 [n, k]: probability that an item's true level is each, NaN for items nobody
    rated. `confusion` float64 [r, k, k]: rows true level, columns given level, NaN where a rater has no answer.
    `prevalence` float64 [g, k]: shares of the levels in each group, NaN for a group without rated items.
    `log_likelihood`: of the answers, at the end. `converged`: the posterior moved less than the tolerance.
    """

    levels: tuple[float, ...]
    posterior: Floats
    confusion: Floats
    prevalence: Floats
    log_likelihood: float
    iterations: int
    converged: bool

    @property
    def value(self) -> Floats:
        """The likeliest level of each item, float64 [n], NaN for items nobody rated; the lower of two as likely."""
        known = np.isfinite(self.posterior[:, 0])
        best = np.argmax(np.where(known[:, None], self.posterior, 0.0), axis=1)
        return np.where(known, np.asarray(self.levels)[best], np.nan)

    @property
    def accuracy(self) -> Floats:
        """Probability that a rater gives the true level of an item drawn from all, float64 [r]."""
        shares = np.nanmean(self.posterior, axis=0)
        right = np.diagonal(self.confusion, axis1=1, axis2=2)  # [r, k]
        return np.asarray(np.where(shares > 0, right, 0.0) @ shares)


def dawid_skene(
    ratings: ArrayLike,
    *,
    levels: Sequence[float] | None = None,
    groups: ArrayLike | None = None,
    smoothing: float = 0.0,
    tolerance: float = 1e-6,
    iterations: int = 1000,
) -> DawidSkene:
    """Estimate the truth of each item and the confusion matrix of each rater.

    ratings: [r, n], or [r, n, m] where raters answered repeatedly; NaN where not rated. levels: all there are, by
    default those that occur. groups: integers [n] from 0; items of one group share the shares of levels (an emotion,
    say), one group by default. smoothing: 0 is maximum likelihood as published; above it, so many answers are added to
    each cell of the confusion matrices, and items spread like all answers to each group, which keeps a rater or a group
    with few answers from extremes. The start is the share of votes (their equation 3.1).

    Raises `UsageError` for shapes that do not fit, a rating that is no level, or no rating at all.
    """
    cube = np.asarray(ratings, np.float64)
    if cube.ndim not in (2, 3):
        raise UsageError(f"Ratings of shape {cube.shape}; expected raters and items [r, n], or with repeats [r, n, m].")
    raters, items = cube.shape[:2]
    who, what, code, known = _answers(cube, levels)
    if not len(code):
        raise UsageError("Dawid-Skene got no rating at all; pass at least one that is not NaN.")
    group = _groups(groups, items)
    rated = np.bincount(what, minlength=items) > 0
    votes = _per_item(np.eye(len(known))[code], what, items)  # [n, k]
    posterior = np.where(rated[:, None], votes / np.maximum(votes.sum(1, keepdims=True), 1), 0.0)
    overall = votes.sum(0) / votes.sum()
    converged, step, log_likelihood = False, 0, -np.inf
    while not converged and step < iterations:
        step += 1
        prevalence = _shares(posterior, group, smoothing * len(known) * overall)
        confusion = _matrices(posterior, who, what, code, raters, smoothing)
        moved, log_likelihood = _expected(prevalence, confusion, group, who, what, code, rated)
        converged = bool(np.max(np.abs(moved - posterior)) < tolerance)
        posterior = moved
    active = np.bincount(who, minlength=raters) > 0
    occupied = np.bincount(group[rated], minlength=group.max(initial=0) + 1) > 0
    return DawidSkene(
        levels=tuple(known.tolist()),
        posterior=np.where(rated[:, None], posterior, np.nan),
        confusion=np.where(active[:, None, None], confusion, np.nan),
        prevalence=np.where(occupied[:, None], prevalence, np.nan),
        log_likelihood=log_likelihood,
        iterations=step,
        converged=converged,
    )


def _answers(cube: Floats, levels: Sequence[float] | None) -> tuple[Indices, Indices, Indices, Floats]:
    """Rater [l], item [l] and level index [l] of every single answer, and the levels [k]."""
    places = np.argwhere(~np.isnan(cube))
    given = cube[tuple(places.T)]
    known = np.unique(given if levels is None else np.asarray(levels, np.float64))
    code = np.searchsorted(known, given)
    stray = code >= len(known) if not len(known) else known[np.minimum(code, len(known) - 1)] != given
    if np.any(stray):
        raise UsageError(f"A rating is {given[stray][0]:g}; expected one of the levels {known.tolist()} or NaN.")
    return places[:, 0], places[:, 1], code.astype(np.int64), known


def _groups(groups: ArrayLike | None, items: int) -> Indices:
    if groups is None:
        return np.zeros(items, np.int64)
    given = np.asarray(groups)
    if given.shape != (items,) or not np.issubdtype(given.dtype, np.integer) or given.min(initial=0) < 0:
        raise UsageError(f"Groups of shape {given.shape} and type {given.dtype}; expected {items} integers from 0.")
    return given.astype(np.int64)


def _per_item(rows: Floats, what: Indices, items: int) -> Floats:
    """Sums of rows [l, k] over the answers of each item: [n, k]."""
    return np.stack([np.bincount(what, column, minlength=items) for column in rows.T], axis=1)


def _shares(posterior: Floats, group: Indices, prior: Floats) -> Floats:
    """Shares of the levels in each group [g, k]. A group without items gets the prior, or equal shares."""
    count = int(group.max(initial=0)) + 1
    sums = _per_item(posterior, group, count) + prior
    total = sums.sum(1, keepdims=True)
    return np.where(total > 0, sums / np.where(total > 0, total, 1), 1 / posterior.shape[1])


def _matrices(posterior: Floats, who: Indices, what: Indices, code: Indices, raters: int, smoothing: float) -> Floats:
    """Confusion matrices [r, k, k]. A true level that a rater never met tells nothing: equal probabilities."""
    k = posterior.shape[1]
    cell = who * k + code
    flat = np.array([np.bincount(cell, posterior[what, a], minlength=raters * k) for a in range(k)], np.float64)
    sums = flat.reshape(k, raters, k).transpose(1, 0, 2) + smoothing
    total = sums.sum(2, keepdims=True)
    return np.where(total > 0, sums / np.where(total > 0, total, 1), 1 / k)


def _expected(
    prevalence: Floats,
    confusion: Floats,
    group: Indices,
    who: Indices,
    what: Indices,
    code: Indices,
    rated: NDArray[np.bool_],
) -> tuple[Floats, float]:
    """Posterior [n, k], 0 for items nobody rated, and the log likelihood of all answers (their equation 2.5)."""
    told = np.log(np.maximum(confusion, _TINY))[who, :, code]  # [l, k]
    joint = np.log(np.maximum(prevalence, _TINY))[group] + _per_item(told, what, len(group))  # [n, k]
    top = joint.max(1, keepdims=True)
    weights = np.exp(joint - top)
    sums = weights.sum(1, keepdims=True)
    log_likelihood = float(np.sum((top + np.log(sums))[rated]))
    return np.where(rated[:, None], weights / sums, 0.0), log_likelihood
