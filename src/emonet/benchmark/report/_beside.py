"""Values that others published, among one's own."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from emonet.benchmark._published import PUBLISHED_SCHEMA
from emonet.benchmark._results import LOWER_IS_BETTER, Results
from emonet.benchmark.report._view import Cell, leaderboard
from emonet.errors import UsageError


@dataclass(frozen=True, slots=True)
class Beside:
    """A value of this run (`source` empty) or of a publication."""

    rater: str
    kind: str
    cell: Cell
    source: str


def published_rows(results: Results, published: pl.DataFrame, metric: str) -> list[Beside]:
    """Published means and one's own under the same definition, best first; empty without published ones.

    Raises `UsageError` when `published` lacks a column of `published_scores`.
    """
    if published.is_empty():
        return []
    if missing := [name for name in PUBLISHED_SCHEMA if name not in published.columns]:
        raise UsageError(
            f"The table of published results lacks the columns {', '.join(missing)}; expected those of "
            "emonet.benchmark.published_scores()."
        )
    rows = published.filter(
        pl.col("metric") == metric, pl.col("dimension").is_null(), pl.col("set") == results.facts["set"]
    )
    if rows.is_empty():
        return []
    out = [
        Beside(row["rater"], row["kind"], Cell(row["value"], row["low"], row["high"]), row["source"])
        for row in rows.iter_rows(named=True)
    ]
    own = leaderboard(results, "published", metric)
    out += [Beside(line.rater, line.kind, line.cell, "") for line in own if line.cell.value is not None]
    sign = 1 if metric in LOWER_IS_BETTER else -1
    return sorted(out, key=lambda row: sign * (row.cell.value if row.cell.value is not None else -sign * 1e9))
