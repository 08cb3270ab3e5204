"""SRT and WebVTT: times, no overlap, nothing that a player would misread."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.captions import Cue, srt, vtt
from emonet.errors import UsageError

TIME = re.compile(r"(\d+):(\d\d):(\d\d)[.,](\d{3}) --> (\d+):(\d\d):(\d\d)[.,](\d{3})\n")


def times(text: str) -> list[tuple[int, int]]:
    """(start, end) of every cue in milliseconds."""

    def at(h: str, m: str, s: str, ms: str) -> int:
        return ((int(h) * 60 + int(m)) * 60 + int(s)) * 1000 + int(ms)

    return [(at(*found.groups()[:4]), at(*found.groups()[4:])) for found in TIME.finditer(text)]


def test_times_beyond_an_hour_are_right() -> None:
    assert srt([Cue(3661.5, 36_000.0, "late")]) == "1\n01:01:01,500 --> 10:00:00,000\nlate\n"
    assert vtt([Cue(0, 59.9996, "x")]) == "WEBVTT\n\n00:00:00.000 --> 00:01:00.000\nx\n"
    assert vtt([Cue(360_000, 360_001, "x")]).splitlines()[2] == "100:00:00.000 --> 100:00:01.000"


def test_texts_that_hold_at_once_share_a_cue() -> None:
    text = srt([Cue(0, 4, "first"), Cue(3, 6, "second")])
    assert times(text) == [(0, 3000), (3000, 4000), (4000, 6000)]
    assert "\n00:00:03,000 --> 00:00:04,000\nfirst\nsecond\n" in text


def test_equal_texts_one_after_the_other_stay_two_cues() -> None:
    assert times(srt([Cue(0, 1, "same"), Cue(1, 2, "same")])) == [(0, 1000), (1000, 2000)]


def test_text_cannot_break_the_format() -> None:
    text = vtt([Cue(0, 1, "a --> b\n\n<i>&")], note="n --> m")
    assert text == "WEBVTT\n\nNOTE\nn → m\n\n00:00:00.000 --> 00:00:01.000\na → b\n&lt;i&gt;&amp;\n"


def test_nothing_to_say_gives_an_empty_file() -> None:
    assert srt([]) == ""
    assert vtt([]) == "WEBVTT\n\n"
    assert srt([Cue(1, 1, "no time")]) == ""


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(UsageError, match="seconds from the start"):
        srt([Cue(seconds, seconds, "x")])


@given(st.lists(st.builds(Cue, st.floats(0, 1e5), st.floats(0, 1e5), st.text(min_size=1))))
def test_cues_are_in_order_and_never_overlap(cues: list[Cue]) -> None:
    for text in (srt(cues), vtt(cues)):
        spans = times(text)
        assert all(start < end for start, end in spans)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
