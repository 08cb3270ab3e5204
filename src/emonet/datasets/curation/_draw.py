"""Random order that follows from the item's name: the same items are drawn whatever stands beside them."""

from __future__ import annotations

import hashlib

import polars as pl


def draw_order(names: pl.Series, seed: int) -> pl.Series:
    """A random number for each name [n], UInt64; equal names get equal ones.

    A generator that walks through the rows would choose other items as soon as one row is added or moved.
    """
    salt = str(seed).encode()
    return pl.Series(
        "order",
        [
            int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8, key=salt[:64]).digest(), "little")
            for name in names
        ],
        dtype=pl.UInt64,
    )
