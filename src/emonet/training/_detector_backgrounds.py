"""Pictures without a face for the face detector: generated textures and clutter, and photographs from wheels.

The photographs are the sample pictures that come inside the scikit-image and scikit-learn wheels and show no face.
They are split by picture: the detector never sees `HELD_OUT_PHOTOGRAPHS`, on which its false alarms are counted.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFilter
from numpy.typing import NDArray

from emonet import errors

TRAINING_PHOTOGRAPHS = (
    "coffee.png", "flower.jpg", "brick.png", "grass.png", "text.png", "hubble_deep_field.jpg", "ihc.png", "logo.png",
    "clock_motion.png", "moon.png", "cell.png", "color.png", "horse.png", "rocket.jpg",
)  # fmt: skip
"""Face-free pictures the detector may learn from."""

HELD_OUT_PHOTOGRAPHS = (
    "chelsea.png", "china.jpg", "motorcycle_left.png", "gravel.png", "retina.jpg", "page.png", "phantom.png",
    "microaneurysms.png", "chessboard_GRAY.png",
)  # fmt: skip
"""Face-free pictures kept for measuring (chelsea is a cat's face in close-up: the hardest of them)."""

_HINT = "Install the training extras and the sample pictures with: pip install 'emonet[torch,demo]'"


def photograph(name: str) -> NDArray[np.uint8]:
    """One sample picture, uint8 [h, w, 3]; `UsageError` when the wheel that holds it is not installed."""
    try:
        import skimage.data
        import sklearn.datasets
    except ModuleNotFoundError as error:
        raise errors.UsageError(f"The face detector's backgrounds need the package {error.name!r}. {_HINT}.") from error
    for folder in (
        Path(skimage.data.__file__).parent,
        Path(sklearn.datasets.__file__).parent / "images",
    ):
        if (folder / name).is_file():
            return np.asarray(PIL.Image.open(folder / name).convert("RGB"))
    raise errors.UsageError(
        f"The sample picture {name!r} is in neither scikit-image's nor scikit-learn's wheel. {_HINT}."
    )


def grey_photographs(names: tuple[str, ...]) -> list[NDArray[np.uint8]]:
    """The named sample pictures as luma, uint8 [h, w]."""
    return [np.asarray(PIL.Image.fromarray(photograph(name)).convert("L")) for name in names]


def photograph_crop(
    photographs: list[NDArray[np.uint8]], side: int, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """A random rotated, scaled or mirrored part of a random photograph, uint8 [side, side]."""
    source = photographs[generator.integers(len(photographs))]
    source = np.rot90(source, int(generator.integers(4))) if generator.random() < 0.5 else source
    height, width = source.shape
    part = int(min(height, width, side * np.exp(generator.uniform(np.log(0.4), np.log(4.0)))))
    top, left = generator.integers(height - part + 1), generator.integers(width - part + 1)
    picture = PIL.Image.fromarray(np.ascontiguousarray(source[top : top + part, left : left + part]))
    crop = np.asarray(picture.resize((side, side), PIL.Image.Resampling.BILINEAR))
    return crop[:, ::-1] if generator.random() < 0.5 else crop


def generated(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """One generated face-free picture of a random kind, uint8 [side, side]."""
    kind = generator.choice(len(_KINDS))
    return _stretch(_KINDS[kind](side, generator), generator)


def _stretch(values: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Any values to a random part of the grey scale."""
    low, high = np.sort(generator.uniform(0, 255, 2))
    if high - low < 25:
        low, high = max(0.0, low - 40), min(255.0, high + 40)
    span = np.ptp(values)
    unit = (values - values.min()) / (span if span else 1.0)
    return (low + unit * (high - low)).astype(np.uint8)


def _fractal(side: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """1/f^a noise: the spectrum of natural pictures (a about 1) and smoother or rougher ones."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = 1.0
    slope = generator.uniform(0.5, 2.5)
    stretch = generator.uniform(0.3, 3)  # elongated structures such as fur, wood and cloth
    frequency = np.hypot(np.fft.fftfreq(side)[:, None] * stretch, np.fft.rfftfreq(side)[None, :] / stretch)
    frequency[0, 0] = 1.0
    spectrum = generator.standard_normal(frequency.shape) + 1j * generator.standard_normal(frequency.shape)
    return np.fft.irfft2(spectrum / frequency**slope, s=(side, side))


def _gradient(side: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """A linear slope with a little noise: walls, sky, studio backdrops."""
    angle = generator.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:side, :side] / side
    return np.cos(angle) * rows + np.sin(angle) * columns + generator.normal(0, generator.uniform(0, 0.1), (side, side))


def _stripes(side: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """One or two crossed gratings: blinds, fences, shirts, keyboards."""
    rows, columns = np.mgrid[:side, :side]
    total = np.zeros((side, side))
    for _ in range(generator.integers(1, 3)):
        angle, period = generator.uniform(0, np.pi), generator.uniform(4, 50)
        wave = np.sin(2 * np.pi * (np.cos(angle) * rows + np.sin(angle) * columns) / period)
        total += np.sign(wave) if generator.random() < 0.5 else wave
    return total + generator.normal(0, 0.1, (side, side))


def _shapes(side: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Many overlapping boxes, ellipses, lines and polygons: rooms, streets, furniture; some with two dark spots."""
    picture = PIL.Image.new("L", (side, side), int(generator.integers(256)))
    draw = PIL.ImageDraw.Draw(picture)
    for _ in range(generator.integers(5, 60)):
        shade = int(generator.integers(256))
        extent = side * np.exp(generator.uniform(np.log(0.03), np.log(0.6)))
        x, y = generator.uniform(-0.1, 1.0, 2) * side
        x1, y1 = x + extent * generator.uniform(0.3, 1), y + extent * generator.uniform(0.3, 1.2)
        match generator.integers(5):
            case 0:
                draw.rectangle((x, y, x1, y1), fill=shade)
            case 1:
                draw.ellipse((x, y, x1, y1), fill=shade)
            case 2:
                draw.line((x, y, x1, y1), fill=shade, width=int(generator.integers(1, 6)))
            case 3:
                points = generator.uniform(-0.5, 0.5, (int(generator.integers(3, 7)), 2)) * extent + (x, y)
                draw.polygon([(float(px), float(py)) for px, py in points], fill=shade)
            case _:
                draw.ellipse((x, y, x1, y1), fill=shade)
                for _ in range(generator.integers(1, 6)):  # an oval with spots is not yet a face
                    sx, sy = generator.uniform(x, x1), generator.uniform(y, y1)
                    r = extent * generator.uniform(0.03, 0.12)
                    draw.ellipse((sx - r, sy - r, sx + r, sy + r), fill=int(generator.integers(256)))
    if generator.random() < 0.7:
        picture = picture.filter(PIL.ImageFilter.GaussianBlur(float(generator.uniform(0.3, 3))))
    return np.asarray(picture, np.float64) + generator.normal(0, generator.uniform(0, 12), (side, side))


def _writing(side: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Lines of short strokes: text, labels, screens."""
    picture = PIL.Image.new("L", (side, side), 230)
    draw = PIL.ImageDraw.Draw(picture)
    size = generator.uniform(5, 30)
    for y in np.arange(0, side, size * 1.5):
        x = generator.uniform(0, size * 4)
        while x < side:
            if generator.random() < 0.85:
                for _ in range(generator.integers(1, 4)):
                    ends = generator.uniform(0, size, 4) * (0.6, 1, 0.6, 1) + (x, y, x, y)
                    draw.line([float(v) for v in ends], fill=20, width=max(1, int(size / 8)))
            x += size * 0.7
    return np.asarray(picture, np.float64)


def _mosaic(side: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Cells around random points, flat or shaded: foliage, pebbles, crowds of things."""
    count = int(generator.integers(8, 120))
    points = generator.uniform(0, side, (count, 2))
    rows, columns = np.mgrid[:side:2, :side:2]
    squared = (rows[..., None] - points[:, 0]) ** 2 + (columns[..., None] - points[:, 1]) ** 2
    cells = (
        generator.uniform(0, 1, count)[squared.argmin(-1)]
        - generator.uniform(0, 1) * np.sqrt(squared.min(-1)) / side * 4
    )
    picture = PIL.Image.fromarray(cells.astype(np.float32)).resize((side, side), PIL.Image.Resampling.BILINEAR)
    return np.asarray(picture, np.float64)


def _mixture(side: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Two kinds, one showing through a mask of the other's size: objects before a background."""
    first, second = (_KINDS[generator.choice(len(_KINDS) - 1)](side, generator) for _ in range(2))
    mask = _fractal(side, generator) > 0
    first, second = (values / (np.ptp(values) or 1.0) for values in (first, second))
    return np.where(mask, first, second + generator.uniform(-0.5, 0.5))


_KINDS = (_fractal, _fractal, _gradient, _stripes, _shapes, _shapes, _shapes, _writing, _mosaic, _mixture)
