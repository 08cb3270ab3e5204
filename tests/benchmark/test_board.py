"""People and raters on one scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emonet.benchmark._board import (
    is_present,
    level_numbers,
    make_board,
    presence,
    reference,
    rescale,
    with_null_raters,
)
from emonet.datasets import Rater
from emonet.errors import UsageError
from made_ratings import DIMENSIONS, made_raters, made_set, ratings_of


def test_every_scale_is_mapped_end_to_end() -> None:
    """A copy of a rater on 0..1 lands on the same values as the rater on 0..7, and values outside stay outside."""
    board = make_board(made_set(), made_raters())
    names = [rater.name for rater in board.raters]
    good, copy = board.values[names.index("good")], board.values[names.index("copy")]
    assert np.allclose(good, copy)
    assert rescale(np.asarray([-0.5, 2.0, 5.0]), (0.0, 4.0), (0.0, 10.0)).tolist() == [-1.25, 5.0, 12.5]


def test_the_papers_scales_are_the_default() -> None:
    """Faces 0 to 7, voices 0 to 10 with 0/1/2 at 0/5/10, yes/no questions on their own scale."""
    made = made_set()
    assert make_board(made, made_raters()).scale == (0.0, 7.0)
    voice = make_board(replace(made, modality="voice", scale=(0.0, 2.0), levels=(0.0, 1.0, 2.0)), made_raters())
    assert voice.scale == (0.0, 10.0)
    assert voice.levels == (0.0, 5.0, 10.0)
    assert make_board(replace(made, scale=(0.0, 1.0), levels=(0.0, 1.0)), made_raters()).scale == (0.0, 1.0)


def test_models_that_came_with_the_set_are_raters() -> None:
    """Ratings of a release's models are compared like new ones; the people stay people."""
    made, raters = made_set(), made_raters()
    both = replace(
        made.ratings,
        table=made.ratings.table.vstack(raters.table),
        raters=(*made.ratings.raters, *raters.raters),
    )
    board = make_board(replace(made, ratings=both), ratings_of({}))
    assert [rater.name for rater in board.raters] == ["good", "poor", "copy", "partial", "flat"]
    assert board.people == ("human-1", "human-2", "human-3", "human-4")
    assert np.array_equal(board.values, make_board(made, raters).values, equal_nan=True)


def test_names_and_scales_are_checked() -> None:
    """A rater named like a person, a scale without extent and a set without people are refused."""
    made = made_set()
    with pytest.raises(UsageError, match="human-1"):
        make_board(made, ratings_of({"human-1": np.zeros((60, 6))}))
    with pytest.raises(UsageError, match="lower end"):
        make_board(made, ratings_of({"a": np.zeros((60, 6))}, scales={"a": (1.0, 1.0)}))
    with pytest.raises(UsageError, match="no ratings by people"):
        make_board(replace(made, ratings=ratings_of({})), made_raters())


def test_reference_and_presence() -> None:
    """Mean or median of the votes; present when most chose more than nothing, unresolved at a tie."""
    votes = np.asarray([[[0.0, 1.0, np.nan]], [[0.0, 2.0, np.nan]], [[7.0, np.nan, np.nan]]])
    assert np.array_equal(reference(votes, "median"), [[0.0, 1.5, np.nan]], equal_nan=True)
    assert np.allclose(reference(votes, "mean"), [[7 / 3, 1.5, np.nan]], equal_nan=True)
    assert np.array_equal(presence(votes, (0.0, 1.0, 2.0)), [[0.0, 1.0, np.nan]], equal_nan=True)
    tie = np.asarray([[[0.0]], [[3.0]]])
    assert np.isnan(presence(tie, (0.0, 1.0))).all()


def test_values_go_to_the_nearest_level() -> None:
    """Rounding to the people's levels, with the ends for what lies beyond."""
    values = np.asarray([-3.0, 2.4, 2.6, 7.4, 7.6, 99.0, np.nan])
    assert np.array_equal(level_numbers(values, (0.0, 5.0, 10.0)), [0, 0, 1, 1, 2, 2, np.nan], equal_nan=True)
    assert np.array_equal(is_present(values, (0.0, 5.0, 10.0)), [0, 0, 1, 1, 1, 1, np.nan], equal_nan=True)


def test_null_raters_look_at_nothing_and_are_repeatable() -> None:
    """Random, constant and zero raters rate exactly what was asked, the same for a seed."""
    made = made_set()
    asked = made.ratings.table.select("item", "dimension").unique(maintain_order=True).head(100)
    board = with_null_raters(make_board(replace(made, asked=asked), ratings_of({})), "mean", seed=7)
    again = with_null_raters(make_board(replace(made, asked=asked), ratings_of({})), "mean", seed=7)
    assert [rater.name for rater in board.raters] == ["null: random", "null: constant", "null: all zero"]
    assert np.array_equal(board.values, again.values, equal_nan=True)
    assert ((~np.isnan(board.values)).sum(axis=(1, 2)) == 100).all()
    constant = board.values[1]
    assert all(len(set(column[~np.isnan(column)])) <= 1 for column in constant.T)
    assert np.nanmax(board.values[2]) == 0.0


def test_clusters_follow_the_column() -> None:
    """Items of one speaker belong together; an item without a speaker stands alone."""
    made = made_set()
    items = made.items.with_columns(speaker=made.items["speaker"].replace({"s0": None}))
    clusters = make_board(replace(made, items=items), made_raters()).clusters
    assert clusters is not None
    assert len(set(clusters)) == 19 + 3
    assert make_board(replace(made, cluster=None), made_raters()).clusters is None


def test_a_board_can_be_cut() -> None:
    """The items that are kept keep all their values."""
    board = make_board(made_set(), made_raters())
    part = board.take(np.arange(60) < 5)
    assert part.items == board.items[:5]
    assert part.values.shape == (5, 5, len(DIMENSIONS))
    assert np.array_equal(part.votes, board.votes[:, :5], equal_nan=True)


def test_a_rater_without_a_scale_uses_the_sets() -> None:
    """Nothing is rescaled when a rater says nothing of its scale."""
    table = made_raters()
    plain = replace(table, raters=tuple(Rater(r.name, r.kind, None) for r in table.raters))
    board = make_board(made_set(), plain)
    assert np.nanmax(board.values[2]) <= 1.0
