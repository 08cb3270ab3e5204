"""Sound through libsndfile: wav, flac, ogg, opus, mp3 and their like, in pieces of bounded size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from emonet.errors import UnreadableMediaError

# libsndfile's log of a header that promises more bytes than the file has, as in "data : 441000 (should be 220478)"
_PROMISE = re.compile(r":\s*(\d+) \(should be (\d+)\)")
_UNKNOWN = 0x7FFF_F000  # programs that write into a pipe leave a size above this in the header
_MISSING = 0.01  # share of a file that may be missing before it counts as truncated
_VALUES = 2**16  # samples of all channels read at once


class SoundFile:
    """One file open in libsndfile. `rate` in Hz; `frames`: promised length, None when unknown.

    Raises `UnknownSoundError` when libsndfile knows neither content nor name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: Any = _Forward(str(path))
        except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: raw samples, whose rate nothing tells
            raise UnknownSoundError(str(error)) from error
        self.rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        frames = int(self._file.frames)
        self.frames = frames if 0 <= frames < 2**62 else None
        self._refuse_broken_promise()

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Float32 [n, channels] until the end. Raises `UnreadableMediaError` where the file breaks off."""
        size, read = max(1, _VALUES // self.channels), 0
        while True:
            try:
                block = self._file.read(size, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise UnreadableMediaError(
                    str(self.path), f"truncated or damaged after {read / self.rate:.1f} s ({error})"
                ) from error
            if not len(block):
                break
            read += len(block)
            yield block
        if self.frames and self.frames - read > max(_MISSING * self.frames, 0.1 * self.rate):
            raise UnreadableMediaError(
                str(self.path),
                f"truncated: its header promises {self.frames / self.rate:.1f} s of sound, "
                f"but it breaks off after {read / self.rate:.1f} s",
            )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _refuse_broken_promise(self) -> None:
        for promised, present in (map(int, found) for found in _PROMISE.findall(self._file.extra_info)):
            if promised < _UNKNOWN and promised - present > _MISSING * promised:
                self.close()
                raise UnreadableMediaError(
                    str(self.path), f"truncated: its header promises {promised:,} bytes, but only {present:,} are there"
                )


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """A file read once from its start to its end."""

    def seekable(self) -> bool:
        """The base class would seek to where it already is after each read, which takes Ogg a search of the file."""
        return False


class UnknownSoundError(Exception):
    """libsndfile refused the file; another reader may know it. Never leaves the package."""
