"""Recordings: every format, exact resampling in blocks, bounded memory, typed errors."""

from __future__ import annotations

import csv
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.errors import MediaTooLargeError, MissingExtraError, UnreadableMediaError, UsageError
from emonet.media import SAMPLE_RATE, open_audio, read_audio
from emonet.media._soundfiles import SoundFile


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


@pytest.mark.parametrize(
    ("name", "rate", "channels"),
    [("a.wav", 44_100, 2), ("a.flac", 44_100, 2), ("a.ogg", 44_100, 2), ("a.opus", 16_000, 1), ("a.mp3", 48_000, 1)],
)
def test_parts_are_decoded_as_the_whole(tmp_path: Path, name: str, rate: int, channels: int) -> None:
    """Reading part after part gives the samples of one long reading, to the last bit."""
    sound = _tone(20.0, rate, channels) + np.random.default_rng(1).normal(0, 0.01, (20 * rate, channels))
    subtype = "OPUS" if name.endswith("opus") else None
    soundfile.write(tmp_path / name, sound, rate, format="OGG" if subtype else None, subtype=subtype)
    parts = list(SoundFile(tmp_path / name).blocks())
    assert len(parts) > 4
    np.testing.assert_array_equal(
        np.concatenate(parts), soundfile.read(tmp_path / name, dtype="float32", always_2d=True)[0]
    )


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
    for name in ("whole.wav", "whole.aiff", "whole.au"):
        soundfile.write(folder / name, np.random.default_rng(0).normal(0, 0.1, 48_000), SAMPLE_RATE)
        (folder / name.replace("whole", "cut")).write_bytes((folder / name).read_bytes()[:50_000])
    soundfile.write(folder / "inf.wav", np.array([0.0] * 20_000 + [np.inf]), SAMPLE_RATE, subtype="FLOAT")
    soundfile.write(folder / "whole_numbers.wav", np.full(8_000, 12_345.0), SAMPLE_RATE, subtype="FLOAT")
    soundfile.write(folder / "slow.wav", np.zeros(100), 10)
    return {
        "empty.wav": "empty",
        "text.wav": "not a recording",
        "zero.wav": "zero length",
        "nan.wav": "NaN",
        "cut.flac": "damaged|truncated",
        "cut.wav": "truncated: its header promises",
        "cut.aiff": "truncated|damaged",
        "cut.au": "truncated",
        "inf.wav": r"infinite samples at 1\.2",
        "whole_numbers.wav": "divide",
        "slow.wav": "sample rate of 10 Hz",
        "folder.wav": "folder",
        "nul\0.wav": "NUL",
        "absent.wav": "no such file",
    }


def test_bad_files_say_what_is_wrong(tmp_path: Path) -> None:
    """Each broken file raises one typed error that names the file and the reason."""
    for name, reason in _broken_files(tmp_path).items():
        with pytest.raises(UnreadableMediaError, match=reason) as caught:
            read_audio(tmp_path / name)
        assert name.partition("\0")[0] in str(caught.value)


def test_addresses_are_refused() -> None:
    """Nothing is fetched from the network."""
    with pytest.raises(UsageError, match="download the file first"):
        read_audio("https://example.org/a.wav")


def test_unreadable_by_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that this user may not open is said to be that."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    soundfile.write(tmp_path / "a.wav", np.zeros(100), SAMPLE_RATE)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UnreadableMediaError, match="permission denied"):
        open_audio(tmp_path / "a.wav")


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container asks for the extra; a text file is no recording with or without it."""
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(400))
    with pytest.raises(MissingExtraError, match=r"a\.m4a.*emonet\[video\]"):
        open_audio(tmp_path / "a.m4a")
    (tmp_path / "a.txt").write_text("words " * 100)
    with pytest.raises(UnreadableMediaError, match="not a recording"):
        open_audio(tmp_path / "a.txt")


def test_truncated_containers_are_refused(tmp_path: Path) -> None:
    """Half an mp4, with its index in front, is not passed off as the whole."""
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    sound = np.random.default_rng(0).normal(0, 0.1, (1, 48_000 * 4)).astype(np.float32)
    with av.open(str(tmp_path / "a.mp4"), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        for start in range(0, sound.shape[1], 960):
            part = np.ascontiguousarray(sound[:, start : start + 960])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert read_audio(tmp_path / "a.mp4").duration_s == pytest.approx(4, abs=0.1)
    content = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    with pytest.raises(UnreadableMediaError, match="truncated"):
        read_audio(tmp_path / "cut.mp4")


def test_unknown_codecs_are_refused(tmp_path: Path) -> None:
    """A wav file whose codec number means nothing to either reader raises a typed error."""
    pytest.importorskip("av", reason="the extra `video` is not installed")
    soundfile.write(tmp_path / "a.wav", _tone(1, SAMPLE_RATE), SAMPLE_RATE)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[20:22] = b"\xab\xcd"
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(UnreadableMediaError, match=r"a\.wav"):
        read_audio(tmp_path / "a.wav")


def test_playlists_are_not_followed(tmp_path: Path) -> None:
    """A list of other files is no recording, so that no file or address in it is opened."""
    pytest.importorskip("av", reason="the extra `video` is not installed")
    soundfile.write(tmp_path / "a.mp3", _tone(1, 16_000), 16_000)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\na.mp3\n#EXT-X-ENDLIST\n")
    with pytest.raises(UnreadableMediaError, match="not a recording"):
        read_audio(tmp_path / "list.m3u8")


def test_a_stream_is_read_once_and_limits_hold(tmp_path: Path) -> None:
    """Reading twice, an impossible stretch and too long a stretch are refused in words."""
    soundfile.write(tmp_path / "a.wav", _tone(2.0, SAMPLE_RATE), SAMPLE_RATE)
    with open_audio(tmp_path / "a.wav") as stream:
        assert (stream.duration_s, stream.rate, stream.channels) == (2.0, SAMPLE_RATE, 1)
        assert [len(block) for block in stream.blocks(0.75)] == [12_000, 12_000, 8_000]
        with pytest.raises(UsageError, match="open it again"):
            next(stream.blocks())
    with pytest.raises(UsageError, match="ends at"):
        read_audio(tmp_path / "a.wav", start_s=5)
    with pytest.raises(UsageError, match="start_s < end_s"):
        read_audio(tmp_path / "a.wav", start_s=1, end_s=1)
    with pytest.raises(MediaTooLargeError, match="in blocks"):
        read_audio(tmp_path / "a.wav", max_s=1)


def test_many_channels_are_averaged(tmp_path: Path) -> None:
    """Six channels become their mean."""
    channels = np.random.default_rng(0).uniform(-0.5, 0.5, (4_000, 6)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", channels, SAMPLE_RATE, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav").samples, channels.mean(axis=1), atol=1e-6)


@pytest.mark.slow
def test_three_hours_need_bounded_memory(tmp_path: Path) -> None:
    """Three hours are read in blocks with hardly more memory than one minute."""
    rate, sound = 8_000, _tone(60, 8_000)
    for name, minutes in (("short.flac", 1), ("long.flac", 180)):
        with soundfile.SoundFile(tmp_path / name, "w", rate, 1, subtype="PCM_16") as file:
            for _ in range(minutes):
                file.write(sound)
    peaks = []
    for name in ("short.flac", "long.flac"):
        tracemalloc.start()
        with open_audio(tmp_path / name) as stream:
            for _ in stream.blocks():
                pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 4e6


@pytest.mark.shared
def test_every_clip_of_a_source_decodes(shared: Path) -> None:
    """All natural clips of one source come out finite and as long as the manifest says."""
    with (shared / "data" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == "laion_pvc"]
    assert len(rows) == 100
    for row in rows:
        audio = read_audio(shared / "data" / row["path"])
        assert np.isfinite(audio.samples).all()
        assert audio.duration_s == pytest.approx(float(row["duration_s"]), abs=0.05)
