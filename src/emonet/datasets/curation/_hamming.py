"""All pairs of short binary codes that differ in few bits, without comparing every pair.

Multi-index hashing (Norouzi, Punjani and Fleet 2012): the 64 bits are cut into four bands of 16. Codes that differ in
at most d bits agree in some band up to d // 4 bits, so it is enough to look, band by band, for codes whose band equals
one's own with so few bits flipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UsageError

BITS, _BANDS = 64, 4
_WIDTH = BITS // _BANDS
_LARGEST = 3 * _BANDS - 1  # two flipped bits in each band: 137 look-ups
_AT_ONCE = 4_000_000  # pairs compared together: bounds the memory


def near_codes(codes: NDArray[np.uint64], most: int) -> NDArray[np.int64]:
    """Pairs (a, b), a < b, [p, 2] of codes [n] that differ in at most `most` bits, sorted. Exact: it finds all of them.

    Raises `UsageError` for more than 11 bits, where looking up costs more than comparing every pair.
    """
    if not 0 <= most <= _LARGEST:
        raise UsageError(f"most is {most} bits; expected 0 to {_LARGEST}.")
    found = [np.empty((0, 2), np.int64)]
    for band in range(_BANDS):
        keys = ((codes >> np.uint64(band * _WIDTH)) & np.uint64(2**_WIDTH - 1)).astype(np.int64)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        for flip in _flips(most // _BANDS):
            left, right = (np.searchsorted(ordered, keys ^ flip, side=side) for side in ("left", "right"))
            found += [_close(codes, pairs, most) for pairs in _expanded(order, left, right)]
    return np.unique(np.concatenate(found), axis=0)


def _flips(most: int) -> list[int]:
    """Every way to flip at most `most` bits of a band."""
    return [sum(1 << bit for bit in bits) for n in range(most + 1) for bits in combinations(range(_WIDTH), n)]


def _expanded(
    order: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """Pairs of each thing with those at places left..right of `order`, in blocks of bounded size."""
    ends = np.cumsum(right - left)
    start = 0
    while start < len(left):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _AT_ONCE, side="right")))
        counts = right[start:stop] - left[start:stop]
        first = np.repeat(np.arange(start, stop), counts)
        within = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
        second = order[np.repeat(left[start:stop], counts) + within]
        upper = first < second
        yield np.stack([first[upper], second[upper]], axis=1)
        start = stop


def _close(codes: NDArray[np.uint64], pairs: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    near: NDArray[np.bool_] = np.bitwise_count(codes[pairs[:, 0]] ^ codes[pairs[:, 1]]) <= most
    return pairs[near]
