"""Pictures: every mode, orientation, depth; limits and broken files."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from emonet.errors import MediaTooLargeError, UnreadableMediaError
from emonet.media import decode_image


def _picture(width: int = 40, height: int = 30) -> PIL.Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 255 // width, y * 255 // height, np.full_like(x, 90)], axis=2)
    return PIL.Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.gif", "a.tif", "a.webp", "a.ppm"])
def test_common_formats(tmp_path: Path, name: str) -> None:
    """The picture that was written comes back, as near as the format allows."""
    _picture().save(tmp_path / name)
    image = decode_image(tmp_path / name)
    assert image.pixels.shape == (30, 40, 3)
    assert image.pixels.dtype == np.uint8
    assert np.abs(image.pixels.astype(int) - np.asarray(_picture()).astype(int)).mean() < 12


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    """Mean brightness survives the way from each mode to 8-bit RGB."""
    grey = np.asarray(_picture().convert("L"))
    if mode == "I;16":
        picture, expected = PIL.Image.fromarray(grey.astype(np.uint16) * 257), grey
    elif mode == "F":
        picture, expected = PIL.Image.fromarray((grey / 255).astype(np.float32)), grey
    else:
        picture = _picture().convert(mode)
        expected = np.asarray(picture.convert("RGB"))
    picture.save(tmp_path / "a.tif")
    assert decode_image(tmp_path / "a.tif").pixels.mean() == pytest.approx(expected.mean(), abs=1.5)


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    """A transparent pixel is white, not black."""
    PIL.Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert (decode_image(tmp_path / "a.png").pixels == 255).all()


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    """Half of full scale in 16 bits is half in 8 bits, also in the 32-bit mode that PGM is opened in."""
    half = np.full((3, 5), 32_768, np.uint16)
    PIL.Image.fromarray(half).save(tmp_path / "a.png")
    PIL.Image.fromarray(half).save(tmp_path / "a.pgm")
    PIL.Image.fromarray(half.astype(np.int32) * 1_000).save(tmp_path / "wide.tif")
    for name in ("a.png", "a.pgm"):
        assert set(decode_image(tmp_path / name).pixels.ravel()) == {128}
    assert decode_image(tmp_path / "wide.tif").pixels.shape == (3, 5, 3)


def test_float_pictures(tmp_path: Path) -> None:
    """0..1 fills the scale, 0..255 stays, any other range is stretched, NaN is refused."""
    for values, expected in (
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0, 100, 255], [0, 100, 255]),
        ([-5, 0, 5], [0, 128, 255]),
    ):
        PIL.Image.fromarray(np.array([values], np.float32)).save(tmp_path / "a.tif")
        assert decode_image(tmp_path / "a.tif").pixels[0, :, 0].tolist() == expected
    PIL.Image.fromarray(np.array([[np.nan, 1]], np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(UnreadableMediaError, match="NaN"):
        decode_image(tmp_path / "nan.tif")


def test_lab_and_palette_transparency(tmp_path: Path) -> None:
    """A LAB picture is converted by colour; a palette's transparent entry becomes white."""
    PIL.Image.new("LAB", (2, 2), (0, 128, 128)).save(tmp_path / "a.tif")
    assert decode_image(tmp_path / "a.tif").pixels.max() < 10
    palette = PIL.Image.new("P", (2, 2), 3)
    palette.putpalette([10, 20, 30] * 256)
    palette.save(tmp_path / "a.gif", transparency=3)
    assert (decode_image(tmp_path / "a.gif").pixels == 255).all()


def test_animations_give_their_first_picture(tmp_path: Path) -> None:
    """Of an animated GIF the first frame is taken."""
    frames = [PIL.Image.new("RGB", (6, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert decode_image(tmp_path / "a.gif").pixels[0, 0].tolist() == [255, 0, 0]


def test_one_pixel_and_damaged_exif(tmp_path: Path) -> None:
    """The smallest picture is fine, and nonsense where EXIF should be turns nothing."""
    PIL.Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "a.png", exif=b"Exif\0\0no tiff header here")
    assert decode_image(tmp_path / "a.png").pixels.tolist() == [[[1, 2, 3]]]


def test_orientation_is_applied(tmp_path: Path) -> None:
    """A portrait stored on its side comes out upright."""
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    _picture(40, 30).save(tmp_path / "a.jpg", exif=exif)
    assert decode_image(tmp_path / "a.jpg").pixels.shape == (40, 30, 3)


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    """A few bytes that claim 400 million pixels are refused from the header."""
    header = b"\x89PNG\r\n\x1a\n"
    body = (20_000).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    chunk = len(body).to_bytes(4, "big") + b"IHDR" + body + zlib.crc32(b"IHDR" + body).to_bytes(4, "big")
    data = b"\0\0\0\0IDAT" + zlib.crc32(b"IDAT").to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(header + chunk + data)
    with pytest.raises(MediaTooLargeError, match=r"bomb\.png"):
        decode_image(tmp_path / "bomb.png")
    _picture().save(tmp_path / "small.png")
    with pytest.raises(MediaTooLargeError, match="more than 100 pixels"):
        decode_image(tmp_path / "small.png", max_pixels=100)


def test_broken_pictures_say_what_is_wrong(tmp_path: Path) -> None:
    """Empty, foreign and truncated files raise one typed error that names the file."""
    _picture(200, 200).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:900])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("no picture")
    for name, reason in {"cut.jpg": "truncated", "empty.png": "empty", "text.png": "not a picture"}.items():
        with pytest.raises(UnreadableMediaError, match=reason) as caught:
            decode_image(tmp_path / name)
        assert name in str(caught.value)
