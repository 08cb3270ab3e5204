"""Rules on tables: agreement, thresholds, categories, balance, quality, and the report that they leave."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.datasets import LabelledSet, Rater, Ratings
from emonet.datasets._tables import rating_rows
from emonet.datasets.curation import (
    PictureLimits,
    Report,
    SoundLimits,
    Step,
    balance_items,
    balance_of,
    check_categories,
    count_categories,
    drop_scarce,
    filter_quality,
    label_items,
    strict_agreement,
    threshold,
)
from emonet.errors import UsageError


def _rated(said: list[tuple[str, str, str, float]], *, top: float = 2.0) -> LabelledSet:
    """A set of (item, rater, dimension, value)."""
    table = rating_rows(
        item=pl.Series([row[0] for row in said]),
        rater=pl.Series([row[1] for row in said]),
        dimension=pl.Series([row[2] for row in said]),
        value=pl.Series([row[3] for row in said]),
    )
    raters = tuple(Rater(name, "human") for name in table["rater"].unique().sort())
    return LabelledSet(
        name="made", modality="voice", items=pl.DataFrame({"item": sorted({row[0] for row in said})}),
        ratings=Ratings(table, raters), dimensions=tuple(sorted({row[2] for row in said})), scale=(0.0, top),
    )  # fmt: skip


_SAID = [
    *[("a", f"p{k}", "anger", 2.0) for k in range(3)],
    *[("b", f"p{k}", "anger", float(1 + k % 2)) for k in range(3)],
    *[("c", f"p{k}", "anger", 2.0) for k in range(2)],
    *[("d", f"p{k}", "anger", 0.0) for k in range(3)],
    ("e", "p0", "anger", 2.0),
]


def test_strict_agreement_needs_three_who_say_the_same() -> None:
    """Two who agree are not three, and weak is not strong."""
    chosen = strict_agreement(_rated(_SAID))
    assert chosen.items["item"].to_list() == ["a", "d"]
    assert chosen.step.reasons == {"judged by too few": 2, "not all said the same": 1}
    assert chosen.step.facts["agreed present"] == 1
    assert "anger: 1.0 to 2.0 by 3" in chosen.step.dropped["detail"].to_list()


def test_agreement_on_presence_lets_strength_differ() -> None:
    """Weak and strong are both present."""
    assert strict_agreement(_rated(_SAID), on="presence").items["item"].to_list() == ["a", "b", "d"]


def test_a_rater_who_judges_twice_is_one_rater() -> None:
    """Three judgements of two people are no three-rater agreement."""
    said = [("a", "p0", "anger", 1.0), ("a", "p0", "anger", 1.0), ("a", "p1", "anger", 1.0)]
    assert strict_agreement(_rated(said)).items.is_empty()


def test_thresholds_on_mean_median_and_share() -> None:
    """Each figure has its own scale."""
    rated = _rated([("a", "p0", "anger", 2.0), ("a", "p1", "anger", 0.0), ("a", "p2", "anger", 0.0)])
    assert len(threshold(rated, 0.6).items) == 1
    assert len(threshold(rated, 0.6, how="median").items) == 0
    assert len(threshold(rated, 0.3, how="share").items) == 1
    with pytest.raises(UsageError, match="from 0 to 1"):
        threshold(rated, 2, how="share")


def test_items_are_labelled_by_what_was_agreed_on() -> None:
    """Pairs that people agreed are absent give no label, and items without a label go."""
    items = pl.DataFrame({"item": ["a", "d", "x"]})
    chosen = label_items(items, strict_agreement(_rated(_SAID)).items)
    assert chosen.items.rows() == [("a", "anger")]
    assert chosen.step.dropped["item"].to_list() == ["d", "x"]


def test_every_category_is_counted_also_the_absent_ones() -> None:
    """An item of two emotions counts for both; what nobody asked for is listed at the end."""
    items = pl.DataFrame({"item": ["a", "b", "c"], "label": ["anger;fear", "anger", "boredom"]})
    counts = count_categories(items, categories=["fear", "anger", "awe"])
    assert counts.rows() == [("fear", 1), ("anger", 2), ("awe", 0), ("boredom", 1)]
    found = check_categories(items, categories=["fear", "anger", "awe"])
    assert found.step.facts["short"] == {"awe": 0}
    with pytest.raises(UsageError, match=r"1 of 3 categories .* awe \(0\)"):
        check_categories(items, categories=["fear", "anger", "awe"], required=True)


def test_items_of_scarce_categories_go_unless_they_have_another() -> None:
    """One frequent emotion is enough to stay."""
    items = pl.DataFrame({"item": list("abcd"), "label": ["anger", "anger;awe", "awe ; fear", None]})
    chosen = drop_scarce(items, least=2)
    assert chosen.items["item"].to_list() == ["a", "b", "c"]
    assert chosen.step.dropped["item"].to_list() == ["d"]


def test_balance_caps_each_cell_and_says_how_even_it_became() -> None:
    """Twelve women and three men become three and three."""
    items = pl.DataFrame({"item": [f"{k:02d}" for k in range(15)], "gender": ["woman"] * 12 + ["man"] * 3})
    assert balance_of(items, ["gender"]).ratio == 4
    chosen = balance_items(items, ["gender"], ratio=1)
    assert balance_of(chosen.items, ["gender"]).evenness == pytest.approx(1)
    assert chosen.step.reasons == {"more than the limit of its cell": 9}
    assert set(chosen.step.dropped["detail"]) == {"woman"}


@given(st.lists(st.sampled_from("xyz"), min_size=1, max_size=40), st.integers(1, 5), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_who_stays_does_not_depend_on_the_order_of_rows(cells: list[str], most: int, order) -> None:  # type: ignore[no-untyped-def]
    """Drawn are items, not rows; an item that is added elsewhere changes nothing here."""
    items = pl.DataFrame({"item": [f"{k}" for k in range(len(cells))], "cell": cells})
    rows = list(range(len(items)))
    order.shuffle(rows)
    kept = set(balance_items(items, ["cell"], most=most, seed=3).items["item"])
    assert kept == set(balance_items(items[rows], ["cell"], most=most, seed=3).items["item"])
    assert len(kept) == sum(min(most, cells.count(cell)) for cell in set(cells))
    more = pl.concat([items, pl.DataFrame({"item": ["other"], "cell": ["w"]})])
    assert kept == set(balance_items(more, ["cell"], most=most, seed=3).items["item"]) - {"other"}


def test_quality_names_the_first_limit_that_fails() -> None:
    """A row goes for one reason; silence has a level below every limit; unknown noise is no noise."""
    items = pl.DataFrame(
        {
            "item": ["ok", "short", "silent", "clipped", "noisy", "no pause", "broken"],
            "duration_s": [3.0, 0.1, 3.0, 3.0, 3.0, 3.0, None],
            "rms_db": [-20.0, -20.0, float("-inf"), -20.0, -20.0, -20.0, None],
            "clipped": [0.0, 0.5, 0.0, 0.5, 0.0, 0.0, None],
            "snr_db": [30.0, 30.0, 30.0, 30.0, 3.0, None, None],
            "unreadable": [None] * 6 + ["truncated"],
        }
    )
    chosen = filter_quality(items, SoundLimits(min_snr_db=10))
    assert chosen.items["item"].to_list() == ["ok", "no pause"]
    reasons = dict(chosen.step.dropped.select("item", "reason").iter_rows())
    assert reasons == {
        "short": "too short", "silent": "too quiet", "clipped": "clipped", "noisy": "too noisy",
        "broken": "cannot be read",
    }  # fmt: skip
    assert chosen.step.facts["without snr_db"] == 2
    strict = filter_quality(items, SoundLimits(min_snr_db=10, unknown="drop"))
    assert strict.items["item"].to_list() == ["ok"]


def test_a_limit_on_what_was_not_measured_is_refused() -> None:
    """A limit that cannot be checked would silently keep everything."""
    with pytest.raises(UsageError, match="no 'face_px'"):
        filter_quality(pl.DataFrame({"item": ["a"], "width": [10], "height": [10]}), PictureLimits(min_face_px=24))


def test_every_dropped_row_has_a_reason() -> None:
    """A step that cannot account for its rows is refused; steps add up to one table."""
    kept = Step("one", "", 1, 1, pl.DataFrame(schema={"item": pl.String, "reason": pl.String, "detail": pl.String}))
    with pytest.raises(UsageError, match="a reason for each row"):
        Step("two", "", 3, 1, kept.dropped)
    gone = Step("two", "", 1, 0, pl.DataFrame({"item": ["a"], "reason": ["why"], "detail": [""]}))
    report = Report().then(kept).then(gone)
    assert report.dropped().rows() == [("two", "a", "why", "")]
    assert report.to_dict()["steps"][1]["reasons"] == {"why": 1}
    assert (report.entered, report.kept) == (1, 0)
