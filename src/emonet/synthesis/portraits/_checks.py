"""Whether a picture is a portrait to be rated: one face, whole, from the front, large and sharp, and not a copy."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emonet.datasets.curation import PictureRule, PictureSignature, picture_signature
from emonet.datasets.curation._measures import sharpness_of
from emonet.errors import EmonetError
from emonet.media import FaceDetector, decode_image

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CheckRules:
    """What a portrait must be.

    `min_face`: shorter side of the face box by that of the picture; `margin`: between the box and the picture's edge,
    by the box; `min_sharpness`: as `emonet.datasets.curation` measures it; `symmetry`: least correlation of the left
    half of the face with the mirrored right half, at 32 pixels; the detector gives no landmarks, so this stands for
    "from the front", and light from one side lowers it. `min_side_px`: of the picture.
    """

    min_face: float = 0.25
    margin: float = 0.03
    min_sharpness: float = 0.01
    symmetry: float = 0.15
    min_side_px: int = 256


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. `fault`: empty for a picture that may be used. `box`: of the face, in pixels."""

    fault: str
    width: int = 0
    height: int = 0
    faces: int = 0
    box: tuple[float, float, float, float] | None = None
    sharpness: float | None = None
    symmetry: float | None = None
    signature: PictureSignature | None = None


def check_portrait(data: bytes, detector: FaceDetector, rules: CheckRules | None = None) -> Checked:
    """Look at one encoded picture. What cannot be decoded is a fault, never an exception."""
    rules = rules or CheckRules()
    try:
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(data)
            file.flush()
            pixels = decode_image(file.name).pixels
    except EmonetError:
        return Checked("cannot be decoded")
    height, width = pixels.shape[:2]
    faces = detector.detect(pixels)
    if len(faces) != 1:
        fault = "no face" if not faces else "several faces"
        return Checked(fault, width, height, len(faces), signature=picture_signature(pixels))
    left, top, right, bottom = box = faces[0].box
    face = pixels[round(top) : max(round(bottom), round(top) + 1), round(left) : max(round(right), round(left) + 1)]
    sharp, alike = sharpness_of(face), mirror_likeness(face)
    side, room = min(right - left, bottom - top), min(left, top, width - right, height - bottom)
    faults = {
        "picture too small": min(width, height) < rules.min_side_px,
        "face too small": side < rules.min_face * min(width, height),
        "face cut off": room < rules.margin * side,
        "not sharp": sharp < rules.min_sharpness,
        "not from the front": alike < rules.symmetry,
    }
    fault = next((name for name, holds in faults.items() if holds), "")
    return Checked(fault, width, height, 1, box, sharp, alike, picture_signature(pixels))


def mirror_likeness(face: Pixels) -> float:
    """Correlation of the left half with the mirrored right half, -1..1, of a face brought to 32 pixels."""
    import PIL.Image

    small = PIL.Image.fromarray(np.ascontiguousarray(face)).convert("L").resize((32, 32), PIL.Image.Resampling.BILINEAR)
    values = np.asarray(small, np.float64)
    left, right = values[:, :16], values[:, :15:-1]
    spread = left.std() * right.std()
    return float(((left - left.mean()) * (right - right.mean())).mean() / spread) if spread > 1e-9 else 0.0


class Seen:
    """Pictures so far, to tell a copy."""

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._codes: list[int] = []
        self._small: list[NDArray[np.float64]] = []
        self._rule = PictureRule()

    def copy_of(self, signature: PictureSignature) -> str | None:
        """Key of a picture that this one is a copy of, by the rule of `emonet dataset`."""
        if not self._codes:
            return None
        apart = np.bitwise_count(np.array(self._codes, np.uint64) ^ np.uint64(signature.code))
        for i in np.flatnonzero(apart <= self._rule.bits):
            if float((_standard(signature) * self._small[i]).mean()) >= self._rule.correlation:
                return self._keys[i]
        return None

    def add(self, key: str, signature: PictureSignature) -> None:
        """Remember a picture that is used."""
        self._keys.append(key)
        self._codes.append(signature.code)
        self._small.append(_standard(signature))


def _standard(signature: PictureSignature) -> NDArray[np.float64]:
    values = signature.small.astype(np.float64)
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-9))


def suffix_of(data: bytes) -> str:
    """File ending by the content: png, jpg or webp."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    return "webp" if data[8:12] == b"WEBP" else "jpg"
