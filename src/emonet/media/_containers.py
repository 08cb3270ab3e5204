"""Sound and pictures through FFmpeg's libraries (PyAV, extra `video`): mp4, m4a, aac, mkv, webm and their like."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import MediaTooLargeError, UnreadableMediaError, UsageError, require
from emonet.media._images import MAX_PIXELS
from emonet.media._paths import checked_path
from emonet.media._types import Image, Region

# FFmpeg would also follow playlists to other files and addresses, and draw text files as video. Only these readers may
# run, and they may only open the file itself.
_READERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,flv,asf,ogg,aac,mp3,wav,w64,aiff,caf,au,"
    "flac,amr,ac3,eac3,wv,ape,tta,dts"
)
_MISSING = 0.02  # share of the promised length that may be missing before a file counts as truncated


def open_container(path: Path) -> Any:
    """PyAV's container of a local file. Raises `MissingExtraError` without PyAV, `UnreadableMediaError` otherwise."""
    av = require("av", extra="video", feature=f"Reading {path}")
    try:
        return av.open(str(path), options={"protocol_whitelist": "file", "format_whitelist": _READERS})
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = f"not a recording or video that libsndfile or FFmpeg reads, or a damaged one ({_plain(error)})"
        raise UnreadableMediaError(str(path), reason) from error


class ContainerSound:
    """The first sound track of a container. `rate` in Hz; `frames`: promised length, None when unknown."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._container = open_container(path)
        streams = self._container.streams.audio
        if not streams:
            self.close()
            raise UnreadableMediaError(str(path), "has no sound track; expected speech or other voices")
        self._stream = streams[0]
        if self._stream.codec_context is None:
            self.close()
            raise UnreadableMediaError(str(path), "its sound is coded in a way FFmpeg does not know, or damaged")
        self.rate = int(self._stream.codec_context.sample_rate or 0)
        self.channels = int(self._stream.codec_context.channels or 1)
        seconds = _seconds(self._stream, self._container)
        self.frames = None if seconds is None else round(seconds * self.rate)

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Float32 [n, channels] until the end. Raises `UnreadableMediaError` where the file breaks off."""
        import av

        read = 0
        try:
            for frame in self._container.decode(self._stream):
                if int(frame.sample_rate) != self.rate:
                    raise UnreadableMediaError(
                        str(self.path), f"the sample rate changes from {self.rate} to {frame.sample_rate} Hz; "
                        "convert the file to wav first",
                    )  # fmt: skip
                block = _samples(frame)
                read += len(block)
                yield block
        except (av.FFmpegError, OSError) as error:
            raise UnreadableMediaError(
                str(self.path), f"truncated or damaged after {read / self.rate:.1f} s of sound ({_plain(error)})"
            ) from error
        if self.frames and self.frames - read > max(_MISSING * self.frames, 0.5 * self.rate):
            raise UnreadableMediaError(
                str(self.path),
                f"truncated: it promises {self.frames / self.rate:.1f} s of sound, "
                f"but breaks off after {read / self.rate:.1f} s",
            )

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def read_video(path: str | os.PathLike[str], *, fps: float = 2.0, max_pixels: int = MAX_PIXELS) -> Iterator[Image]:
    """Frames of `path` at about `fps` per second, upright, one at a time.

    Time is cut into steps of 1/`fps`; the first frame of each step is given, so a slower video gives all its frames.
    `region.start_s` is the frame's time from the start of the file. One frame is held at a time.
    Raises `MissingExtraError` without PyAV, `MediaTooLargeError` for frames of more than `max_pixels`,
    `UnreadableMediaError` for a file that cannot be opened, has no video track, breaks off or yields no frame,
    `UsageError` for an impossible `fps`.
    """
    if not 0 < fps <= 1000:
        raise UsageError(f"fps is {fps}; expected a number of frames per second above 0, at most 1000.")
    checked = checked_path(path)
    container = open_container(checked)
    with container:
        stream = next((s for s in container.streams.video if not _is_cover(s)), None)
        if stream is None:
            raise UnreadableMediaError(str(checked), "has no video track; expected moving pictures")
        context = stream.codec_context
        if context is None:
            raise UnreadableMediaError(str(checked), "its pictures are coded in a way FFmpeg does not know, or damaged")
        if context.width * context.height > max_pixels:
            raise MediaTooLargeError(
                str(checked), f"frames of {context.width} x {context.height} are more than {max_pixels:,} pixels"
            )
        stream.thread_type = "AUTO"
        yield from _sampled(container, stream, fps, str(checked))


def _sampled(container: Any, stream: Any, fps: float, source: str) -> Iterator[Image]:
    import av

    origin = (container.start_time or 0) / av.time_base
    rate = float(stream.average_rate or 25)
    step, count, time = -1, 0, 0.0
    try:
        for frame in container.decode(stream):
            time = count / rate if frame.time is None else max(0.0, float(frame.time) - origin)
            count += 1
            if (now := int(time * fps + 1e-6)) > step:
                step = now
                yield Image(_upright(frame), source, Region(start_s=round(time, 6)))
    except (av.FFmpegError, OSError) as error:
        raise UnreadableMediaError(source, f"truncated or damaged after {time:.1f} s ({_plain(error)})") from error
    if not count:
        raise UnreadableMediaError(source, "its video track holds no picture; it is truncated or damaged")
    promised = _seconds(stream, None)
    if promised and promised - time > max(_MISSING * promised, 1.0, 2 / rate):
        reason = f"truncated: it promises {promised:.1f} s of video, but breaks off after {time:.1f} s"
        raise UnreadableMediaError(source, reason)


def _upright(frame: Any) -> NDArray[np.uint8]:
    """Uint8 [h, w, 3], turned as the file's display matrix says (quarter turns; other angles are left alone)."""
    pixels = frame.to_ndarray(format="rgb24")
    turns = round(getattr(frame, "rotation", 0) / 90) % 4  # degrees counter-clockwise
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _samples(frame: Any) -> NDArray[np.float32]:
    """Float32 [n, channels] of one decoded stretch of sound; whole numbers become -1..1."""
    values = frame.to_ndarray()
    channels = len(frame.layout.channels)
    columns = values.T if frame.format.is_planar else values.reshape(-1, channels)
    scaled = np.asarray(columns, np.float32)
    if columns.dtype == np.uint8:
        scaled = (scaled - np.float32(128)) / np.float32(128)
    elif np.issubdtype(columns.dtype, np.integer):
        scaled = scaled / np.float32(-float(np.iinfo(columns.dtype).min))
    return scaled


def _seconds(stream: Any, container: Any) -> float | None:
    """Promised length of a track, or of its container when the track tells none."""
    import av

    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container is not None and container.duration is not None and len(container.streams) == 1:
        return float(container.duration / av.time_base)
    return None


def _is_cover(stream: Any) -> bool:
    """Whether a "video" track is one still picture, as covers of songs are."""
    return bool(stream.disposition & type(stream.disposition).attached_pic)


def _plain(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
