"""Scores of raters of known quality, by both definitions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from emonet.benchmark._board import make_board
from emonet.benchmark._measure import category_codes
from emonet.benchmark._results import HUMAN_CEILING, Results
from emonet.benchmark._score import Analysis, score_raters
from emonet.errors import UnknownNameError, UsageError
from emonet.statistics import wilson
from made_ratings import DIMENSIONS, made_raters, made_set, ratings_of, seen, truth

QUICK = Analysis(resamples=100)


@pytest.fixture(scope="module")
def results() -> Results:
    """60 items, 6 dimensions, 4 people, five raters."""
    return score_raters(made_set(), made_raters(), analysis=QUICK)


def _means(results: Results, **where: Any) -> dict[str, dict[str, Any]]:
    """Rows over all dimensions and items by rater."""
    rows = results.scores.filter(pl.col("dimension").is_null(), pl.col("slice").is_null())
    for column, value in where.items():
        rows = rows.filter(pl.col(column) == value)
    return {row["rater"]: row for row in rows.iter_rows(named=True)}


def test_every_score_has_an_interval(results: Results) -> None:
    """No value stands without the ends of its interval; what is undefined says why."""
    defined = results.scores.filter(pl.col("value").is_not_null())
    assert defined.filter(pl.col("low").is_null() | pl.col("high").is_null()).is_empty()
    assert defined.filter(pl.col("low") > pl.col("high")).is_empty()
    assert results.scores.filter(pl.col("value").is_null() & pl.col("note").is_null()).is_empty()


@pytest.mark.parametrize("metric", ["spearman", "pearson", "mae", "rmse", "kappa", "auc", "balanced_accuracy"])
def test_the_better_rater_scores_better(results: Results, metric: str) -> None:
    """The good rater is ahead of the poor one, the poor one of chance; a copy on another scale scores the same."""
    rows = _means(results, definition="strict", metric=metric)
    sign = -1 if metric in ("mae", "rmse") else 1
    assert sign * rows["good"]["value"] > sign * rows["poor"]["value"] > sign * rows["null: random"]["value"]
    assert rows["copy"]["value"] == pytest.approx(rows["good"]["value"])
    assert HUMAN_CEILING in rows


def test_figures_are_those_of_the_field(results: Results) -> None:
    """Spearman and MAE of one dimension equal scipy's and numpy's on the mean of the votes."""
    from scipy.stats import spearmanr

    board = make_board(made_set(), made_raters())
    gold = np.nanmean(board.votes[:, :, 1], axis=0)
    cells = results.scores.filter(
        pl.col("definition") == "strict", pl.col("rater") == "poor", pl.col("dimension") == DIMENSIONS[1]
    )
    value = {row["metric"]: row["value"] for row in cells.iter_rows(named=True)}
    assert value["spearman"] == pytest.approx(spearmanr(board.values[1, :, 1], gold).statistic)
    assert value["mae"] == pytest.approx(np.abs(board.values[1, :, 1] - gold).mean())


def test_constant_raters_count_as_nothing_or_are_skipped(results: Results) -> None:
    """strict: a constant has correlation 0, and the note says so; published: undefined and left out."""
    strict = _means(results, definition="strict", metric="spearman")["flat"]
    assert (strict["value"], strict["low"], strict["high"]) == (0.0, 0.0, 0.0)
    assert strict["dimensions_used"] == 6
    assert "same of all items in 6 dimensions" in strict["note"]
    published = _means(results, definition="published", metric="spearman")["flat"]
    assert published["value"] is None
    assert published["dimensions_used"] == 0


def test_a_half_constant_rater_is_flattered_by_the_published_mean() -> None:
    """Staying at zero on the hard dimensions helps by the published definition and hurts by the strict one."""
    real = truth()
    mixed = seen(real, 4.0, seed=5)
    mixed[:, :3] = seen(real, 1.0, seed=6)[:, :3]
    lazy = mixed.copy()
    lazy[:, 3:] = 0.0
    results = score_raters(made_set(), ratings_of({"mixed": mixed, "lazy": lazy}), analysis=QUICK)
    strict, published = (
        _means(results, definition=definition, metric="spearman") for definition in ("strict", "published")
    )
    assert published["lazy"]["value"] > published["mixed"]["value"]
    assert strict["lazy"]["value"] < strict["mixed"]["value"]


def test_the_published_interval_resamples_dimensions(results: Results) -> None:
    """Generator seeded 42, 1000 means of resampled per-dimension values; items play no part."""
    cells = results.scores.filter(
        pl.col("definition") == "published",
        pl.col("metric") == "spearman",
        pl.col("rater") == "poor",
        pl.col("dimension").is_not_null(),
    )
    values = cells["value"].to_numpy()
    generator = np.random.default_rng(42)
    draws = [generator.choice(values, len(values)).mean() for _ in range(100)]
    row = _means(results, definition="published", metric="spearman")["poor"]
    assert row["value"] == pytest.approx(values.mean())
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(draws, (0.025, 0.975))))


def test_published_kappa_truncates_and_loses_values() -> None:
    """2.9 counts as 2, -0.9 as 0, and -1 or 8 vanish; strict goes to the nearest level."""
    board = make_board(made_set(), made_raters())
    values = np.asarray([2.9, -0.9, -1.0, 8.0, np.nan]).reshape(1, 5, 1)
    published, strict = category_codes(board, values, strict=False), category_codes(board, values, strict=True)
    assert np.array_equal(published.ravel(), [2, 0, np.nan, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(strict.ravel(), [3, 0, 0, 7, np.nan], equal_nan=True)


def test_each_definition_has_its_papers_metrics() -> None:
    """Faces: Spearman and kappa. Voices: correlations and errors, no kappa."""
    for modality, metrics in (("face", {"spearman", "kappa"}), ("voice", {"spearman", "pearson", "mae", "rmse"})):
        results = score_raters(
            replace(made_set(), modality=modality),
            made_raters(),
            analysis=Analysis(definitions=("published",), resamples=100),
        )
        assert set(results.scores["metric"]) == metrics
        assert not results.scores["rater"].str.starts_with("null").any()


def test_a_voice_set_uses_the_mean_and_a_face_set_the_median() -> None:
    """The published reference follows the paper, whatever the strict reference is."""
    made = made_set()
    made = replace(made, cluster=None, demographics=())
    analysis = Analysis(definitions=("published",), resamples=100, common_scale=(0.0, 7.0))
    face = score_raters(made, made_raters(), analysis=analysis)
    voice = score_raters(replace(made, modality="voice"), made_raters(), analysis=replace(analysis, gold="median"))
    board = make_board(made, made_raters())
    for results, gold in ((face, np.nanmedian(board.votes, axis=0)), (voice, np.nanmean(board.votes, axis=0))):
        from scipy.stats import spearmanr

        expected = np.mean([spearmanr(board.values[0, :, j], gold[:, j]).statistic for j in range(6)])
        assert _means(results, metric="spearman")["good"]["value"] == pytest.approx(expected)


def test_the_ceiling_is_each_person_against_the_others() -> None:
    """With complete ratings it is the mean over people of their correlation with the others' mean."""
    from scipy.stats import spearmanr

    real = truth()
    votes = {f"human-{k}": seen(real, 1.5, seed=k) for k in range(3)}
    made = replace(made_set(), ratings=ratings_of(votes, kinds=dict.fromkeys(votes, "human")))
    results = score_raters(made, ratings_of({}), analysis=QUICK)
    tables = np.stack(list(votes.values()))
    expected = np.mean(
        [
            spearmanr(tables[k, :, j], np.delete(tables, k, axis=0).mean(axis=0)[:, j]).statistic
            for k in range(3)
            for j in range(6)
        ]
    )
    assert _means(results, metric="spearman")[HUMAN_CEILING]["value"] == pytest.approx(expected)


def test_one_person_has_no_ceiling() -> None:
    """A set rated by one person still ranks raters; the ceiling has no row."""
    made = made_set(people=1)
    rows = _means(score_raters(made, made_raters(), analysis=QUICK), metric="spearman", definition="strict")
    assert HUMAN_CEILING not in rows
    assert rows["good"]["value"] > rows["poor"]["value"]


def test_clusters_widen_intervals() -> None:
    """Three copies of every item are no more evidence when they are known to be copies."""
    votes = {"human-1": np.repeat(seen(truth(40), 2.0, 1), 3, axis=0)}
    made = replace(made_set(120, people=1), ratings=ratings_of(votes, kinds={"human-1": "human"}), demographics=())
    rater = ratings_of({"a": np.repeat(seen(truth(40), 2.0, 2), 3, axis=0)})
    width = []
    for cluster in ("speaker", None):
        analysis = Analysis(definitions=("strict",), resamples=400)
        row = _means(score_raters(replace(made, cluster=cluster), rater, analysis=analysis), metric="mae")["a"]
        width.append(row["high"] - row["low"])
    assert width[0] > 1.4 * width[1]


def test_notes_tell_what_is_missing() -> None:
    """Refused items and dimensions that were not judged are named beside the figure; small samples are marked."""
    table = seen(truth(), 1.0, 3)
    table[:20] = np.nan
    table[:, 5] = np.nan
    results = score_raters(made_set(), ratings_of({"shy": table}), analysis=QUICK)
    row = _means(results, definition="strict", metric="spearman")["shy"]
    assert row["n"] == 40
    assert "1 of 6 dimensions not judged" in row["note"]
    assert "answered 67% of what it was asked" in row["note"]
    few = score_raters(made_set(20), made_raters(20), analysis=QUICK)
    assert "small sample" in _means(few, definition="strict", metric="spearman")["good"]["note"]


def test_refusals_have_a_rate_with_an_interval() -> None:
    """Shares of requests by status; never refusing is known only as well as the number of items allows."""
    replies = pl.DataFrame(
        {
            "rater": ["good"] * 20,
            "item": [f"item-{k:03d}" for k in range(20)],
            "dimension": [None] * 20,
            "status": ["ok"] * 15 + ["refused"] * 5,
            "attempts": [1] * 20,
            "seconds": [0.1] * 20,
            "tokens_in": [None] * 20,
            "tokens_out": [None] * 20,
            "cost": [None] * 20,
            "message": [""] * 20,
        },
        schema=score_raters(made_set(), ratings_of({}), analysis=QUICK).replies.schema,
    )
    results = score_raters(made_set(), made_raters(), replies=replies, analysis=QUICK)
    refused = _means(results, metric="refusal_rate", definition="strict")["good"]
    assert (refused["value"], refused["n"]) == (0.25, 20)
    assert refused["low"] < 0.25 < refused["high"]
    malformed = _means(results, metric="format_failure_rate", definition="strict")["good"]
    assert malformed["value"] == 0.0
    assert malformed["high"] == pytest.approx(wilson(0.0, 20).high)


def test_calibration_is_only_for_probabilities(results: Results) -> None:
    """An intensity from 0 to 7 is no probability; only the rater on 0..1 has a calibration error."""
    assert set(_means(results, metric="calibration_error")) == {"copy"}


def test_results_are_repeatable(results: Results) -> None:
    """The same seed gives the same numbers, another seed other intervals."""
    again = score_raters(made_set(), made_raters(), analysis=QUICK)
    assert results.scores.equals(again.scores)
    other = score_raters(made_set(), made_raters(), analysis=replace(QUICK, seed=1))
    assert not results.scores["low"].equals(other.scores["low"])


def test_wrong_settings_are_named() -> None:
    """Misspelt definitions, references and hopeless numbers of resamples are refused."""
    with pytest.raises(UnknownNameError, match="strict"):
        Analysis(definitions=("strickt",))  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="median"):
        Analysis(gold="medium")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at least 100"):
        Analysis(resamples=10)
    with pytest.raises(UsageError, match="No definition"):
        Analysis(definitions=())


def test_people_asked_in_turn_are_no_ceiling() -> None:
    """Where later people were asked because of earlier answers, the ceiling says so and figures stay."""
    made = made_set()
    stage = pl.when(pl.col("rater") == "human-2").then(2).otherwise(1).cast(pl.Int16)
    in_turn = replace(made.ratings, table=made.ratings.table.with_columns(stage=stage))
    results = score_raters(replace(made, ratings=in_turn), made_raters(), analysis=QUICK)
    assert "no ceiling" in _means(results, definition="strict", metric="spearman")[HUMAN_CEILING]["note"]


def test_one_question_an_item() -> None:
    """Where each item was asked for one emotion only, figures rest on those pairs and nothing counts as unanswered."""
    made = made_set(120)
    pairs = pl.DataFrame({"item": made.items["item"], "dimension": [DIMENSIONS[k % 6] for k in range(120)]})
    votes = made.ratings.table.join(pairs, on=["item", "dimension"], how="semi")
    asked = replace(made, asked=pairs, ratings=replace(made.ratings, table=votes), demographics=())
    results = score_raters(asked, made_raters(120), analysis=QUICK)
    cells = results.scores.filter(
        pl.col("definition") == "strict", pl.col("metric") == "mae", pl.col("dimension").is_not_null()
    )
    assert set(cells.filter(pl.col("rater") == "good")["n"]) == {20}
    assert set(cells.filter(pl.col("rater") == "null: random")["n"]) == {20}
    row = _means(results, definition="strict", metric="spearman")["good"]
    assert (row["n"], row["note"]) == (120, None)
