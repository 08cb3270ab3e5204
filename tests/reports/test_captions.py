"""Captions on the cards of the HTML report."""

from __future__ import annotations

from emonet.captions import CaptionedRegion
from emonet.reports import by_source
from emonet.reports._captions import MOST_LINES, caption_section

REGIONS = (
    CaptionedRegion("a.mp4", "face 1", "ok", "Seen: <sad>", start_s=0.0, end_s=5.0),
    CaptionedRegion("a.mp4", "face 2", "ok", "Seen: angry", start_s=0.0, end_s=5.0),
    CaptionedRegion("a.mp4", "voice", "no_speech", message="no speech"),
)


def test_a_card_shows_the_captions_of_its_own_face() -> None:
    section = caption_section(by_source(REGIONS), "a.mp4", "face 1")
    assert "Seen: &lt;sad&gt;" in section
    assert "0:00.0–0:05.0" in section
    assert "angry" not in section


def test_a_card_without_captions_has_no_section() -> None:
    assert caption_section(by_source(REGIONS), "a.mp4", "voice") == ""
    assert caption_section(by_source(REGIONS), "b.mp4", "face 1") == ""
    assert caption_section(None, "a.mp4", "face 1") == ""


def test_what_is_left_out_is_said() -> None:
    many = [CaptionedRegion("a.wav", "voice", "ok", f"text {i}", start_s=i, end_s=i + 1) for i in range(MOST_LINES + 3)]
    section = caption_section({"a.wav": many}, "a.wav", "voice")
    assert section.count("<li>") == MOST_LINES
    assert "3 more are left out here" in section
