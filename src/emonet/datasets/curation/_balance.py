"""How evenly a set is spread over speakers, demographics or emotions, and a cut that evens it.

Symbols: k cells, the combinations of values that occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from emonet.datasets.curation._draw import draw_order
from emonet.datasets.curation._report import Selection, keep_where, need_columns, need_item
from emonet.errors import UsageError


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """`cells`: the columns asked for and `n`, largest first. `evenness`: entropy of the cells' shares over its largest
    possible value, log k (Pielou 1966); 1 is even, NaN for one cell. `ratio`: largest over smallest cell."""

    cells: pl.DataFrame
    evenness: float
    ratio: float


def balance_of(items: pl.DataFrame, by: Sequence[str]) -> Balance:
    """Count the items in each combination of values of the columns `by`; a missing value is a value too."""
    need_columns(items, by, "balance")
    if not by or items.is_empty():
        raise UsageError("A balance needs at least one column and one item.")
    cells = (
        items.group_by(list(by)).agg(n=pl.len().cast(pl.Int64)).sort(["n", *by], descending=[True] + [False] * len(by))
    )
    n = cells["n"].to_numpy()
    share = n / n.sum()
    evenness = float(-(share * np.log(share)).sum() / np.log(len(n))) if len(n) > 1 else float("nan")
    return Balance(cells, evenness, float(n.max() / n.min()))


def balance_items(
    items: pl.DataFrame, by: Sequence[str], *, most: int | None = None, ratio: float | None = None, seed: int = 0
) -> Selection:
    """Keep at most `most` items of each combination of values of the columns `by`, or at most `ratio` times the
    smallest combination; both when both are given. Which items stay is random, and follows from their names.

    Raises `UsageError` when neither limit is given or one is impossible.
    """
    need_item(items, "balancing")
    need_columns(items, by, "balancing")
    if most is None and ratio is None:
        raise UsageError("Balancing needs a limit: most= (items per combination) or ratio= (times the smallest).")
    if (most is not None and most < 1) or (ratio is not None and ratio < 1):
        raise UsageError(f"most is {most} and ratio is {ratio}; expected at least 1.")
    columns = ", ".join(by)
    if items.is_empty():
        return keep_where(items, [], name="balance", rule=f"At most so many items per {columns}.")
    before = balance_of(items, by)
    smallest = int(before.cells["n"].min())  # type: ignore[arg-type]
    limits = [limit for limit in (most, None if ratio is None else int(ratio * smallest)) if limit is not None]
    limit = min(limits)
    order = draw_order(items["item"], seed)
    rank = items.select(*by).with_columns(order).select(pl.col("order").rank("ordinal").over(list(by))).to_series()
    cell = pl.concat_str([pl.col(name).cast(pl.String).fill_null("unknown") for name in by], separator=" / ")
    numbered = items.with_columns(rank.alias("_rank"))
    chosen = keep_where(
        numbered,
        [("more than the limit of its cell", pl.col("_rank") > limit, cell)],
        name="balance",
        rule=f"At most {limit} items per combination of {columns}, drawn with seed {seed}.",
    )
    kept = chosen.items.drop("_rank")
    after = balance_of(kept, by)
    facts = {
        "by": list(by),
        "cells": len(before.cells),
        "evenness": [before.evenness, after.evenness],
        "ratio": [before.ratio, after.ratio],
    }
    step = chosen.step
    return Selection(kept, type(step)(step.name, step.rule, step.entered, step.kept, step.dropped, facts))
