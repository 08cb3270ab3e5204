"""Small copies of items' pictures and recordings as data URIs, until a stated size is reached."""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from emonet.errors import EmonetError
from emonet.media import SAMPLE_RATE, decode_image, read_audio

MOST_BYTES = 6_000_000
"""Embedded media of one report together."""
SIDE = 176
"""Pixels of a thumbnail's longer side."""
LONGEST_AUDIO_S = 20.0
ReadMedia = Callable[[str], bytes]


class Embedded:
    """`left_out`: media that did not fit any more; `unreadable`: items whose medium could not be read."""

    def __init__(self, read_media: ReadMedia | None, modality: str, *, most_bytes: int = MOST_BYTES) -> None:
        self._read, self._modality, self._most = read_media, modality, most_bytes
        self.used, self.left_out, self.unreadable = 0, 0, 0

    def uri(self, item: str) -> tuple[str, str] | None:
        """("image" or "audio", data URI) of an item; None without media, past the limit, or when it is unreadable."""
        if self._read is None:
            return None
        try:
            content = self._read(item)
            with tempfile.TemporaryDirectory(prefix="emonet-") as folder:
                path = Path(folder) / "medium"
                path.write_bytes(content)
                kind, form, small = _audio(path) if self._modality == "voice" else _picture(path)
        except (EmonetError, OSError, KeyError):
            self.unreadable += 1
            return None
        if self.used + len(small) > self._most:
            self.left_out += 1
            return None
        self.used += len(small)
        return kind, f"data:{form};base64,{base64.b64encode(small).decode()}"


def _picture(path: Path) -> tuple[str, str, bytes]:
    import PIL.Image

    picture = PIL.Image.fromarray(decode_image(path).pixels)
    picture.thumbnail((SIDE, SIDE), PIL.Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return "image", "image/jpeg", buffer.getvalue()


def _audio(path: Path) -> tuple[str, str, bytes]:
    import soundfile

    samples = np.clip(read_audio(path, end_s=LONGEST_AUDIO_S).samples, -1, 1)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=0.9)
    return "audio", "audio/ogg", buffer.getvalue()
