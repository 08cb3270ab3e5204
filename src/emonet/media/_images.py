"""Picture files to upright RGB pixels."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from emonet.errors import MediaTooLargeError, UnreadableMediaError
from emonet.media._kinds import checked_path
from emonet.media._types import Image

MAX_PIXELS = 100_000_000
"""Larger pictures are refused before they are decoded: a small file can unpack into gigabytes."""


def decode_image(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read any picture that Pillow reads; of an animation the first frame.

    EXIF orientation is applied, transparency is laid over white, CMYK, palettes, 16-bit and floating-point greys become
    8-bit RGB. Raises `MediaTooLargeError` over `max_pixels` (width times height, read from the header) and
    `UnreadableMediaError` for a missing, empty, truncated or foreign file.
    """
    file = checked_path(path)
    with file.open("rb") as stream:
        return Image(_decode(stream, str(path), max_pixels), str(path))


def decode_image_bytes(data: bytes, source: str, *, max_pixels: int = MAX_PIXELS) -> Image:
    """The same for a picture in memory; `source` names it in errors and results."""
    return Image(_decode(io.BytesIO(data), source, max_pixels), source)


def _decode(stream: BinaryIO, source: str, max_pixels: int) -> NDArray[np.uint8]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; what matters is whether pixels come out
            with PIL.Image.open(stream) as picture:
                width, height = picture.size
                if width * height > max_pixels:
                    raise MediaTooLargeError(
                        source, f"{width} x {height} pixels, at most {max_pixels:,} are read; make it smaller first"
                    )
                picture.load()
                upright = PIL.ImageOps.exif_transpose(picture)
                return np.ascontiguousarray(np.asarray(_rgb(upright), np.uint8))
    except MediaTooLargeError:
        raise
    except PIL.UnidentifiedImageError as error:
        raise UnreadableMediaError(source, "not a picture in any format that is read here") from error
    except PIL.Image.DecompressionBombError as error:
        raise MediaTooLargeError(source, f"{error}; make it smaller first") from error
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, MemoryError) as error:
        # Pillow's decoders raise all of these for broken files.
        raise UnreadableMediaError(source, f"the picture is damaged or truncated ({error})") from error


def _rgb(picture: PIL.Image.Image) -> PIL.Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        return PIL.Image.fromarray(_eight_bit(picture)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        white = PIL.Image.new("RGBA", over.size, (255, 255, 255, 255))
        return PIL.Image.alpha_composite(white, over).convert("RGB")
    return picture.convert("RGB")


def _eight_bit(picture: PIL.Image.Image) -> NDArray[np.uint8]:
    """Deep greys to 8 bits. Whole numbers are 0..65535 unless they all fit 8 bits; floats are 0..1 unless larger."""
    values = np.nan_to_num(np.asarray(picture, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    top = float(values.max(initial=0.0))
    if picture.mode == "F":
        full = 1.0 if top <= 1.0 else 255.0 if top <= 255.0 else max(top, 65535.0)
    else:
        full = 65535.0 if picture.mode.startswith("I;16") or top > 255 else 255.0
    return np.clip(np.rint(values * (255.0 / full)), 0, 255).astype(np.uint8)
