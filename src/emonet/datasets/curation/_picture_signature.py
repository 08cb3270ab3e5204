"""A picture's signature: 64 bits by which copies are looked up, and a small grey picture by which they are confirmed.

The bits are the signs of the 64 lowest frequencies of the cosine transform, the constant left out (perceptual hash,
after Zauner 2010). They change little when a picture is compressed, scaled, or made brighter. Pictures of aligned faces
resemble one another in their low frequencies, so bits alone would call many strangers copies: a candidate counts only
when the small pictures correlate too, at the best of some small shifts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
import PIL.Image
from numpy.typing import NDArray

SIDE = 32
"""Side in pixels of the small picture."""
_SHIFT = 2  # pixels of the small picture by which a copy may be displaced: a sixteenth of its side
_AT_ONCE = 4096  # pairs compared together: bounds the memory


@dataclass(frozen=True, slots=True, eq=False)
class PictureSignature:
    """`code`: 64 bits. `small`: uint8 [SIDE, SIDE] grey. `exact`: digest of the pixels, the same for equal pixels."""

    code: int
    small: NDArray[np.uint8]
    exact: str


def picture_signature(pixels: NDArray[np.uint8]) -> PictureSignature:
    """Signature of `pixels` (uint8 [h, w, 3] RGB)."""
    shown = np.ascontiguousarray(pixels)
    grey = PIL.Image.fromarray(shown).convert("L").resize((SIDE, SIDE), PIL.Image.Resampling.BILINEAR)
    small = np.asarray(grey, np.uint8)
    digest = hashlib.blake2b(f"{shown.shape}".encode() + shown.tobytes(), digest_size=16).hexdigest()
    return PictureSignature(code_of(small), small, digest)


def code_of(small: NDArray[np.uint8]) -> int:
    """The 64 bits of a small picture, uint8 [SIDE, SIDE]."""
    basis, rows, columns = _lowest()
    spectrum = basis @ (small.astype(np.float64) - small.mean()) @ basis.T
    # A flat picture has no frequencies: without the margin, rounding errors would decide its bits.
    bits = spectrum[rows, columns] > 1e-6
    return int.from_bytes(np.packbits(bits).tobytes(), "little")


def correlations(small: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """Largest correlation [p] of the middle of one small picture with the other displaced by up to 2 pixels.

    small: uint8 [n, SIDE, SIDE]; pairs: [p, 2]. Either may be the displaced one. NaN without contrast.
    """
    out = np.full(len(pairs), np.nan, np.float32)
    span = SIDE - 2 * _SHIFT
    places = [(top, left) for top in range(2 * _SHIFT + 1) for left in range(2 * _SHIFT + 1)]
    for start in range(0, len(pairs), _AT_ONCE):
        block = pairs[start : start + _AT_ONCE]
        best = np.full(len(block), -np.inf, np.float32)
        for fixed, moved in ((0, 1), (1, 0)):
            a = _standard(small[block[:, fixed], _SHIFT : _SHIFT + span, _SHIFT : _SHIFT + span])
            for top, left in places:
                b = _standard(small[block[:, moved], top : top + span, left : left + span])
                best = np.fmax(best, np.einsum("pk,pk->p", a, b))
        out[start : start + len(block)] = np.where(np.isfinite(best), best, np.nan)
    return out


def _standard(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures [p, h, w] as rows of mean 0 and length 1 [p, h w]; NaN for one without contrast."""
    rows = pictures.reshape(len(pictures), -1).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    out = np.full_like(rows, np.nan)
    np.divide(rows, length, out=out, where=length > 1)
    return out


@cache
def _lowest() -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """The cosine basis [SIDE, SIDE], and rows and columns of the 64 lowest frequencies, by their sum."""
    k = np.arange(SIDE)
    basis = np.cos(np.pi * (2 * k[None] + 1) * k[:, None] / (2 * SIDE))
    places = sorted(((i, j) for i in range(16) for j in range(16) if i + j), key=lambda place: (sum(place), place[0]))
    rows, columns = np.array(places[:64]).T
    return basis, rows, columns
