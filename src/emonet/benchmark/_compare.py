"""Two raters on the same items: the difference of every figure, on the same resamples for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from emonet.benchmark._agreement import with_holm
from emonet.benchmark._board import Board, make_board
from emonet.benchmark._leaderboard import normal_p, standard_error
from emonet.benchmark._measure import Progress, measure, silent
from emonet.benchmark._results import LOWER_IS_BETTER, Results
from emonet.datasets import LabelledSet, Rater, Ratings
from emonet.errors import UnknownNameError, UsageError
from emonet.statistics import Resampler, percentile_interval, row_means

COLUMNS = pl.Schema(
    {
        "metric": pl.String(),
        "dimension": pl.String(),
        "value_a": pl.Float64(),
        "value_b": pl.Float64(),
        "difference": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "p": pl.Float64(),
        "p_holm": pl.Float64(),
        "better": pl.String(),
        "n": pl.Int64(),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """`table`: a row per metric and dimension (null: the mean over the dimensions that both have), `difference` being
    b minus a with its 95 % interval; p from the paired resamples, corrected (Holm) over the metrics, or over the
    dimensions of one metric; `better` names the rater where the corrected p is below 0.05."""

    rater_a: str
    rater_b: str
    items: int
    table: pl.DataFrame


def compare_results(
    first: Results,
    second: Results | None = None,
    *,
    raters: Sequence[str] = (),
    progress: Progress = silent,
) -> list[Comparison]:
    """Compare raters of one or two results with the strict definition, over the items that both rated.

    One results: `raters` names the two. Two results of the same set: `raters` names one of each, or one that is in
    both; without, every rater that is in both is compared with itself. Raises `UsageError` when the people's ratings
    differ, `UnknownNameError` for a rater that is not there.
    """
    labelled, there = _people(first), _raters(first)
    other = there if second is None else _raters(second)
    if second is None and len(raters) != 2:
        raise UsageError(f"{len(raters)} raters are named; expected two of: {', '.join(there)}.")
    if second is not None and not _same_people(first, second):
        raise UsageError(
            f"The results are of different people's ratings ({first.facts['set']!r} and {second.facts['set']!r}); "
            "only results of the same set can be compared."
        )
    out = []
    for name_a, name_b in _named(raters, there, other):
        progress(f"{name_a} and {name_b}")
        a, b = there[name_a], replace(other[name_b], name=name_b)
        shown = (name_a, name_b) if name_a != name_b else (f"{name_a}, first", f"{name_b}, second")
        board = _pair(labelled, first, second or first, (a, b), shown)
        out.append(_compared(board, first.facts, shown))
    return out


def _named(raters: Sequence[str], there: Mapping[str, Rater], other: Mapping[str, Rater]) -> list[tuple[str, str]]:
    if len(raters) > 2:
        raise UsageError(f"{len(raters)} raters are named; expected at most two.")
    for name, known in zip((raters[0], raters[-1]) if raters else (), (there, other), strict=False):
        if name not in known:
            raise UnknownNameError("rater", name, known)
    if raters:
        return [(raters[0], raters[-1])]
    both = [name for name in there if name in other]
    if not both:
        raise UsageError(f"No rater is in both results; name one of each: {', '.join(there)} and {', '.join(other)}.")
    return [(name, name) for name in both]


def _pair(
    labelled: LabelledSet, first: Results, second: Results, raters: tuple[Rater, Rater], shown: tuple[str, str]
) -> Board:
    """The two raters under the names `shown`, on the items where both said something."""
    tables = [
        results.ratings.filter(pl.col("rater") == rater.name).with_columns(pl.lit(name).alias("rater"))
        for results, rater, name in zip((first, second), raters, shown, strict=True)
    ]
    named = tuple(replace(rater, name=name) for rater, name in zip(raters, shown, strict=True))
    low, high = first.facts["common_scale"]
    board = make_board(labelled, Ratings(pl.concat(tables), named), scale=(low, high))
    both = np.asarray((~np.isnan(board.values)).any(axis=2).all(axis=0), bool)
    if not both.any():
        raise UsageError(f"{shown[0]!r} and {shown[1]!r} rated no common item.")
    return board.take(both)


def _compared(board: Board, facts: Mapping[str, Any], names: tuple[str, str]) -> Comparison:
    resampler = Resampler(len(board.items), board.clusters, seed=facts["seed"], resamples=facts["resamples"])
    measured = measure(board, "strict", gold=facts["gold"], modality=facts["modality"], resampler=resampler)
    means, cells = [], []
    for metric, figures in measured.figures.items():
        known = np.isfinite(figures.points[:2]).all(axis=0)  # [d]
        if not known.any():
            continue
        points, draws = figures.points[:2, known], figures.draws[:, :2, known]
        both = np.stack([row_means(draws[:, 0]), row_means(draws[:, 1])], axis=1)  # [b, 2]
        n = int(min(measured.items[:2]))
        counted = np.minimum(figures.n, measured.cells)[:2].min(axis=0)  # [d]
        means.append(_row(metric, None, points.mean(axis=1), both, n))
        rows = [
            _row(metric, board.dimensions[column], points[:, k], draws[:, :, k], int(counted[column]))
            for k, column in enumerate(np.flatnonzero(known))
        ]
        cells += with_holm(rows)
    rows = [{**row, "better": _better(row, names)} for row in (*with_holm(means), *cells)]
    return Comparison(*names, len(board.items), pl.DataFrame(rows, schema=COLUMNS, orient="row").fill_nan(None))


def _row(metric: str, dimension: str | None, points: Any, draws: Any, n: int) -> dict[str, Any]:
    """points [2], draws [b, 2]."""
    drawn = draws[:, 1] - draws[:, 0]
    value = percentile_interval(drawn, float(points[1] - points[0]))
    p = float(normal_p(np.asarray(value.value), standard_error(drawn)))
    shown = {"value_a": float(points[0]), "value_b": float(points[1]), "n": n}
    return {
        "metric": metric,
        "dimension": dimension,
        **shown,
        "difference": value.value,
        "low": value.low,
        "high": value.high,
        "p": p,
    }


def _better(row: Mapping[str, Any], names: tuple[str, str]) -> str | None:
    if not row["p_holm"] < 0.05:
        return None
    return names[(row["difference"] > 0) != (row["metric"] in LOWER_IS_BETTER)]


def _raters(results: Results) -> dict[str, Rater]:
    """The raters that rated; null raters are made anew each time and are not among them."""
    rated = set(results.ratings["rater"].unique())
    described = [record for record in results.facts["raters"] if record["name"] in rated]
    return {
        record["name"]: Rater(
            record["name"],
            record["kind"],
            None if record["scale"] is None else (record["scale"][0], record["scale"][1]),
            record["facts"],
        )
        for record in described
    }


def _people(results: Results) -> LabelledSet:
    """The labelled set as far as figures need it."""
    facts, people = results.facts, results.facts["people"]
    table = results.ratings.filter(pl.col("rater").is_in(people))
    return LabelledSet(
        name=facts["set"],
        modality=facts["modality"],
        items=results.items,
        ratings=Ratings(table, tuple(Rater(name, "human") for name in people)),
        dimensions=tuple(facts["dimensions"]),
        scale=(facts["scale"][0], facts["scale"][1]),
        levels=None if facts["levels"] is None else tuple(facts["levels"]),
        cluster=facts["cluster"],
    )


def _same_people(first: Results, second: Results) -> bool:
    key = ["item", "rater", "dimension", "value"]
    a, b = (
        results.ratings.filter(pl.col("rater").is_in(results.facts["people"])).select(key).sort(key)
        for results in (first, second)
    )
    return a.equals(b)
