"""Scores of comparisons: closed forms, simulated strengths, properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_judgements import pictures, says

from emonet.annotation.protocols import (
    SyntheticRater,
    Unit,
    best_worst,
    best_worst_scores,
    bradley_terry,
    pair_scores,
    pairs,
    simulate,
)
from emonet.errors import UsageError
from emonet.statistics import spearman

PAIR = Unit("a|b:pride", ("a", "b"), ("pride",))


def test_two_items_have_the_log_odds_of_their_wins() -> None:
    strengths = bradley_terry(np.array([[0.0, 3.0], [1.0, 0.0]]), prior=0.0)
    assert strengths[0] - strengths[1] == pytest.approx(np.log(3))


def test_strengths_meet_the_likelihood_equations() -> None:
    wins = np.random.default_rng(1).integers(1, 9, (6, 6)).astype(float)
    np.fill_diagonal(wins, 0)
    strengths = bradley_terry(wins, prior=0.0)
    chance = 1 / (1 + np.exp(strengths - strengths[:, None]))
    expected = ((wins + wins.T) * chance).sum(1)  # wins that the strengths lead one to expect
    np.testing.assert_allclose(expected, wins.sum(1), rtol=1e-6)


def test_an_item_that_always_won_stays_finite_and_first() -> None:
    strengths = bradley_terry(np.array([[0.0, 5.0, 5.0], [0.0, 0.0, 2.0], [0.0, 3.0, 0.0]]))
    assert np.isfinite(strengths).all()
    assert strengths.argmax() == 0
    assert strengths[2] > strengths[1]


@given(st.integers(0, 2**32 - 1))
def test_more_wins_with_equal_opponents_is_more_strength(seed: int) -> None:
    draw = np.random.default_rng(seed)
    chance = draw.random((5, 5))
    wins = np.triu(np.round(10 * chance), 1)
    wins = wins + np.triu(10 - wins, 1).T  # everybody meets everybody ten times
    strengths, won = bradley_terry(wins), wins.sum(1)
    assert strengths.mean() == pytest.approx(0, abs=1e-6)
    for a in range(5):
        for b in range(5):
            assert (strengths[a] > strengths[b] + 1e-6) == (won[a] > won[b])


@pytest.mark.parametrize("wins", [np.zeros((2, 3)), -np.ones((2, 2))])
def test_faulty_tables_are_named(wins: np.ndarray) -> None:
    with pytest.raises(UsageError, match="square table"):
        bradley_terry(wins)


def test_pairs_count_wins_and_order_items() -> None:
    given_answers = [says(PAIR, f"r{n}", {"a": float(n > 0), "b": float(n == 0)}) for n in range(4)]
    first, second = pair_scores([PAIR], given_answers)
    assert (first.item, first.shown, first.best, first.worst) == ("a", 4, 3, 1)
    assert (second.item, second.best, second.worst) == ("b", 1, 3)
    assert first.score == pytest.approx(-second.score)
    assert pair_scores([PAIR], [says(PAIR, "r", None)]) == ()


def test_sets_are_scored_by_counting() -> None:
    four = Unit("s", tuple("abcd"), ("pride",))
    given_answers = [
        says(four, "r1", {"a": 1.0, "b": 0.0, "c": 0.0, "d": -1.0}),
        says(four, "r2", {"a": 1.0, "b": -1.0, "c": 0.0, "d": 0.0}),
    ]
    scores = {row.item: row.score for row in best_worst_scores([four], given_answers)}
    assert scores == {"a": 1.0, "c": 0.0, "b": -0.5, "d": -0.5}


@pytest.mark.parametrize("kind", ["pairs", "best-worst"])
def test_simulated_strengths_are_found_in_their_order(kind: str) -> None:
    of = pairs(dimensions=("pride",)) if kind == "pairs" else best_worst(dimensions=("pride",))
    raters = [SyntheticRater(f"r{n}", 0.9, noise=0.3) for n in range(4)]
    run = simulate(of, pictures(40, "pride"), raters, seed=4)
    rows = (pair_scores if kind == "pairs" else best_worst_scores)(run.units, run.judgements)
    truth = {item: value for values in run.truth.values() for item, value in values.items()}
    assert len(rows) == 40
    assert spearman([row.score for row in rows], [truth[row.item] for row in rows]) > 0.9


def test_gold_says_nothing_about_items_and_single_items_cannot_be_compared() -> None:
    gold = Unit("g", ("a", "b"), ("pride",), "plain", {"a": 1.0, "b": 0.0})
    assert pair_scores([gold], [says(gold, "r", {"a": 1.0, "b": 0.0})]) == ()
    with pytest.raises(UsageError, match="has 1 item"):
        pair_scores([Unit("a", ("a",), ("pride",))], [])
