"""What every rater gives back, and the one method that it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import polars as pl

from emonet.benchmark._results import SCHEMAS
from emonet.datasets import RATING_SCHEMA, LabelledSet, Rater
from emonet.errors import UsageError

Status = Literal["ok", "refused", "malformed", "timeout", "error"]
"""How a question ended. `ok`: an answer, of which zeros are a part; `refused`: the rater would not judge or found
nothing to judge; `malformed`: no answer of the agreed form; `timeout`: none in time; `error`: any other failure."""

Progress = Callable[[str], None]
"""Takes one line of text now and then."""

REPLY_SCHEMA = SCHEMAS["replies"]
"""Columns of a table of replies: one row a question. `dimension` is null where all were asked at once. `attempts`:
requests that were sent, 0 when the question was not asked; `seconds`, tokens and `cost` are their sums."""


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """`ratings` has the columns of `RATING_SCHEMA`, `replies` those of `REPLY_SCHEMA`. `notes`: what a reader of the
    results should know, such as a budget that ran out."""

    ratings: pl.DataFrame
    replies: pl.DataFrame
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, table, schema in (
            ("ratings", self.ratings, RATING_SCHEMA),
            ("replies", self.replies, REPLY_SCHEMA),
        ):
            if table.schema != schema:
                raise UsageError(f"A table of {name} has columns {dict(table.schema)}; expected {dict(schema)}.")


class RaterRunner(Protocol):
    """Anything that can rate a labelled set. Ratings that people gave are never read, unless the rater's facts say so
    under `sees`."""

    @property
    def rater(self) -> Rater:
        """Who rates: name, kind, scale and facts."""
        ...

    def rate(self, labelled: LabelledSet, *, progress: Progress | None = None) -> Rated:
        """Judgements of the set's items on its dimensions. One item's failure is a row of `replies`; an error is
        raised only when the rater as a whole cannot work."""
        ...


def asked_pairs(labelled: LabelledSet) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(item, dimensions) that were put to the raters, in the order of the items and of the set's dimensions.

    Raises `UsageError` for a pair that names an unknown item or dimension.
    """
    items = [str(item) for item in labelled.items["item"]]
    if labelled.asked is None:
        yield from ((item, labelled.dimensions) for item in items)
        return
    known = set(labelled.dimensions)
    wanted: dict[str, set[str]] = {item: set() for item in items}
    for item, dimension in labelled.asked.select("item", "dimension").iter_rows():
        if item not in wanted or dimension not in known:
            raise UsageError(f"{labelled.name}: `asked` holds ({item!r}, {dimension!r}), which is not in the set.")
        wanted[item].add(dimension)
    for item, some in wanted.items():
        if some:
            yield item, tuple(dimension for dimension in labelled.dimensions if dimension in some)


def ratings_table(
    rater: str, protocol: str, rows: Iterable[tuple[str, Mapping[str, float], datetime | None]]
) -> pl.DataFrame:
    """Ratings from (item, value by dimension, time)."""
    return pl.DataFrame(
        [(item, rater, key, float(v), protocol, 1, time) for item, values, time in rows for key, v in values.items()],
        schema=RATING_SCHEMA,
        orient="row",
    )


def replies_table(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Replies from rows by column; what a row lacks is null."""
    return pl.DataFrame(list(rows), schema=REPLY_SCHEMA, orient="row")
