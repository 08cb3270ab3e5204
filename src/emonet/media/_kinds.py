"""What a file is: by its first bytes, then by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from emonet.errors import UnreadableMediaError, UsageError

Kind = Literal["image", "audio", "video"]

_BY_NAME: dict[str, Kind] = {
    **dict.fromkeys(
        "jpg jpeg jpe jfif png gif bmp tif tiff webp ppm pgm pbm pnm ico tga avif heic jp2".split(), "image"
    ),
    **dict.fromkeys(
        "wav flac mp3 ogg oga opus aif aiff aifc au caf w64 rf64 m4a aac wma amr mka weba".split(), "audio"
    ),
    **dict.fromkeys("mp4 m4v mov mkv webm avi mpg mpeg ts mts ogv wmv flv 3gp".split(), "video"),
}
_HEAD = 64
_EBML = b"\x1a\x45\xdf\xa3"


def kind_of(path: str | Path) -> Kind | None:
    """`image`, `audio` or `video`, or None for anything else.

    The first bytes decide; containers that hold either sound or pictures (mp4, webm, ogg) are then told apart by the
    name. A file that cannot be opened is judged by its name, so that the reader can say what is wrong with it.
    """
    named = _BY_NAME.get(Path(path).suffix.lower().removeprefix("."))
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError:
        return named
    return _by_content(head, named) or named


def _by_content(head: bytes, named: Kind | None) -> Kind | None:
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] in (b"WAVE", b"WEBP", b"AVI "):
        return {b"WAVE": "audio", b"WEBP": "image", b"AVI ": "video"}[head[8:12]]  # type: ignore[return-value]
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")):
        return "image"
    if head.startswith((b"fLaC", b"ID3", b"caff", b".snd", b"FORM")) or head[:2] in (
        b"\xff\xfb",
        b"\xff\xf3",
        b"\xff\xf2",
    ):
        return "audio"
    if head[4:8] == b"ftyp":
        if head[8:12] in (b"avif", b"avis", b"heic", b"heix", b"mif1"):
            return "image"
        return "audio" if head[8:11] in (b"M4A", b"M4B") or named == "audio" else "video"
    if head.startswith(b"OggS"):
        return "video" if named == "video" or b"theora" in head else "audio"
    if head.startswith(_EBML):
        return "audio" if named == "audio" else "video"
    return None


def checked_path(path: str | Path) -> Path:
    """The path of a readable file with content, or the error that says what is wrong with it."""
    text = str(path)
    if "://" in text:
        raise UsageError(f"{text}: addresses are not read; download the file first and give its path")
    file = Path(path)
    if file.is_dir():
        raise UnreadableMediaError(text, "is a folder, expected a file")
    try:
        with file.open("rb") as stream:
            empty = not stream.read(1)
    except FileNotFoundError as error:
        raise UnreadableMediaError(text, "no such file") from error
    except OSError as error:
        raise UnreadableMediaError(text, f"cannot be opened ({error.strerror or error})") from error
    if empty:
        raise UnreadableMediaError(text, "is empty (0 bytes)")
    return file
