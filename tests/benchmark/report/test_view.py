"""Results as a report reads them."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from emonet.benchmark import HUMAN_CEILING, Results
from emonet.benchmark.report._view import (
    by_kind,
    ceiling_of,
    cells,
    definitions,
    dimension_groups,
    kinds_of,
    leaderboard,
    metrics,
    people_agreement,
    primary,
    separated,
    slices,
    split_ties,
)


def test_a_leaderboard_is_in_order_of_rank(results: Results) -> None:
    """The best first, with value, interval, places and letters; the ceiling is among them."""
    lines = leaderboard(results, "strict", "spearman")
    assert [line.rank for line in lines] == sorted(line.rank or 0 for line in lines)
    assert lines[0].cell.value == max(line.cell.value or 0 for line in lines)
    assert HUMAN_CEILING in {line.rater for line in lines}
    assert all(line.ties for line in lines)
    errors = leaderboard(results, "strict", "mae")
    assert (errors[0].cell.value or 0) < (errors[-1].cell.value or 0)


def test_undefined_raters_come_last(results: Results) -> None:
    """A rater without a value keeps its row."""
    flat = leaderboard(results, "published", "spearman")[-1]
    assert flat.rater == "flat"
    assert flat.cell.value is None
    assert flat.rank is None


def test_what_there_is(results: Results, bare: Results) -> None:
    """Definitions and metrics with a value, Spearman first; answers' rates are no metrics of judgement."""
    assert definitions(results) == ("strict", "published")
    assert primary(results, "strict") == "spearman"
    assert "refusal_rate" not in metrics(results, "strict")
    assert metrics(results, "published") == ("spearman", "kappa")
    assert slices(results) == ["age"]
    assert slices(bare) == []
    assert metrics(bare, "published") == ()


def test_kinds_and_groups(results: Results, bare: Results) -> None:
    """People and the ceiling are human; people come first; a dimension of no group is not lost."""
    kinds = kinds_of(results)
    assert kinds["human-1"] == kinds[HUMAN_CEILING] == "human"
    ordered = [line.kind for line in by_kind(results, leaderboard(results, "strict", "spearman"))]
    assert ordered[0] == "human"
    assert ordered[-1] == "baseline"
    assert dimension_groups(bare) == [("Other", ["anger", "calm <b>"])]
    assert sum(len(keys) for _, keys in dimension_groups(results)) == 6


def test_cells_of_emotions(results: Results, bare: Results) -> None:
    """Figures per dimension without those of slices, and the people's agreement."""
    assert len(cells(results, "strict", "spearman")) >= 6 * 6
    assert "alpha_ordinal" in people_agreement(results, "anger")
    assert people_agreement(bare, None) == {}


def test_only_a_sure_first_place_is_separated(results: Results, bare: Results) -> None:
    """Bold is for a rank whose interval is 1 to 1, and not for one that is alone."""
    lines = leaderboard(results, "strict", "spearman")
    sure = [replace(lines[0], rank_low=1, rank_high=1), *lines[1:]]
    assert separated(sure) == lines[0].rater
    assert separated([replace(line, rank_low=1, rank_high=5) for line in lines]) is None
    assert separated(leaderboard(bare, "strict", "spearman")) is None


def test_people_asked_in_turn_are_no_ceiling(results: Results) -> None:
    """The note of the scores takes the band away."""
    assert ceiling_of(leaderboard(results, "strict", "spearman")) is not None
    note = pl.when(pl.col("rater") == HUMAN_CEILING).then(pl.lit("people were asked in turn, so this is no ceiling"))
    noted = replace(results, scores=results.scores.with_columns(note.otherwise("note").alias("note")))
    assert ceiling_of(leaderboard(noted, "strict", "spearman")) is None


def test_letters_beyond_the_alphabet() -> None:
    """Numbers in brackets are one letter."""
    assert split_ties("abZ[53][104]") == ("a", "b", "Z", "[53]", "[104]")
    assert split_ties("") == ()
