"""The figures of all raters and of the human ceiling under the two definitions.

`strict` is meant to be sound: values are clipped to the scale for errors and rounded to the people's levels for kappa,
a constant rater has correlation 0, items are resampled by cluster. `published` repeats what EmoNet-Face
(arXiv 2505.20033 and its analysis notebook) and EmoNet-Voice (arXiv 2506.09827) computed: median reference for faces
and mean for voices, truncation toward zero and loss of values outside the categories in kappa, no clipping,
undefined correlations left out of the mean.

Symbols: i items, d dimensions, r raters, h people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emonet.benchmark._board import Board, Definition, Gold, is_present, level_numbers, presence, reference
from emonet.benchmark._figures import (
    Figures,
    Metric,
    against,
    average,
    balanced_accuracy,
    calibration_error,
    flat_tells_nothing,
    join,
    kappa,
)
from emonet.benchmark._results import HUMAN_CEILING
from emonet.statistics import (
    Resampler,
    auc_columns,
    bootstrap_auc,
    bootstrap_mae,
    bootstrap_pearson,
    bootstrap_rmse,
    bootstrap_spearman,
    mae_columns,
    pearson_columns,
    rmse_columns,
    spearman_columns,
)
from emonet.taxonomy import Modality

Floats = NDArray[np.float64]

_SPEARMAN = Metric(spearman_columns, bootstrap_spearman)
_PEARSON = Metric(pearson_columns, bootstrap_pearson)
_MAE = Metric(mae_columns, bootstrap_mae)
_RMSE = Metric(rmse_columns, bootstrap_rmse)
_AUC = Metric(auc_columns, bootstrap_auc)
PUBLISHED_GOLD: Mapping[Modality, Gold] = {"face": "median", "voice": "mean"}
_PRESENCE = ("auc", "balanced_accuracy", "calibration_error")
_PUBLISHED: Mapping[Modality, Mapping[str, Metric]] = {
    "face": {"spearman": _SPEARMAN},
    "voice": {"spearman": _SPEARMAN, "pearson": _PEARSON, "mae": _MAE, "rmse": _RMSE},
}


STRICT_METRICS = (*_PUBLISHED["voice"], "kappa", "auc", "balanced_accuracy", "calibration_error")
Progress = Callable[[str], None]


def silent(step: str) -> None:
    """Progress that is shown nowhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """`figures`: metric → figures whose rows are `names`, the raters and last the human ceiling. `kappas`: agreement
    of each rater and then each person with the (other) people, rows `board.raters` then `board.people`, None where the
    definition has no kappa. `items` [r] and `cells` [r, d]: items where a name meets at least one vote, on any and on
    each dimension; for the ceiling those with two votes."""

    definition: Definition
    names: tuple[str, ...]
    figures: Mapping[str, Figures]
    kappas: Figures | None
    items: NDArray[np.int64]
    cells: NDArray[np.int64]


def measure(
    board: Board,
    definition: Definition,
    *,
    gold: Gold,
    modality: Modality,
    resampler: Resampler,
    metrics: Sequence[str] = STRICT_METRICS,
    step: Progress = silent,
) -> Measured:
    """The definition's metrics among `metrics`. `gold` is the strict reference; the published one follows the
    modality."""
    strict = definition == "strict"
    how = gold if strict else PUBLISHED_GOLD[modality]
    graded = _PUBLISHED["voice" if strict else modality]
    out: dict[str, Figures] = {}
    kappas = None
    for name in metrics:
        if name == "kappa" and (strict or modality == "face"):
            step(f"{definition}: kappa")
            kappas = _kappas(board, strict=strict, resampler=resampler)
            out[name] = _with_people_averaged(board, kappas, strict=strict)
        elif name in graded:
            step(f"{definition}: {name}")
            out[name] = _graded(board, name, graded[name], how, strict=strict, resampler=resampler)
        elif strict and name in _PRESENCE:
            step(f"{definition}: {name}")
            if (figures := _presence(board, name, resampler)) is not None:
                out[name] = figures
    names = (*(rater.name for rater in board.raters), HUMAN_CEILING)
    return Measured(definition, names, out, kappas, *_counts(board))


def _graded(board: Board, name: str, metric: Metric, how: Gold, *, strict: bool, resampler: Resampler) -> Figures:
    """A correlation or error against the reference; the people's against the reference of the others."""
    correlation = strict and name in ("spearman", "pearson")

    def judge(values: Floats, votes: Floats) -> Figures:
        figures = against(metric, values, reference(votes, how), resampler)
        return flat_tells_nothing(figures) if correlation else figures

    values = np.clip(board.values, *board.scale) if strict and not correlation else board.values
    figures = join([judge(values, board.votes), _ceiling(board, judge, strict=strict)])
    return flat_tells_nothing(figures) if correlation else figures


def _presence(board: Board, name: str, resampler: Resampler) -> Figures | None:
    """Does a rater tell the items that most people call present from the others? None where nothing can be said."""
    low, high = board.scale

    def auc(values: Floats, votes: Floats) -> Figures:
        return against(_AUC, values, presence(votes, board.levels), resampler)

    def accuracy(values: Floats, votes: Floats) -> Figures:
        return balanced_accuracy(is_present(values, board.levels), presence(votes, board.levels), resampler)

    def calibration(values: Floats, votes: Floats) -> Figures:
        probability = np.clip((values - low) / (high - low), 0, 1)
        return calibration_error(probability, presence(votes, board.levels), resampler)

    judge = {"auc": auc, "balanced_accuracy": accuracy, "calibration_error": calibration}[name]
    if name != "calibration_error":
        return join([judge(board.values, board.votes), _ceiling(board, judge, strict=True)])
    # An intensity is no probability: only raters that answer from 0 to 1, and yes/no questions, have this figure.
    two = len(board.levels) == 2
    probable = np.asarray([two or rater.scale == (0.0, 1.0) for rater in board.raters], bool)
    if not probable.any():
        return None
    raters = judge(np.where(probable[:, None, None], board.values, np.nan), board.votes)
    ceiling = _ceiling(board, judge, strict=True)
    return join([raters, ceiling if two else _nothing(ceiling)])


def _ceiling(board: Board, judge: Callable[[Floats, Floats], Figures], *, strict: bool) -> Figures:
    """Each person judged by the votes of the others, averaged."""
    if len(board.people) < 2:
        return _nothing(judge(board.values[:1], board.votes))
    everyone = np.arange(len(board.people))
    return average(
        (judge(board.votes[person][None], board.votes[everyone != person]) for person in everyone), by_items=strict
    )


def _nothing(like: Figures) -> Figures:
    """Figures of one rater that are all undefined."""
    return Figures(like.points * np.nan, like.draws * np.nan, like.n * 0, np.zeros_like(like.flat))


def _kappas(board: Board, *, strict: bool, resampler: Resampler) -> Figures:
    """Mean kappa of every rater, then every person, with the people other than itself."""
    codes = category_codes(board, np.concatenate([board.values, board.votes]), strict=strict)
    first = len(board.raters)

    def against_person(row: int) -> Figures:
        own = codes[row].copy()
        codes[row] = np.nan  # nobody is compared with itself
        figures = kappa(codes, own, resampler)
        codes[row] = own
        return figures

    return average((against_person(first + person) for person in range(len(board.people))), by_items=strict)


def category_codes(board: Board, values: Floats, *, strict: bool) -> Floats:
    """Category numbers for kappa: the nearest of the people's levels, or published: the whole part of the value, lost
    when it is not one of the whole numbers of the scale."""
    if strict:
        return level_numbers(values, board.levels)
    whole, numbers = np.trunc(values), whole_numbers(board)
    return np.where((whole >= numbers[0]) & (whole <= numbers[-1]), whole, np.nan)


def whole_numbers(board: Board) -> tuple[float, ...]:
    """The published categories: the whole numbers of the scale."""
    return tuple(float(number) for number in range(int(np.ceil(board.scale[0])), int(np.floor(board.scale[1])) + 1))


def _with_people_averaged(board: Board, kappas: Figures, *, strict: bool) -> Figures:
    """Rows of the raters, then one for the people."""

    def rows(part: slice) -> Figures:
        return Figures(kappas.points[part], kappas.draws[:, part], kappas.n[part], kappas.flat[part])

    first = len(board.raters)
    people = [rows(slice(k, k + 1)) for k in range(first, first + len(board.people))]
    return join([rows(slice(first)), average(people, by_items=strict)])


def _counts(board: Board) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`Measured.items` and `Measured.cells`."""
    votes = (~np.isnan(board.votes)).sum(axis=0)  # [i, d]
    met = [~np.isnan(table) & (votes > 0) for table in board.values]
    met.append(votes > 1)
    items = np.asarray([table.any(axis=1).sum() for table in met], np.int64)
    return items, np.stack([table.sum(axis=0) for table in met]).astype(np.int64)
