"""Pictures of faces, decoded once into one table.

Symbols: n pictures, s = 64 pixels, the side of a cached picture.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from emonet.media import FaceDetector, decode_image
from emonet.media._faces import EmbeddedDetector
from emonet.models import square_crop
from emonet.training._manifest import Item

SIDE = 64
_SURROUNDINGS = 0.25  # margin of a cached crop; wider than the bundle's, so that shifts show what is really there
_TIGHT = 48  # pictures of this size are FER-2013's face crops already


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """`pixels`: uint8 [n, s, s] grey. `reach`: float32 [n], share of the cached side that the model's own crop spans.
    `found`: bool [n], False where no face was detected (pixels are 0)."""

    pixels: NDArray[np.uint8]
    reach: NDArray[np.float32]
    found: NDArray[np.bool_]


def open_faces(items: Sequence[Item], margin: float, output: Path, *, report: Callable[[str], None] = print) -> Faces:
    """The pictures of `items`, from the cache in `output` or decoded now. `margin`: the bundle's crop margin.

    Pictures of 48 by 48 pixels are taken whole, as face crops; in others the embedded detector's best face is cut out.
    """
    detector = EmbeddedDetector()
    parts = [*(item.key for item in items), f"{SIDE} {margin} {detector.card['sha256']} {detector.threshold}"]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    path = output / f"faces-{key}.npz"
    if not path.is_file():
        output.mkdir(parents=True, exist_ok=True)
        _decode(items, detector, margin, path, report)
    with np.load(path) as table:
        return Faces(table["pixels"], table["reach"], table["found"])


def copies(faces: Faces, rows: NDArray[np.bool_], of: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the pictures `rows` [n] have the very pixels of one of the pictures `of` [n].

    FER-2013 holds many pictures twice, across its own partitions.
    """
    known = {faces.pixels[i].tobytes() for i in np.flatnonzero(of & faces.found)}
    found = np.zeros(len(rows), bool)
    for i in np.flatnonzero(rows & faces.found):
        found[i] = faces.pixels[i].tobytes() in known
    return found


def _decode(
    items: Sequence[Item], detector: FaceDetector, margin: float, path: Path, report: Callable[[str], None]
) -> None:
    pixels = np.zeros((len(items), SIDE, SIDE), np.uint8)
    reach = np.ones(len(items), np.float32)
    found = np.zeros(len(items), bool)
    began = time.monotonic()
    for i, item in enumerate(items):
        crop, reach[i] = _crop(decode_image(item.path).pixels, detector, margin)
        if crop is not None:
            picture = PIL.Image.fromarray(crop).convert("L").resize((SIDE, SIDE), PIL.Image.Resampling.BICUBIC)
            pixels[i], found[i] = np.asarray(picture), True
        if i % 5000 == 4999:
            rate = (i + 1) / (time.monotonic() - began)
            report(f"decoded {i + 1}/{len(items)} {rate:.0f}/s {(len(items) - i - 1) / rate / 60:.1f} min left")
    temporary = path.with_name(f".{path.name}")
    with temporary.open("wb") as file:
        np.savez(file, pixels=pixels, reach=reach, found=found)
    os.replace(temporary, path)


def _crop(pixels: NDArray[np.uint8], detector: FaceDetector, margin: float) -> tuple[NDArray[np.uint8] | None, float]:
    if pixels.shape[:2] == (_TIGHT, _TIGHT):
        return pixels, 1.0
    faces = detector.detect(pixels)
    if not faces:
        return None, 1.0
    return square_crop(pixels, faces[0].box, margin=_SURROUNDINGS), (1 + 2 * margin) / (1 + 2 * _SURROUNDINGS)


def plain(faces: Faces, rows: NDArray[np.int64], spec: Mapping[str, Any]) -> Tensor:
    """Network input float32 [rows, 1, height, width] of unchanged pictures, as the bundle's own crop shows them."""
    x = torch.from_numpy(faces.pixels[rows])[:, None].float() / 255
    placed = torch.zeros(len(rows), 2, 3)
    placed[:, 0, 0] = placed[:, 1, 1] = torch.from_numpy(faces.reach[rows])
    return normal_input(sampled(x, placed, spec), spec)


def sampled(x: Tensor, placed: Tensor, spec: Mapping[str, Any]) -> Tensor:
    """Pictures [n, 1, height, width] seen through the affine maps `placed` [n, 2, 3]."""
    grid = F.affine_grid(placed, [len(x), 1, spec["height"], spec["width"]], align_corners=False)
    return F.grid_sample(x, grid, align_corners=False, padding_mode="border")


def normal_input(x: Tensor, spec: Mapping[str, Any]) -> Tensor:
    """Grey 0..1 to what the network reads."""
    return (x - spec["mean"][0]) / spec["std"][0]
