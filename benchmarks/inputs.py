"""Recordings and pictures to score: real ones where they are at hand, generated ones otherwise."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import PIL.Image
import soundfile
from numpy.typing import NDArray

_RATE = 16_000


def clips(data: Path, made: Path, count: int) -> tuple[list[Path], str]:
    """`count` recordings and what they are."""
    found = _listed(data, "voice", "laion_pvc", count)
    if found:
        return found, "real speech"
    made.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(2)
    paths = [made / f"clip{i}.wav" for i in range(count)]
    for path in paths:
        stored = np.repeat(made_clip(draw), 3)  # 48 kHz, so that it must be resampled
        if not path.exists():
            soundfile.write(path, stored, 3 * _RATE)
    return paths, "generated sounds"


def faces(data: Path, made: Path, count: int) -> tuple[list[Path], str]:
    """`count` pictures of faces and what they are."""
    found = _listed(data, "face", "muxspace", count)
    if found:
        return found, "real faces"
    return photographs(made, count), "generated pictures"


def photographs(made: Path, count: int) -> list[Path]:
    """JPEG files of 1024 x 1024 pixels, as a camera's after reduction: what decoding costs."""
    made.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(3)
    paths = [made / f"picture{i}.jpg" for i in range(count)]
    for path in paths:
        pixels = made_picture(draw, 1024)
        if not path.exists():
            PIL.Image.fromarray(pixels).save(path, quality=90)
    return paths


def made_clip(draw: np.random.Generator) -> NDArray[np.float32]:
    """A gliding voice-like tone of 4 to 14 s with noise: float32 [samples], 16 kHz."""
    t = np.arange(int(draw.uniform(4, 14) * _RATE)) / _RATE
    pitch = draw.uniform(90, 280) * (1 + draw.uniform(0, 0.3) * np.sin(2 * np.pi * draw.uniform(0.2, 3) * t))
    phase = 2 * np.pi * np.cumsum(pitch) / _RATE
    tone = sum(np.sin(k * phase) * draw.uniform(0, 1) / k for k in range(1, 13))
    loud = 0.1 * (1.1 + np.sin(2 * np.pi * draw.uniform(1, 6) * t))
    return np.asarray(loud * tone + draw.uniform(0.001, 0.02) * draw.normal(size=t.size), np.float32)


def made_picture(draw: np.random.Generator, side: int = 160) -> NDArray[np.uint8]:
    """Smooth colours with fine noise: uint8 [side, side, 3]."""
    coarse = PIL.Image.fromarray(draw.integers(0, 256, (9, 9, 3)).astype(np.uint8))
    smooth = np.asarray(coarse.resize((side, side), PIL.Image.Resampling.BICUBIC), np.float32)
    return np.clip(smooth + draw.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def _listed(data: Path, modality: str, source: str, count: int) -> list[Path]:
    """The first files of a source in the manifest, evenly spread; none when there are not enough."""
    manifest = data / "manifest.csv"
    if not manifest.is_file():
        return []
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["modality"] == modality and row["source"] == source]
    if len(rows) < count:
        return []
    return [data / row["path"] for row in rows[:: len(rows) // count][:count]]
