"""Parts of a set that share no speaker, no identity and no copy of a recording or picture.

Symbols: g groups, s parts, l strata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.datasets.curation._groups import joined_groups
from emonet.datasets.curation._report import need_columns, need_item
from emonet.errors import UnknownNameError, UsageError

SHARES: Mapping[str, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}
_TRIES = 16
"""Random orders of the groups that are tried; the one whose parts resemble one another most is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """`table`: columns item and split, in the order of the items. `shares`: share of the items in each part.
    `groups`: groups in each part. `unevenness`: mean over the strata of the largest difference between a part's share
    of the stratum and the part's share of all items; 0 when every part holds its share of every stratum."""

    table: pl.DataFrame
    shares: Mapping[str, float]
    groups: Mapping[str, int]
    unevenness: float


def split_items(
    items: pl.DataFrame,
    *,
    shares: Mapping[str, float] = SHARES,
    by: Sequence[str] = (),
    stratify: Sequence[str] = (),
    unknown: Literal["refuse", "single"] = "refuse",
    seed: int = 0,
) -> Split:
    """Deal the items out to parts.

    shares: name → share of the items, summing to 1. by: columns (speaker, identity, group of copies); items that
    agree in any of them, directly or through others, stay together. Values of different columns are never confused.
    stratify: columns whose values (or combinations of values) should be spread like the parts themselves.
    unknown: an item without a value in a column of `by` is refused, or joined to nothing by that column.

    The result depends on the items, not on the order of their rows. No part exceeds its share by as much as the
    largest group. Groups are taken in random order, the largest first, each by a part that still lacks items; of
    these by the one that lacks most of the group's strata (after Sechidis et al. 2011, iterative stratification).
    Raises `UsageError` for impossible shares, unknown columns, missing values, or fewer groups than parts.
    """
    need_item(items, "splitting")
    need_columns(items, (*by, *stratify), "splitting")
    _check_shares(shares)
    if unknown not in ("refuse", "single"):
        raise UnknownNameError("way with items of unknown group", unknown, ("refuse", "single"))
    ordered = items.sort("item")
    if unknown == "refuse":
        for column in by:
            if lost := ordered[column].null_count():
                first = ordered.filter(pl.col(column).is_null())["item"][0]
                raise UsageError(
                    f"{lost} of {len(items)} items have no {column!r}, the first {first!r}. Name them, or take each "
                    'for one of its own: unknown="single".'
                )
    group = joined_groups([ordered[column] for column in by], len(ordered))
    strata = _strata(ordered, stratify)
    counts = np.zeros((int(group.max(initial=-1)) + 1, int(strata.max(initial=0)) + 1), np.int64)  # g l
    np.add.at(counts, (group, strata), 1)
    names = list(shares)
    if len(counts) < len(names):
        joint = f"that share no {' or '.join(by)}" if by else "of one item each"
        raise UsageError(
            f"{len(ordered)} items in {len(counts)} groups {joint}; {len(names)} parts ({', '.join(names)}) need at "
            "least as many groups. Ask for fewer parts, or group by fewer columns."
        )
    part = _dealt(counts, np.array([shares[name] for name in names]), seed)
    table = ordered.select("item", split=pl.Series(names, dtype=pl.String).gather(pl.Series(part[group])))
    held = np.bincount(part[group], minlength=len(names))
    return Split(
        table=items.select("item").join(table, on="item", how="left", maintain_order="left"),
        shares={name: float(n / len(items)) for name, n in zip(names, held, strict=True)},
        groups={name: int(n) for name, n in zip(names, np.bincount(part, minlength=len(names)), strict=True)},
        unevenness=_unevenness(counts, part, len(names)),
    )


def _check_shares(shares: Mapping[str, float]) -> None:
    if not shares or any(not name for name in shares):
        raise UsageError(f"shares is {dict(shares)}; expected at least one named part.")
    if any(not 0 < share <= 1 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
        raise UsageError(f"shares are {dict(shares)}; expected numbers above 0 that sum to 1.")


def _strata(ordered: pl.DataFrame, stratify: Sequence[str]) -> NDArray[np.int64]:
    """Number of each item's combination of values, [n]; missing values are a stratum too."""
    if not stratify:
        return np.zeros(len(ordered), np.int64)
    codes = ordered.select(pl.struct(*stratify).rank("dense").cast(pl.Int64) - 1)
    return codes.to_series().to_numpy()


def _dealt(counts: NDArray[np.int64], shares: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Part of each group [g] for counts [g, l]."""
    best, least = np.zeros(len(counts), np.int64), np.inf
    for draw in np.random.default_rng(seed).spawn(_TRIES if counts.shape[1] > 1 else 1):
        part = _one_deal(counts, shares, draw)
        cost = _unevenness(counts, part, len(shares))
        if cost < least:
            best, least = part, cost
    return best


def _one_deal(counts: NDArray[np.int64], shares: NDArray[np.float64], draw: np.random.Generator) -> NDArray[np.int64]:
    sizes, total = counts.sum(axis=1), counts.sum()
    lacking = shares * total  # [s] items
    wanted = np.outer(shares, counts.sum(axis=0))  # [s, l] items of each stratum
    weight = 1 / np.maximum(counts.sum(axis=0), 1)  # a rare stratum counts as much as a frequent one
    shuffled = draw.permutation(len(counts))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    part = np.zeros(len(counts), np.int64)
    empty = np.ones(len(shares), bool)
    for done, group in enumerate(order):
        # The last groups go to parts that have none yet; otherwise to parts that still lack items, so that no part
        # exceeds its share by a whole group.
        may = empty if len(order) - done <= empty.sum() else lacking > 1e-9
        gain = (2 * wanted - counts[group]) @ (counts[group] * weight)  # by how much the squared lack shrinks
        chosen = int(np.lexsort((np.arange(len(shares)), -lacking, -np.where(may, gain, -np.inf)))[0])
        part[group] = chosen
        lacking[chosen] -= sizes[group]
        wanted[chosen] -= counts[group]
        empty[chosen] = False
    return part


def _unevenness(counts: NDArray[np.int64], part: NDArray[np.int64], parts: int) -> float:
    held = np.zeros((parts, counts.shape[1]))
    np.add.at(held, part, counts)
    of_stratum = held / np.maximum(held.sum(axis=0), 1)  # [s, l]
    of_all = held.sum(axis=1, keepdims=True) / max(counts.sum(), 1)
    return float(np.abs(of_stratum - of_all).max(axis=0).mean())
