"""Boxes for face pictures that have none: found by an established detector, checked by a second one.

Box convention (that of dlib's HOG detector, which made the training boxes): from the eyebrows to the chin, about as
wide as high, ears and most of the forehead outside.
"""

from __future__ import annotations

import csv
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from emonet import errors

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the file."""

_FERPLUS_SIDE = 48
_NOT_A_FACE_VOTES = 1  # FER+ taggers' "NF"; one vote of ten already makes the picture doubtful


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """One picture with one face. `path`: relative to the data folder. `agreed`: two detectors found the box."""

    path: str
    source: str
    split: Literal["train", "test"]
    box: Box
    found: bool
    agreed: bool


def labelled_faces(data: Path, cache: Path) -> list[LabelledFace]:
    """Faces of `data`/manifest.csv with pseudo boxes; computed once (about five minutes), then read from `cache`.

    FER+ pictures are cropped alike, so a face that the detector misses gets the crops' median box: these are the
    turned, covered and dark faces one must not lose. Of muxspace the same holds for the 160 x 160 crops; other
    muxspace pictures without a detection are left out.
    """
    if cache.is_file():
        return [LabelledFace(**{**row, "box": tuple(row["box"])}) for row in json.loads(cache.read_text())]
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["modality"] == "face"]
    kept = [row for row in rows if _is_face(row)]
    if not kept:
        raise errors.UsageError(
            f"{data}/manifest.csv lists no face pictures; expected the sources muxspace or ferplus."
        )
    first, second = _hog(), _cascade()
    boxes = [_best(first, data / row["path"], row["source"]) for row in kept]
    usual = {key: _median_box(kept, boxes, key) for key in {_framing(row) for row in kept}}
    faces = []
    for row, found in zip(kept, boxes, strict=True):
        box = found or usual[_framing(row)]
        if box is None:
            continue
        agreed = found is not None and row["source"] == "muxspace" and second(data / row["path"], found)
        faces.append(LabelledFace(row["path"], row["source"], _split(row), box, found is not None, agreed))
    temporary = cache.with_suffix(".part")
    temporary.write_text(json.dumps([asdict(face) for face in faces]))
    os.replace(temporary, cache)
    return faces


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return width * height / (areas - width * height)


def _split(row: dict[str, str]) -> Literal["train", "test"]:
    return "test" if row["split"] == "test" else "train"


def _is_face(row: dict[str, str]) -> bool:
    votes = json.loads(row["extra"] or "{}").get("votes", {})
    return row["source"] == "muxspace" or (row["source"] == "ferplus" and votes.get("NF", 0) < _NOT_A_FACE_VOTES)


def _framing(row: dict[str, str]) -> str:
    """Pictures of one framing share a usual box; only square crops have one."""
    return f"{row['source']} {row['width']}x{row['height']}" if row["width"] == row["height"] else "other"


def _median_box(rows: list[dict[str, str]], boxes: list[Box | None], framing: str) -> Box | None:
    found = [box for row, box in zip(rows, boxes, strict=True) if box and _framing(row) == framing]
    if framing == "other" or len(found) < 50:
        return None
    left, top, right, bottom = np.median(np.asarray(found), axis=0).tolist()
    return left, top, right, bottom


def _best(detector: Any, path: Path, source: str) -> Box | None:
    """The detector's most certain box, in pixels of the file, or None."""
    factor, margin = (3, 24) if source == "ferplus" else (2, 0)  # the HOG detector sees faces from 80 pixels on
    picture = PIL.Image.open(path).convert("L")
    picture = picture.resize((picture.width * factor, picture.height * factor), PIL.Image.Resampling.BICUBIC)
    boxes, scores, _ = detector.run(np.pad(np.asarray(picture), margin, mode="edge"), 0, -0.2)
    if not len(boxes):
        return None
    best = boxes[int(np.argmax(scores))]
    left, top, right, bottom = best.left(), best.top(), best.right() + 1, best.bottom() + 1
    return (left - margin) / factor, (top - margin) / factor, (right - margin) / factor, (bottom - margin) / factor


def _hog() -> Any:
    try:
        import dlib
    except ModuleNotFoundError as error:
        raise errors.UsageError(
            "Boxes for the face detector's training come from dlib's HOG detector; install it with: "
            "pip install dlib-bin (only training needs it)."
        ) from error
    return dlib.get_frontal_face_detector()


def _cascade() -> Any:
    """A function (path, box) -> does the LBP cascade find the same face?"""
    import skimage.data
    from skimage.feature import Cascade

    cascade = Cascade(skimage.data.lbp_frontal_face_cascade_filename())

    def agrees(path: Path, box: Box) -> bool:
        pixels: NDArray[np.uint8] = np.asarray(PIL.Image.open(path).convert("RGB"))
        found = cascade.detect_multi_scale(
            img=pixels, scale_factor=1.15, step_ratio=1, min_size=(24, 24), max_size=(160, 160), min_neighbor_number=2
        )
        others = ((hit["c"], hit["r"], hit["c"] + hit["width"], hit["r"] + hit["height"]) for hit in found)
        return any(overlap(box, other) >= 0.5 for other in others)

    return agrees
