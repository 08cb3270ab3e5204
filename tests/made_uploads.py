"""Limits of the tests' servers, and media made on the fly."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import soundfile

from emonet.serve import Limits

SMALL = Limits(max_bytes=2_000_000, max_files=4, max_duration_s=60, max_pixels=1_000_000)


def hum(seconds: float, level: float = 0.3, rate: int = 16_000) -> bytes:
    """A tone as a WAV file."""
    buffer = io.BytesIO()
    time = np.arange(round(seconds * rate)) / rate
    soundfile.write(buffer, (level * np.sin(2 * np.pi * 220 * time)).astype(np.float32), rate, format="WAV")
    return buffer.getvalue()


def grey(size: tuple[int, int], level: int = 128) -> bytes:
    """A grey picture as a PNG file."""
    buffer = io.BytesIO()
    PIL.Image.new("L", size, level).save(buffer, "PNG")
    return buffer.getvalue()
