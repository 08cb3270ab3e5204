"""An item's file as it is sent to a service: in a format that the service reads, without what it need not know."""

from __future__ import annotations

import hashlib
import io
import tempfile
import wave
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emonet.errors import MediaError, UnreadableMediaError
from emonet.media import SAMPLE_RATE, decode_image, kind_of, read_audio

_STARTS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mp3"),
)
IMAGES = ("image/jpeg", "image/png", "image/webp")
"""What every service reads."""
JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True)
class Part:
    """`mime`: e.g. "image/jpeg" or "audio/wav". `seconds`: length of a recording where it is known."""

    data: bytes
    mime: str
    seconds: float | None = None


def content_hash(data: bytes) -> str:
    """SHA-256 of a file as hexadecimal text."""
    return hashlib.sha256(data).hexdigest()


def image_part(data: bytes, item: str, *, accepted: Collection[str] = IMAGES, max_side: int | None = None) -> Part:
    """A picture without EXIF data, upright, its longer side at most `max_side` pixels.

    The file is sent as it is when nothing has to be changed; otherwise it is encoded again, as JPEG where that is
    accepted and the file was one, else as PNG. Raises `MediaError` when it cannot be read.
    """
    from PIL import Image

    mime = _mime(data)
    try:
        with Image.open(io.BytesIO(data)) as picture:
            plain = mime in accepted and not picture.getexif() and (max_side is None or max(picture.size) <= max_side)
    except Exception:  # decode_image says what is wrong, in plain words
        plain = False
    if plain:
        return Part(data, mime)
    shown = Image.fromarray(_decoded_image(data, item))
    if max_side is not None and max(shown.size) > max_side:
        shown.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    if "image/png" not in accepted or (mime == "image/jpeg" and "image/jpeg" in accepted):
        shown.save(out, "JPEG", quality=JPEG_QUALITY)
        return Part(out.getvalue(), "image/jpeg")
    shown.save(out, "PNG")
    return Part(out.getvalue(), "image/png")


def audio_part(data: bytes, item: str, *, accepted: Collection[str] = ("audio/wav", "audio/mp3")) -> Part:
    """A recording as it is when its format is accepted, otherwise as 16-bit WAV, 16 kHz mono.

    `accepted` without "audio/wav" still gets WAV when the file is of another format; "audio/wav;rate=16000" accepts no
    file as it is. Raises `MediaError` when it cannot be read.
    """
    mime = _mime(data)
    if mime in accepted:
        return Part(data, mime, _wav_seconds(data) if mime == "audio/wav" else None)
    samples = _decoded_audio(data, item)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tobytes())
    return Part(out.getvalue(), "audio/wav", len(samples) / SAMPLE_RATE)


def saved(data: bytes, folder: Path, name: str = "media") -> Path:
    """The bytes as a file whose ending tells what they are, for readers that take paths."""
    path = folder / f"{name}{_suffix(data)}"
    path.write_bytes(data)
    return path


def _decoded_image(data: bytes, item: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return decode_image(saved(data, Path(folder))).pixels
        except MediaError as error:
            raise UnreadableMediaError(item, error.reason) from error


def _decoded_audio(data: bytes, item: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    with tempfile.TemporaryDirectory() as folder:
        path = saved(data, Path(folder))
        if kind_of(path) == "image":
            raise UnreadableMediaError(item, "is a picture; expected a recording")
        try:
            return read_audio(path).samples
        except MediaError as error:
            raise UnreadableMediaError(item, error.reason) from error


def _mime(data: bytes) -> str:
    if data[:4] == b"RIFF":
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp"}.get(data[8:12], "")
    for start, mime in _STARTS:
        if data.startswith(start):
            return mime
    # MPEG audio layer III without a tag: eleven set bits, layer bits 01
    if len(data) > 2 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2:
        return "audio/mp3"
    return ""


def _suffix(data: bytes) -> str:
    kind = _mime(data).partition("/")[2]
    return f".{kind}" if kind else ""


def _wav_seconds(data: bytes) -> float | None:
    try:
        with wave.open(io.BytesIO(data)) as file:
            return float(file.getnframes() / file.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError):  # a WAV of floats, which the services judge for themselves
        return None
