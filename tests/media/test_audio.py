"""Recordings: every format, exact resampling in blocks, bounded memory, typed errors."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.errors import UnreadableMediaError, UsageError
from emonet.media import SAMPLE_RATE, open_audio, read_audio


def _tone(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.4 * np.sin(2 * np.pi * 440 * time) * (0.2 + 0.8 * np.sin(2 * np.pi * 1.5 * time) ** 2)
    return np.stack([tone * (1 - 0.5 * c) for c in range(channels)], axis=1)


@pytest.mark.parametrize(
    ("name", "tolerance_s"), [("a.wav", 0.001), ("a.flac", 0.001), ("a.ogg", 0.001), ("a.mp3", 0.08), ("a.opus", 0.02)]
)
def test_reads_what_libsndfile_reads(tmp_path: Path, name: str, tolerance_s: float) -> None:
    """Stereo at 48 kHz becomes 16 kHz mono of the same length and loudness."""
    sound = _tone(1.5, 48_000, channels=2)
    subtype = "OPUS" if name.endswith("opus") else None
    soundfile.write(tmp_path / name, sound, 48_000, format="OGG" if subtype else None, subtype=subtype)
    audio = read_audio(tmp_path / name)
    assert audio.samples.dtype == np.float32
    assert audio.duration_s == pytest.approx(1.5, abs=tolerance_s)
    assert audio.samples.std() == pytest.approx(sound.mean(axis=1).std(), rel=0.1)


@pytest.mark.parametrize(("name", "codec"), [("a.m4a", "aac"), ("a.webm", "libopus"), ("a.mp4", "aac")])
def test_reads_containers_through_pyav(tmp_path: Path, name: str, codec: str) -> None:
    """m4a, webm and mp4 come in through the extra `video`."""
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    sound = _tone(1.0, 48_000)[:, 0].astype(np.float32)
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        size = 960
        for start in range(0, len(sound) // size * size, size):
            frame = av.AudioFrame.from_ndarray(sound[None, start : start + size], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    audio = read_audio(tmp_path / name)
    assert audio.duration_s == pytest.approx(1.0, abs=0.1)
    assert np.abs(audio.samples).max() == pytest.approx(0.4, rel=0.15)


@settings(max_examples=10, deadline=None)
@given(rate=st.sampled_from([8_000, 16_000, 22_050, 44_100]), seconds=st.floats(0.05, 3.0))
def test_blocks_are_the_whole(tmp_path_factory: pytest.TempPathFactory, rate: int, seconds: float) -> None:
    """Small blocks joined equal one resampling of the whole file."""
    path = tmp_path_factory.mktemp("blocks") / "a.wav"
    sound = _tone(seconds, rate)[:, 0].astype(np.float32)
    soundfile.write(path, sound, rate, subtype="FLOAT")
    with open_audio(path) as stream:
        joined = np.concatenate(list(stream.blocks(0.05)))
    whole = soxr.resample(sound, rate, SAMPLE_RATE) if rate != SAMPLE_RATE else sound
    assert abs(len(joined) - len(whole)) <= 1
    length = min(len(joined), len(whole))
    np.testing.assert_allclose(joined[:length], whole[:length], atol=2e-4)


def test_a_stretch_is_the_same_stretch(tmp_path: Path) -> None:
    """start_s and end_s cut exactly."""
    soundfile.write(tmp_path / "a.wav", _tone(2.0, SAMPLE_RATE), SAMPLE_RATE, subtype="FLOAT")
    whole, part = read_audio(tmp_path / "a.wav"), read_audio(tmp_path / "a.wav", start_s=0.5, end_s=1.25)
    np.testing.assert_array_equal(part.samples, whole.samples[8_000:20_000])
    assert (part.region.start_s, part.region.end_s) == (0.5, 1.25)


def test_long_files_need_bounded_memory(tmp_path: Path) -> None:
    """Twenty minutes are read with less memory than a tenth of their samples."""
    rate, minutes = 8_000, 20
    with soundfile.SoundFile(tmp_path / "long.flac", "w", rate, 1, subtype="PCM_16") as file:
        for _ in range(minutes):
            file.write(_tone(60, rate))
    tracemalloc.start()
    with open_audio(tmp_path / "long.flac") as stream:
        total = sum(len(block) for block in stream.blocks())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == minutes * 60 * SAMPLE_RATE
    assert peak < 0.1 * total * 4


def _broken_files(folder: Path) -> dict[str, str]:
    """Name of each broken file and a part of the reason that must be given."""
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("this is no recording " * 40)
    soundfile.write(folder / "zero.wav", np.zeros(0), SAMPLE_RATE)
    soundfile.write(folder / "nan.wav", np.full(8_000, np.nan), SAMPLE_RATE, subtype="FLOAT")
    soundfile.write(folder / "whole.flac", np.random.default_rng(0).normal(0, 0.1, 48_000), SAMPLE_RATE)
    (folder / "cut.flac").write_bytes((folder / "whole.flac").read_bytes()[:30_000])
    (folder / "folder.wav").mkdir()
    return {
        "empty.wav": "empty",
        "text.wav": "not a recording",
        "zero.wav": "zero length",
        "nan.wav": "NaN",
        "cut.flac": "damaged|truncated",
        "folder.wav": "folder",
        "absent.wav": "no such file",
    }


def test_bad_files_say_what_is_wrong(tmp_path: Path) -> None:
    """Each broken file raises one typed error that names the file and the reason."""
    for name, reason in _broken_files(tmp_path).items():
        with pytest.raises(UnreadableMediaError, match=reason) as caught:
            read_audio(tmp_path / name)
        assert name in str(caught.value)


def test_addresses_are_refused() -> None:
    """Nothing is fetched from the network."""
    with pytest.raises(UsageError, match="download the file first"):
        read_audio("https://example.org/a.wav")
