"""Video frames at a chosen rate, and faces that keep their number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.errors import UnreadableMediaError, UsageError
from emonet.media import Face, Image, kind_of, read_audio, read_video, track_faces


def _video(path: Path, frames: int, rate: int) -> None:
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            pixels = np.full((48, 64, 3), 40 + 2 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


def test_frames_come_at_the_chosen_rate(tmp_path: Path) -> None:
    """Three seconds at 20 frames a second, read at 2 a second, are 6 frames half a second apart."""
    _video(tmp_path / "a.mp4", 60, 20)
    frames = list(read_video(tmp_path / "a.mp4", fps=2))
    assert [frame.region.start_s for frame in frames] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])
    assert frames[0].pixels.shape == (48, 64, 3)
    brightness = [frame.pixels.mean() for frame in frames]
    assert brightness == pytest.approx([40 + 20 * n for n in range(6)], abs=4)
    assert len(list(read_video(tmp_path / "a.mp4", fps=100))) == 60


def test_quarter_turns_are_undone(tmp_path: Path) -> None:
    """A video filmed upright and stored on its side, as telephones do, comes out upright."""
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24] = 255  # the upper half; turned clockwise it is the right half
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    content = (tmp_path / "a.mp4").read_bytes()
    at = content.index(b"tkhd") + 4 + 40  # the track's 3 x 3 matrix, identity so far
    clockwise = np.array([0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000], ">i4").tobytes()
    (tmp_path / "turned.mp4").write_bytes(content[:at] + clockwise + content[at + 36 :])
    frame = next(iter(read_video(tmp_path / "turned.mp4"))).pixels
    assert frame.shape == (64, 48, 3)
    assert frame[:, 30:].mean() > 200
    assert frame[:, :18].mean() < 60


def test_truncated_video_is_refused(tmp_path: Path) -> None:
    """Frames of a torn file come out until it breaks off, then it says so."""
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    noise = np.random.default_rng(0)
    with av.open(str(tmp_path / "a.mp4"), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(60):
            pixels = noise.integers(0, 255, (48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    content = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    seen = []
    with pytest.raises(UnreadableMediaError, match="truncated"):
        seen.extend(read_video(tmp_path / "cut.mp4"))
    assert 2 <= len(seen) <= 8 or not seen


def test_kinds_of_real_containers(tmp_path: Path) -> None:
    """An mp4 or webm is a video when it has pictures and audio when it has only sound, whatever its name says."""
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    for name, codec, form in (("a.mp4", "aac", "mp4"), ("a.webm", "libopus", "webm"), ("a.mkv", "flac", "matroska")):
        with av.open(str(tmp_path / name), "w", format=form) as container:
            stream = container.add_stream(codec, rate=48_000, layout="mono")
            for start in range(0, 48_000, 960):
                part = np.zeros((1, 960), np.int16 if codec == "flac" else np.float32)
                frame = av.AudioFrame.from_ndarray(part, format="s16" if codec == "flac" else "fltp", layout="mono")
                frame.sample_rate, frame.pts = 48_000, start
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        assert kind_of(tmp_path / name) == "audio"
    for name in ("v.mp4", "v.mkv", "v.avi", "v.mov"):
        _video(tmp_path / name, 5, 5)
        (tmp_path / "unnamed").write_bytes((tmp_path / name).read_bytes())
        assert kind_of(tmp_path / "unnamed") == "video"


def test_broken_video_says_what_is_wrong(tmp_path: Path) -> None:
    """A file that is no video, a video without sound and an impossible rate raise typed errors."""
    pytest.importorskip("av", reason="the extra `video` is not installed")
    (tmp_path / "text.mp4").write_text("no video " * 50)
    with pytest.raises(UnreadableMediaError, match=r"text\.mp4"):
        list(read_video(tmp_path / "text.mp4"))
    _video(tmp_path / "mute.mp4", 5, 5)
    with pytest.raises(UnreadableMediaError, match="no sound track"):
        read_audio(tmp_path / "mute.mp4")
    with pytest.raises(UsageError, match="above 0"):
        list(read_video(tmp_path / "mute.mp4", fps=0))


def test_kinds_by_content_and_name(tmp_path: Path) -> None:
    """Content outweighs the name; a name without content still counts."""
    (tmp_path / "picture.wav").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (tmp_path / "sound.bin").write_bytes(b"RIFF\0\0\0\0WAVEfmt " + bytes(40))
    (tmp_path / "voice.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(40))
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(40))
    (tmp_path / "notes.txt").write_text("words")
    kinds = [kind_of(tmp_path / name) for name in ("picture.wav", "sound.bin", "voice.m4a", "clip.mp4", "notes.txt")]
    assert kinds == ["image", "audio", "audio", "video", None]
    assert kind_of("absent.flac") == "audio"


_BOXES = st.lists(
    st.tuples(st.integers(0, 90), st.integers(0, 90), st.integers(5, 40)).map(
        lambda box: Face((float(box[0]), float(box[1]), float(box[0] + box[2]), float(box[1] + box[2])), 0.9)
    ),
    max_size=4,
)


@given(st.lists(_BOXES, max_size=8))
def test_every_face_gets_one_track(scenes: list[list[Face]]) -> None:
    """No face is lost, no number stands twice in a frame, and nothing depends on chance."""
    frames = [(Image(np.zeros((1, 1, 3), np.uint8), "v"), tuple(faces)) for faces in scenes]
    first = [tracked for _, tracked in track_faces(frames)]
    for faces, tracked in zip(scenes, first, strict=True):
        assert [face for face, _ in tracked] == faces
        numbers = [number for _, number in tracked]
        assert len(set(numbers)) == len(numbers)
    assert first == [tracked for _, tracked in track_faces(frames)]


def test_a_moving_face_keeps_its_number() -> None:
    """Two people who move slowly, one missed for a frame, are two tracks."""
    blank = Image(np.zeros((1, 1, 3), np.uint8), "v")
    scenes = []
    for step in range(10):
        faces = [Face((10.0 + step, 10, 50.0 + step, 50), 0.9), Face((100.0 - step, 12, 140.0 - step, 52), 0.8)]
        scenes.append((blank, tuple(faces[:1] if step == 4 else faces)))
    numbers = {number for _, tracked in track_faces(scenes) for _, number in tracked}
    assert numbers == {0, 1}
