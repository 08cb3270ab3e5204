"""Recordings to 16 kHz mono, whole or in blocks of bounded memory.

Channels are averaged, then the sound is resampled by soxr at high quality. A stream resamples across the borders of its
blocks, so that blocks together equal the whole.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emonet.errors import MediaTooLargeError, MissingExtraError, UnreadableMediaError, UsageError
from emonet.media._kinds import needs_pyav
from emonet.media._paths import checked_path
from emonet.media._types import SAMPLE_RATE, Audio, Region

MAX_AUDIO_S = 4 * 3600.0
"""Longest stretch that `read_audio` holds in memory (0.9 GB)."""

_RATES = (1_000, 1_000_000)  # Hz; beyond lie damaged headers
_LOUDEST = 100.0  # of a full scale of 1; beyond lie whole numbers kept in a float file


class _Decoder(Protocol):
    """An open file. `rate` in Hz; `frames`: promised length, None when unknown."""

    rate: int
    channels: int
    frames: int | None

    def blocks(self) -> Iterator[NDArray[np.float32]]: ...  # each [n, channels]

    def close(self) -> None: ...


class AudioStream:
    """One open recording; use it in a `with` statement. Its sound can be read once.

    `source`: the file. `rate`, `channels`: as stored. `duration_s`: length that the header promises, None when it
    promises none.
    """

    def __init__(self, source: str, decoder: _Decoder) -> None:
        self.source, self.rate, self.channels = source, decoder.rate, decoder.channels
        self.duration_s = None if decoder.frames is None else decoder.frames / decoder.rate
        self._decoder = decoder
        self._used = False

    def __enter__(self) -> AudioStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._decoder.close()

    def blocks(self, seconds: float = 30.0) -> Iterator[NDArray[np.float32]]:
        """Float32 [n], 16 kHz mono, in order: `seconds` of sound each, the last one shorter.

        Lossy formats may overshoot -1..1 a little. Raises `UnreadableMediaError` when the file holds no sound, breaks
        off, or has samples that are not finite or far beyond full scale; `UsageError` when it was read before.
        """
        if not 0 < seconds <= 3600:
            raise UsageError(f"seconds is {seconds}; expected more than 0 and at most 3600.")
        if self._used:
            raise UsageError(f"{self.source} was read already; open it again to read it twice.")
        self._used = True
        yield from equal_blocks(self._resampled(), max(1, round(seconds * SAMPLE_RATE)))

    def _resampled(self) -> Iterator[NDArray[np.float32]]:
        """16 kHz mono in pieces of any length; as many samples as the length in seconds needs, rounded up."""
        resampler = None
        if self.rate != SAMPLE_RATE:
            import soxr

            resampler = soxr.ResampleStream(self.rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
        read = given = 0
        for block in self._decoder.blocks():
            self._refuse_wild(block, read)
            mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
            read += len(mono)
            piece = mono if resampler is None else resampler.resample_chunk(mono)
            given += len(piece)
            yield np.ascontiguousarray(piece)
        if not read:
            raise UnreadableMediaError(self.source, "holds no sound (zero length)")
        wanted = math.ceil(read * SAMPLE_RATE / self.rate)
        if resampler is not None:
            missing = max(0, wanted - given)
            rest = resampler.resample_chunk(np.empty(0, np.float32), last=True)[:missing]
            yield np.pad(rest, (0, missing - len(rest)))  # the last, incomplete sample, as librosa keeps it

    def _refuse_wild(self, block: NDArray[np.float32], before: int) -> None:
        peak = float(np.abs(block).max(initial=0))  # NaN passes through max
        if peak <= _LOUDEST:
            return
        bad = ~(np.abs(block) <= _LOUDEST)
        at = (before + int(np.argmax(bad.any(axis=1)))) / self.rate
        if math.isfinite(peak):
            reason = f"samples reach {peak:g} at {at:.1f} s; expected -1..1, divide the samples by their full scale"
        else:
            reason = f"NaN or infinite samples at {at:.1f} s; expected finite numbers within -1..1"
        raise UnreadableMediaError(self.source, reason)


def open_audio(path: str | os.PathLike[str]) -> AudioStream:
    """The sound of `path`, ready to be read in blocks.

    libsndfile reads wav, flac, ogg, opus, mp3, aiff and more; what it refuses (m4a, aac, webm, mp4, mkv, ...) goes to
    PyAV. Raises `UnreadableMediaError` for a missing, empty, truncated or damaged file and for what is no recording,
    `MissingExtraError` when the file needs PyAV and it is not installed.
    """
    checked = checked_path(path)
    decoder = _decoder(checked)
    low, high = _RATES
    if not low <= decoder.rate <= high:
        decoder.close()
        reason = f"a sample rate of {decoder.rate} Hz; expected {low} to {high} Hz (the header may be damaged)"
        raise UnreadableMediaError(str(checked), reason)
    return AudioStream(str(checked), decoder)


def read_audio(
    path: str | os.PathLike[str],
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    max_s: float = MAX_AUDIO_S,
) -> Audio:
    """Sound of `path` from `start_s` to `end_s` seconds (None: to its end) as float32 [n], 16 kHz mono.

    `region` holds the stretch really read, which ends with the file. Raises as `open_audio`; `MediaTooLargeError` when
    the stretch is longer than `max_s` seconds (read it in blocks); `UsageError` when it starts behind the end of the
    file or ends before it starts.
    """
    if not (start_s >= 0 and (end_s is None or end_s > start_s)):
        raise UsageError(f"start_s is {start_s} and end_s is {end_s}; expected 0 <= start_s < end_s.")
    first = round(start_s * SAMPLE_RATE)
    last = None if end_s is None else round(end_s * SAMPLE_RATE)
    parts: list[NDArray[np.float32]] = []
    at = kept = 0
    with open_audio(path) as stream:
        for block in stream.blocks():
            part = block[max(0, first - at) : None if last is None else max(0, last - at)]
            at += len(block)
            if len(part):
                parts.append(part)
                kept += len(part)
            if kept > max_s * SAMPLE_RATE:
                reason = f"more than {max_s:g} s of sound at once; name a part (start_s, end_s) or read it in blocks"
                raise MediaTooLargeError(stream.source, reason)
            if last is not None and at >= last:
                break
    if not parts:
        raise UsageError(f"start_s is {start_s}, but {stream.source} ends at {at / SAMPLE_RATE:.2f} s.")
    samples = np.concatenate(parts)
    return Audio(samples, stream.source, Region(start_s=first / SAMPLE_RATE, end_s=(first + kept) / SAMPLE_RATE))


def _decoder(path: Path) -> _Decoder:
    from emonet.media._soundfiles import SoundFile, UnknownSoundError

    try:
        return SoundFile(path)
    except UnknownSoundError as refusal:
        from emonet.media._containers import ContainerSound

        try:
            return ContainerSound(path)
        except MissingExtraError:
            if needs_pyav(path):
                raise
            reason = (
                f"not a recording that libsndfile reads ({refusal}); expected wav, flac, ogg, opus, mp3 or the like"
            )
            raise UnreadableMediaError(str(path), reason) from refusal


def equal_blocks(pieces: Iterator[NDArray[np.float32]], size: int) -> Iterator[NDArray[np.float32]]:
    """Pieces of any length as pieces of `size`, the last one shorter."""
    waiting: list[NDArray[np.float32]] = []
    held = 0
    for piece in pieces:
        while held + len(piece) >= size:
            waiting.append(piece[: size - held])
            piece = piece[size - held :]
            whole = np.concatenate(waiting)
            waiting, held = [], 0
            yield whole
            del whole  # or it would be kept until the next one is complete
        if len(piece):
            waiting.append(piece)
            held += len(piece)
    if held:
        yield np.concatenate(waiting)
