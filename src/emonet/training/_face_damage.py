"""Growing damage to face crops, under which a model is measured again: the robustness curves of its card.

Strengths count pixels and shares of a crop of 48 pixels; they go from mild to severe.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import PIL.Image
import PIL.ImageFilter
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
_GREY = (128, 128, 128)


@dataclass(frozen=True, slots=True)
class Damage:
    """`change(crop, strength, random)` gives the damaged crop; `title` and `unit` are for people."""

    title: str
    unit: str
    strengths: tuple[float, ...]
    change: Callable[[Pixels, float, np.random.Generator], Pixels]


def damaged(crops: list[Pixels], damage: Damage, strength: float, *, seed: int) -> list[Pixels]:
    """All crops uint8 [h, w, 3] with one kind of damage; noise and places are drawn from `seed`."""
    random = np.random.default_rng(seed)
    return [damage.change(crop, strength, random) for crop in crops]


def _jpeg(crop: Pixels, quality: float, random: np.random.Generator) -> Pixels:
    memory = io.BytesIO()
    PIL.Image.fromarray(crop).save(memory, "JPEG", quality=int(quality))
    return np.asarray(PIL.Image.open(memory).convert("RGB"))


def _blur(crop: Pixels, sigma: float, random: np.random.Generator) -> Pixels:
    wide = sigma * len(crop) / 48
    return np.asarray(PIL.Image.fromarray(crop).filter(PIL.ImageFilter.GaussianBlur(wide)))


def _noise(crop: Pixels, spread: float, random: np.random.Generator) -> Pixels:
    grey = random.normal(0, 255 * spread, crop.shape[:2])[..., None]
    return np.clip(crop + grey, 0, 255).round().astype(np.uint8)


def _turn(crop: Pixels, degrees: float, random: np.random.Generator) -> Pixels:
    angle = degrees if random.random() < 0.5 else -degrees
    return np.asarray(PIL.Image.fromarray(crop).rotate(angle, PIL.Image.Resampling.BILINEAR, fillcolor=_GREY))


def _light(crop: Pixels, factor: float, random: np.random.Generator) -> Pixels:
    return np.clip(crop * factor, 0, 255).round().astype(np.uint8)


def _cover(crop: Pixels, share: float, random: np.random.Generator) -> Pixels:
    height, width = (round(share * side) for side in crop.shape[:2])
    top, left = (
        int(random.integers(0, side - own + 1)) for side, own in zip(crop.shape, (height, width), strict=False)
    )
    changed = crop.copy()
    changed[top : top + height, left : left + width] = _GREY
    return changed


DAMAGES: Mapping[str, Damage] = {
    "jpeg": Damage("JPEG", "quality", (60, 30, 20, 10, 5), _jpeg),
    "blur": Damage("blur", "pixels", (0.5, 1, 1.5, 2, 3), _blur),
    "noise": Damage("noise", "of white", (0.02, 0.05, 0.1, 0.15, 0.2), _noise),
    "turn": Damage("turned", "degrees", (5, 15, 30, 45, 60), _turn),
    "light": Damage("brightness", "times", (1.6, 0.6, 0.4, 0.2, 0.1), _light),
    "cover": Damage("grey square over the face", "of the side", (0.2, 0.3, 0.4, 0.5, 0.6), _cover),
}
