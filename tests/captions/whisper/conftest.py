"""A tiny captioner and clips that are made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emonet.media import SAMPLE_RATE, Audio
from tiny_whisper import tiny_whisper

TEXTS = ("A woman sounds very angry.", "A man sounds somewhat sad and tired.", "Quiet sobs, no laughter.")


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper with random weights in a folder as published ones are laid out."""
    return tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny", TEXTS)


@pytest.fixture(scope="session")
def tones() -> list[Audio]:
    """Five clips of different pitch, 0.8 to 2 s long."""
    clips = []
    for place in range(5):
        times = np.arange(round((0.8 + 0.3 * place) * SAMPLE_RATE)) / SAMPLE_RATE
        samples = (0.3 * np.sin(2 * np.pi * 150 * (place + 1) * times)).astype(np.float32)
        clips.append(Audio(samples, f"tone {place}"))
    return clips
