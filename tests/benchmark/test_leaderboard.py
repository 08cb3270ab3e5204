"""Ranks with intervals and groups of ties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.benchmark._figures import Figures
from emonet.benchmark._leaderboard import Standing, compare_all, normal_p, ranks, shared_differences, tie_groups


def _figures(means: list[float], spread: float, d: int = 4, seed: int = 0) -> Figures:
    """Raters whose resamples scatter independently around their means."""
    generator = np.random.default_rng(seed)
    points = np.repeat(np.asarray(means)[:, None], d, axis=1)
    draws = points[None] + generator.normal(0, spread, (400, len(means), d))
    return Figures(points, draws, np.full(points.shape, 50), np.zeros(points.shape, bool))


def test_clear_differences_give_clear_ranks() -> None:
    """Far apart: every interval is the rank itself and no letter is shared."""
    standing = compare_all(_figures([0.1, 0.9, 0.5], 0.01), 1.0, published=False, resamples=100)
    place, low, high = ranks(standing)
    assert place.tolist() == low.tolist() == high.tolist() == [3, 1, 2]
    assert tie_groups(standing, place) == ["c", "a", "b"]


def test_errors_rank_the_other_way() -> None:
    """Of an error the smallest is the best."""
    standing = compare_all(_figures([0.1, 0.9, 0.5], 0.01), -1.0, published=False, resamples=100)
    assert ranks(standing)[0].tolist() == [1, 3, 2]


def test_what_cannot_be_told_apart_shares_ranks_and_letters() -> None:
    """Close raters have intervals over each other's places and a common letter."""
    standing = compare_all(_figures([0.50, 0.51, 0.1], 0.2), 1.0, published=False, resamples=100)
    place, low, high = ranks(standing)
    assert place.tolist() == [2, 1, 3]
    assert (low[:2].tolist(), high[:2].tolist()) == ([1, 1], [2, 2])
    letters = tie_groups(standing, place)
    assert letters[0] == letters[1] != letters[2]


def test_equal_raters_share_their_place() -> None:
    """Two identical raters are both 1.5th."""
    figures = _figures([0.5, 0.5, 0.1], 0.01)
    figures.draws[:, 1] = figures.draws[:, 0]
    standing = compare_all(figures, 1.0, published=False, resamples=100)
    assert ranks(standing)[0].tolist() == [1.5, 1.5, 3.0]


def test_raters_meet_on_shared_dimensions() -> None:
    """A rater that judges only the easy dimension gains nothing by it."""
    values = np.asarray([[0.9, 0.1], [0.8, np.nan]])
    known = np.isfinite(values)
    difference = shared_differences(np.nan_to_num(values), known)
    assert difference[0, 1] == pytest.approx(0.1)
    apart = shared_differences(np.asarray([[1.0, 0.0], [0.0, 1.0]]), np.asarray([[True, False], [False, True]]))
    assert np.isnan(apart[0, 1])


def test_raters_without_a_common_dimension_are_not_compared() -> None:
    """They keep their places open instead of being ordered."""
    figures = _figures([0.9, 0.1], 0.01, d=2)
    figures.points[0, 1] = figures.points[1, 0] = np.nan
    standing = compare_all(figures, 1.0, published=False, resamples=100)
    place, low, high = ranks(standing)
    assert (low.tolist(), high.tolist()) == ([1, 1], [2, 2])
    assert place.tolist() == [1.0, 1.0]


def test_published_ranks_resample_dimensions() -> None:
    """Raters that differ by the same amount on every dimension are told apart, whatever the items do."""
    standing = compare_all(_figures([0.5, 0.4], 5.0), 1.0, published=True, resamples=200)
    assert standing.p[0, 1] < 0.05


def test_p_of_a_difference() -> None:
    """1.96 standard errors are p = 0.05; no scatter is taken at its word; unknown stays unknown."""
    p = normal_p(np.asarray([1.96, 0.0, 1.0, np.nan]), np.asarray([1.0, 0.0, 0.0, 1.0]))
    assert p[0] == pytest.approx(0.05, abs=1e-3)
    assert p[1:3].tolist() == [1.0, 0.0]
    assert np.isnan(p[3])


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 7), st.integers(0, 10_000))
def test_letters_say_exactly_who_differs(r: int, seed: int) -> None:
    """Two raters share a letter if and only if they could not be told apart."""
    generator = np.random.default_rng(seed)
    p = np.triu(generator.random((r, r)), 1)
    p = np.where(generator.random((r, r)) < 0.5, p * 0.04, 0.5)
    p = np.triu(p, 1) + np.triu(p, 1).T + np.eye(r)
    standing = Standing(np.zeros((r, r)), np.ones((r, r)), p)
    letters = tie_groups(standing, np.arange(r, dtype=float))
    for a in range(r):
        for b in range(a + 1, r):
            assert bool(set(letters[a]) & set(letters[b])) == (p[a, b] >= 0.05)
    assert "a" in letters[0]
