"""Figures by age, voice or origin: planted differences are found, small samples are marked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from emonet.benchmark._results import HUMAN_CEILING
from emonet.benchmark._score import Analysis, score_raters
from emonet.errors import UnknownNameError
from made_ratings import made_set, ratings_of, seen, truth

QUICK = Analysis(definitions=("strict",), resamples=200)


def _unfair() -> np.ndarray:
    """Good on old people, poor on young ones (odd items)."""
    real = truth(120)
    table = seen(real, 1.0, 8)
    table[1::2] = seen(real, 7.0, 9)[1::2]
    return table


def test_a_planted_difference_is_found() -> None:
    """The rater that fails on the young differs between ages after correction, the fair one does not."""
    raters = ratings_of({"unfair": _unfair(), "fair": seen(truth(120), 1.0, 10)})
    results = score_raters(made_set(120), raters, analysis=QUICK)
    rows = results.differences.filter(pl.col("metric") == "spearman")
    found = {row["rater"]: row for row in rows.iter_rows(named=True)}
    assert found["unfair"]["slice_value_a"] == "old"
    assert found["unfair"]["low"] > 0.2
    assert found["unfair"]["p_holm"] < 0.001
    assert found["fair"]["low"] < 0 < found["fair"]["high"]
    assert HUMAN_CEILING in found


def test_every_metric_is_sliced() -> None:
    """Each slice value has every metric with an interval, over its own items."""
    results = score_raters(made_set(120), ratings_of({"unfair": _unfair()}), analysis=QUICK)
    sliced = results.scores.filter(pl.col("slice") == "age")
    assert set(sliced["slice_value"]) == {"old", "young"}
    assert set(sliced["metric"]) == {"spearman", "pearson", "mae", "rmse", "kappa", "auc", "balanced_accuracy"}
    assert (sliced.filter(pl.col("rater") == "unfair")["n"] == 60).all()
    assert sliced["low"].null_count() == 0


def test_small_slices_carry_a_warning() -> None:
    """Fewer than 30 items on either side are named, in the scores and in the differences."""
    results = score_raters(made_set(40), ratings_of({"a": seen(truth(40), 1.0, 1)}), analysis=QUICK)
    assert results.differences["warning"].str.contains("n = 20").all()
    notes = results.scores.filter(pl.col("slice") == "age", pl.col("rater") == "a")["note"]
    assert notes.str.contains("small sample").all()


def test_corrections_are_within_rater_metric_and_column() -> None:
    """With three values there are three pairs, and none has a smaller p than before correction."""
    made = made_set(90)
    three = [("a", "b", "c")[row % 3] for row in range(90)]
    made = replace(made, items=made.items.with_columns(group=pl.Series(three)))
    results = score_raters(made, ratings_of({"x": seen(truth(90), 1.0, 1)}), analysis=replace(QUICK, slices=("group",)))
    rows = results.differences.filter(pl.col("rater") == "x", pl.col("metric") == "mae")
    pairs = set(rows.select("slice_value_a", "slice_value_b").iter_rows())
    assert pairs == {("a", "b"), ("a", "c"), ("b", "c")}


def test_columns_are_checked() -> None:
    """A misspelt column gets the nearest one; a column of names is left out with a note; none can be asked for."""
    made, rater = made_set(), ratings_of({"a": seen(truth(), 1.0, 1)})
    with pytest.raises(UnknownNameError, match="'age'"):
        score_raters(made, rater, analysis=replace(QUICK, slices=("ages",)))
    many = score_raters(made, rater, analysis=replace(QUICK, slices=("item",)))
    assert "Not sliced by item" in many.facts["notes"][-1]
    assert many.differences.is_empty()
    assert score_raters(made, rater, analysis=replace(QUICK, slices=())).differences.is_empty()


def test_items_without_a_value_belong_to_no_slice() -> None:
    """An unknown age is no age."""
    made = made_set(120)
    made = replace(made, items=made.items.with_columns(age=pl.when(pl.col("item") < "item-060").then("age")))
    results = score_raters(made, ratings_of({"a": seen(truth(120), 1.0, 1)}), analysis=QUICK)
    assert set(results.scores.filter(pl.col("slice") == "age", pl.col("rater") == "a")["n"]) == {30}
