"""What several people agreed on: pairs of an item and an emotion that pass a rule, with the value they agreed on."""

from __future__ import annotations

from typing import Literal

import polars as pl

from emonet.datasets._records import LabelledSet
from emonet.datasets.curation._report import Selection, Step
from emonet.errors import UnknownNameError, UsageError

_PAIR = ["item", "dimension"]


def pairs_of(labelled: LabelledSet) -> pl.DataFrame:
    """One row per rated pair: item, dimension, raters, present (raters above the scale's low end), mean, median, low,
    high. Only people count; several judgements of one person are averaged first."""
    people = [rater.name for rater in labelled.ratings.raters if rater.kind == "human"]
    if not people:
        raise UsageError(f"{labelled.name}: no ratings by people; expected at least one human rater.")
    rows = labelled.ratings.table.filter(
        pl.col("rater").is_in(people) & pl.col("dimension").is_in(list(labelled.dimensions))
    )
    one = rows.group_by("item", "dimension", "rater").agg(pl.col("value").mean())
    value = pl.col("value")
    return one.group_by(_PAIR).agg(
        raters=pl.len().cast(pl.Int64),
        present=(value > labelled.scale[0]).sum().cast(pl.Int64),
        mean=value.mean(),
        median=value.median(),
        low=value.min(),
        high=value.max(),
    ).sort(_PAIR)  # fmt: skip


def strict_agreement(
    labelled: LabelledSet, *, raters: int = 3, on: Literal["value", "presence"] = "value"
) -> Selection:
    """Pairs that at least `raters` people judged and all of them alike.

    on: "value", the very same value (EmoNet-Voice's strict consensus, arXiv 2506.09827), or "presence", all above the
    scale's low end or none. EmoNet-Face Binary's triple positives (arXiv 2505.20033) are the pairs that are left with
    `present` > 0. `items` of the selection has the columns of `pairs_of`; a pair that was judged by too few is dropped
    however much they agree, because two people agree by chance far more often than three.
    """
    if on not in ("value", "presence"):
        raise UnknownNameError("kind of agreement", on, ("value", "presence"))
    if raters < 1:
        raise UsageError(f"raters is {raters}; expected at least 1.")
    pairs = pairs_of(labelled)
    few = pl.col("raters") < raters
    same = (
        pl.col("low") == pl.col("high")
        if on == "value"
        else pl.col("present").is_in([0]) | (pl.col("present") == pl.col("raters"))
    )
    kept, dropped = _divided(
        pairs, [("judged by too few", few, pl.col("raters")), ("not all said the same", ~same, _said())]
    )
    rule = (
        f"At least {raters} people judged, and all {'gave the same value' if on == 'value' else 'agreed on presence'}."
    )
    facts = {
        "pairs": len(pairs),
        "items": kept["item"].n_unique(),
        "agreed present": int((kept["present"] > 0).sum()),
        "agreed absent": int((kept["present"] == 0).sum()),
    }
    return Selection(kept, Step("agreement", rule, len(pairs), len(kept), dropped, facts))


def threshold(
    labelled: LabelledSet, least: float, *, how: Literal["mean", "median", "share"] = "mean", raters: int = 1
) -> Selection:
    """Pairs whose people's mean or median, on the set's scale, or share of people who saw the emotion, is at least
    `least`, among those that at least `raters` people judged."""
    if how not in ("mean", "median", "share"):
        raise UnknownNameError("figure", how, ("mean", "median", "share"))
    low, high = (0.0, 1.0) if how == "share" else labelled.scale
    if not low <= least <= high:
        raise UsageError(f"least is {least}; expected from {low:g} to {high:g}, the ends of the {how}'s scale.")
    pairs = pairs_of(labelled)
    figure = pl.col("present") / pl.col("raters") if how == "share" else pl.col(how)
    kept, dropped = _divided(
        pairs,
        [
            ("judged by too few", pl.col("raters") < raters, pl.col("raters")),
            ("below the threshold", figure < least, figure),
        ],
    )
    rule = f"The people's {how} is at least {least:g}; at least {raters} judged."
    return Selection(kept, Step("threshold", rule, len(pairs), len(kept), dropped, {"items": kept["item"].n_unique()}))


def label_items(items: pl.DataFrame, pairs: pl.DataFrame, *, column: str = "label") -> Selection:
    """The items that have a pair with `present` > 0, with the emotions of these pairs in `column`, ";" between them."""
    named = pairs.filter(pl.col("present") > 0).sort(_PAIR).group_by("item", maintain_order=True)
    labels = named.agg(pl.col("dimension").str.join(";").alias(column))
    joined = items.drop(column, strict=False).join(labels, on="item", how="left", maintain_order="left")
    kept = joined.filter(pl.col(column).is_not_null())
    gone = joined.filter(pl.col(column).is_null())
    dropped = gone.select("item", reason=pl.lit("no emotion was agreed on"), detail=pl.lit(""))
    rule = "At least one emotion is left that people agreed is present."
    return Selection(kept, Step("labels", rule, len(items), len(kept), dropped))


def _said() -> pl.Expr:
    return pl.format("{} to {} by {}", pl.col("low"), pl.col("high"), pl.col("raters"))


def _divided(pairs: pl.DataFrame, reasons: list[tuple[str, pl.Expr, pl.Expr]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The pairs that no condition names, and the others as rows of a step, "item: emotion" in `detail`."""
    reason, detail = pl.lit(None, pl.String), pl.lit(None, pl.String)
    for label, condition, said in reversed(reasons):
        reason = pl.when(condition).then(pl.lit(label)).otherwise(reason)
        detail = pl.when(condition).then(pl.format("{}: {}", pl.col("dimension"), said)).otherwise(detail)
    judged = pairs.with_columns(_reason=reason, _detail=detail)
    gone = judged["_reason"].is_not_null()
    dropped = judged.filter(gone).select("item", reason="_reason", detail="_detail")
    return pairs.filter(~gone), dropped
