"""Downloads of the project's data, made at the moment they are asked for."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response, StreamingResponse

from emonet.annotation._standing import formats_of
from emonet.annotation.accounts import record
from emonet.annotation.store import export
from emonet.annotation.web._deps import CurrentPerson, CurrentWeb
from emonet.annotation.web._lead_page import desk_page
from emonet.annotation.web._lead_state import state_of

router = APIRouter()
_BLOCK = 1 << 20
_FILES = (
    ("ratings.parquet", "parquet", "Ratings, Parquet", "One row an answer: item, rater, emotion, value, stage, time."),
    ("ratings.csv", "csv", "Ratings, CSV", "The same rows as text."),
    ("binary.csv", "binary.csv", "EmoNet-Face Binary layout", "As the published binary.csv."),
    ("hq.csv", "hq.csv", "EmoNet-Face HQ layout", "As the published hq.csv."),
    ("events.jsonl", "jsonl", "All events", "Every rating, undo, correction and adjudication, as it came."),
)
"""Name of the download, the store's format, title, explanation."""


@router.get("/lead/export")
def export_page(request: Request, web: CurrentWeb) -> Response:
    """What can be downloaded."""
    files = [
        {"name": name, "title": title, "text": text}
        for name, form, title, text in _FILES
        if form in formats_of(web.protocol)
    ]
    return desk_page(request, "export", state_of(request), {"files": files})


@router.get("/lead/export/{name}")
def download(web: CurrentWeb, person: CurrentPerson, name: str) -> Response:
    """One file; several of one format come as a zip. The log says who took it."""
    form = next((form for known, form, _, _ in _FILES if known == name), None)
    if form is None or form not in formats_of(web.protocol):
        raise HTTPException(404, "There is no such export.")
    with tempfile.TemporaryDirectory(prefix="emonet-export-") as folder:
        export(web.store, Path(folder), formats=(form,))
        found = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        if len(found) > 1:
            name, path = f"{name}.zip", Path(folder, "all.zip")
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
                for one in found:
                    packed.write(one, one.relative_to(folder).as_posix())
            found = [path]
        handle = found[0].open("rb")  # stays readable after the folder is gone
        size = found[0].stat().st_size
    with web.store.writing() as connection:
        record(connection, "exported", person=person.id, target=name)

    def blocks() -> Iterator[bytes]:
        with handle:
            while block := handle.read(_BLOCK):
                yield block

    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(size),
        "Cache-Control": "no-store",
    }
    return StreamingResponse(blocks(), media_type="application/octet-stream", headers=headers)
