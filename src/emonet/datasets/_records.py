"""What raters said about items: the records that every labelled set is read into and every rater writes.

Symbols: i items, r raters, d dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.taxonomy import Modality

RaterKind = Literal["human", "bundle", "zero-shot", "multi-shot", "api", "baseline"]
"""Who rated: a person, a local bundle, a prompted model without or with worked examples, a commercial expression
API, or a trivial rule."""

RATING_SCHEMA = pl.Schema(
    {
        "item": pl.String(),
        "rater": pl.String(),
        "dimension": pl.String(),
        "value": pl.Float64(),
        "protocol": pl.String(),
        "stage": pl.Int16(),
        "time": pl.Datetime("us", "UTC"),
    }
)
"""Columns of a ratings table: one row is one judgement. `value` is on the rater's own scale and never null;
what was not judged has no row. `stage` counts from 1; `time` is null where the source does not tell."""


@dataclass(frozen=True, slots=True)
class Rater:
    """`scale`: ends of the rater's own scale, or None when it uses the set's. `facts`: model id, revision, prompt
    hash and the like."""

    name: str
    kind: RaterKind
    scale: tuple[float, float] | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Judgements and who made them. `table` has the columns of `RATING_SCHEMA`."""

    table: pl.DataFrame
    raters: tuple[Rater, ...]

    def __post_init__(self) -> None:
        if self.table.schema != RATING_SCHEMA:
            raise UsageError(f"A ratings table has columns {dict(self.table.schema)}; expected {dict(RATING_SCHEMA)}.")
        unknown = set(self.table["rater"].unique()) - {rater.name for rater in self.raters}
        if unknown:
            raise UsageError(f"Ratings by raters that are not described: {sorted(unknown)[:5]}.")

    def cube(
        self, items: Sequence[str], dimensions: Sequence[str], *, raters: Sequence[str] | None = None
    ) -> NDArray[np.float64]:
        """Values float64 [r, i, d], NaN where a rater did not judge; several judgements of one rater are averaged.

        `raters`: names, by default all in the order of `self.raters`.
        """
        names = [rater.name for rater in self.raters] if raters is None else list(raters)
        rows = self.table.group_by("rater", "item", "dimension").agg(pl.col("value").mean())
        for column, known in (("rater", names), ("item", items), ("dimension", dimensions)):
            index = pl.DataFrame({column: list(known), f"{column}_index": np.arange(len(known))})
            rows = rows.join(index.cast({column: pl.String}), on=column)
        out = np.full((len(names), len(items), len(dimensions)), np.nan)
        out[rows["rater_index"].to_numpy(), rows["item_index"].to_numpy(), rows["dimension_index"].to_numpy()] = rows[
            "value"
        ].to_numpy()
        return out


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet:
    """Items with people's ratings.

    `items`: one row per item: column `item` (unique id), optional `media` (path of its file), and any facts.
    `scale`: ends of the people's scale, `levels` its values when it has few. `dimensions`: taxonomy keys that were
    rated. `asked`: columns item and dimension, the pairs that were put to the raters; None means every item for every
    dimension. `demographics`: columns of `items` by which figures may be sliced. `cluster`: column of `items` whose
    equal values belong together in resampling (a speaker), None for the items themselves. `read_media`: encoded bytes
    of an item's file, None when the set is without media.
    """

    name: str
    modality: Modality
    items: pl.DataFrame
    ratings: Ratings
    dimensions: tuple[str, ...]
    scale: tuple[float, float]
    levels: tuple[float, ...] | None = None
    asked: pl.DataFrame | None = None
    demographics: tuple[str, ...] = ()
    cluster: str | None = None
    read_media: Callable[[str], bytes] | None = None
    licence: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
