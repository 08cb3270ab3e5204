"""Downloads of the project's data, made at the moment they are asked for."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response, StreamingResponse

from emonet.annotation._status import formats_of
from emonet.annotation.accounts import record
from emonet.annotation.store import export
from emonet.annotation.web._deps import CurrentPerson, CurrentWeb
from emonet.annotation.web._lead_page import desk_page
from emonet.annotation.web._lead_state import state_of

router = APIRouter()
_BLOCK = 1 << 20
_FILES = (
    ("rated.zip", "parquet", "Rated set", "Parquet folder that emonet.datasets.read_rated and the benchmark read."),
    ("tables.zip", "csv", "Tables", "CSV: every answer, the items, and what each unit came to with leads' words."),
    ("binary.csv", "binary.csv", "EmoNet-Face Binary layout", "Columns of the published binary.csv."),
    ("hq.csv", "hq.csv", "EmoNet-Face HQ layout", "Columns of the published hq.csv."),
    ("events.jsonl", "jsonl", "Every event", "Ratings, skips, undos, corrections and leads' words, in order."),
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
    """One file, or a zip of several. The log says who took it."""
    form = next((form for known, form, _, _ in _FILES if known == name), None)
    if form is None or form not in formats_of(web.protocol):
        raise HTTPException(404, "There is no such export.")
    with tempfile.TemporaryDirectory(prefix="emonet-export-") as folder:
        export(web.store, Path(folder), formats=(form,))
        found = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        if name.endswith(".zip"):
            packed = Path(folder, name)
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for one in found:
                    archive.write(one, one.relative_to(folder).as_posix())
            found = [packed]
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
