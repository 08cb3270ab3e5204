"""Whether every emotion is there."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from emonet.datasets.curation._report import Selection, keep_where, need_columns, need_item
from emonet.errors import UsageError
from emonet.taxonomy import EMOTIONS

EVERY = tuple(one.key for one in EMOTIONS)


def count_categories(items: pl.DataFrame, column: str = "label", categories: Sequence[str] = EVERY) -> pl.DataFrame:
    """Columns category and n: the items of each category, 0 included, and then those of other values.

    An item may name several, ";" between them; it counts for each.
    """
    need_columns(items, (column,), "counting categories")
    named = items.select(pl.col(column).cast(pl.String).str.split(";").list.unique().alias("category")).explode(
        "category"
    )
    counts = named.with_columns(pl.col("category").str.strip_chars()).drop_nulls().filter(pl.col("category") != "")
    found = dict(counts.group_by("category").agg(n=pl.len()).iter_rows())
    order = [*categories, *sorted(set(found) - set(categories))]
    return pl.DataFrame(
        {"category": order, "n": [found.get(name, 0) for name in order]}, schema={"category": pl.String, "n": pl.Int64}
    )


def check_categories(
    items: pl.DataFrame,
    column: str = "label",
    *,
    categories: Sequence[str] = EVERY,
    least: int = 1,
    required: bool = False,
) -> Selection:
    """Say which of `categories` have fewer than `least` items; nothing is dropped.

    required: raise `UsageError` instead when a category is short, naming them all.
    """
    need_item(items, "counting categories")
    if least < 1:
        raise UsageError(f"least is {least}; expected at least 1.")
    counts = count_categories(items, column, categories)
    wanted = counts.filter(pl.col("category").is_in(list(categories)))
    short = dict(wanted.filter(pl.col("n") < least).iter_rows())
    if short and required:
        listed = ", ".join(f"{name} ({n})" for name, n in short.items())
        raise UsageError(
            f"{len(short)} of {len(categories)} categories have fewer than {least} items: {listed}. Add items, lower "
            "the number, or do not require every category."
        )
    facts = {"least": least, "categories": len(categories), "short": short}
    chosen = keep_where(items, [], name="categories", rule=f"Every category has at least {least} items.", facts=facts)
    return Selection(items, chosen.step)


def drop_scarce(items: pl.DataFrame, column: str = "label", *, least: int) -> Selection:
    """Drop the items all of whose categories have fewer than `least` items. Categories that lose items by this are not
    counted anew."""
    need_item(items, "dropping scarce categories")
    counts = count_categories(items, column, ())
    enough = counts.filter(pl.col("n") >= least)["category"].to_list()
    names = pl.col(column).cast(pl.String).str.split(";").list.eval(pl.element().str.strip_chars())
    none = ~names.list.eval(pl.element().is_in(enough)).list.any()
    step_rule = f"Of a category with at least {least} items."
    return keep_where(
        items, [("its category is scarce", none.fill_null(True), pl.col(column))], name="scarce", rule=step_rule
    )
