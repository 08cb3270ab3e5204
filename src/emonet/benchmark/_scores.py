"""Rows of `scores`: every figure with its 95 % interval, per dimension and as the mean over dimensions.

Symbols: i items, d dimensions, r raters, b resamples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.benchmark._board import Board
from emonet.benchmark._figures import Figures
from emonet.benchmark._measure import Measured
from emonet.benchmark._results import HUMAN_CEILING, PEOPLE
from emonet.statistics import Interval, bootstrap_mean, percentile_interval, row_means, wilson

Floats = NDArray[np.float64]
PUBLISHED_SEED = 42  # of the generator in the papers' notebooks
SMALL = 30
"""Below this many items a figure carries a warning."""


def score_rows(
    measured: Measured,
    board: Board,
    *,
    resamples: int,
    slice_of: tuple[str, str] | None = None,
    dimensions: bool = True,
) -> Iterator[dict[str, Any]]:
    """Rows of `scores`; `slice_of`: the column and value that `board` is restricted to."""
    covered = _coverage(board)
    for metric, figures in measured.figures.items():
        for row, name in enumerate(measured.names):
            common = {
                "definition": measured.definition,
                "metric": metric,
                "rater": name,
                "reference": PEOPLE,
                "slice": slice_of and slice_of[0],
                "slice_value": slice_of and slice_of[1],
            }
            if not np.isfinite(figures.points[row]).any() and not figures.n[row].any():
                continue  # the metric does not apply to this rater
            mean, used = mean_interval(measured, figures, row, resamples)
            note = _note(measured, figures, row, int(measured.items[row]), covered.get(name, 1.0))
            if name == HUMAN_CEILING and board.in_turn:
                note = "; ".join(filter(None, ["people were asked in turn, so this is no ceiling", note]))
            yield {**common, **mean._asdict(), "n": int(measured.items[row]), "dimensions_used": used, "note": note}
            if dimensions:
                yield from ({**common, **cell} for cell in _cells(measured, figures, row, board.dimensions))


def mean_interval(measured: Measured, figures: Figures, row: int, resamples: int) -> tuple[Interval, int]:
    """(mean over the dimensions where the figure is defined, how many these are).

    Its interval resamples items; published: it resamples the dimensions' values, which says how much the mean would
    change with other emotions and nothing about other items.
    """
    known = np.isfinite(figures.points[row])
    used = int(known.sum())
    if not used:
        return Interval(np.nan, np.nan, np.nan), 0
    values = figures.points[row, known]
    if measured.definition == "published":
        return bootstrap_mean(values, seed=PUBLISHED_SEED, resamples=resamples), used
    return percentile_interval(row_means(figures.draws[:, row, known]), float(values.mean())), used


def rate_rows(replies: pl.DataFrame, definitions: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Shares of requests that a rater refused, and that it answered in no readable form.

    Wilson's interval, which stays informative at 0; several requests about one item count as one for its width,
    because a refusal is mostly about the item.
    """
    replies = replies.filter(pl.col("attempts").fill_null(1) > 0)  # what was never sent was not refused
    kinds = {"refusal_rate": ["refused"], "format_failure_rate": ["malformed"]}
    for (name,), table in replies.group_by("rater", maintain_order=True):
        items = table["item"].n_unique()
        for metric, statuses in kinds.items():
            share = table["status"].is_in(statuses).mean()
            value = wilson(float(share) if isinstance(share, int | float) else 0.0, items)
            for definition in definitions:
                yield {
                    "definition": definition,
                    "metric": metric,
                    "rater": name,
                    "reference": PEOPLE,
                    **value._asdict(),
                    "n": items,
                    "note": _small(items),
                }


def _cells(measured: Measured, figures: Figures, row: int, dimensions: Sequence[str]) -> Iterator[dict[str, Any]]:
    for column, key in enumerate(dimensions):
        n = int(min(figures.n[row, column], measured.cells[row, column]))  # several people may share an item
        if not n:
            continue  # not judged, or nobody voted
        point = float(figures.points[row, column])
        value = percentile_interval(figures.draws[:, row, column], point) if np.isfinite(point) else None
        why = None if value else "undefined: the reference or the rater is constant, or there are too few items"
        if value and figures.flat[row, column]:
            why = "the rater says the same of all items"
        cell = value._asdict() if value else {}
        yield {"dimension": key, **cell, "n": n, "note": why or _small(n)}


def _note(measured: Measured, figures: Figures, row: int, items: int, covered: float) -> str | None:
    """What to know about a mean: constants, dimensions left out, refused items, a small sample."""
    said = []
    judged, d = figures.n[row] > 0, figures.n.shape[1]
    known = np.isfinite(figures.points[row])
    flat = int((figures.flat[row] & judged).sum())
    if flat and measured.definition == "strict" and measured.names[row] in measured.names[:-1]:
        said.append(f"says the same of all items in {flat} dimensions")
    if lost := int((judged & ~known).sum()):
        said.append(f"{lost} dimensions undefined and left out")
    if absent := int(d - judged.sum()):
        said.append(f"{absent} of {d} dimensions not judged")
    if covered < 0.995:
        said.append(f"answered {covered:.0%} of what it was asked in the dimensions that it judges")
    if small := _small(items):
        said.append(small)
    return "; ".join(said) or None


def _small(n: int) -> str | None:
    return f"small sample (n = {n})" if n < SMALL else None


def _coverage(board: Board) -> Mapping[str, float]:
    """Share of the asked pairs that each rater answered, over the dimensions that it judges at all."""
    out = {}
    for rater, values in zip(board.raters, board.values, strict=True):
        there = ~np.isnan(values)
        asked = board.asked & there.any(axis=0)
        out[rater.name] = float((there & asked).sum() / asked.sum()) if asked.any() else 1.0
    return out
