"""How well a face detector finds faces in real pictures, and how often it sees one where there is none.

The functions take any detector as a callable (uint8 [h, w, 3] → faces), so that all candidates are measured alike.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from emonet.media._faces import Face
from emonet.training import _detector_backgrounds as backgrounds
from emonet.training._detector_labels import Box, LabelledFace, overlap

Detect = Callable[[NDArray[np.uint8]], Sequence[Face]]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One picture with one face. `pixels`: uint8 [h, w, 3]. `box`: where it is."""

    pixels: NDArray[np.uint8]
    box: Box


@dataclass(frozen=True, slots=True)
class Share:
    """A share of cases with its 95 % interval (Wilson 1927)."""

    hits: int
    cases: int

    @property
    def value(self) -> float:
        """The share, 0..1."""
        return self.hits / self.cases

    @property
    def interval(self) -> tuple[float, float]:
        """95 % score interval of the share."""
        z, n, p = 1.959964, self.cases, self.value
        middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, float((middle - half) / (1 + z * z / n))), min(1.0, float((middle + half) / (1 + z * z / n)))


def every_portrait(data: Path) -> list[LabelledFace]:
    """Every muxspace picture of split `test`, also those in which no detector found a box; the box is the picture."""
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == "muxspace" and row["split"] == "test"]
    whole = [(0.0, 0.0, float(row["width"]), float(row["height"])) for row in rows]
    return [
        LabelledFace(row["path"], "muxspace", "test", box, False, False) for row, box in zip(rows, whole, strict=True)
    ]


def portraits(data: Path, faces: Iterable[LabelledFace], *, angle: float = 0.0, enlarge: int = 1) -> Iterator[Case]:
    """The pictures as they are, or turned by `angle` degrees about the middle (border continued), or enlarged."""
    for face in faces:
        picture = PIL.Image.open(data / face.path).convert("RGB")
        picture = picture.resize((picture.width * enlarge, picture.height * enlarge), PIL.Image.Resampling.BICUBIC)
        left, top, right, bottom = (side * enlarge for side in face.box)
        pixels = np.asarray(picture)
        if angle:
            margin = max(pixels.shape) // 4
            padded = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
            pixels = np.asarray(PIL.Image.fromarray(padded).rotate(angle, PIL.Image.Resampling.BILINEAR))
            turn = np.deg2rad(angle)
            x, y = (left + right - picture.width) / 2, (top + bottom - picture.height) / 2
            to_x = np.cos(turn) * x + np.sin(turn) * y + pixels.shape[1] / 2 - (left + right) / 2
            to_y = -np.sin(turn) * x + np.cos(turn) * y + pixels.shape[0] / 2 - (top + bottom) / 2
            left, top, right, bottom = left + to_x, top + to_y, right + to_x, bottom + to_y
        yield Case(pixels, (float(left), float(top), float(right), float(bottom)))


def in_scenes(
    data: Path, faces: Iterable[LabelledFace], photographs: Sequence[str], *, width: float, side: int, seed: int
) -> Iterator[Case]:
    """Each face, its box's longer side `width` pixels, set with its rectangular crop into a part of a photograph."""
    generator = np.random.default_rng(seed)
    sources = [backgrounds.photograph(name) for name in photographs]
    for face in faces:
        canvas = _part(sources[generator.integers(len(sources))], side, generator).copy()
        picture = PIL.Image.open(data / face.path).convert("RGB")
        scale = width / max(face.box[2] - face.box[0], face.box[3] - face.box[1])
        size = round(picture.width * scale), round(picture.height * scale)
        x, y = generator.integers(0, side - size[0] + 1), generator.integers(0, side - size[1] + 1)
        resample = PIL.Image.Resampling.BOX if scale < 0.7 else PIL.Image.Resampling.BICUBIC
        canvas[y : y + size[1], x : x + size[0]] = np.asarray(picture.resize(size, resample))
        left, top, right, bottom = (value * scale for value in face.box)
        yield Case(canvas, (float(left + x), float(top + y), float(right + x), float(bottom + y)))


def found(detect: Detect, cases: Iterable[Case], *, least: float = 0.5) -> Share:
    """Share of cases in which some box overlaps the face's by at least `least` (intersection over union)."""
    hits = [any(overlap(face.box, case.box) >= least for face in detect(case.pixels)) for case in cases]
    return Share(sum(hits), len(hits))


def central(detect: Detect, cases: Iterable[Case]) -> Share:
    """Share of portraits with a box centred in the middle half, of 0.35 to 1.1 times the picture's shorter side."""
    hits = []
    for case in cases:
        height, width = case.pixels.shape[:2]
        hits.append(any(_central(face.box, width, height) for face in detect(case.pixels)))
    return Share(sum(hits), len(hits))


def views(names: Sequence[str]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Ten views of each face-free photograph (turned, mirrored, halved, four quarters enlarged): (name, pixels)."""
    for name in names:
        pixels = backgrounds.photograph(name)
        height, width = pixels.shape[:2]
        yield from ((name, np.ascontiguousarray(np.rot90(pixels, turns))) for turns in range(4))
        yield name, np.ascontiguousarray(pixels[:, ::-1])
        yield name, np.asarray(PIL.Image.fromarray(pixels).resize((max(1, width // 2), max(1, height // 2))))
        for top in (0, height // 2):
            for left in (0, width // 2):
                quarter = np.ascontiguousarray(pixels[top : top + height // 2, left : left + width // 2])
                yield name, np.asarray(PIL.Image.fromarray(quarter).resize((width, height)))


def generated_views(count: int, *, side: int, seed: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Generated face-free pictures: (number, uint8 [side, side, 3])."""
    generator = np.random.default_rng(seed)
    for number in range(count):
        yield str(number), np.repeat(backgrounds.generated(side, generator)[..., None], 3, axis=2)


def alarms(
    detect: Detect, pictures: Iterable[tuple[str, NDArray[np.uint8]]], *, seed: int = 0, resamples: int = 1000
) -> tuple[float, float, float, int]:
    """False alarms per picture, 95 % bootstrap interval over names (views of one picture vary together), pictures."""
    counts: dict[str, list[int]] = {}
    for name, pixels in pictures:
        counts.setdefault(name, []).append(len(detect(pixels)))
    totals = np.array([(sum(part), len(part)) for part in counts.values()], np.float64)
    draws = np.random.default_rng(seed).integers(0, len(totals), (resamples, len(totals)))
    rates = totals[draws, 0].sum(1) / totals[draws, 1].sum(1)
    low, high = np.quantile(rates, (0.025, 0.975)).tolist()
    return float(totals[:, 0].sum() / totals[:, 1].sum()), low, high, int(totals[:, 1].sum())


def _central(box: Box, width: int, height: int) -> bool:
    x, y = (box[0] + box[2]) / 2 / width, (box[1] + box[3]) / 2 / height
    size = max(box[2] - box[0], box[3] - box[1]) / min(width, height)
    return 0.25 <= x <= 0.75 and 0.25 <= y <= 0.75 and 0.35 <= size <= 1.1


def _part(source: NDArray[np.uint8], side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """A random part of a photograph, uint8 [side, side, 3]; small photographs are enlarged."""
    height, width = source.shape[:2]
    part = min(height, width, side)
    top, left = generator.integers(height - part + 1), generator.integers(width - part + 1)
    crop = PIL.Image.fromarray(np.ascontiguousarray(source[top : top + part, left : left + part]))
    return np.asarray(crop.resize((side, side), PIL.Image.Resampling.BILINEAR))
