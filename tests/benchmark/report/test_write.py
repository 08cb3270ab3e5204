"""The report's folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from emonet.benchmark import Results, draw_report, write_results
from emonet.benchmark.report import figures, tables, write_report
from emonet.errors import MissingExtraError, UsageError


def test_a_results_folder_gets_its_report(results: Results, tmp_path: Path) -> None:
    """Page, figures in three formats and two widths, captions, tables in two formats, JSON; nothing temporary stays."""
    strict = replace(results, scores=results.scores.filter(pl.col("definition") == "strict"))
    draw_report(write_results(strict, tmp_path))
    assert "Benchmark: made" in (tmp_path / "report.html").read_text()
    drawn = {path.name for path in (tmp_path / "figures").iterdir()}
    for name in ("scores-strict", "scores-strict-narrow", "pairs-strict", "emotions-strict", "differences-strict-age"):
        assert {f"{name}.pdf", f"{name}.svg", f"{name}.png"} <= drawn
    captions = (tmp_path / "figures" / "captions.md").read_text()
    assert all(f"`{Path(name).stem}`" in captions for name in drawn - {"captions.md"})
    written = {path.name for path in (tmp_path / "tables").iterdir()}
    assert {
        "leaderboard-strict-spearman.md",
        "leaderboard-strict-spearman.tex",
        "replies.tex",
        "agreement.md",
    } <= written
    assert json.loads((tmp_path / "leaderboard.json").read_text())["set"] == "made"
    assert not list(tmp_path.rglob(".*"))


def test_the_barest_results_are_reported(bare: Results, tmp_path: Path) -> None:
    """One rater: a page and what can be drawn."""
    page = write_report(bare, tmp_path / "new", published=pl.DataFrame())
    assert page.is_file()
    assert {name for name, _ in figures(bare)} == {
        "scores-strict", "scores-strict-narrow", "emotions-strict", "types", "types-narrow"
    }  # fmt: skip
    assert {table.name for table in tables(bare, pl.DataFrame())} >= {"leaderboard-strict-spearman", "agreement"}


def test_nothing_to_report_is_an_error(bare: Results, tmp_path: Path) -> None:
    """Results without scores leave no folder."""
    with pytest.raises(UsageError, match="hold no scores"):
        write_report(replace(bare, scores=bare.scores.clear()), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_without_matplotlib_the_extra_is_named(bare: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error holds the install line."""
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"emonet\[benchmark\]"):
        write_report(bare, tmp_path)
