"""The table of published results: complete, in range, every row with its source."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from emonet.benchmark._published import PUBLISHED_SCHEMA, published_scores
from emonet.errors import UnknownNameError
from emonet.taxonomy import ATTRIBUTES, EMOTIONS

KEYS = {one.key for one in (*EMOTIONS, *ATTRIBUTES)}
KINDS = {"human", "bundle", "zero-shot", "multi-shot", "api", "baseline"}


def one(metric: str, rater: str, set: str = "emonet-face-hq", dimension: str | None = None) -> dict[str, object]:
    rows = published_scores(set).filter(
        (pl.col("metric") == metric) & (pl.col("rater") == rater) & pl.col("dimension").eq_missing(dimension)
    )
    assert len(rows) == 1
    return rows.row(0, named=True)


def test_rows_are_unique_and_name_their_source() -> None:
    table = published_scores()
    assert table.schema == PUBLISHED_SCHEMA
    assert not table.select("set", "rater", "metric", "dimension").is_duplicated().any()
    for column in ("set", "rater", "kind", "metric", "value", "source"):
        assert table[column].null_count() == 0, column
    assert set(table["kind"]) <= KINDS
    assert (table["low"].is_null() == table["high"].is_null()).all()
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).drop_nulls().all()


def test_dimensions_are_keys_where_the_set_has_emotions() -> None:
    for name in ("emonet-face-hq", "emonet-voice"):
        assert set(published_scores(name)["dimension"].drop_nulls()) <= KEYS


def test_known_values_are_there() -> None:
    large = one("spearman", "Empathic-Insight-Face Large")
    assert (large["value"], large["low"], large["high"]) == (0.40, 0.35, 0.44)
    assert "read off a figure" in str(large["source"])
    assert one("alpha_interval", "people", dimension="interest")["value"] == -0.079
    assert one("kappa_with:human-8", "Empathic-Insight-Face Small")["value"] == 0.16
    assert one("lenient_recall", "Empathic-Insight-Face (repository results)", "ferd")["value"] == pytest.approx(
        119 / 152
    )
    assert one("pearson", "Empathic-Insight-Voice Large", "emonet-voice")["value"] == 0.421
    assert one("spearman", "Hume Voice", "emonet-voice", "distress")["value"] == -0.138
    assert one("refusal_rate", "GPT-4o Audio Preview 2024-12-17", "emonet-voice")["value"] == 0.2759


def test_every_emotion_has_its_published_agreement() -> None:
    faces = published_scores("emonet-face-hq").filter(pl.col("metric") == "alpha_interval")
    assert set(faces["dimension"]) == {emotion.key for emotion in EMOTIONS}
    voices = published_scores("emonet-voice").filter(pl.col("metric") == "cronbach_alpha").drop_nulls("dimension")
    assert set(voices["dimension"]) == {emotion.key for emotion in EMOTIONS} | {"arousal", "authenticity"}


def test_an_unknown_set_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'emonet-voice'"):
        published_scores("emonetvoice")


@pytest.mark.shared
def test_voice_values_equal_the_reference_tables(shared: Path) -> None:
    with (shared / "reference" / "voice_bench_results.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for metric in ("spearman", "pearson", "mae", "rmse"):
                assert one(metric, row["model"], "emonet-voice")["value"] == pytest.approx(float(row[metric]))
