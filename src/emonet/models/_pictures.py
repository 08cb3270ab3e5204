"""From a picture to the network's input, the same code in training and at run time."""

from __future__ import annotations

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from emonet.models._card import ImagePreprocessing

_FILTERS = {
    "bilinear": PIL.Image.Resampling.BILINEAR,
    "bicubic": PIL.Image.Resampling.BICUBIC,
    "lanczos": PIL.Image.Resampling.LANCZOS,
}


def network_input(pixels: NDArray[np.uint8], spec: ImagePreprocessing) -> NDArray[np.float32]:
    """uint8 [h, w, 3] RGB → float32 [channels, height, width], as `spec` says."""
    picture = PIL.Image.fromarray(pixels)
    if spec.channels == 1:
        picture = picture.convert("L")
    if picture.size != (spec.width, spec.height):
        picture = picture.resize((spec.width, spec.height), _FILTERS[spec.resample])
    scaled = np.asarray(picture, np.float32).reshape(spec.height, spec.width, spec.channels) / np.float32(255)
    values = (scaled - np.asarray(spec.mean, np.float32)) / np.asarray(spec.std, np.float32)
    return np.ascontiguousarray(values.transpose(2, 0, 1), np.float32)


def square_crop(
    pixels: NDArray[np.uint8], box: tuple[float, float, float, float], *, margin: float
) -> NDArray[np.uint8]:
    """Square around `box` (left, top, right, bottom in pixels), widened by `margin` of its longer side on each side.

    Where the square leaves the picture the border pixels are repeated. Returns uint8 [side, side, 3].
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = box
    side = max(1, round(max(right - left, bottom - top) * (1 + 2 * margin)))
    x0 = round((left + right - side) / 2)
    y0 = round((top + bottom - side) / 2)
    if x0 >= 0 and y0 >= 0 and x0 + side <= width and y0 + side <= height:  # a slice, no gather
        return np.ascontiguousarray(pixels[y0 : y0 + side, x0 : x0 + side])
    rows = np.clip(np.arange(y0, y0 + side), 0, height - 1)
    columns = np.clip(np.arange(x0, x0 + side), 0, width - 1)
    return np.ascontiguousarray(pixels[rows[:, None], columns[None, :]])
