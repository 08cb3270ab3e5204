"""Scenes for the face detector: known faces set into pictures without any, with the traps of pasting defused.

A pasted face has a border that no real face has. So that the network cannot learn the border instead of the face,
face-free patches, scrambled faces and cut-off parts of faces are pasted by the very same ways and count as background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFilter
from numpy.typing import NDArray

from emonet.training import _detector_backgrounds as backgrounds
from emonet.training._detector_labels import Box, LabelledFace

SMALLEST, LARGEST = 14.0, 56.0
"""Longer box side in pixels that the network answers to; the pyramid of halved pictures covers the rest."""

_TOO_LARGE = 80.0  # from here on a face is background at this scale
_BANK = 700  # generated pictures in memory; each serves many times, each time another part of it


@dataclass(frozen=True, slots=True)
class Scene:
    """`pixels`: uint8 [side, side]. `boxes`: float32 [k, 4] left, top, right, bottom; `ignored`: float32 [j, 4]."""

    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    ignored: NDArray[np.float32]


class SceneMaker:
    """Composes scenes from faces and backgrounds, endlessly; all randomness comes from the generator given.

    `side`: of the scenes, in pixels. `face_share`: share of pasted things that are faces; 0 makes face-free scenes.
    `bank`: how many generated backgrounds to keep in memory.
    """

    def __init__(
        self,
        data: Path,
        faces: Sequence[LabelledFace],
        photographs: Sequence[str],
        generator: np.random.Generator,
        *,
        side: int,
        face_share: float = 0.62,
        bank: int | None = None,
    ) -> None:
        self.side, self.face_share = side, face_share
        self.generator = generator
        self._faces = [(np.asarray(PIL.Image.open(data / face.path).convert("L")), face.box) for face in faces]
        large = np.array([pixels.shape[0] > 60 for pixels, _ in self._faces])
        weight = np.where(large, 0.35 / max(1, large.sum()), 0.65 / max(1, (~large).sum()))
        self._cumulated = np.cumsum(weight / weight.sum())
        self._photographs = backgrounds.grey_photographs(tuple(photographs))
        self._bank = [backgrounds.generated(2 * side, generator) for _ in range(bank or _BANK)]

    def scene(self) -> Scene:
        """One picture with none to four pasted things, some of them faces."""
        g = self.generator
        canvas = self._background(self.side).astype(np.float32)
        boxes: list[Box] = []
        ignored: list[Box] = []
        taken: list[Box] = []
        for _ in range(g.choice(5, p=(0.06, 0.3, 0.3, 0.2, 0.14))):
            draw = g.random()
            if draw < self.face_share:
                patch, box = self._face()
            elif draw < self.face_share + 0.1:
                patch, box = self._scrambled()
            else:
                patch, box = self._empty_patch()
            size = float(np.exp(g.uniform(np.log(12), np.log(62 if g.random() < 0.93 else 150))))
            placed = self._placed(patch, box, size)
            if placed is None:
                continue
            lit, mask, box, x, y = placed
            where = (box[0] + x, box[1] + y, box[2] + x, box[3] + y)
            extent = (x, y, x + lit.shape[1], y + lit.shape[0])
            if any(_touch(extent, other) for other in taken):
                continue
            if not taken and g.random() < 0.45:
                self._figure(canvas, where)
            taken.append(where)
            self._paste(canvas, lit, mask, x, y)
            if draw < self.face_share:
                self._note(where, boxes, ignored)
        return Scene(self._camera(canvas), _array(boxes), _array(ignored))

    def _note(self, box: Box, boxes: list[Box], ignored: list[Box]) -> None:
        """A face counts when of the network's size and mostly in the picture; borderline ones are ignored."""
        size = max(box[2] - box[0], box[3] - box[1])
        inside = _inside(box, self.side)
        if inside > 0.6 and SMALLEST <= size <= LARGEST:
            boxes.append(box)
        elif inside > 0.25 and size < _TOO_LARGE:
            ignored.append(box)

    def _background(self, side: int) -> NDArray[np.uint8]:
        g = self.generator
        draw = g.random()
        if draw < 0.4:
            return backgrounds.photograph_crop(self._photographs, side, g)
        if draw < 0.5:
            return np.full((side, side), g.integers(256), np.uint8)
        source = self._bank[g.integers(len(self._bank))]
        top, left = g.integers(0, source.shape[0] - side + 1, 2)
        part = source[top : top + side, left : left + side]
        return part[:, ::-1] if g.random() < 0.5 else part

    def _face(self) -> tuple[NDArray[np.uint8], Box]:
        pixels, box = self._faces[int(np.searchsorted(self._cumulated, self.generator.random()))]
        if self.generator.random() < 0.5:
            width = pixels.shape[1]
            return pixels[:, ::-1], (width - box[2], box[1], width - box[0], box[3])
        return pixels, box

    def _scrambled(self) -> tuple[NDArray[np.uint8], Box]:
        """A face whose parts are shuffled, or one closely cropped part of it: face-like, and no face."""
        g = self.generator
        pixels, _ = self._face()
        side = min(pixels.shape)
        if g.random() < 0.6:
            n = int(g.integers(2, 5))
            step = side // n
            tiles = [pixels[r * step : (r + 1) * step, c * step : (c + 1) * step] for r in range(n) for c in range(n)]
            order = np.roll(np.arange(n * n), int(g.integers(1, n * n))) if n == 2 else g.permutation(n * n)
            rows = [np.hstack([tiles[order[r * n + c]] for c in range(n)]) for r in range(n)]
            return np.vstack(rows), (0.0, 0.0, float(n * step), float(n * step))
        part = max(8, int(side * g.uniform(0.25, 0.45)))
        top, left = g.integers(0, side - part + 1, 2)
        return pixels[top : top + part, left : left + part], (0.0, 0.0, float(part), float(part))

    def _empty_patch(self) -> tuple[NDArray[np.uint8], Box]:
        patch = self._background(64)
        return patch, (8.0, 8.0, 56.0, 56.0)

    def _placed(
        self, patch: NDArray[np.uint8], box: Box, size: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], Box, int, int] | None:
        """The patch scaled so that its box's longer side is `size`, turned, masked, and where its corner goes."""
        g = self.generator
        angle = float(g.normal(0, 13)) if g.random() < 0.75 else 0.0
        if g.random() < 0.25:  # the border continued, as where a crop leaves its picture
            margin = int(g.uniform(0.05, 0.5) * max(patch.shape))
            patch = np.pad(patch, margin, mode="edge")
            box = (box[0] + margin, box[1] + margin, box[2] + margin, box[3] + margin)
        scale = size / max(box[2] - box[0], box[3] - box[1])
        stretch = float(np.exp(g.normal(0, 0.06)))
        width, height = round(patch.shape[1] * scale * stretch), round(patch.shape[0] * scale / stretch)
        if min(width, height) < 8:
            return None
        picture = PIL.Image.fromarray(np.ascontiguousarray(patch))
        picture = picture.resize(
            (width, height), PIL.Image.Resampling.BOX if scale < 0.7 else PIL.Image.Resampling.BILINEAR
        )
        box = (
            box[0] * width / patch.shape[1], box[1] * height / patch.shape[0],
            box[2] * width / patch.shape[1], box[3] * height / patch.shape[0],
        )  # fmt: skip
        if g.random() < 0.35:  # enlarged or out of focus before it came into this picture
            picture = picture.filter(PIL.ImageFilter.GaussianBlur(float(g.uniform(0.01, 0.035) * size)))
        mask = self._mask(width, height, box)
        if angle:
            margin = int(0.2 * max(width, height))
            values = np.pad(np.asarray(picture), margin, mode="edge")
            picture = PIL.Image.fromarray(values).rotate(angle, PIL.Image.Resampling.BILINEAR)
            mask = PIL.Image.fromarray(np.pad(np.asarray(mask), margin)).rotate(angle, PIL.Image.Resampling.BILINEAR)
            box = _turned(box, (width, height), angle, margin)
        x = round(float(g.uniform(-0.35 * size, self.side - 0.65 * size)) - box[0])
        y = round(float(g.uniform(-0.35 * size, self.side - 0.65 * size)) - box[1])
        values = self._light(np.asarray(picture, np.float32))
        return values, np.asarray(mask, np.float32) / np.float32(255), box, x, y

    def _mask(self, width: int, height: int, box: Box) -> PIL.Image.Image:
        """What of the patch shows: all of it, or an oval around the box, with a hard or soft edge."""
        g = self.generator
        soft = float(g.uniform(0.2, 0.12 * max(width, height)))
        if g.random() < 0.45:
            values = np.full((height, width), 255, np.uint8)
            if g.random() < 0.5:
                return PIL.Image.fromarray(values)
            edge = max(1, int(soft))
            values[:edge], values[-edge:], values[:, :edge], values[:, -edge:] = 0, 0, 0, 0
        else:
            rows, columns = np.mgrid[:height, :width]
            grow = g.uniform(1.05, 1.6)
            across = (columns - (box[0] + box[2]) / 2) / ((box[2] - box[0]) / 2 * grow)
            down = (rows - (box[1] + box[3]) / 2 + 0.08 * height) / ((box[3] - box[1]) / 2 * grow * 1.1)
            power = g.choice((2.0, 3.0))
            values = ((np.abs(across) ** power + np.abs(down) ** power < 1) * 255).astype(np.uint8)
        return PIL.Image.fromarray(values).filter(PIL.ImageFilter.GaussianBlur(soft / 2))

    def _light(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Another exposure, contrast and side light; sometimes a bar across (hair, hand, microphone)."""
        g = self.generator
        values = (values - values.mean()) * g.uniform(0.5, 1.4) + g.uniform(60, 200)
        height, width = values.shape
        if g.random() < 0.3:
            slope = np.linspace(-1, 1, width)[None, :] * g.normal(0, 30) + np.linspace(-1, 1, height)[
                :, None
            ] * g.normal(0, 30)
            values = values + slope.astype(np.float32)
        if g.random() < 0.08:
            extent = int(0.25 * height)
            top, left = int(g.integers(0, max(1, height - extent))), int(g.integers(0, max(1, width // 2)))
            values = values.copy()
            values[top : top + extent, left : left + int(g.integers(extent, 3 * extent))] = g.uniform(0, 255)
        return values.astype(np.float32)

    def _figure(self, canvas: NDArray[np.float32], box: Box) -> None:
        """Draw hair, neck and shoulders around where a face (or a thing that is none) will be pasted."""
        g = self.generator
        width, height = box[2] - box[0], box[3] - box[1]
        middle = (box[0] + box[2]) / 2 + g.normal(0, 0.05) * width
        picture = PIL.Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
        draw = PIL.ImageDraw.Draw(picture)
        shade = [int(value) for value in g.integers(0, 256, 3)]
        half, top, bottom = g.uniform(0.55, 0.85) * width, box[1] - g.uniform(0.2, 0.5) * height, box[3]
        low = bottom + g.uniform(-0.3, 0.9) * height
        shoulder = bottom + g.uniform(0.05, 0.5) * height
        broad, neck = g.uniform(0.8, 1.6) * width, g.uniform(0.25, 0.4) * width
        arm = shoulder + g.uniform(0.1, 0.5) * height
        end = max(float(self.side), arm)
        outline = [(neck, shoulder), (broad, arm), (broad, end), (-broad, end), (-broad, arm), (-neck, shoulder)]
        draw.polygon([(float(middle + x), float(y)) for x, y in outline], fill=shade[0])
        if g.random() < 0.7:
            draw.ellipse((middle - half, top, middle + half, max(low, top + 1)), fill=shade[1])
        draw.rectangle((middle - neck, bottom - 0.3 * height, middle + neck, max(shoulder, bottom)), fill=shade[2])
        if g.random() < 0.7:
            picture = picture.filter(PIL.ImageFilter.GaussianBlur(float(g.uniform(0.3, 2))))
        canvas[:] = np.asarray(picture, np.float32)

    def _paste(
        self, canvas: NDArray[np.float32], patch: NDArray[np.float32], mask: NDArray[np.float32], x: int, y: int
    ) -> None:
        height, width = patch.shape
        top, left, bottom, right = max(0, y), max(0, x), min(self.side, y + height), min(self.side, x + width)
        if top >= bottom or left >= right:
            return
        part = np.s_[top - y : bottom - y, left - x : right - x]
        target = canvas[top:bottom, left:right]
        target += (patch[part] - target) * mask[part]

    def _camera(self, canvas: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Blur, noise and exposure of the whole scene."""
        g = self.generator
        values: NDArray[Any] = np.clip(canvas, 0, 255)
        if g.random() < 0.3:
            values = 255 * (values / 255) ** np.exp(g.normal(0, 0.4))
        if g.random() < 0.3:
            values = (values - 128) * g.uniform(0.5, 1.3) + 128 + g.normal(0, 25)
        if g.random() < 0.3:
            picture = PIL.Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
            values = np.asarray(picture.filter(PIL.ImageFilter.GaussianBlur(float(g.uniform(0.2, 1.2)))), np.float32)
        if g.random() < 0.3:
            values = values + g.normal(0, g.uniform(1, 12), values.shape)
        return np.clip(values, 0, 255).astype(np.uint8)


def _array(boxes: list[Box]) -> NDArray[np.float32]:
    return np.asarray(boxes, np.float32).reshape(-1, 4)


def _touch(first: Box, second: Box) -> bool:
    return min(first[2], second[2]) > max(first[0], second[0]) and min(first[3], second[3]) > max(first[1], second[1])


def _inside(box: Box, side: int) -> float:
    """Share of the box that lies in the picture."""
    width = max(0.0, min(side, box[2]) - max(0.0, box[0]))
    height = max(0.0, min(side, box[3]) - max(0.0, box[1]))
    return width * height / ((box[2] - box[0]) * (box[3] - box[1]))


def _turned(box: Box, size: tuple[int, int], angle: float, margin: int) -> Box:
    """The box after turning the picture by `angle` degrees about its centre: same size, centre moved."""
    radians = np.deg2rad(angle)
    x, y = (box[0] + box[2] - size[0]) / 2, (box[1] + box[3] - size[1]) / 2
    turned_x = np.cos(radians) * x + np.sin(radians) * y + size[0] / 2 + margin
    turned_y = -np.sin(radians) * x + np.cos(radians) * y + size[1] / 2 + margin
    half_width, half_height = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    return (
        float(turned_x - half_width), float(turned_y - half_height),
        float(turned_x + half_width), float(turned_y + half_height),
    )  # fmt: skip
