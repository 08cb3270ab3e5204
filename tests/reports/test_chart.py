"""Chart and terminal: pictures of the same bars."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from rich.console import Console

import emonet
from emonet.errors import UsageError
from emonet.estimation import Estimate, Estimates
from emonet.media import Region
from emonet.reports import draw_chart, print_estimates
from emonet.reports._sections import GROUP_COLORS
from emonet.reports._terminal import _blocks
from emonet.reports._timeline import _ticks, _time_ticks, timeline

Make = Callable[..., Path]


def test_chart_is_a_png_with_the_groups_colours(face_bundle: Path, picture: Make, tmp_path: Path) -> None:
    """The file is a picture, and the bars of judged groups are in it."""
    rows = emonet.load(face_bundle, whole_image=True)([picture(level=255), picture("b.png", level=200)])
    rows.plot(tmp_path / "c.png")
    with PIL.Image.open(tmp_path / "c.png") as drawn:
        colors = set(map(tuple, np.asarray(drawn.convert("RGB")).reshape(-1, 3)[::7].tolist()))
    anger = tuple(bytes.fromhex(GROUP_COLORS["Negative High-Energy Emotions"][1:]))
    assert anger in colors
    one, two = draw_chart(rows[:1]), draw_chart(rows)
    assert two.width > one.width


def test_chart_of_many_is_a_mean(voice_bundle: Path, tone: Make) -> None:
    """More than four regions are drawn as one column."""
    rows = emonet.load(voice_bundle, whole_audio=True)(tone(seconds=12.0))
    assert len(rows) > 4
    assert draw_chart(rows).width == draw_chart(rows[:1]).width


def test_chart_refuses_nothing_and_wrong_endings(face_bundle: Path, picture: Make, tmp_path: Path) -> None:
    """No region, another ending and an absent folder are told."""
    with pytest.raises(UsageError, match="no region was scored"):
        Estimates([Estimate("a", None, Region(), "unreadable", "x")]).plot()
    rows = emonet.load(face_bundle, whole_image=True)(picture())
    with pytest.raises(UsageError, match=r"\.png"):
        rows.plot(tmp_path / "c.svg")
    with pytest.raises(UsageError, match="does not exist"):
        rows.plot(tmp_path / "no" / "c.png")


def _printed(estimates: Estimates, **options: int) -> str:
    console = Console(file=StringIO(), width=110)
    print_estimates(estimates, console, **options)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_terminal_bars_then_lines(face_bundle: Path, picture: Make) -> None:
    """Few results are bars, many are lines, more than that a count; markup in names is text."""
    files = [picture(f"[bold]{i}.png", level=40 * i) for i in range(6)]
    rows = emonet.load(face_bundle, whole_image=True)(files)
    few = _printed(rows[:2])
    assert "Negative High-Energy Emotions" in few
    assert "[bold]1.png" in few
    many = _printed(rows, lines=4)
    assert "Negative High-Energy Emotions" not in many
    assert "Contempt" in many
    assert "and 2 more" in many


def test_terminal_tells_failures() -> None:
    """A failure is a line with its status and reason."""
    text = _printed(Estimates([Estimate("a.wav", "voice", Region(), "no_speech", "silence")]))
    assert "no_speech: silence" in text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, ""), (1.0, "█" * 28), (0.5, "█" * 14), (5.0, "█" * 28), (1 / 28 / 2, "▌")]
)
def test_bar_lengths(value: float, text: str) -> None:
    """A bar is as long as its value, to an eighth of a cell, and never longer than its room."""
    assert _blocks(value, 0.0, 1.0).strip() == text


def test_bars_below_zero_go_left() -> None:
    """Both signs meet at one zero."""
    assert _blocks(-1.0, -1.0, 1.0) == "░" * 14
    assert _blocks(1.0, -1.0, 1.0) == " " * 14 + "█" * 14


def test_timeline_breaks_at_gaps(voice_bundle: Path, tone: Make) -> None:
    """Three regions or more are drawn; fewer are not; ticks are round numbers."""
    rows = emonet.load(voice_bundle, whole_audio=True)(tone(seconds=8.0))
    drawn = timeline(list(rows), "a <b>")
    assert drawn.startswith('<figure class="timeline">')
    assert "<b>" not in drawn
    assert timeline(list(rows[:2]), "a") == ""
    assert _ticks(-0.4, 2.1, 5) == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert _time_ticks(3600.0) == [600.0 * i for i in range(7)]
    assert len(_time_ticks(40 * 3600.0)) <= 9
    assert _time_ticks(1.2) == [0.0, 0.5, 1.0]
