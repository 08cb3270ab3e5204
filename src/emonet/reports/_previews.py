"""Small copies of faces and recordings as data URIs, so that a report is one file."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emonet.errors import MediaError, MissingExtraError
from emonet.estimation import Estimate
from emonet.media import SAMPLE_RATE, kind_of
from emonet.models import square_crop

LONGEST_AUDIO_S = 180.0
"""Recordings up to this length are embedded (Ogg Opus, about 5 kB a second)."""
MOST_BYTES = 24_000_000
"""Embedded media of one report together; what would come after is left out and said so."""
_SIDE = 224  # pixels of a thumbnail's longer side


class Previews:
    """Makes previews until `MOST_BYTES` are used. `files`: where a source really lies, for input that was piped in.

    `fps`: the rate at which videos were read, to find the same frames again. `left_out` counts previews that did not
    fit; a file that cannot be read any more has none.
    """

    def __init__(self, files: Mapping[str, Path] | None = None, *, fps: float = 2.0) -> None:
        self._files, self._fps = dict(files or {}), fps
        self._used, self.left_out = 0, 0

    def pictures(self, estimates: Sequence[Estimate]) -> list[str | None]:
        """JPEG thumbnails of face regions of one file, each as a data URI."""
        out: list[str | None] = [None] * len(estimates)
        try:
            for i, pixels in self._crops(estimates):
                out[i] = self._uri("image/jpeg", _jpeg(pixels))
        except (MediaError, MissingExtraError, OSError):
            pass
        return out

    def audio(self, source: str) -> str | None:
        """The recording as Ogg Opus, 16 kHz mono; None when it is longer than `LONGEST_AUDIO_S`."""
        import soundfile

        from emonet.media import read_audio

        path = self._files.get(source, Path(source))
        try:
            audio = read_audio(path, end_s=LONGEST_AUDIO_S + 1)
        except (MediaError, MissingExtraError, OSError):
            return None
        if audio.duration_s > LONGEST_AUDIO_S:
            self.left_out += 1
            return None
        buffer = io.BytesIO()
        samples = np.clip(audio.samples, -1, 1)
        soundfile.write(buffer, samples, SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=0.9)
        return self._uri("audio/ogg", buffer.getvalue())

    def _crops(self, estimates: Sequence[Estimate]) -> list[tuple[int, NDArray[np.uint8]]]:
        from emonet.media import decode_image, read_video

        if not estimates:
            return []
        path = self._files.get(estimates[0].source, Path(estimates[0].source))
        if kind_of(path) != "video":
            pixels = decode_image(path).pixels
            return [(i, _cut(pixels, item)) for i, item in enumerate(estimates)]
        wanted = {i: item for i, item in enumerate(estimates) if item.region.start_s is not None}
        found = []
        for frame in read_video(path, fps=self._fps):
            here = [i for i, item in wanted.items() if item.region.start_s == frame.region.start_s]
            found += [(i, _cut(frame.pixels, wanted.pop(i))) for i in here]
            if not wanted:
                break
        return found

    def _uri(self, kind: str, content: bytes) -> str | None:
        if self._used + len(content) > MOST_BYTES:
            self.left_out += 1
            return None
        self._used += len(content)
        return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _cut(pixels: NDArray[np.uint8], item: Estimate) -> NDArray[np.uint8]:
    return square_crop(pixels, item.region.box, margin=0.35) if item.region.box else pixels


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    import PIL.Image

    picture = PIL.Image.fromarray(pixels)
    picture.thumbnail((_SIDE, _SIDE), PIL.Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()
