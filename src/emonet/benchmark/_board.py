"""People and raters side by side: every value on one scale, with the reference that raters are scored against.

Symbols: i items, d dimensions, r raters, h people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emonet.datasets import LabelledSet, Rater, Ratings
from emonet.errors import UsageError

Floats = NDArray[np.float64]
Gold = Literal["mean", "median"]
Definition = Literal["strict", "published"]
DEFINITIONS: tuple[Definition, ...] = ("strict", "published")

COMMON_SCALES: dict[str, tuple[float, float]] = {"face": (0.0, 7.0), "voice": (0.0, 10.0)}
"""Scale that figures are given on, as in the papers: the face raters' sliders, and 0 to 10 for voices."""
NULL_PREFIX = "null: "
"""Names of the trivial raters that every strict leaderboard holds begin so."""
_RANDOM_STEPS = 11


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """`values` float64 [r, i, d] of `raters`, `votes` float64 [h, i, d] of `people`, NaN where nothing was said; all on
    `scale`. `levels`: the values that people could give, on `scale`. `asked` bool [i, d]: pairs put to the raters.
    `clusters` [i]: equal for items that belong together, None when each stands alone. `in_turn`: later people were
    asked because of what earlier ones said, so that they are no fair measure of one another."""

    items: tuple[str, ...]
    dimensions: tuple[str, ...]
    raters: tuple[Rater, ...]
    people: tuple[str, ...]
    values: Floats
    votes: Floats
    asked: NDArray[np.bool_]
    clusters: tuple[str, ...] | None
    scale: tuple[float, float]
    levels: tuple[float, ...]
    in_turn: bool = False

    def take(self, keep: NDArray[np.bool_]) -> Board:
        """The items where `keep` [i] is True."""
        kept = np.flatnonzero(keep)
        return replace(
            self,
            items=tuple(self.items[k] for k in kept),
            values=self.values[:, kept],
            votes=self.votes[:, kept],
            asked=self.asked[kept],
            clusters=None if self.clusters is None else tuple(self.clusters[k] for k in kept),
        )


def make_board(labelled: LabelledSet, ratings: Ratings, *, scale: tuple[float, float] | None = None) -> Board:
    """People of `labelled` and raters of `ratings` on `scale`, by default the one the papers use for the modality.

    Raters that came with the set and are no people (models in a release) are raters like the others. A rater's own
    scale is mapped linearly, ends to ends; a rater without one uses the set's. Values outside a rater's
    scale stay outside. Raises `UsageError` for a rater named like a person, for a scale without extent and for a set
    without people.
    """
    people = tuple(rater.name for rater in labelled.ratings.raters if rater.kind == "human")
    if not people:
        raise UsageError(f"The set {labelled.name!r} has no ratings by people; expected at least one human rater.")
    included = tuple(rater for rater in labelled.ratings.raters if rater.kind != "human")
    if double := sorted({*people, *(rater.name for rater in included)} & {rater.name for rater in ratings.raters}):
        raise UsageError(f"Raters are named like raters of the set: {', '.join(double)}. Choose other names.")
    items = tuple(str(item) for item in labelled.items["item"])
    low, high = scale or default_scale(labelled)
    raters = (*included, *ratings.raters)
    names = [rater.name for rater in included]
    tables = [labelled.ratings.cube(items, labelled.dimensions, raters=names), ratings.cube(items, labelled.dimensions)]
    values = np.concatenate(tables)
    for row, rater in enumerate(raters):
        values[row] = rescale(values[row], rater.scale or labelled.scale, (low, high))
    votes = labelled.ratings.cube(items, labelled.dimensions, raters=people)
    levels = np.asarray(labelled.levels if labelled.levels else labelled.scale, np.float64)
    return Board(
        items=items,
        dimensions=labelled.dimensions,
        raters=raters,
        people=people,
        values=values,
        votes=rescale(votes, labelled.scale, (low, high)),
        asked=_asked(labelled, items),
        clusters=_clusters(labelled),
        scale=(low, high),
        levels=tuple(rescale(levels, labelled.scale, (low, high))) if labelled.levels else _whole_steps(low, high),
        in_turn=bool((labelled.ratings.table["stage"] > 1).any()),
    )


def default_scale(labelled: LabelledSet) -> tuple[float, float]:
    """The papers' scale for the modality; the set's own for yes/no questions, where a wider one would mean nothing."""
    two = labelled.levels is not None and len(labelled.levels) == 2
    return labelled.scale if two else COMMON_SCALES[labelled.modality]


def rescale(values: Floats, own: tuple[float, float], common: tuple[float, float]) -> Floats:
    """The linear map that takes the ends of `own` to the ends of `common`; values outside stay outside."""
    if not own[1] > own[0]:
        raise UsageError(f"A rater's scale is {own}; expected its lower end before its upper end.")
    if own == common:
        return values
    return common[0] + (values - own[0]) * ((common[1] - common[0]) / (own[1] - own[0]))


def reference(votes: Floats, how: Gold) -> Floats:
    """What people say of each item: mean or median of votes [h, i, d] → [i, d], NaN where nobody judged."""
    if not len(votes):
        return np.full(votes.shape[1:], np.nan)
    out = np.full(votes.shape[1:], np.nan)
    some = ~np.isnan(votes).all(axis=0)
    out[some] = np.nanmean(votes[:, some], axis=0) if how == "mean" else np.nanmedian(votes[:, some], axis=0)
    return out


def presence(votes: Floats, levels: Sequence[float]) -> Floats:
    """1 where most people chose more than the lowest level, 0 where most did not, NaN at a tie or without votes.

    votes [h, i, d] → [i, d].
    """
    counted = (~np.isnan(votes)).sum(axis=0)
    over = is_present(votes, levels)
    yes = np.where(np.isnan(over), 0.0, over).sum(axis=0)
    share = np.divide(yes, counted, out=np.full(yes.shape, np.nan), where=counted > 0)
    return np.where(share == 0.5, np.nan, np.where(np.isnan(share), np.nan, share > 0.5))


def is_present(values: Floats, levels: Sequence[float]) -> Floats:
    """1 where a value is nearest to a level above the lowest, 0 where not, NaN where missing."""
    threshold = (levels[0] + levels[1]) / 2
    return np.where(np.isnan(values), np.nan, values >= threshold)


def level_numbers(values: Floats, levels: Sequence[float]) -> Floats:
    """Number of the nearest level (0, 1, ...); values beyond the ends count as the ends; NaN stays."""
    middles = (np.asarray(levels[1:]) + np.asarray(levels[:-1])) / 2
    return np.where(np.isnan(values), np.nan, np.searchsorted(middles, values, side="right"))


def with_null_raters(board: Board, how: Gold, seed: int) -> Board:
    """The board with three raters that do not look: random levels, the reference's median of each dimension, and the
    lowest level everywhere. They rate what was asked."""
    generator = np.random.default_rng(seed)
    shape = board.asked.shape
    gold = reference(board.votes, how)
    known = ~np.isnan(gold).all(axis=0)
    middle = np.zeros(shape[1])
    middle[known] = np.nanmedian(gold[:, known], axis=0)
    rules = {
        "random": np.asarray(board.levels)[generator.integers(0, len(board.levels), shape)],
        "constant": np.broadcast_to(middle, shape),
        "all zero": np.full(shape, board.levels[0]),
    }
    names = [NULL_PREFIX + rule for rule in rules]
    if taken := sorted({rater.name for rater in board.raters} & set(names)):
        raise UsageError(f"Raters are named like the null raters: {', '.join(taken)}. Choose other names.")
    values = np.stack([np.where(board.asked, table, np.nan) for table in rules.values()])
    return replace(
        board,
        raters=(*board.raters, *(Rater(name, "baseline", board.scale) for name in names)),
        values=np.concatenate([board.values, values]),
    )


def _asked(labelled: LabelledSet, items: Sequence[str]) -> NDArray[np.bool_]:
    shape = len(items), len(labelled.dimensions)
    if labelled.asked is None:
        return np.ones(shape, bool)
    row = {item: number for number, item in enumerate(items)}
    column = {key: number for number, key in enumerate(labelled.dimensions)}
    out = np.zeros(shape, bool)
    for item, key in labelled.asked.select("item", "dimension").iter_rows():
        if item in row and key in column:
            out[row[item], column[key]] = True
    return out


def _clusters(labelled: LabelledSet) -> tuple[str, ...] | None:
    """Labels of the set's clusters; an item without one stands alone."""
    if labelled.cluster is None:
        return None
    pairs = zip(labelled.items[labelled.cluster].to_list(), labelled.items["item"].to_list(), strict=True)
    return tuple(f"item {item}" if cluster is None else f"cluster {cluster}" for cluster, item in pairs)


def _whole_steps(low: float, high: float) -> tuple[float, ...]:
    """Whole numbers from low to high, or eleven even steps of a scale narrower than 2."""
    if high - low >= 2:
        return tuple(float(level) for level in range(int(np.ceil(low)), int(np.floor(high)) + 1))
    return tuple(float(level) for level in np.linspace(low, high, _RANDOM_STEPS))
