"""Windows cut out of recordings: the samples that were scored, and memory that does not grow with the recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from emonet.bulk._segments import cut
from emonet.errors import UnreadableMediaError
from emonet.media import SAMPLE_RATE, read_audio


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of noise, other in every sample."""
    path = tmp_path_factory.mktemp("segments") / "noise.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 5 * SAMPLE_RATE), SAMPLE_RATE, subtype="PCM_16")
    return path


@given(bounds=st.lists(st.floats(0, 5), min_size=2, max_size=12).map(sorted))
def test_places_are_cut_to_the_sample(recording: Path, bounds: list[float]) -> None:
    """However places lie, each is the same part of the whole recording."""
    whole = read_audio(recording).samples
    places = list(zip(bounds[::2], bounds[1::2], strict=False))
    for (start, end), sound in zip(places, cut(recording, places), strict=True):
        np.testing.assert_array_equal(sound, whole[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)])


def test_overlapping_places(recording: Path) -> None:
    """What two windows share is in both."""
    whole = read_audio(recording).samples
    first, second = cut(recording, [(0.5, 3.0), (1.0, 4.5)])
    np.testing.assert_array_equal(first, whole[SAMPLE_RATE // 2 : 3 * SAMPLE_RATE])
    np.testing.assert_array_equal(second, whole[SAMPLE_RATE : 9 * SAMPLE_RATE // 2])


def test_what_came_before_a_break_can_be_cut(tmp_path: Path) -> None:
    """A file that breaks off after forty seconds still gives its first two; further on it says so."""
    whole, broken = tmp_path / "whole.flac", tmp_path / "broken.flac"
    soundfile.write(whole, np.random.default_rng(1).uniform(-0.5, 0.5, 60 * SAMPLE_RATE), SAMPLE_RATE)
    broken.write_bytes(whole.read_bytes()[: int(0.66 * whole.stat().st_size)])
    pieces = cut(broken, [(0.0, 1.0), (1.0, 2.0), (50.0, 52.0)])
    assert [len(next(pieces)) for _ in range(2)] == [SAMPLE_RATE, SAMPLE_RATE]
    with pytest.raises(UnreadableMediaError):
        next(pieces)
