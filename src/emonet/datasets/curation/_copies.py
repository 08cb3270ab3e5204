"""Copies of one another among pictures or recordings: found, grouped, and thinned to the best of each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.datasets.curation._groups import connected
from emonet.datasets.curation._hamming import near_codes
from emonet.datasets.curation._picture_signature import SIDE, PictureSignature, code_of, correlations
from emonet.datasets.curation._report import Selection, keep_where, need_columns, need_item
from emonet.datasets.curation._sound_pairs import matching_sounds
from emonet.datasets.curation._sound_signature import SoundSignature
from emonet.errors import UsageError

COPIES = "copies"
"""Column that holds the number of an item's group of copies; null where it has none."""
PAIR_SCHEMA = pl.Schema({"first": pl.String(), "second": pl.String(), "likeness": pl.Float64(), "exact": pl.Boolean()})


@dataclass(frozen=True, slots=True)
class PictureRule:
    """When two pictures are copies: at most `bits` of 64 differ and the small pictures correlate by at least
    `correlation`. `mirrored`: a mirror image is a copy too. Set on FER+ and muxspace; docs/datasets.md has the measured
    recall and false alarms."""

    bits: int = 11
    correlation: float = 0.94
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class SoundRule:
    """When two recordings are copies: at most this share of bits differs over at least `shared_s` seconds, or over
    `part` of the shorter one."""

    error: float = 0.25
    shared_s: float = 1.0
    part: float = 0.8


def picture_copies(
    items: Sequence[str], signatures: Sequence[PictureSignature], rule: PictureRule | None = None
) -> pl.DataFrame:
    """Pairs of copies: first, second, likeness (correlation), exact (the very same pixels). Sorted by name."""
    rule = rule or PictureRule()
    n = len(signatures)
    small = np.stack([one.small for one in signatures]) if n else np.empty((0, SIDE, SIDE), np.uint8)
    codes = [one.code for one in signatures]
    if rule.mirrored:
        small = np.concatenate([small, small[:, :, ::-1]])
        codes += [code_of(one) for one in small[n:]]
    pairs = near_codes(np.array(codes, np.uint64), rule.bits)
    # Not of interest: two mirror images, and a symmetric picture that is like its own.
    pairs = pairs[(pairs[:, 0] < n) & (pairs[:, 1] != pairs[:, 0] + n)]
    likeness = correlations(small, pairs)
    exact = np.array([b < n and signatures[a].exact == signatures[b].exact for a, b in pairs], bool)
    kept = (likeness >= rule.correlation) | exact
    found = _pairs(items, pairs[kept] % max(n, 1), np.where(exact[kept], 1.0, likeness[kept]), exact[kept])
    return found.group_by("first", "second").agg(pl.max("likeness"), pl.any("exact")).sort("first", "second")


def sound_copies(
    items: Sequence[str], signatures: Sequence[SoundSignature], rule: SoundRule | None = None
) -> pl.DataFrame:
    """Pairs of copies: first, second, likeness (share of equal bits), exact (the very same samples). Sorted by name."""
    rule = rule or SoundRule()
    matches = matching_sounds(signatures, error=rule.error, shared_s=rule.shared_s, part=rule.part)
    likeness = {(match.a, match.b): 1 - match.error for match in matches}
    first: dict[str, int] = {}
    for number, one in enumerate(signatures):  # silence has no loud frame to match, but the same digest
        if (known := first.setdefault(one.exact, number)) != number:
            likeness[known, number] = 1.0
    pairs = np.array(sorted(likeness), np.int64).reshape(-1, 2)
    exact = np.array([signatures[a].exact == signatures[b].exact for a, b in pairs], bool)
    return _pairs(items, pairs, np.array([likeness[a, b] for a, b in pairs.tolist()]), exact)


def group_copies(items: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """`items` with the column `copies`: a number for each group that pairs connect, null for items without a copy.

    Numbers follow the names of the items, not their order. Copies of copies are one group. Pairs that name other
    items are refused.
    """
    need_item(items, "grouping copies")
    names = items["item"].sort()
    row = {name: k for k, name in enumerate(names)}
    try:
        joined = [(row[a], row[b]) for a, b in pairs.select("first", "second").iter_rows()]
    except KeyError as error:
        raise UsageError(f"A pair of copies names the item {error.args[0]!r}, which is not in the table.") from error
    group = connected(len(names), joined)
    crowd = np.bincount(group, minlength=len(names) and int(group.max()) + 1) > 1 if len(names) else np.empty(0, bool)
    number = np.where(crowd[group], np.cumsum(crowd)[group] - 1, -1) if len(names) else group
    found = pl.DataFrame({"item": names, COPIES: pl.Series(number, dtype=pl.Int64)})
    found = found.with_columns(pl.when(pl.col(COPIES) >= 0).then(COPIES))
    return items.drop(COPIES, strict=False).join(found, on="item", how="left", maintain_order="left")


def drop_copies(
    items: pl.DataFrame, *, prefer: Sequence[str] = (), label: str | None = None, first: Sequence[str] = ()
) -> Selection:
    """Keep one item of each group of `copies`: that with the largest values in the columns `prefer`, in their order
    (such as width, or duration_s); of equals the one whose name sorts first.

    first: items that are kept before all others, such as those of a test part that must not change. label: column whose
    values should agree within a group; how many groups disagree goes into the facts, because the label of a picture
    that was judged twice differently is in doubt.
    """
    need_item(items, "dropping copies")
    need_columns(items, (COPIES, *prefer, *((label,) if label else ())), "dropping copies")
    order = items.select(
        "item", COPIES, *prefer, _late=~pl.col("item").is_in(list(first)), _row=pl.int_range(pl.len())
    ).sort(["_late", *prefer, "item"], descending=[False, *[True] * len(prefer), False], nulls_last=True)
    best = order.group_by(COPIES, maintain_order=True).agg(_best=pl.col("item").first()).drop_nulls(COPIES)
    marked = items.join(best, on=COPIES, how="left", maintain_order="left")
    grouped = items.filter(pl.col(COPIES).is_not_null())
    sizes = grouped[COPIES].value_counts(name="n")["n"]
    facts: dict[str, Any] = {
        "groups": len(best),
        "items in groups": len(grouped),
        "largest group": int(sizes.to_numpy().max(initial=0)),
    }
    if label is not None:
        facts["groups whose labels disagree"] = int(
            (grouped.group_by(COPIES).agg(pl.col(label).n_unique())[label] > 1).sum()
        )
    preferred = f"the largest {', '.join(prefer)}" if prefer else "the first name"
    chosen = keep_where(
        marked,
        [("a copy of another", pl.col("_best") != pl.col("item"), pl.col("_best"))],
        name="copies",
        rule=f"Of copies of one another, the one with {preferred}.",
        facts=facts,
    )
    return Selection(chosen.items.drop("_best"), chosen.step)


def _pairs(
    items: Sequence[str], pairs: NDArray[np.int64], likeness: NDArray[np.floating[Any]], exact: NDArray[np.bool_]
) -> pl.DataFrame:
    ends = [sorted((items[a], items[b])) for a, b in pairs.tolist()]
    table = pl.DataFrame(
        {
            "first": [a for a, _ in ends],
            "second": [b for _, b in ends],
            "likeness": likeness.astype(np.float64),
            "exact": exact,
        },
        schema=PAIR_SCHEMA,
    )
    return table.sort("first", "second")
