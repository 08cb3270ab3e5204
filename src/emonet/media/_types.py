"""What media become in memory: arrays with their origin."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Every audio array in the package is mono at this rate (Hz)."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where in a file something was found. Unset parts are None.

    `start_s`, `end_s`: seconds from the start of the file. `box`: left, top, right, bottom in pixels of the upright
    picture. `score`: the detector's score 0..1. `track`: number of a face followed through a video. `window`: index of
    a voice window, from 0.
    """

    start_s: float | None = None
    end_s: float | None = None
    box: tuple[float, float, float, float] | None = None
    score: float | None = None
    track: int | None = None
    window: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One picture. `pixels`: uint8 [height, width, 3] RGB, upright (EXIF orientation applied)."""

    pixels: NDArray[np.uint8]
    source: str
    region: Region = field(default_factory=Region)


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """One stretch of sound. `samples`: float32 [n], 16 kHz mono, -1..1."""

    samples: NDArray[np.float32]
    source: str
    region: Region = field(default_factory=Region)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE
