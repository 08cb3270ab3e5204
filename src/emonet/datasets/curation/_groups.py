"""Things that belong together because they share something, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray


def connected(n: int, pairs: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """Number of the group of each of n things [n] when the things of every pair belong together.

    Groups are numbered in the order of their first member (union by smaller index, with path halving).
    """
    parent = list(range(n))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for a, b in pairs:
        first, second = sorted((root(int(a)), root(int(b))))
        parent[second] = first
    roots = np.fromiter((root(k) for k in range(n)), np.int64, n)
    return np.unique(roots, return_inverse=True)[1].astype(np.int64)


def joined_groups(columns: Sequence[pl.Series], n: int) -> NDArray[np.int64]:
    """Group of each of n rows [n]: rows that agree in any column belong together; a null agrees with nothing."""
    pairs: list[tuple[int, int]] = []
    for column in columns:
        first: dict[object, int] = {}
        for row, value in enumerate(column.to_list()):
            if value is not None:
                pairs.append((first.setdefault(value, row), row))
    return connected(n, pairs)
