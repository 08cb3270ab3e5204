"""Speech and windows: bounds, order and coverage for any recording, and real detection."""

from __future__ import annotations

import runpy
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.media import SAMPLE_RATE, Audio, WindowPolicy, WindowReport, open_audio, speech_windows
from emonet.media._speech import CHUNK, Segment, SegmentFinder, SpeechDetector
from emonet.media._windows import WindowPacker

_POLICIES = st.builds(
    WindowPolicy,
    max_s=st.floats(1, 4),
    min_s=st.just(0.1),
    min_speech_s=st.floats(0, 0.5),
    min_silence_s=st.floats(0.2, 0.5),
    pad_s=st.floats(0, 0.1),
    join_pause_s=st.floats(0, 3),
)
_COURSES = st.lists(st.tuples(st.integers(1, 200), st.floats(0, 1)), min_size=1, max_size=12).map(
    lambda runs: np.repeat([value for _, value in runs], [count for count, _ in runs])
)


@settings(max_examples=60, deadline=None)
@given(policy=_POLICIES, course=_COURSES, tail=st.integers(1, CHUNK))
def test_segments_and_windows_hold_their_rules(policy: WindowPolicy, course: np.ndarray, tail: int) -> None:
    """Any course of probabilities gives ordered, bounded segments with all lasting speech, and windows around them."""
    total = (len(course) - 1) * CHUNK + tail
    finder, packer = SegmentFinder(policy), WindowPacker(policy)
    segments, windows, needed = [], [], 0
    for probability in course:
        segment = finder.feed(float(probability))
        segments += [segment] if segment else []
        windows += packer.add(segment, finder.earliest)
        needed = packer.needed(finder.earliest)
        assert finder._count * CHUNK - needed <= (2 * policy.max_s + policy.join_pause_s + 1) * SAMPLE_RATE
    last = finder.end(total)
    segments += [last] if last else []
    windows += [*packer.add(last, total), *packer.end()]
    for stretches in (segments, windows):
        assert all(0 <= item.start < item.end <= total for item in stretches if policy.min_speech_s)
        assert all(item.end - item.start <= policy.max_s * SAMPLE_RATE for item in stretches)
        assert all(one.end <= other.start for one, other in pairwise(stretches))
    for segment in segments:
        assert sum(window.start <= segment.start and segment.end <= window.end for window in windows) == 1
    _nothing_lasting_is_lost(course, segments, policy)


def _nothing_lasting_is_lost(course: np.ndarray, segments: list[Segment], policy: WindowPolicy) -> None:
    """Chunks at or above the threshold lie in a segment, unless their stretch is shorter than min_speech_s."""
    held = np.zeros(len(course), bool)
    for segment in segments:
        held[segment.start // CHUNK : -(-segment.end // CHUNK)] = True
    least = policy.min_speech_s * SAMPLE_RATE / CHUNK
    lost = np.flatnonzero((course >= policy.threshold) & ~held)
    for run in np.split(lost, np.flatnonzero(np.diff(lost) > 1) + 1):
        assert len(run) < max(least, 1)


def test_long_speech_is_cut_at_its_least_probable_point() -> None:
    """Twenty seconds of speech with one dip are cut in the dip, and the parts touch."""
    course = np.ones(625)
    course[250:254] = 0.4
    finder = SegmentFinder(WindowPolicy(max_s=10))
    segments = [segment for value in course if (segment := finder.feed(value))]
    assert segments[0].end == segments[1].start == 252 * CHUNK


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


def test_a_short_recording_is_kept_whole(tmp_path: Path) -> None:
    """Up to five seconds in which somebody is heard are one utterance; a longer recording is cut to its speech."""
    speech = _speech(tmp_path, "Nobody knows.")
    for seconds, whole in ((4.5, True), (6.0, False)):
        sound = np.zeros(round(seconds * 22_050))
        sound[22_050 : 22_050 + len(speech)] = speech
        soundfile.write(tmp_path / "a.wav", sound, 22_050)
        report = WindowReport()
        (window,) = speech_windows(tmp_path / "a.wav", report=report)
        assert (window.duration_s == pytest.approx(seconds, abs=0.01)) == whole
        assert report.highest > 0.5 > window.region.score or not whole
        (cut,) = speech_windows(tmp_path / "a.wav", WindowPolicy(whole_s=0))
        assert 0.8 < cut.region.start_s < cut.region.end_s < 1.5 + len(speech) / 22_050


def test_a_burst_too_short_to_be_speech_is_kept(tmp_path: Path) -> None:
    """A tenth of a second of voice is no speech by itself, but enough to keep a recording of one second."""
    speech = _speech(tmp_path, "ah")
    loud = int(np.abs(speech).argmax())
    sound = np.zeros(22_050)
    part = speech[max(0, loud - 1_100) : loud + 1_100]
    sound[8_000 : 8_000 + len(part)] = part
    soundfile.write(tmp_path / "a.wav", sound, 22_050)
    assert not list(speech_windows(tmp_path / "a.wav", WindowPolicy(whole_s=0)))
    assert [window.duration_s for window in speech_windows(tmp_path / "a.wav")] == [1.0]


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
    """Without a detector consecutive windows cover the whole recording, and none is too long or too short."""
    path = tmp_path_factory.mktemp("whole") / "a.wav"
    samples = np.random.default_rng(1).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
    windows = list(speech_windows(path, WindowPolicy(detector="none", max_s=longest)))
    np.testing.assert_array_equal(np.concatenate([window.samples for window in windows]), samples)
    assert all(0.29 <= window.duration_s <= longest for window in windows)
    assert all(window.region.score is None for window in windows)


def test_whole_audio_leaves_silence_out() -> None:
    """Without a detector a silent window is no window, and a silent recording has the status no_speech."""
    samples = np.concatenate([np.full(16_000, 0.1), np.zeros(32_000), np.full(16_000, 0.1)]).astype(np.float32)
    policy = WindowPolicy(detector="none", max_s=1)
    windows = list(speech_windows(Audio(samples, "memory"), policy))
    assert [window.region.start_s for window in windows] == [0, 3]
    report = WindowReport()
    assert not list(speech_windows(Audio(samples[20_000:40_000], "memory"), policy, report=report))
    assert (report.status, report.message.split(":")[0]) == ("no_speech", "silence")


def test_probabilities_do_not_depend_on_pieces() -> None:
    """The detector carries its state: pieces of any length give the same probabilities as the whole."""
    samples = np.random.default_rng(0).normal(0, 0.1, 20_000).astype(np.float32)
    whole, parts = SpeechDetector(), SpeechDetector()
    expected = [*whole.probabilities(samples), *whole.end()]
    pieces = np.split(samples, [1, 700, 701, 5_000, 15_000])
    found = [value for piece in pieces for value in parts.probabilities(piece)] + [*parts.end()]
    assert len(expected) == -(-20_000 // CHUNK)
    np.testing.assert_array_equal(found, expected)


def test_windows_hold_just_the_samples_they_name(tmp_path: Path) -> None:
    """A window's samples are those of the file between its times, whether it comes from a path, a stream or memory."""
    speech = _speech(tmp_path, "This is a sentence. And this is another one.")
    sound = np.concatenate([np.zeros(22_050 * 13), speech, np.zeros(22_050 * 12), speech])
    soundfile.write(tmp_path / "a.wav", sound, 22_050)
    with open_audio(tmp_path / "a.wav") as stream:
        whole = np.concatenate(list(stream.blocks()))
    windows = list(speech_windows(tmp_path / "a.wav"))
    assert len(windows) == 2
    for window in windows:
        start, end = (round(second * SAMPLE_RATE) for second in (window.region.start_s, window.region.end_s))
        np.testing.assert_array_equal(window.samples, whole[start:end])
    with open_audio(tmp_path / "a.wav") as stream:
        assert [window.region for window in speech_windows(stream)] == [window.region for window in windows]
    memory = speech_windows(Audio(whole, "memory"))
    assert [window.region for window in memory] == [window.region for window in windows]


def test_long_speech_needs_bounded_memory(tmp_path: Path) -> None:
    """Four minutes of talk and pauses are cut with hardly more memory than one minute."""
    speech = np.concatenate([_speech(tmp_path, "Nobody knows the trouble I have seen."), np.zeros(60_000)])
    peaks = []
    for minutes in (1, 4):
        soundfile.write(tmp_path / "a.wav", np.resize(speech, 22_050 * 60 * minutes), 22_050)
        next(iter(speech_windows(tmp_path / "a.wav")))  # the detector is loaded once
        tracemalloc.start()
        windows = sum(1 for _ in speech_windows(tmp_path / "a.wav"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert windows >= 8 * minutes
    assert peaks[1] - peaks[0] < 1e6


def test_policy_is_stated_and_checked() -> None:
    """The policy says in words what it does, and impossible ones are refused."""
    assert "at most 30 s" in WindowPolicy().describe()
    assert "speech or not" in WindowPolicy(detector="none").describe()
    for wrong in (
        {"max_s": 0.5},
        {"min_s": 0.0},
        {"pad_s": 1.0},
        {"threshold": 1.5},
        {"detector": "x"},
        {"whole_s": -1},
    ):
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


@pytest.mark.shared
def test_most_real_bursts_are_kept(shared: Path) -> None:
    """Of 40 laughs, sighs and cries at least 28 get a window; fewer are speech to the detector."""
    clips = sorted((shared / "data" / "voices" / "emogator").glob("*.opus"))[::148][:40]
    kept, speech = (
        sum(bool(list(speech_windows(clip, WindowPolicy(whole_s=seconds)))) for clip in clips) for seconds in (5, 0)
    )
    assert kept >= 28
    assert speech < kept
