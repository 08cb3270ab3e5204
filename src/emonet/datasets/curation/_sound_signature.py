"""A recording's signature: 32 bits for every 12 ms, by which copies are found wherever they start.

Haitsma and Kalker 2002, "A highly robust audio fingerprinting system": each bit says whether the energy difference
between two neighbouring bands of 300 to 2000 Hz grew since the frame before. Neither loudness nor a coder changes most
of these signs, and frames of 0.37 s overlap so far that it does not matter where a copy starts. A recording played at
another speed or pitch has other bits.

Symbols: n frames, k = 33 bands.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from emonet.media import SAMPLE_RATE

RATE = 5000  # Hz; enough for bands up to 2000 Hz
FRAME, HOP = 2048, 58  # samples at RATE: 0.41 s with tapered ends, 11.6 ms
HOP_S = HOP / RATE
_BANDS, _LOW, _HIGH = 33, 300.0, 2000.0
_QUIET = 1e-4  # of the energy of the loudest frame (-40 dB): frames below tell of noise only
_AT_ONCE = 1024  # frames transformed together


@dataclass(frozen=True, slots=True, eq=False)
class SoundSignature:
    """`bits`: uint32 [n], one per hop. `loud`: bool [n], False for frames too quiet to tell anything. `exact`: digest
    of the samples, the same for equal samples."""

    bits: NDArray[np.uint32]
    loud: NDArray[np.bool_]
    exact: str


def sound_signature(samples: NDArray[np.float32]) -> SoundSignature:
    """Signature of float32 [m], 16 kHz mono. A recording shorter than a frame is filled up with silence."""
    import soxr

    reduced = soxr.resample(np.ascontiguousarray(samples, np.float32), SAMPLE_RATE, RATE, quality="MQ")
    reduced = np.pad(reduced, (FRAME // 2, FRAME // 2))
    frames = np.lib.stride_tricks.sliding_window_view(reduced, FRAME)[::HOP]  # n + 1
    energy = np.empty((len(frames), _BANDS), np.float32)
    window, edges = _frame_shape()
    for start in range(0, len(frames), _AT_ONCE):
        spectrum = np.fft.rfft(frames[start : start + _AT_ONCE] * window, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float64)
        energy[start : start + _AT_ONCE] = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)
    slope = energy[:, :-1] - energy[:, 1:]
    grew = (slope[1:] - slope[:-1]) > 0  # [n, 32]
    bits = np.packbits(grew, axis=1).view(">u4")[:, 0].astype(np.uint32)
    total = energy[1:].sum(axis=1)
    loud = total > max(_QUIET * float(total.max(initial=0.0)), 1e-9)
    digest = hashlib.blake2b(np.ascontiguousarray(samples).tobytes(), digest_size=16).hexdigest()
    return SoundSignature(bits, loud, digest)


@cache
def _frame_shape() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The window [FRAME] and the first bin of each band, with the end of the last, [k + 1]."""
    hertz = _LOW * (_HIGH / _LOW) ** (np.arange(_BANDS + 1) / _BANDS)
    return np.hanning(FRAME).astype(np.float32), np.round(hertz * FRAME / RATE).astype(np.int64)
