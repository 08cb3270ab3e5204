"""Results on disk: whole, replaced as a whole, refused when incomplete."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from emonet.benchmark._results import SCHEMAS, Results, empty, read_results, table_of, write_results
from emonet.errors import UsageError


def _results(name: str = "made") -> Results:
    scores = table_of("scores", [{"definition": "strict", "metric": "spearman", "rater": "a", "value": 0.5, "n": 3}])
    pairs, ranks, agreement = empty("pairs"), empty("ranks"), empty("agreement")
    return Results({"set": name, "notes": ["é"]}, scores, ranks, pairs, agreement, pl.DataFrame({"item": ["x"]}))


def test_round_trip(tmp_path: Path) -> None:
    """What was written is read back, facts and tables alike."""
    written = _results()
    read = read_results(write_results(written, tmp_path / "new" / "folder"))
    assert read.facts == written.facts
    assert all(getattr(read, name).equals(getattr(written, name)) for name in (*SCHEMAS, "items"))


def test_results_are_replaced_and_other_files_stay(tmp_path: Path) -> None:
    """A second run replaces the tables; the cache beside them and a report stay, and no temporary file is left."""
    (tmp_path / "cache").mkdir()
    write_results(_results("first"), tmp_path)
    write_results(_results("second"), tmp_path)
    assert read_results(tmp_path).facts["set"] == "second"
    assert {path.name for path in tmp_path.iterdir()} == {
        "cache",
        "run.json",
        "items.parquet",
        *(f"{name}.parquet" for name in SCHEMAS),
    }


def test_a_failed_write_leaves_the_old_results(tmp_path: Path) -> None:
    """Facts that cannot be written change nothing."""
    write_results(_results("first"), tmp_path)
    circle: dict[str, object] = {}
    circle["self"] = circle
    with pytest.raises(ValueError, match="Circular"):
        write_results(replace(_results("second"), facts=circle), tmp_path)
    assert read_results(tmp_path).facts["set"] == "first"
    assert not list(tmp_path.glob(".results-*"))


@pytest.mark.parametrize("spoil", ["run.json", "scores.parquet"])
def test_incomplete_results_are_refused(tmp_path: Path, spoil: str) -> None:
    """A folder that lacks a file says which command completes it."""
    write_results(_results(), tmp_path)
    (tmp_path / spoil).unlink()
    with pytest.raises(UsageError, match=r"[Rr]un"):
        read_results(tmp_path)


def test_foreign_and_future_folders_are_refused(tmp_path: Path) -> None:
    """Text that is no JSON and results of another format are named."""
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        read_results(tmp_path)
    (tmp_path / "run.json").write_text('{"format": 99}')
    with pytest.raises(UsageError, match="format 99"):
        read_results(tmp_path)


def test_a_table_of_other_columns_is_refused() -> None:
    """A mistake in a table is found when results are made, not when they are drawn."""
    with pytest.raises(UsageError, match="'pairs'"):
        replace(_results(), pairs=pl.DataFrame({"a": [1]}))


def test_undefined_is_null() -> None:
    """NaN and absent keys are null in every table."""
    table = table_of("agreement", [{"metric": "icc", "value": float("nan")}])
    assert table["value"].to_list() == [None]
    assert table["dimension"].to_list() == [None]
