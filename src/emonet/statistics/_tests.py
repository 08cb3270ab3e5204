"""Could a difference be chance? Mann-Whitney's U, permutation tests, Holm's correction.

Symbols: n, m items of two samples.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from math import comb, erfc, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UsageError
from emonet.statistics._columns import paired
from emonet.statistics._ranking import mid_ranks, tie_groups

Floats = NDArray[np.float64]
_NAN = float("nan")
_ROUNDING = 1e-13
_EXACT = 8  # size of the smaller sample up to which U's distribution is counted where nothing is tied, as in scipy
_MOST_ARRANGEMENTS = 20_000  # up to which all arrangements are tried instead of drawn ones


class Tested(NamedTuple):
    """A test's statistic and its two-sided p; both NaN where the test cannot be made."""

    statistic: float
    p: float


def mann_whitney(a: ArrayLike, b: ArrayLike) -> Tested:
    """Mann-Whitney's U of sample a [n] over b [m], two-sided (Annals of Mathematical Statistics 18, 1947).

    Exact without ties when the smaller sample has at most 8 values, else the normal approximation corrected for ties
    and continuity, as scipy.stats.mannwhitneyu. NaN values are left out; p is 1 when all values are equal and NaN when
    a sample is empty.
    """
    x, y = _known(a), _known(b)
    n, m = len(x), len(y)
    if not n or not m:
        return Tested(_NAN, _NAN)
    both = np.concatenate([x, y])
    u = float(mid_ranks(both)[:n].sum() - n * (n + 1) / 2)
    ties = np.diff(np.append(tie_groups(both)[1], n + m)).astype(np.float64)
    larger = max(u, n * m - u)
    if (ties == 1).all() and min(n, m) <= _EXACT:
        return Tested(u, min(1.0, 2 * _exact_tail(n, m, int(larger))))
    total = n + m
    deviation = sqrt(n * m / 12 * ((total + 1) - float((ties**3 - ties).sum()) / (total * (total - 1))))
    if deviation == 0:
        return Tested(u, 1.0)
    z = (larger - n * m / 2 - 0.5) / deviation
    return Tested(u, min(1.0, erfc(z / sqrt(2))))


def _exact_tail(n: int, m: int, u: int) -> float:
    """Share of the arrangements of n and m distinct values whose U is at least u; by symmetry, at most n m - u.

    The numbers of arrangements are the coefficients of the Gaussian binomial, the product over i = 1..n of
    (1 - q^(m + i)) / (1 - q^i): a difference and a running sum with stride i each.
    """
    n, m = min(n, m), max(n, m)
    top = n * m - u
    ways = np.zeros(top + 1)
    ways[0] = 1
    for i in range(1, n + 1):
        ways[m + i :] -= ways[: max(top + 1 - m - i, 0)].copy()
        padded = np.pad(ways, (0, -len(ways) % i)).reshape(-1, i)
        ways = np.cumsum(padded, axis=0).ravel()[: top + 1]
    return float(ways.sum() / comb(n + m, n))


def permutation_test(
    a: ArrayLike,
    b: ArrayLike,
    statistic: Callable[[Floats, Floats], float],
    *,
    seed: int,
    paired_items: bool = True,
    permutations: int = 10_000,
) -> Tested:
    """Two-sided p of `statistic(a, b)` when the two samples may be exchanged.

    `paired_items`: a [n] and b [n] are of the same items, whose two values are swapped; otherwise all values are dealt
    anew. All arrangements are tried when there are at most 20,000, else `permutations` drawn with `seed`, and the
    arrangement found counts as one of them, so that p is never 0. p is twice the smaller share of arrangements whose
    statistic is at least, or at most, the one found, as scipy.stats.permutation_test; arrangements without a figure
    are left out. NaN when a sample is empty or its own figure undefined.
    """
    if permutations < 1:
        raise UsageError(f"permutations is {permutations}; expected at least 1.")
    x, y = paired(a, b) if paired_items else (_known(a), _known(b))
    if not len(x) or not len(y):
        return Tested(_NAN, _NAN)
    found = float(statistic(x, y))
    if not np.isfinite(found):
        return Tested(found, _NAN)
    deal = _swapped if paired_items else _dealt
    values, complete = deal(x, y, statistic, np.random.default_rng(seed), permutations)
    values = values[np.isfinite(values)]
    slack = _ROUNDING * max(1.0, abs(found))  # the same figure summed in another order
    extra = 0 if complete else 1
    smaller = min(int((values >= found - slack).sum()), int((values <= found + slack).sum())) + extra
    return Tested(found, min(1.0, 2 * smaller / (len(values) + extra)))


def _swapped(
    x: Floats, y: Floats, statistic: Callable[[Floats, Floats], float], draw: np.random.Generator, permutations: int
) -> tuple[Floats, bool]:
    complete = 2 ** len(x) <= _MOST_ARRANGEMENTS
    if complete:
        swaps = np.array(list(product((False, True), repeat=len(x))))
    else:
        swaps = draw.integers(0, 2, (permutations, len(x))).astype(bool)
    return np.array([statistic(np.where(s, y, x), np.where(s, x, y)) for s in swaps]), complete


def _dealt(
    x: Floats, y: Floats, statistic: Callable[[Floats, Floats], float], draw: np.random.Generator, permutations: int
) -> tuple[Floats, bool]:
    both, n = np.concatenate([x, y]), len(x)
    complete = comb(len(both), n) <= _MOST_ARRANGEMENTS
    if not complete:
        drawn = (draw.permutation(both) for _ in range(permutations))
        return np.array([statistic(row[:n], row[n:]) for row in drawn]), False
    values = []
    for chosen in combinations(range(len(both)), n):
        mask = np.zeros(len(both), bool)
        mask[list(chosen)] = True
        values.append(statistic(both[mask], both[~mask]))
    return np.array(values), True


def holm(p: ArrayLike) -> Floats:
    """p values [k] after Holm's step-down correction (Scandinavian Journal of Statistics 6, 1979); NaN stay apart."""
    values = np.asarray(p, np.float64)
    out = np.full(values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    steps = values[order] * np.arange(len(order), 0, -1)
    out[order] = np.minimum(1, np.maximum.accumulate(steps)) if len(order) else steps
    return out


def _known(values: ArrayLike) -> Floats:
    x = np.asarray(values, np.float64).ravel()
    return x[np.isfinite(x)]
