"""Folds in which no person is both in training and in test."""

from __future__ import annotations

import numpy as np
import polars as pl

from emonet.datasets._records import LabelledSet
from emonet.errors import UsageError


def folds(labelled: LabelledSet, *, by: str | None = "subject", k: int = 5, seed: int = 0) -> pl.DataFrame:
    """Columns item and fold (1 to k, Int32): the fold in which an item is tested; it is trained on in all others.

    by: column of `items` whose equal values stay in one fold, None for single items. Groups are dealt out in random
    order, the largest first, each to the fold that has least, so that folds differ little in size. Raises `UsageError`
    for an unknown column, an item without a value in it, or fewer groups than folds.
    """
    items = labelled.items
    if by is not None and by not in items.columns:
        known = ", ".join(items.columns)
        raise UsageError(f"{labelled.name}: no column {by!r} in its items; it has {known}. by=None folds single items.")
    groups = items["item" if by is None else by].cast(pl.String)
    if groups.null_count():
        item = items["item"][int(groups.is_null().arg_true()[0])]
        raise UsageError(
            f"{labelled.name}: {groups.null_count()} items have no {by}, the first {item!r}; fold by another."
        )
    sizes = groups.value_counts(name="_n").sort(groups.name)
    if not 2 <= k <= len(sizes):
        raise UsageError(f"k={k} folds of {len(sizes)} groups by {by}; expected from 2 to {len(sizes)}.")
    shuffled = sizes[np.random.default_rng(seed).permutation(len(sizes))]
    held = np.zeros(k, np.int64)
    fold_of: dict[str, int] = {}
    for group, size in shuffled.sort("_n", descending=True, maintain_order=True).iter_rows():
        fold = int(held.argmin())
        fold_of[group], held[fold] = fold + 1, held[fold] + size
    return pl.DataFrame({"item": items["item"], "fold": groups.replace_strict(fold_of, return_dtype=pl.Int32)})
