"""How far several people agree about items: alpha at three levels, intraclass correlation, share of agreeing pairs.

Everything but alpha is a function of sums over items, so that a resample is a product with its multiplicities.

Symbols: h people, i items, d dimensions, b resamples, k categories.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emonet.statistics import Resampler, bootstrap_alpha, krippendorff_alpha

Floats = NDArray[np.float64]
LEVELS: tuple[Literal["nominal", "ordinal", "interval"], ...] = ("nominal", "ordinal", "interval")


def agreements(codes: Floats, resampler: Resampler) -> Mapping[str, tuple[Floats, Floats]]:
    """Metric → (points [d], draws [b, d]) for category numbers codes [h, i, d], NaN where a person did not judge.

    `alpha_nominal`, `alpha_ordinal`, `alpha_interval` (Krippendorff); `icc`: ICC(1,1), the one intraclass correlation
    that is defined when different items have different people; `percent`: agreeing pairs of votes over all pairs. NaN
    without two votes on two items, or when all votes are the same.
    """
    d = codes.shape[2]
    out: dict[str, tuple[Floats, Floats]] = {}
    for level in LEVELS:
        points = np.asarray([krippendorff_alpha(codes[:, :, j], level) for j in range(d)])
        draws = [bootstrap_alpha(codes[:, :, j], level, resampler) for j in range(d)]
        out[f"alpha_{level}"] = points, np.stack(draws, axis=1)
    for metric, columns, statistic in (("icc", _icc_columns, _icc), ("percent", _pair_columns, _percent)):
        out[metric] = _from_sums(codes, columns, statistic, resampler)
    return out


def _from_sums(
    codes: Floats, columns: Callable[[Floats], Floats], statistic: Callable[[Floats], Floats], resampler: Resampler
) -> tuple[Floats, Floats]:
    """`columns`: votes [h, n] of the items with two votes or more → what is summed, [n, c]."""
    indices, tables = [], []
    for j in range(codes.shape[2]):
        index = np.flatnonzero((~np.isnan(codes[:, :, j])).sum(axis=0) > 1)
        indices.append(index)
        tables.append(columns(codes[:, index, j]))
    points = np.concatenate([statistic(table.sum(axis=0)[None]) for table in tables])
    blocks = []
    for counts in resampler.blocks():
        drawn = [statistic(counts[:, index] @ table) for index, table in zip(indices, tables, strict=True)]
        blocks.append(np.stack(drawn, axis=1))
    return points, np.concatenate(blocks)


def _icc_columns(votes: Floats) -> Floats:
    """Per item: 1, number of votes, its square, sum squared over number, sum, sum of squares."""
    there = ~np.isnan(votes)
    m, x = there.sum(axis=0), np.where(there, votes, 0.0)
    total = x.sum(axis=0)
    return np.stack([np.ones(len(m)), m, m * m, total**2 / np.maximum(m, 1), total, (x * x).sum(axis=0)], axis=1)


def _icc(sums: Floats) -> Floats:
    """One-way ICC(1,1) for items of unequal numbers of votes (Donner 1986), sums [b, 6] → [b]."""
    n, votes, squares, between, total, within = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        per_item = (votes - squares / votes) / (n - 1)
        msb, msw = (between - total**2 / votes) / (n - 1), (within - between) / (votes - n)
        spread = msb + (per_item - 1) * msw
        return np.where((n > 1) & (spread > 1e-12), (msb - msw) / spread, np.nan)


def _pair_columns(votes: Floats) -> Floats:
    """Per item: agreeing pairs of votes, all pairs."""
    m = (~np.isnan(votes)).sum(axis=0)
    top = int(np.nanmax(votes)) + 1 if votes.size else 1
    of = (votes[:, :, None] == np.arange(top)).sum(axis=0)  # [n, k]
    return np.stack([(of * (of - 1) / 2).sum(axis=1), m * (m - 1) / 2], axis=1)


def _percent(sums: Floats) -> Floats:
    agreeing, pairs = sums.T
    out = np.full(agreeing.shape, np.nan)
    np.divide(agreeing, pairs, out=out, where=pairs > 0)
    return out
