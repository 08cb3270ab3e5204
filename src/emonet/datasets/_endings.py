"""The usual ending of an encoded file, by its first bytes."""

from __future__ import annotations

_STARTS = {
    b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"GIF8": ".gif", b"BM": ".bmp", b"fLaC": ".flac", b"OggS": ".ogg",
    b"ID3": ".mp3", b"\xff\xfb": ".mp3", b"\xff\xf3": ".mp3",
}  # fmt: skip


def ending_of(content: bytes) -> str:
    """The ending with its dot, empty when the bytes are of no known kind."""
    if content[:4] == b"RIFF":
        return ".webp" if content[8:12] == b"WEBP" else ".wav"
    if content[4:8] == b"ftyp":
        return ".m4a" if content[8:11] == b"M4A" else ".mp4"
    return next((ending for start, ending in _STARTS.items() if content.startswith(start)), "")
