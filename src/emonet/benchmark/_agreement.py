"""How people agree with one another and with raters, pair by pair, kind by kind.

Symbols: i items, d dimensions, h people, s sides (raters, then people), b resamples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.benchmark._agreement_figures import agreements
from emonet.benchmark._board import Board, is_present, level_numbers
from emonet.benchmark._figures import FEWEST
from emonet.benchmark._leaderboard import normal_p, standard_error
from emonet.benchmark._measure import Measured, whole_numbers
from emonet.benchmark._scores import PUBLISHED_SEED
from emonet.statistics import (
    Interval,
    Resampler,
    holm,
    kappa_matrix,
    mann_whitney,
    percentile_interval,
    row_means,
)

Floats = NDArray[np.float64]


def pair_kappas(board: Board, *, strict: bool) -> tuple[Floats, NDArray[np.int64]]:
    """Weighted kappa of all pairs of sides, [s, s, d], and the items they share; NaN on the diagonal and for fewer
    than two items."""
    values = np.concatenate([board.values, board.votes])
    levels = board.levels if strict else whole_numbers(board)
    table, shared = kappa_matrix(values, levels, published=not strict)
    return np.where(shared >= FEWEST, table, np.nan), shared


def pair_rows(board: Board, definition: str, kappas: Floats, shared: NDArray[np.int64]) -> Iterator[dict[str, Any]]:
    """Rows of `pairs`: each pair once, per dimension and as the mean over dimensions; pairs without a figure have
    none."""
    names = _sides(board)
    for a, b in combinations(range(len(names)), 2):
        pair = {"definition": definition, "rater_a": names[a], "rater_b": names[b]}
        known = np.isfinite(kappas[a, b])
        if known.any():
            n = int(shared[a, b, known].max())
            yield {**pair, "kappa": float(kappas[a, b, known].mean()), "n": n}
        for column in np.flatnonzero(known):
            value, n = float(kappas[a, b, column]), int(shared[a, b, column])
            yield {**pair, "dimension": board.dimensions[column], "kappa": value, "n": n}


def kind_rows(board: Board, measured: Measured, resamples: int) -> Iterator[dict[str, Any]]:
    """Rows of `kinds`: mean agreement with people, all (rater, dimension) cells of one kind against another's.

    p is Mann-Whitney's, which takes the cells for independent, as in the paper. The strict interval resamples items;
    the published one resamples cells, the generator seeded anew for every pair.
    """
    if measured.kappas is None:
        return
    kinds = np.asarray([*(rater.kind for rater in board.raters), *("human" for _ in board.people)])
    points, draws = measured.kappas.points, measured.kappas.draws
    rows = []
    for kind_a, kind_b in combinations(sorted(set(kinds), key=_kind_order), 2):
        a, b = (points[kinds == kind][np.isfinite(points[kinds == kind])] for kind in (kind_a, kind_b))
        if not len(a) or not len(b):
            continue
        if measured.definition == "published":
            drawn = _cells_resampled(a, b, resamples)
        else:
            drawn = _kind_means(draws, kinds == kind_a) - _kind_means(draws, kinds == kind_b)
        value = percentile_interval(drawn, float(a.mean() - b.mean()))
        rows.append(
            {
                "definition": measured.definition,
                "kind_a": kind_a,
                "kind_b": kind_b,
                "difference": value.value,
                "low": value.low,
                "high": value.high,
                "p": mann_whitney(a, b).p,
            }
        )
    yield from with_holm(rows)


def annotator_rows(board: Board, measured: Measured, kappas: Floats) -> Iterator[dict[str, Any]]:
    """Rows of `annotators`: could a rater be one of the people?

    published: the rater's kappas with each person and dimension against those of all pairs of (other) people; "yes"
    when Mann-Whitney's p is over 0.05, which a small sample makes easy. strict: the difference of the mean kappas over
    the same resampled items, with its interval.
    """
    if measured.kappas is None or len(board.people) < 3:
        return
    first, names = len(board.raters), _sides(board)
    people = np.arange(first, len(names))
    rows = []
    for row, name in enumerate(names):
        if measured.definition == "strict" and row >= first:
            break
        own = _finite(kappas[row, people[people != row]])
        others = [kappas[a, b] for a, b in combinations(people[people != row], 2)]
        among = _finite(np.concatenate(others))
        if not len(own) or not len(among):
            continue
        shown: dict[str, Any] = {"definition": measured.definition, "rater": name}
        if measured.definition == "published":
            value, p = _cell_difference(own, among), mann_whitney(own, among).p
            shown |= {"kappa": float(own.mean()), "people_kappa": float(among.mean())}
        else:
            value, p, means = _against_people(measured, row)
            shown |= {"kappa": means[0], "people_kappa": means[1]}
        rows.append({**shown, "difference": value.value, "low": value.low, "high": value.high, "p": p})
    for row_out in with_holm(rows):
        yield {**row_out, "verdict": _verdict(row_out)}


def _against_people(measured: Measured, row: int) -> tuple[Interval, float, tuple[float, float]]:
    """(rater's mean kappa minus the people's, over the dimensions both have; p; the two means)."""
    figures = measured.figures["kappa"]
    known = np.isfinite(figures.points[row]) & np.isfinite(figures.points[-1])
    if not known.any():
        return Interval(np.nan, np.nan, np.nan), np.nan, (np.nan, np.nan)
    means = float(figures.points[row, known].mean()), float(figures.points[-1, known].mean())
    drawn = row_means(figures.draws[:, row, known]) - row_means(figures.draws[:, -1, known])
    value = percentile_interval(drawn, means[0] - means[1])
    return value, float(normal_p(np.asarray(value.value), standard_error(drawn))), means


def _verdict(row: Mapping[str, Any]) -> str:
    if row["definition"] == "published":
        return "yes" if row["p"] > 0.05 else "no"
    if row["high"] < 0:
        return "worse"
    return "better" if row["low"] > 0 else "not told apart"


def agreement_rows(board: Board, resampler: Resampler) -> Iterator[dict[str, Any]]:
    """Rows of `agreement` among people: Krippendorff's alpha at three levels, ICC and the share of agreeing pairs.

    Votes are numbers of the people's levels; items are resampled. The mean over dimensions comes last.
    """
    codes = level_numbers(board.votes, board.levels)  # [h, i, d]
    raters = (~np.isnan(codes)).any(axis=1).sum(axis=0)  # [d]
    n = ((~np.isnan(codes)).sum(axis=0) > 1).sum(axis=0)  # [d] items with a pair of votes
    for metric, (points, draws) in agreements(codes, resampler).items():
        known = np.isfinite(points)
        for column in np.flatnonzero(known):
            value = percentile_interval(draws[:, column], float(points[column]))
            counted = {"n": int(n[column]), "raters": int(raters[column])}
            yield {"dimension": board.dimensions[column], "metric": metric, **value._asdict(), **counted}
        if known.any():
            value = percentile_interval(row_means(draws[:, known]), float(points[known].mean()))
            items = int(((~np.isnan(codes)).sum(axis=0) > 1).any(axis=1).sum())
            yield {"metric": metric, **value._asdict(), "n": items, "raters": len(board.people)}


def type_rows(board: Board) -> Iterator[dict[str, Any]]:
    """Rows of `types`: items by how many people called a dimension present and absent.

    Names as in the voice paper's figure: "3:0 present", "2:0 absent", and "2:1" for two who saw it and one who did
    not.
    """
    over = is_present(board.votes, board.levels)
    yes, no = (over == 1).sum(axis=0), (over == 0).sum(axis=0)  # [i, d]
    for column, key in enumerate(board.dimensions):
        pairs = zip(yes[:, column].tolist(), no[:, column].tolist(), strict=True)
        counted = Counter(pair for pair in pairs if sum(pair))
        for (y, n), items in sorted(counted.items(), key=lambda entry: (-entry[0][0], entry[0][1])):
            yield {"dimension": key, "type": vote_type(y, n), "items": items}


def vote_type(yes: int, no: int) -> str:
    """Name of a pattern of votes."""
    if not no:
        return f"{yes}:0 present"
    return f"{yes}:{no}" if yes else f"{no}:0 absent"


def with_holm(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with `p_holm`, `p` corrected for their number; an undefined p stays so."""
    adjusted = holm([row["p"] for row in rows])
    return [{**row, "p_holm": float(value)} for row, value in zip(rows, adjusted, strict=True)]


def _kind_means(draws: Floats, members: NDArray[np.bool_]) -> Floats:
    """Mean over a kind's sides and dimensions in each resample, [b]."""
    return row_means(draws[:, members].reshape(len(draws), -1))


def _cells_resampled(a: Floats, b: Floats, resamples: int) -> Floats:
    """Differences of means of resampled cells, as the notebook draws them: first a, then b, one resample at a time."""
    generator = np.random.default_rng(PUBLISHED_SEED)
    return np.asarray(
        [generator.choice(a, len(a)).mean() - generator.choice(b, len(b)).mean() for _ in range(resamples)]
    )


def _cell_difference(a: Floats, b: Floats) -> Interval:
    return percentile_interval(_cells_resampled(a, b, 1000), float(a.mean() - b.mean()))


def _finite(table: Floats) -> Floats:
    return np.asarray(table[np.isfinite(table)])


def _sides(board: Board) -> tuple[str, ...]:
    return (*(rater.name for rater in board.raters), *board.people)


def _kind_order(kind: str) -> int:
    order = ("human", "bundle", "multi-shot", "zero-shot", "api", "baseline")
    return order.index(kind) if kind in order else len(order)
