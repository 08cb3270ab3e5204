"""Figures: right sizes, the same bytes each time, and none where there is nothing to draw."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import PIL.Image
import polars as pl
import pytest

from emonet.benchmark import Results
from emonet.benchmark.report._figure_differences import draw_differences
from emonet.benchmark.report._figure_emotions import draw_emotions
from emonet.benchmark.report._figure_kinds import agreements_by_kind, draw_kinds
from emonet.benchmark.report._figure_pairs import draw_pairs, kappas, sides
from emonet.benchmark.report._figure_ranks import draw_ranks
from emonet.benchmark.report._figure_scores import draw_scores
from emonet.benchmark.report._figure_types import draw_types, vote_class, vote_shares
from emonet.benchmark.report._style import DOUBLE, SINGLE, Drawn, folded, save_figure, shown, small_png, style

Draw = Callable[[Results, float], Drawn | None]
DRAWINGS: dict[str, Draw] = {
    "scores": lambda r, w: draw_scores(r, "strict", "spearman", width=w),
    "ranks": lambda r, w: draw_ranks(r, "strict", "spearman", width=w),
    "pairs": lambda r, w: draw_pairs(r, "strict", width=w),
    "kinds": lambda r, w: draw_kinds(r, "strict", width=w),
    "types": lambda r, w: draw_types(r, width=w),
    "emotions": lambda r, w: draw_emotions(r, "strict", "spearman", width=w),
    "differences": lambda r, w: draw_differences(r, "strict", "spearman", "age", width=w),
}


@pytest.fixture(autouse=True)
def _styled() -> Iterator[None]:
    with style():
        yield


def _pixels(drawn: Drawn) -> PIL.Image.Image:
    buffer = io.BytesIO()
    drawn.figure.savefig(buffer, format="png", dpi=100)
    return PIL.Image.open(buffer)


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("width", [SINGLE, DOUBLE])
def test_every_figure_has_the_width_of_a_column(results: Results, name: str, width: float) -> None:
    """3.4 or 7 inches; something is drawn; the caption names the set."""
    drawn = DRAWINGS[name](results, width)
    assert drawn is not None
    picture = _pixels(drawn)
    assert picture.width == round(100 * width)
    assert np.asarray(picture.convert("L")).std() > 3
    assert "made" in drawn.caption


@pytest.mark.parametrize("name", ["scores", "ranks", "pairs", "kinds", "types", "emotions"])
def test_crowded_figures_fit_a_page(crowded: Results, name: str) -> None:
    """40 emotions and 20 raters with long names stay within a page of 7 by 9.5 inches, in letters of 7 points."""
    drawn = DRAWINGS[name](crowded, DOUBLE)
    assert drawn is not None
    _pixels(drawn)
    assert drawn.figure.get_size_inches()[1] < 9.5
    texts = [text for text in drawn.figure.findobj(matplotlib.text.Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in texts) >= 7


def test_the_same_figure_has_the_same_bytes(results: Results, tmp_path: Path) -> None:
    """Neither time nor chance is in a file, whatever the user's own settings are."""
    contents = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        with matplotlib.rc_context({"font.size": 20 if folder == "a" else 5, "savefig.transparent": True}), style():
            drawn = draw_kinds(results, "strict", width=SINGLE)
        assert drawn is not None
        paths = save_figure(drawn, tmp_path / folder / "kinds")
        assert [path.suffix for path in paths] == [".pdf", ".svg", ".png"]
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]
    assert b"CreationDate" not in contents[0][0]
    with PIL.Image.open(tmp_path / "a" / "kinds.png") as picture:
        assert picture.width == 300 * SINGLE
        assert round(picture.info["dpi"][0]) == 300
    assert PIL.Image.open(io.BytesIO(small_png(tmp_path / "a" / "kinds.png", 400))).width == 400


def test_nothing_to_draw(bare: Results) -> None:
    """Without ranks, pairs or slices there is no such figure; bars of one rater are drawn."""
    assert draw_ranks(bare, "strict", "spearman") is None
    assert draw_pairs(bare, "strict") is None
    assert draw_kinds(bare, "strict") is None
    assert draw_differences(bare, "strict", "spearman", "age") is None
    assert draw_scores(bare, "strict", "kappa") is None
    assert draw_emotions(bare, "published", "spearman") is None
    assert draw_scores(bare, "strict", "spearman") is not None
    assert draw_types(replace(bare, types=bare.types.clear())) is None


def test_figures_without_intervals(results: Results) -> None:
    """Values whose interval is missing are drawn without one."""
    none = pl.lit(None, pl.Float64())
    scores = results.scores.with_columns(none.alias("low"), none.alias("high"))
    differences = results.differences.with_columns(none.alias("low"), none.alias("high"))
    plain = replace(results, scores=scores, differences=differences)
    for name in ("scores", "emotions", "differences"):
        drawn = DRAWINGS[name](plain, DOUBLE)
        assert drawn is not None
        _pixels(drawn)


def test_lower_is_better_has_another_colour_scale(results: Results) -> None:
    """A heat map of errors has no sign to show."""
    drawn = draw_emotions(results, "strict", "mae")
    assert drawn is not None
    _pixels(drawn)


def test_people_come_first_in_the_matrix(results: Results) -> None:
    """Sides begin with the people; the table is symmetric with an empty diagonal."""
    names = sides(results, "strict")
    assert names[:4] == ["human-1", "human-2", "human-3", "human-4"]
    table = kappas(results, "strict", names)
    assert np.array_equal(table, table.T, equal_nan=True)
    assert np.isnan(np.diag(table)).all()
    value = results.pairs.filter(
        pl.col("definition") == "strict", pl.col("dimension").is_null(), pl.col("rater_b") == "human-2"
    ).filter(pl.col("rater_a") == "human-1")["kappa"]
    assert value.item() == table[0, 1]


def test_agreement_by_kind_leaves_self_out(results: Results) -> None:
    """One value per rater and dimension, people with the other people."""
    found = agreements_by_kind(results, "strict")
    assert len(found["human"]) == 4 * 6
    assert len(found["zero-shot"]) == 2 * 6
    assert np.median(found["bundle"]) > np.median(found["baseline"])


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("3:0 present", "all: present"),
        ("2:1", "most: present"),
        ("1:1", "split evenly"),
        ("1:2", "most: absent"),
        ("2:0 absent", "all: absent"),
        ("1:0 present", "one vote: present"),
    ],
)
def test_votes_fall_into_classes(pattern: str, name: str) -> None:
    """Patterns of any number of people become seven classes."""
    assert vote_class(pattern) == name


def test_vote_shares_sum_to_one(results: Results) -> None:
    """Of every dimension."""
    assert all(sum(of.values()) == pytest.approx(1) for of in vote_shares(results).values())


def test_names_are_cut_where_they_say_least() -> None:
    """The middle goes, both ends stay; glyphs that the font lacks are marked; narrow figures get two lines."""
    assert shown("short") == "short"
    cut = shown("Gemini 2.5 Pro preview 03-25 experimental build (zero-shot)", 40)
    assert len(cut) <= 40
    assert cut.startswith("Gemini 2.5 Pro")
    assert cut.endswith("(zero-shot)")
    assert shown("模型 A") == "�� A"
    assert folded("Gemini 2.5 Pro preview 03-25 (zero-shot)").count("\n") == 1
    assert folded("unbroken" * 9).count("\n") == 1
