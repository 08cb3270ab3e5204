"""What a file is - image, audio or video - by its first bytes, and by its name only when those say nothing."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from emonet.errors import UnreadableMediaError, UsageError
from emonet.media._paths import checked_path

Kind = Literal["image", "audio", "video"]

IMAGE_SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .apng .webp .gif .bmp .dib .tif .tiff .ppm .pgm .pbm .pnm .avif .heic .heif .jp2 .j2k "
    ".tga .ico .psd .dds .qoi".split()
)
AUDIO_SUFFIXES = frozenset(
    ".wav .wave .flac .ogg .oga .opus .spx .mp2 .mp3 .aif .aiff .aifc .au .snd .caf .w64 .rf64 .m4a .m4b .aac .wma "
    ".amr .mka .weba .ac3".split()
)
VIDEO_SUFFIXES = frozenset(
    ".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .ogv .3gp .3g2 .flv .wmv .asf .ts .mts .m2ts".split()
)

_HEAD = 65_536  # bytes read from the start: the track list of a Matroska file lies within
_MOOV = 16 * 2**20  # bytes of an MP4's index that are searched for track kinds

_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", "image"),  # JPEG
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"GIF87a", "image"),
    (b"GIF89a", "image"),
    (b"II*\0", "image"),  # TIFF
    (b"MM\0*", "image"),
    (b"II+\0", "image"),  # BigTIFF
    (b"MM\0+", "image"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image"),  # JPEG 2000
    (b"\xff\x4f\xff\x51", "image"),
    (b"\0\0\x01\0", "image"),  # ICO
    (b"8BPS", "image"),  # Photoshop
    (b"DDS ", "image"),
    (b"qoif", "image"),
    (b"fLaC", "audio"),
    (b"ID3", "audio"),
    (b".snd", "audio"),  # AU
    (b"caff", "audio"),
    (b"wvpk", "audio"),  # WavPack
    (b"#!AMR", "audio"),
    (b"riff\x2e\x91\xcf\x11", "audio"),  # W64
    (b"\x0b\x77", "audio"),  # AC-3
    (b"\0\0\x01\xba", "video"),  # MPEG program stream
    (b"\0\0\x01\xb3", "video"),
)
_CLUSTER = b"\x1f\x43\xb6\x75"  # Matroska: sound and pictures start here
_CODEC = re.compile(rb"\x86[\x82-\xbf]([VA]_)")  # Matroska: a track's codec, element 0x86 and its length
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_IMAGE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"heif", b"mif1", b"msf1")


def kind_of(path: str | os.PathLike[str]) -> Kind | None:
    """ "image", "audio" or "video"; None when neither content nor name says.

    Containers that hold both (MP4, Matroska, WebM, Ogg, ASF, FLV) are videos when they have a video track. Of a file
    that cannot be opened only the name is judged: whoever reads it next says what is wrong.
    """
    try:
        with checked_path(path).open("rb") as file:
            found = _by_content(file)
    except (UnreadableMediaError, UsageError, OSError):
        found = None
    return found or _by_name(Path(path))


def needs_pyav(path: Path) -> bool:
    """Whether the first bytes are those of a container that libsndfile never reads and FFmpeg does."""
    with path.open("rb") as file:
        head = file.read(189)
    mp4 = head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide")
    starts = (b"\x1aE\xdf\xa3", _ASF, b"FLV", b"#!AMR", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"\x0b\x77", b"wvpk")
    adts = head[0:1] == b"\xff" and head[1:2] in (b"\xf0", b"\xf1", b"\xf8", b"\xf9")
    riff_video = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    return mp4 or head.startswith(starts) or adts or riff_video or _is_transport_stream(head)


def _by_name(path: Path) -> Kind | None:
    suffix = path.suffix.lower()
    kinds: tuple[tuple[frozenset[str], Kind], ...] = (
        (IMAGE_SUFFIXES, "image"), (AUDIO_SUFFIXES, "audio"), (VIDEO_SUFFIXES, "video"),
    )  # fmt: skip
    return next((kind for suffixes, kind in kinds if suffix in suffixes), None)


def _by_content(file: BinaryIO) -> Kind | None:
    head = file.read(_HEAD)
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] in (b"RIFF", b"RIFX", b"RF64"):
        forms: dict[bytes, Kind] = {b"WAVE": "audio", b"WEBP": "image", b"AVI ": "video"}
        return forms.get(head[8:12])
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "audio"
    if head[4:8] == b"ftyp":
        return _of_mp4(head, file)
    if head[4:8] in (b"moov", b"mdat", b"wide"):  # QuickTime before MP4
        return _of_tracks(file) or "video"
    if head.startswith(b"\x1aE\xdf\xa3"):  # Matroska, WebM: codec names start with V_ or A_
        codecs = set(_CODEC.findall(head.partition(_CLUSTER)[0]))
        return "audio" if b"A_" in codecs and b"V_" not in codecs else "video"
    if head.startswith(b"OggS"):
        return "video" if b"\x80theora" in head[:512] or b"BBCD\0" in head[:512] else "audio"
    if head.startswith(_ASF):
        return "video" if _ASF_VIDEO in head else "audio"
    if head.startswith(b"FLV"):
        return "video" if len(head) > 4 and head[4] & 1 else "audio"
    return _of_plain(head)


def _of_plain(head: bytes) -> Kind | None:
    """Formats whose mark is short enough to need a second look."""
    if head[:2] in (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6") and head[2:3] in b" \t\r\n#" and len(head) > 6:
        return "image"
    if head[:2] == b"BM" and len(head) > 26 and head[14] in (12, 40, 52, 56, 64, 108, 124):
        return "image"
    if _is_transport_stream(head):
        return "video"
    # MPEG audio: eleven set bits, then version, layer, bitrate and rate that are none of the reserved ones; ADTS (AAC)
    if len(head) > 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
        plain = version != 1 and layer != 0 and head[2] >> 4 != 15 and head[2] >> 2 & 3 != 3
        return "audio" if plain or head[1] & 0xF6 == 0xF0 else None
    return None


def _is_transport_stream(head: bytes) -> bool:
    """MPEG-TS: packets of 188 bytes, each starting with the same one."""
    return len(head) > 188 and head[0] == head[188] == 0x47


def _of_mp4(head: bytes, file: BinaryIO) -> Kind:
    brand = head[8:12]
    if brand in _IMAGE_BRANDS:
        return "image"
    if brand in (b"M4A ", b"M4B ", b"M4P "):
        return "audio"
    return _of_tracks(file) or "video"


def _of_tracks(file: BinaryIO) -> Kind | None:
    """By the handlers ("vide", "soun") named in an MP4's index, wherever in the file that lies; None without one."""
    for name, size in _boxes(file):
        if name == b"moov":
            index = file.read(min(size, _MOOV))
            handlers = {index[at + 12 : at + 16] for at in _positions(index, b"hdlr")}
            if b"vide" in handlers:
                return "video"
            return "audio" if b"soun" in handlers else None
    return None


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """(name, bytes of content) of an MP4's outermost boxes, the file standing at the content."""
    at, end = 0, file.seek(0, os.SEEK_END)
    while at + 8 <= end:
        file.seek(at)
        size, name = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            size, header = int.from_bytes(file.read(8), "big"), 16
        size = size or end - at
        if size < header:
            return
        yield name, size - header
        at += size


def _positions(content: bytes, mark: bytes) -> Iterator[int]:
    at = content.find(mark)
    while at >= 0:
        yield at
        at = content.find(mark, at + 1)
