"""Uploads on their way to a decoder: checked, in a folder of their own that is always removed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import PIL.Image

from emonet.errors import MediaError, MediaTooLargeError
from emonet.media import Kind, kind_of
from emonet.serve._problems import Problem, media_problem
from emonet.serve._settings import Limits

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a request. `name`: its last part as the client gave it, for the reply alone; never opened."""

    name: str
    content: bytes


def shown_name(given: str | None) -> str:
    """The last part of a client's file name without control characters; "upload" when nothing is left."""
    last = (given or "").replace("\\", "/").rsplit("/", 1)[-1]
    return _CONTROL.sub("", last)[:200].strip(". ") or "upload"


@contextmanager
def on_disk(upload: Upload) -> Iterator[Path]:
    """The upload in a temporary file, which decoders need; removed at the end whatever happens.

    Nothing of the client's name is kept, not even its ending: what a file is, its first bytes say. A playlist or a
    script of file names, which a decoder would believe for its ending, so is nothing at all.
    """
    with tempfile.TemporaryDirectory(prefix="emonet-serve-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "upload"
        path.write_bytes(upload.content)
        yield path


def checked_kind(path: Path, name: str, limits: Limits) -> Kind:
    """What the file is. `Problem` 415 for none of the kinds, 413 beyond the limits that its header shows, 422 when
    empty."""
    if not path.stat().st_size:
        raise Problem("unreadable", f"{name}: the file is empty (0 bytes)")
    kind = kind_of(path)
    if kind is None:
        raise Problem("unknown_media", f"{name}: not an image, audio or video file that emonet knows")
    try:
        if kind == "image":
            _refuse_large_picture(path, limits)
        elif kind == "audio":
            _refuse_long_recording(path, limits)
        else:
            _refuse_large_video(path, limits)
    except MediaError as error:
        raise media_problem(error, name) from error
    return kind


def _refuse_large_picture(path: Path, limits: Limits) -> None:
    try:
        with PIL.Image.open(path) as picture:
            width, height = picture.size
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise MediaTooLargeError(str(path), f"more than {limits.max_pixels:,} pixels") from error
    except Exception:
        return  # the decoder will say what is wrong
    if width * height > limits.max_pixels:
        raise MediaTooLargeError(str(path), f"{width} x {height} is more than {limits.max_pixels:,} pixels")


def _refuse_long_recording(path: Path, limits: Limits) -> None:
    from emonet.media import open_audio

    with open_audio(path) as stream:
        seconds = stream.duration_s
    if seconds is not None and seconds > limits.max_duration_s:
        raise MediaTooLargeError(str(path), f"{seconds:.0f} s is longer than {limits.max_duration_s:g} s")


def _refuse_large_video(path: Path, limits: Limits) -> None:
    import av

    try:
        with av.open(str(path)) as container:
            seconds = (container.duration or 0) / 1_000_000
            pixels = max(((s.width or 0) * (s.height or 0) for s in container.streams.video), default=0)
    except Exception:
        return
    if seconds > limits.max_duration_s:
        raise MediaTooLargeError(str(path), f"{seconds:.0f} s is longer than {limits.max_duration_s:g} s")
    if pixels > limits.max_pixels:
        raise MediaTooLargeError(str(path), f"a frame has {pixels:,} pixels, more than {limits.max_pixels:,}")
