"""How far people agree on the items of a set, for its card.

Symbols: r raters, i items, d dimensions.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from emonet.datasets._records import RATING_SCHEMA, Rater, Ratings
from emonet.statistics import (
    Interval,
    Resampler,
    bootstrap_alpha,
    krippendorff_alpha,
    mean_interval,
    percentile_interval,
)

_RESAMPLES = 1000


def agreement_rows(table: pl.DataFrame, *, seed: int = 0) -> list[list[str]]:
    """Rows of a card's table: figure, value, interval, what it was computed from.

    Unanimity is the share of pairs of an item and an emotion with at least two raters on which all gave one value;
    Krippendorff's alpha (interval level) is over all such pairs together. Items are resampled whole.
    """
    rated = table.select(list(RATING_SCHEMA))
    pairs = rated.group_by("item", "dimension").agg(
        raters=pl.col("rater").n_unique(), one=pl.col("value").n_unique() == 1
    )  # fmt: skip
    several = pairs.filter(pl.col("raters") > 1).sort("item", "dimension")
    people = rated["rater"].unique().sort().to_list()
    rows = [
        ["people", f"{len(people)}", "", f"{len(rated):,} judgements"],
        ["pairs judged by one person", f"{len(pairs) - len(several):,}", "", f"of {len(pairs):,} pairs"],
    ]
    if several.is_empty():
        return [*rows, ["agreement", "unknown", "", "no pair was judged by two people"]]
    unanimous = mean_interval(several["one"].cast(pl.Float64), several["item"].to_list(), seed=seed)
    rows.append(["all said the same", f"{unanimous.value:.3f}", _ends(unanimous), f"{len(several):,} pairs"])
    columns = several.select("item", "dimension")
    ratings = Ratings(rated, tuple(Rater(name, "human") for name in people))
    cube = ratings.cube(columns["item"].unique(maintain_order=True).to_list(), columns["dimension"].unique().to_list())
    units = cube.transpose(1, 2, 0).reshape(-1, len(people)).T  # r, i d
    owners = np.repeat(np.arange(cube.shape[1]), cube.shape[2])
    held = (~np.isnan(units)).sum(axis=0) > 1
    alpha = krippendorff_alpha(units[:, held], "interval")
    if np.isfinite(alpha):
        resampler = Resampler(int(held.sum()), owners[held].tolist(), seed=seed, resamples=_RESAMPLES)
        drawn = bootstrap_alpha(units[:, held], "interval", resampler)
        found = percentile_interval(drawn, alpha)
        rows.append(["Krippendorff's alpha", f"{found.value:.3f}", _ends(found), f"{int(held.sum()):,} pairs"])
    else:
        rows.append(["Krippendorff's alpha", "undefined", "", "all values are equal"])
    return rows


def _ends(interval: Interval) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}" if np.isfinite(interval.low) else "none"
