"""Pictures and recordings that differ from one another, and changes that make copies of them."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import soundfile
import soxr
from numpy.typing import NDArray

RATE = 16_000


def picture(number: int, side: int = 96) -> NDArray[np.uint8]:
    """Smooth random blotches, uint8 [side, side, 3]: like a photograph, most energy is in low frequencies."""
    draw = np.random.default_rng(number)
    out = np.zeros((side, side, 3), np.float64)
    for cells, weight in ((3, 1.0), (6, 0.6), (12, 0.35), (24, 0.15)):
        coarse = PIL.Image.fromarray(draw.integers(0, 255, (cells, cells, 3), np.uint8))
        out += weight * np.asarray(coarse.resize((side, side), PIL.Image.Resampling.BICUBIC))
    return (out / 2.1).clip(0, 255).astype(np.uint8)


def jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Compressed and decoded again."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(buffer))


def resized(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """At another size."""
    picture = PIL.Image.fromarray(pixels)
    return np.asarray(picture.resize((round(picture.width * scale), round(picture.height * scale))))


def speech(number: int, seconds: float = 4.0) -> NDArray[np.float32]:
    """A voice-like sound: a wandering tone with overtones in syllables, float32 16 kHz."""
    draw = np.random.default_rng(number)
    n = round(seconds * RATE)
    steps = np.interp(np.arange(n), np.linspace(0, n, 40), draw.uniform(90, 260, 40))
    phase = 2 * np.pi * np.cumsum(steps) / RATE
    out = np.zeros(n)
    for overtone in range(1, 22):
        gain = np.interp(np.arange(n), np.linspace(0, n, 30), draw.uniform(0, 1, 30) ** 2)
        out += gain * np.sin(overtone * phase + draw.uniform(0, 6)) / overtone**0.5
    syllables = np.interp(
        np.arange(n), np.linspace(0, n, round(seconds * 5)), draw.uniform(0.05, 1, round(seconds * 5))
    )
    return (0.05 * out * syllables).astype(np.float32)


def encoded(samples: NDArray[np.float32], kind: str, subtype: str) -> NDArray[np.float32]:
    """Through a lossy coder and back, 16 kHz."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format=kind, subtype=subtype)
    buffer.seek(0)
    decoded, rate = soundfile.read(buffer, dtype="float32")
    return np.ascontiguousarray(soxr.resample(decoded, rate, RATE) if rate != RATE else decoded)
