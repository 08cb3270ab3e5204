"""Recordings of any length to 16 kHz mono, block by block.

libsndfile (soundfile) reads wav, flac, mp3, ogg, opus and aiff; PyAV (extra `video`) reads what it refuses: m4a, aac,
webm and the sound of video. Only one block is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from emonet.errors import MediaTooLargeError, MissingExtraError, UnreadableMediaError, UsageError, require
from emonet.media._kinds import checked_path
from emonet.media._types import SAMPLE_RATE, Audio, Region

_BLOCK_S = 10.0
_LONGEST_WHOLE_S = 3 * 3600.0
_MISSING_SHARE = 0.02  # a file that holds this much less than its header promises counts as truncated


class AudioStream:
    """An open recording. `blocks()` yields its samples once, in order; use it as a context manager.

    `duration_s`: what the header promises, None where it says nothing.
    """

    def __init__(self, path: str | Path) -> None:
        self.source = str(path)
        self._path = checked_path(path)
        self._sound: soundfile.SoundFile | None = None
        try:
            self._sound = soundfile.SoundFile(self._path)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            self._refusal = error
            self._container = self._open_container()
            return
        self.duration_s: float | None = self._sound.frames / self._sound.samplerate
        if self._sound.frames == 0:
            self.close()
            raise UnreadableMediaError(self.source, "holds no samples (zero length)")

    def __enter__(self) -> AudioStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file; further blocks cannot be read."""
        if self._sound is not None:
            self._sound.close()
        elif hasattr(self, "_container"):
            self._container.close()

    def blocks(self, seconds: float = _BLOCK_S) -> Iterator[NDArray[np.float32]]:
        """Blocks float32 [n], 16 kHz mono, -1..1, together the whole recording.

        Raises `UnreadableMediaError` for NaN or infinite samples, and at the end when clearly less came out than the
        header promised.
        """
        if seconds <= 0:
            raise UsageError(f"seconds is {seconds}; expected a block length above 0")
        rate, raw = (self._from_soundfile(seconds)) if self._sound is not None else self._from_container()
        resample = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32") if rate != SAMPLE_RATE else None
        received = 0
        for block in raw:
            if not np.isfinite(block).all():
                raise UnreadableMediaError(
                    self.source, f"NaN or infinite samples near {received / rate:.1f} s; export the recording again"
                )
            received += len(block)
            if resample is not None:
                block = resample.resample_chunk(block)
            if len(block):
                yield block
        if resample is not None and len(rest := resample.resample_chunk(np.zeros(0, np.float32), last=True)):
            yield rest
        self._check_length(received / rate)

    def _check_length(self, seconds: float) -> None:
        if seconds == 0:
            raise UnreadableMediaError(self.source, "holds no samples (zero length)")
        if self.duration_s is not None and seconds < self.duration_s * (1 - _MISSING_SHARE) - 0.2:
            raise UnreadableMediaError(
                self.source, f"is truncated: {seconds:.1f} s of {self.duration_s:.1f} s can be decoded; copy it again"
            )

    def _from_soundfile(self, seconds: float) -> tuple[int, Iterator[NDArray[np.float32]]]:
        sound = self._sound
        assert sound is not None
        rate = sound.samplerate

        def read() -> Iterator[NDArray[np.float32]]:
            while True:
                try:
                    block = sound.read(round(seconds * rate), dtype="float32", always_2d=True)  # [n, channels]
                except (soundfile.LibsndfileError, RuntimeError) as error:
                    raise UnreadableMediaError(self.source, f"is damaged and cannot be decoded ({error})") from error
                if not len(block):
                    return
                yield np.ascontiguousarray(block.mean(axis=1, dtype=np.float32))

        return rate, read()

    def _open_container(self) -> Any:
        try:
            av = require("av", extra="video", feature=f"{self.source}: reading this format")
        except MissingExtraError as error:
            if self._path.suffix.lower() in (".m4a", ".mp4", ".aac", ".webm", ".mkv", ".mov", ".wma", ".3gp", ".avi"):
                raise
            raise UnreadableMediaError(
                self.source, f"not a recording that libsndfile reads ({self._refusal})"
            ) from error
        try:
            container = av.open(str(self._path))
        except (av.error.FFmpegError, ValueError) as error:
            raise UnreadableMediaError(
                self.source, f"not a recording in any format that is read here ({error})"
            ) from error
        if not container.streams.audio:
            container.close()
            raise UnreadableMediaError(self.source, "has no sound track")
        stream = container.streams.audio[0]
        length = stream.duration * stream.time_base if stream.duration else None
        self.duration_s = float(length) if length else None
        return container

    def _from_container(self) -> tuple[int, Iterator[NDArray[np.float32]]]:
        av = require("av", extra="video", feature="reading this format")
        stream = self._container.streams.audio[0]
        rate = stream.rate or SAMPLE_RATE

        def read() -> Iterator[NDArray[np.float32]]:
            convert = av.AudioResampler(format="fltp", rate=rate)
            try:
                for frame in self._container.decode(stream):
                    for part in convert.resample(frame):
                        yield part.to_ndarray().mean(axis=0, dtype=np.float32)
                for part in convert.resample(None):
                    yield part.to_ndarray().mean(axis=0, dtype=np.float32)
            except av.error.FFmpegError as error:
                raise UnreadableMediaError(self.source, f"is damaged and cannot be decoded ({error})") from error

        return rate, read()


@contextmanager
def open_audio(path: str | Path) -> Iterator[AudioStream]:
    """Open a recording for reading block by block; see `AudioStream`."""
    stream = AudioStream(path)
    try:
        yield stream
    finally:
        stream.close()


def read_audio(path: str | Path, *, start_s: float = 0.0, end_s: float | None = None) -> Audio:
    """Read a recording, or a stretch of it, whole: float32 [n], 16 kHz mono.

    Raises `UnreadableMediaError` for anything that is not sound and `MediaTooLargeError` over three hours; use
    `open_audio` for those.
    """
    if start_s < 0 or (end_s is not None and end_s <= start_s):
        raise UsageError(f"start_s is {start_s} and end_s {end_s}; expected 0 <= start_s < end_s")
    first, last = round(start_s * SAMPLE_RATE), None if end_s is None else round(end_s * SAMPLE_RATE)
    blocks: list[NDArray[np.float32]] = []
    position = 0
    with open_audio(path) as stream:
        for block in stream.blocks():
            blocks.append(block[max(0, first - position) : None if last is None else max(0, last - position)])
            position += len(block)
            if last is not None and position >= last:
                break
            if position - first > _LONGEST_WHOLE_S * SAMPLE_RATE:
                raise MediaTooLargeError(str(path), "longer than 3 hours; give end_s, or read it in blocks")
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    return Audio(samples, str(path), Region(start_s=start_s, end_s=start_s + len(samples) / SAMPLE_RATE))
