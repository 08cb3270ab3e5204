"""Speech and windows: bounds, order and coverage for any recording, and real detection."""

from __future__ import annotations

import runpy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.media import SAMPLE_RATE, WindowPolicy, WindowReport, speech_windows
from emonet.media._segments import SegmentRules, speech_segments
from emonet.media._speech import CHUNK

_RULES = st.builds(
    SegmentRules,
    threshold=st.just(0.5),
    longest=st.integers(20, 60),
    least=st.integers(1, 4),
    pause=st.integers(3, 6),
    pad=st.integers(0, 3),
)


@settings(max_examples=200, deadline=None)
@given(
    rules=_RULES,
    runs=st.lists(st.tuples(st.integers(1, 80), st.floats(0, 1)), min_size=1, max_size=12),
)
def test_segments_hold_their_rules(rules: SegmentRules, runs: list[tuple[int, float]]) -> None:
    """Any course of probabilities gives ordered segments in bounds that hold all but the shortest speech."""
    course = np.repeat([value for _, value in runs], [count for count, _ in runs])
    source = iter(course)
    chunks = [np.zeros(CHUNK, np.float32)] * len(course)
    events = list(speech_segments(chunks, rules, probability=lambda _: float(next(source))))
    segments = [event.segment for event in events if event.segment]
    for segment in segments:
        assert 0 <= segment.start < segment.end <= len(course)
        assert segment.end - segment.start <= rules.longest
        assert 0 <= segment.probability <= 1
    assert all(a.end <= b.start for a, b in pairwise(segments))
    held = np.zeros(len(course), bool)
    for segment in segments:
        held[segment.start : segment.end] = True
    spoken = np.flatnonzero(course >= rules.threshold)
    lost = [i for i in spoken if not held[i]]
    # Only speech shorter than `least` may be lost, and such bits lie at least a pause apart.
    assert all(held[max(0, i - rules.pause) : i + rules.pause + 1].sum() <= 2 * rules.pause + 1 for i in lost)
    if len(spoken) and spoken[-1] - spoken[0] >= rules.least and (course >= 0.35)[spoken[0] : spoken[-1] + 1].all():
        assert not lost


def _speech(folder: Path, text: str) -> np.ndarray:
    """A sentence spoken by eSpeak NG, 22.05 kHz."""
    pytest.importorskip("espeakng_loader", reason="the extra `demo` is not installed")
    demo = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "demo_media.py"))
    demo["sentence"](folder / "speech.wav", text)
    return soundfile.read(folder / "speech.wav")[0]


def test_speech_is_found_and_cut_at_pauses(tmp_path: Path) -> None:
    """Two sentences three seconds apart become two windows, which hold the speech and nothing of the middle."""
    speech = _speech(tmp_path, "This is a sentence that takes a while to say.")
    gap = np.zeros(3 * 22_050)
    soundfile.write(tmp_path / "two.wav", np.concatenate([speech, gap, speech]), 22_050)
    report = WindowReport()
    windows = list(speech_windows(tmp_path / "two.wav", report=report))
    assert len(windows) == report.windows == 2
    assert (report.status, report.message) == ("ok", "")
    first, second = (window.region for window in windows)
    assert first.end_s <= len(speech) / 22_050 + 0.3
    assert second.start_s >= len(speech) / 22_050 + 2.5
    for window in windows:
        assert window.duration_s == pytest.approx(window.region.end_s - window.region.start_s)
        assert window.region.score > 0.5
    joined = list(speech_windows(tmp_path / "two.wav", WindowPolicy(join_pause_s=5)))
    assert len(joined) == 1


def test_long_speech_is_cut_into_bounded_windows(tmp_path: Path) -> None:
    """Speech without a pause is cut within max_s, without overlap, and keeps every sample."""
    speech = np.tile(_speech(tmp_path, "one two three four five six seven eight nine ten"), 5)
    soundfile.write(tmp_path / "long.wav", speech, 22_050)
    windows = list(speech_windows(tmp_path / "long.wav", WindowPolicy(max_s=4)))
    assert all(window.duration_s <= 4 for window in windows)
    regions = [window.region for window in windows]
    assert [region.window for region in regions] == list(range(len(windows)))
    assert all(a.end_s <= b.start_s + 1e-9 for a, b in pairwise(regions))
    assert sum(window.duration_s for window in windows) > 0.8 * len(speech) / 22_050


@pytest.mark.parametrize(
    ("samples", "status", "reason"),
    [
        (np.zeros(3 * SAMPLE_RATE), "no_speech", "silence"),
        (0.3 * np.sin(np.arange(3 * SAMPLE_RATE) * 0.2), "no_speech", "no speech"),
        (np.random.default_rng(0).normal(0, 0.1, 3 * SAMPLE_RATE), "no_speech", "whole-audio"),
        (np.full(1_000, 0.1), "too_short", "at least"),
    ],
    ids=["silence", "tone", "noise", "short"],
)
def test_no_speech_is_a_status(tmp_path: Path, samples: np.ndarray, status: str, reason: str) -> None:
    """Silence, a tone, noise and a click give no window and say why."""
    soundfile.write(tmp_path / "a.wav", samples, SAMPLE_RATE)
    report = WindowReport()
    assert list(speech_windows(tmp_path / "a.wav", report=report)) == []
    assert report.status == status
    assert reason in report.message


@settings(max_examples=15, deadline=None)
@given(seconds=st.floats(0.4, 7.0), longest=st.floats(1.0, 3.0))
def test_whole_audio_covers_everything(
    tmp_path_factory: pytest.TempPathFactory, seconds: float, longest: float
) -> None:
    """Without a detector consecutive windows cover the recording, but for a remainder under min_s."""
    path = tmp_path_factory.mktemp("whole") / "a.wav"
    samples = np.random.default_rng(1).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
    windows = list(speech_windows(path, WindowPolicy(detector="none", max_s=longest)))
    joined = np.concatenate([window.samples for window in windows])
    np.testing.assert_array_equal(joined, samples[: len(joined)])
    assert 0 <= len(samples) - len(joined) < 0.3 * SAMPLE_RATE
    assert all(window.duration_s <= longest for window in windows)


def test_policy_is_stated_and_checked() -> None:
    """The policy says in words what it does, and impossible ones are refused."""
    assert "at most 30 s" in WindowPolicy().describe()
    assert "speech or not" in WindowPolicy(detector="none").describe()
    for wrong in ({"max_s": 0.5}, {"min_s": 0.0}, {"pad_s": 1.0}, {"threshold": 1.5}, {"detector": "x"}):
        with pytest.raises(UsageError, match="expected"):
            WindowPolicy(**wrong)


@pytest.mark.shared
def test_real_speech_is_found(shared: Path) -> None:
    """At least 18 of 20 real acted sentences hold speech for the detector."""
    clips = sorted((shared / "data" / "voices" / "nemo").glob("*.opus"))[::80][:20]
    found = 0
    for clip in clips:
        found += bool(list(speech_windows(clip)))
    assert found >= 18
