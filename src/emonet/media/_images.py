"""Pictures to upright 8-bit RGB, whatever their mode, depth, transparency or orientation."""

from __future__ import annotations

import os

import numpy as np
import PIL.Image
import PIL.ImageCms
import PIL.ImageOps
from numpy.typing import NDArray

from emonet.errors import MediaError, MediaTooLargeError, UnreadableMediaError
from emonet.media._paths import checked_path
from emonet.media._types import Image

MAX_PIXELS = 100_000_000
"""Largest picture that is decoded unless the caller says otherwise (300 MB as RGB)."""


_ORIENTATION = 0x0112  # tag in EXIF; 1 is upright


def decode_image(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Image:
    """The picture in `path` as uint8 [height, width, 3] RGB, upright.

    Reads what Pillow reads. EXIF orientation is applied; transparency is laid over white; 16-bit grey is scaled, not
    clipped; 32-bit grey and float pictures are scaled by their range (see `_deep`); of animations and multi-page files
    the first picture is taken. Colour profiles are ignored.
    Raises `MediaTooLargeError` for more than `max_pixels`, judged by the header before anything is decoded, and
    `UnreadableMediaError` for a missing, empty, truncated or damaged file and for what is no picture.
    """
    checked = checked_path(path)
    source = str(checked)
    try:
        with PIL.Image.open(checked) as picture:
            width, height = picture.size
            if width * height > max_pixels:
                raise MediaTooLargeError(
                    source,
                    f"{width} x {height} is more than {max_pixels:,} pixels; reduce it, or raise max_pixels if the "
                    "file is trusted",
                )
            pixels = _rgb(_upright(picture))
    except MediaError:
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        reason = f"{error}; reduce it, or raise PIL.Image.MAX_IMAGE_PIXELS and max_pixels if the file is trusted"
        raise MediaTooLargeError(source, reason) from error
    except PIL.UnidentifiedImageError as error:
        hint = "; HEIC is not read, convert it to JPEG" if checked.suffix.lower() in (".heic", ".heif") else ""
        raise UnreadableMediaError(source, f"not a picture that Pillow reads{hint}") from error
    except Exception as error:  # Pillow's readers raise a dozen unrelated types on damaged files
        raise UnreadableMediaError(source, f"truncated or damaged picture ({error})") from error
    return Image(pixels, source)


def _upright(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Decoded and turned as EXIF says; damaged EXIF turns nothing."""
    picture.load()
    try:
        if picture.getexif().get(_ORIENTATION, 1) == 1:
            return picture  # Pillow would copy it
        return PIL.ImageOps.exif_transpose(picture)
    except Exception:  # the pixels are sound, only the remark on orientation is not
        return picture


def _rgb(picture: PIL.Image.Image) -> NDArray[np.uint8]:
    """Uint8 [h, w, 3] of a picture in any mode."""
    mode = picture.mode
    if mode in ("I", "F") or mode.startswith("I;16"):
        grey = _deep(picture)
        return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))
    if mode == "LAB":
        lab, rgb = PIL.ImageCms.createProfile("LAB"), PIL.ImageCms.createProfile("sRGB")
        converted = PIL.ImageCms.profileToProfile(picture, lab, rgb, outputMode="RGB")
        picture = converted if converted is not None else picture
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        if mode == "La":
            picture = picture.convert("LA")
        layer = picture.convert("RGBA")
        white = PIL.Image.new("RGBA", layer.size, (255, 255, 255, 255))
        picture = PIL.Image.alpha_composite(white, layer)
    return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"), np.uint8)


def _deep(picture: PIL.Image.Image) -> NDArray[np.uint8]:
    """Uint8 [h, w] of 16-bit, 32-bit and float grey.

    16 bits: 0..65535 becomes 0..255, also where Pillow holds them in 32 bits. Float: 0..1 becomes 0..255, 0..255 stays.
    Anything beyond is stretched from its smallest to its largest value, for lack of a stated range.
    """
    values = np.asarray(picture)
    if not np.isfinite(values).all():
        raise ValueError("it holds NaN or infinite values")
    values = values.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if picture.mode == "F":
        scale = 255.0 if high <= 1 else 1.0
        known = low >= 0 and high <= 255
    else:
        scale = 255 / 65535
        known = low >= 0 and high <= 65535
    if not known:
        values, scale = values - low, 255 / (high - low) if high > low else 0.0
    return np.floor(values * scale + 0.5).astype(np.uint8)
