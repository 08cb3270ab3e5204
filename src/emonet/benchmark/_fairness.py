"""Figures within parts of the set (age, gender, origin, language) and the differences between the parts.

Symbols: d dimensions, r raters, b resamples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.benchmark._agreement import with_holm
from emonet.benchmark._board import Board, Gold
from emonet.benchmark._figures import Figures
from emonet.benchmark._leaderboard import normal_p, standard_error
from emonet.benchmark._measure import STRICT_METRICS, Measured, Progress, measure, silent
from emonet.benchmark._scores import SMALL, score_rows
from emonet.errors import UnknownNameError
from emonet.statistics import Resampler, percentile_interval, row_means
from emonet.taxonomy import Modality

MOST_VALUES = 40
"""A column with more values is not sliced by; group its values first."""


@dataclass(frozen=True, slots=True)
class Sliced:
    """Rows of `scores` and of `differences`, and what was left out."""

    scores: list[dict[str, Any]]
    differences: list[dict[str, Any]]
    notes: list[str]


def slice_scores(
    board: Board,
    items: pl.DataFrame,
    columns: Sequence[str],
    *,
    gold: Gold,
    modality: Modality,
    resamples: int,
    seed: int,
    step: Progress = silent,
) -> Sliced:
    """Every strict metric for every value of every column, and all pairs of values compared.

    `items`: the set's items, in the board's order. Slices are resampled apart, because they share no item; a rater is
    compared on the dimensions that are defined in both. p comes from the resamples' standard errors, corrected (Holm)
    within one rater, metric and column. Raises `UnknownNameError` for a column that the items lack.
    """
    out = Sliced([], [], [])
    for column in columns:
        if column not in items.columns:
            raise UnknownNameError("column to slice by", column, items.columns)
        labels = items[column].cast(pl.String)
        values = labels.drop_nulls().unique().sort().to_list()
        if len(values) > MOST_VALUES or len(values) < 2:
            out.notes.append(f"Not sliced by {column}: it has {len(values)} values, expected 2 to {MOST_VALUES}.")
            continue
        parts = {value: board.take((labels == value).fill_null(False).to_numpy()) for value in values}
        for metric in STRICT_METRICS:
            step(f"slices by {column}: {metric}")
            measured = {
                value: measure(
                    part,
                    "strict",
                    gold=gold,
                    modality=modality,
                    resampler=Resampler(len(part.items), part.clusters, seed=seed, resamples=resamples),
                    metrics=(metric,),
                )
                for value, part in parts.items()
            }
            for value, one in measured.items():
                rows = score_rows(one, parts[value], resamples=resamples, slice_of=(column, value), dimensions=False)
                out.scores.extend(rows)
            out.differences.extend(_differences(measured, metric, column))
    return out


def _differences(measured: Mapping[str, Measured], metric: str, column: str) -> Iterator[dict[str, Any]]:
    """All pairs of values of the column, rater by rater."""
    there = {value: one for value, one in measured.items() if metric in one.figures}
    for row, rater in enumerate(next(iter(measured.values())).names):
        rows = []
        for a, b in combinations(there, 2):
            compared = _difference(there[a].figures[metric], there[b].figures[metric], row)
            if compared is None:
                continue
            n = min(int(there[a].items[row]), int(there[b].items[row]))
            rows.append(
                {
                    "definition": "strict",
                    "metric": metric,
                    "slice": column,
                    "slice_value_a": a,
                    "slice_value_b": b,
                    "rater": rater,
                    **compared,
                    "warning": f"small sample (n = {n})" if n < SMALL else None,
                }
            )
        for row_out in with_holm(rows):
            yield {key: value for key, value in row_out.items() if key != "p"}


def _difference(a: Figures, b: Figures, row: int) -> dict[str, float] | None:
    """a minus b in the mean over the dimensions that both have, with its interval; None when they share none."""
    known: NDArray[np.bool_] = np.isfinite(a.points[row]) & np.isfinite(b.points[row])
    if not known.any():
        return None
    drawn = row_means(a.draws[:, row, known]) - row_means(b.draws[:, row, known])
    value = percentile_interval(drawn, float((a.points[row, known] - b.points[row, known]).mean()))
    p = float(normal_p(np.asarray(value.value), standard_error(drawn)))
    return {"difference": value.value, "low": value.low, "high": value.high, "p": p}
