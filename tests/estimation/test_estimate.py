"""The records themselves: ranking, means, tables."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from emonet.errors import EstimationError, UnknownNameError, UsageError
from emonet.estimation import REGION_COLUMNS, Estimate, Estimates, clock, place
from emonet.media import Region

_NAN = float("nan")


def _estimate(
    relative: list[float], *, source: str = "a.wav", region: Region | None = None, modality: str = "voice"
) -> Estimate:
    values = np.array(relative, np.float32)
    raw = values + np.float32(0.5)
    nothing = np.full(len(values), np.nan, np.float32)
    return Estimate(
        source, modality, region or Region(), "ok", "", "m", "r", ("anger", "fear", "awe", "valence"),  # type: ignore[arg-type]
        raw, values, nothing, nothing,
    )  # fmt: skip


def _failed(status: str = "unreadable") -> Estimate:
    return Estimate("b.wav", "voice", Region(), status, "broken", "m", "r")  # type: ignore[arg-type]


def test_top_ranks_emotions_by_relative_score() -> None:
    """Strongest first, without attributes and without what the model cannot judge."""
    ranked = _estimate([0.2, 1.5, _NAN, 9.0]).top()
    assert [(one.key, one.name, one.scale) for one in ranked] == [
        ("fear", "Fear", "relative"),
        ("anger", "Anger", "relative"),
    ]
    assert ranked[0].value == pytest.approx(1.5)
    assert ranked[0].calibrated is None
    assert _estimate([0.2, 1.5, _NAN, 9.0]).top(1) == ranked[:1]
    assert _estimate([_NAN] * 4).top() == []


def test_raw_ranking_only_without_neutral_scores() -> None:
    """A model without neutral means is ranked by raw scores, and the table says so."""
    one = _estimate([0.2, 1.5, 0.1, 0.0])
    bare = Estimate("a", "voice", Region(), "ok", "", "m", "r", one.dimensions, one.raw, np.full(4, np.nan, np.float32),
                    one.softmax, one.calibrated)  # fmt: skip
    assert bare.ranked_by == "raw"
    assert bare.top(1)[0].scale == "raw"
    row = bare.to_row()
    assert row["scale"] == "raw"
    assert row["fear"] == pytest.approx(2.0)
    assert one.to_row()["scale"] == "relative"
    assert bare.to_row(values="all")["fear.relative"] is None


def test_mean_weighs_windows_by_length() -> None:
    """A window of three seconds counts three times as much as one of one second; failures do not count."""
    short = _estimate([1.0, 0.0, _NAN, 0.0], region=Region(0.0, 1.0, window=0))
    long = _estimate([0.0, 1.0, _NAN, 0.0], region=Region(1.0, 4.0, window=1))
    mean = Estimates([short, _failed("no_speech"), long]).mean()
    assert mean.scores() == pytest.approx({"anger": 0.25, "fear": 0.75, "valence": 0.0})
    assert (mean.region.start_s, mean.region.end_s) == (0.0, 4.0)
    assert Estimates([short, long]).top(1)[0].key == "fear"


def test_mean_of_nothing_and_of_two_models() -> None:
    """Neither has a meaning, and each says so."""
    with pytest.raises(EstimationError, match="broken"):
        Estimates([_failed()]).mean()
    assert Estimates([_failed()]).top() == []
    with pytest.raises(UsageError, match="several models"):
        Estimates([_estimate([0, 0, 0, 0]), _estimate([0, 0, 0, 0], modality="face")]).mean()


def test_frame_has_a_row_each_and_null_for_unknown() -> None:
    """Types are fixed, failures are rows, and NaN becomes null."""
    frame = Estimates([_estimate([0.2, 1.5, _NAN, 9.0], region=Region(0.5, 2.0, window=3)), _failed()]).to_frame()
    assert frame.columns == [*REGION_COLUMNS, "fear", "awe", "anger", "valence"] or set(frame.columns) == {
        *REGION_COLUMNS, "fear", "awe", "anger", "valence"
    }  # fmt: skip
    assert frame.schema["fear"] == pl.Float32
    assert frame.schema["window"] == pl.Int32
    assert frame["awe"].null_count() == 2
    assert frame["status"].to_list() == ["ok", "unreadable"]
    assert Estimates([_estimate([0.1, 0, 0, 0])]).to_frame("all").width == len(REGION_COLUMNS) + 16
    assert Estimates([]).to_frame().height == 0
    with pytest.raises(UnknownNameError, match="relative"):
        Estimates([_estimate([0.1, 0, 0, 0])]).to_frame("relativ")  # type: ignore[arg-type]


def test_odd_file_name_survives_a_table() -> None:
    """A name that is not UTF-8 is written with escapes instead of failing."""
    assert Estimates([_estimate([0, 0, 0, 0], source="a\udcff.wav")]).to_frame()["source"][0] == "a\\udcff.wav"


def test_slices_and_text() -> None:
    """A slice keeps the cards' type, and the text names the strongest."""
    both = Estimates([_estimate([0.2, 1.5, _NAN, 9.0], region=Region(65.0, 70.25, window=0)), _failed()])
    assert isinstance(both[:1], Estimates)
    assert "1:05.0-1:10.2" in repr(both)
    assert "Fear +1.50" in repr(both)
    assert "unreadable, broken" in repr(both)
    assert clock(3723.04) == "1:02:03.0"
    assert place(Region()) == ""
