"""Which items are shown together: balanced, linked designs for pairs and best-worst sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emonet.errors import UsageError


def design(
    pool: Sequence[str], size: int, appearances: int, generator: np.random.Generator, dimension: str
) -> list[tuple[str, ...]]:
    """Sets of `size` different items, each item in `appearances` of them, rounded to a multiple of the size.

    A pool so small that sets would repeat gives fewer. The items stand in a random circle; a set is an item with
    others at fixed distances from it, and another circle is drawn for the next appearances. Neighbours always meet, so
    every item is linked to every other and one scale comes out. Sides are random. An empty pool gives no sets; one
    smaller than a set raises `UsageError`.
    """
    if not pool:
        return []
    if len(pool) < size:
        raise UsageError(
            f"{len(pool)} items are asked about {dimension or 'nothing'!r}; a set takes {size}. Add items."
        )
    if appearances < 1:
        raise UsageError(f"appearances is {appearances}; expected 1 or more.")
    seen: set[frozenset[str]] = set()
    out: list[tuple[str, ...]] = []
    for _ in range(max(1, round(appearances / size))):
        circle = [pool[index] for index in generator.permutation(len(pool))]
        for start in range(len(circle)):
            chosen = [circle[(start + distance) % len(circle)] for distance in _distances(size, len(circle))]
            if frozenset(chosen) not in seen:
                seen.add(frozenset(chosen))
                out.append(tuple(chosen[index] for index in generator.permutation(size)))
    return out


def _distances(size: int, count: int) -> list[int]:
    """Places of a set's items on the circle: 0, 1, then growing gaps, so that few pairs meet twice; on a small circle,
    where these would meet, side by side."""
    places = [0, 1]
    while len(places) < size:
        places.append(places[-1] + len(places) + 1)
    return places if places[-1] < count else list(range(size))
