"""The items' files, by opaque id alone, and the waveform of recordings."""

from __future__ import annotations

import hashlib
import math
import mimetypes
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Request
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from emonet.annotation.store import find_item
from emonet.annotation.web._deps import CurrentWeb, Web
from emonet.errors import MediaError
from emonet.media import AUDIO_SUFFIXES, VIDEO_SUFFIXES, open_audio

router = APIRouter()
PEAKS = 400
"""Points of a waveform; a phone shows about 90 bars, a desktop 210."""

ItemId = Annotated[str, PathParameter(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
_FOR_EVER = "private, max-age=604800, immutable"
_TYPES = {".opus": "audio/ogg", ".oga": "audio/ogg", ".ogg": "audio/ogg", ".m4a": "audio/mp4", ".webp": "image/webp",
          ".flac": "audio/flac", ".wav": "audio/wav", ".mp3": "audio/mpeg", ".webm": "video/webm"}  # fmt: skip
_SMALL = 2**20  # bytes; larger files are sent in pieces
_SHOWN = ("image/", "audio/", "video/")


class Peaks(BaseModel):
    """`peaks`: loudest sample in each of equal stretches of the recording, 0 to 100."""

    duration_s: float
    peaks: list[int] = Field(max_length=PEAKS)


@router.get("/media/{item}", response_class=Response, responses={404: {"description": "no such item"}})
def media(item: ItemId, request: Request, web: CurrentWeb) -> Response:
    """The file of an item. Answers range requests and, when the browser has it already, 304."""
    path = _file(web, item)
    stat = path.stat()
    tag = f'"{hashlib.sha256(f"{item}-{stat.st_mtime_ns}-{stat.st_size}".encode()).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": _FOR_EVER}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    # SVG and HTML would run scripts in our name; whatever is not plainly media is only offered for download.
    kind = _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or ""
    if not kind.startswith(_SHOWN) or kind == "image/svg+xml":
        kind = "application/octet-stream"
    if "range" not in request.headers and stat.st_size <= _SMALL:
        # This thread reads it in one go; handing pieces to the event loop would cost three times as much.
        return Response(path.read_bytes(), media_type=kind, headers={**headers, "Accept-Ranges": "bytes"})
    return FileResponse(path, headers=headers, media_type=kind, stat_result=stat)


@router.get("/api/items/{item}/peaks", responses={404: {"description": "no such item, or no sound in it"}})
def peaks(item: ItemId, response: Response, web: CurrentWeb) -> Peaks:
    """The waveform of a recording, coarse enough to draw."""
    path = _file(web, item)
    if item_kind(path.name) != "audio":
        raise HTTPException(404, "This item is not a recording.")
    try:
        found = waveform(path, path.stat().st_mtime_ns)
    except MediaError as error:
        raise HTTPException(404, f"The recording cannot be read: {error.reason}") from error
    response.headers["Cache-Control"] = _FOR_EVER
    return found


@lru_cache(maxsize=4096)
def waveform(path: Path, changed: int) -> Peaks:
    """Peaks of a recording of any length, in bounded memory. `changed`: the file's time, so that a new file of the
    same name is read again."""
    with open_audio(path) as stream:
        # Peaks of 10 ms first, as the length of some files is known only at their end.
        fine, kept = [], np.empty(0, np.float32)
        total = 0
        for block in stream.blocks(10.0):
            total += len(block)
            kept = np.concatenate([kept, np.abs(block)])
            whole = len(kept) // 160 * 160
            fine.append(kept[:whole].reshape(-1, 160).max(axis=1))
            kept = kept[whole:]
        if len(kept):
            fine.append(kept.max(keepdims=True))
    loud = np.concatenate(fine)  # [stretches of 10 ms]
    edges = np.linspace(0, len(loud), min(PEAKS, len(loud)) + 1).astype(int)
    coarse = np.maximum.reduceat(loud, edges[:-1])
    levels = [min(100, math.ceil(100 * float(value))) for value in coarse]
    return Peaks(duration_s=round(total / 16000, 3), peaks=levels)


def item_kind(media_path: str) -> Literal["image", "audio", "video"]:
    """How an item is shown, by its file's name: nothing is opened for it."""
    suffix = Path(media_path).suffix.lower()
    return "audio" if suffix in AUDIO_SUFFIXES else "video" if suffix in VIDEO_SUFFIXES else "image"


def _file(web: Web, item: str) -> Path:
    """The item's file, which must lie below the project's media folder also after links are followed."""
    known = find_item(web.store, item)
    if known is None:
        raise HTTPException(404, "There is no such item.")
    path = (web.media / known.media).resolve()
    if not path.is_relative_to(web.media) or not path.is_file():
        raise HTTPException(404, "The file of this item is missing.")
    return path
