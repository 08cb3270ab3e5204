"""Two raters on the same items."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emonet.benchmark._compare import Comparison, compare_results
from emonet.benchmark._results import Results
from emonet.benchmark._score import Analysis, score_raters
from emonet.errors import UnknownNameError, UsageError
from made_ratings import made_raters, made_set, ratings_of, seen, truth

QUICK = Analysis(definitions=("strict",), resamples=200, slices=())


@pytest.fixture(scope="module")
def results() -> Results:
    """60 items, 6 dimensions, 4 people, five raters."""
    return score_raters(made_set(), made_raters(), analysis=QUICK)


def _means(comparison: Comparison) -> dict[str, dict[str, Any]]:
    return {row["metric"]: row for row in comparison.table.iter_rows(named=True) if row["dimension"] is None}


def test_the_better_of_two_is_named(results: Results) -> None:
    """Every metric says that the good rater is better, with intervals apart from 0, errors included."""
    (comparison,) = compare_results(results, raters=["poor", "good"])
    assert (comparison.rater_a, comparison.rater_b, comparison.items) == ("poor", "good", 60)
    for metric, row in _means(comparison).items():
        assert row["better"] == "good", metric
        assert row["difference"] == pytest.approx(row["value_b"] - row["value_a"])
        assert row["low"] * row["high"] > 0
        assert row["p_holm"] < 0.05


def test_a_copy_is_not_told_apart(results: Results) -> None:
    """The same answers on another scale differ in nothing."""
    (comparison,) = compare_results(results, raters=["good", "copy"])
    for row in _means(comparison).values():
        assert row["difference"] == pytest.approx(0.0, abs=1e-12)
        assert row["better"] is None


def test_comparison_is_paired(results: Results) -> None:
    """The difference of two raters that err alike is known better than either value."""
    real = truth()
    base = seen(real, 2.0, 1)
    near = np.clip(base + np.where(np.random.default_rng(2).random(base.shape) < 0.05, 1.0, 0.0), 0, 7)
    table = ratings_of({"base": base, "near": near})
    (comparison,) = compare_results(score_raters(made_set(), table, analysis=QUICK), raters=["base", "near"])
    row = _means(comparison)["spearman"]
    assert row["high"] - row["low"] < 0.1


def test_only_common_items_count() -> None:
    """Items that one of them refused are left out for both."""
    shy = seen(truth(), 1.0, 1)
    shy[:25] = np.nan
    table = ratings_of({"shy": shy, "bold": seen(truth(), 1.0, 2)})
    (comparison,) = compare_results(score_raters(made_set(), table, analysis=QUICK), raters=["shy", "bold"])
    assert comparison.items == 35


def test_two_results_of_one_set(results: Results) -> None:
    """A newer version in another folder is compared by name; null raters are not."""
    newer = score_raters(
        made_set(), ratings_of({"poor": seen(truth(), 1.0, 3), "other": seen(truth(), 2.0, 4)}), analysis=QUICK
    )
    (comparison,) = compare_results(results, newer)
    assert (comparison.rater_a, comparison.rater_b) == ("poor, first", "poor, second")
    assert _means(comparison)["spearman"]["better"] == "poor, second"
    (named,) = compare_results(results, newer, raters=["good", "other"])
    assert (named.rater_a, named.rater_b) == ("good", "other")


def test_what_cannot_be_compared_is_named(results: Results) -> None:
    """Unknown raters, one name alone, other people, no common rater."""
    with pytest.raises(UnknownNameError, match="'good'"):
        compare_results(results, raters=["goood", "poor"])
    with pytest.raises(UsageError, match="expected two of"):
        compare_results(results, raters=["good"])
    with pytest.raises(UsageError, match="at most two"):
        compare_results(results, results, raters=["good", "poor", "flat"])
    with pytest.raises(UsageError, match="different people"):
        compare_results(results, score_raters(made_set(seed=1), made_raters(), analysis=QUICK))
    lonely = score_raters(made_set(), ratings_of({"lonely": seen(truth(), 1.0, 3)}), analysis=QUICK)
    with pytest.raises(UsageError, match="No rater is in both"):
        compare_results(results, lonely)


def test_null_raters_are_no_raters_to_compare(results: Results) -> None:
    """They left no ratings behind."""
    with pytest.raises(UnknownNameError, match="null: random"):
        compare_results(results, raters=["null: random", "good"])
