"""The page on the routes it uses, with the embedded models."""

from __future__ import annotations

import asyncio
import json
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import soundfile
from fastapi import FastAPI, Form, UploadFile, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from emonet.estimation import Estimates, estimate_files
from emonet.serve.page import mount


def application() -> FastAPI:
    """/, /static, /examples, and a plain /v1 of models, estimate and stream."""
    app = FastAPI(openapi_url=None)
    mount(app)
    app.get("/v1/models")(models)
    app.post("/v1/estimate")(estimate)
    app.websocket("/v1/stream")(stream)
    return app


def models() -> dict[str, Any]:
    """The embedded models' cards, a second voice model by another name, limits."""
    cards = []
    for name in ("face", "voice"):
        card = json.loads(files("emonet.models").joinpath(f"embedded/{name}/emonet.json").read_text(encoding="utf-8"))
        notes = dict.fromkeys(fitted["data"] for fitted in card.pop("calibration").values())
        cards.append(card | {"calibration_notes": list(notes)})
    twin = cards[1] | {"id": "test/twin", "title": "Twin of the voice model"}
    return {"models": [*cards, twin], "limits": {"max_bytes": 50_000_000, "max_duration_s": 600}}


async def estimate(
    file: UploadFile,
    model: Annotated[str, Form()] = "",
    values: Annotated[str, Form()] = "all",
    window_s: Annotated[float | None, Form()] = None,
) -> Any:
    """Rows of one file; "busy" in its name is refused once, "huge" always."""
    name = file.filename or "upload"
    if "busy" in name and not _refused.get(name):
        _refused[name] = True
        return JSONResponse({"error": {"message": "The queue is full."}}, 429, {"Retry-After": "1"})
    if "huge" in name:
        return JSONResponse({"error": {"message": "The file has 60 MB; this server takes 50 MB."}}, 413)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{Path(name).suffix}"
        path.write_bytes(await file.read())
        found = await asyncio.to_thread(_estimate, path, window_s)
    rows = [row | {"source": name, "model": model or row["model"]} for row in _rows(found)]
    return {"version": "test", "values": values, "models": [], "estimates": rows}


async def stream(socket: WebSocket) -> None:
    """Rolling estimates of the last six seconds, one for every second that comes in."""
    await socket.accept()
    heard = b""
    try:
        while True:
            before = len(heard) // 32_000
            heard += await socket.receive_bytes()
            if len(heard) // 32_000 == before:
                continue
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "heard.wav"
                soundfile.write(path, np.frombuffer(heard, "<i2")[-96_000:], 16_000)
                found = await asyncio.to_thread(_estimate, path)
            await socket.send_json(_rows(found)[-1])
    except WebSocketDisconnect:
        return


_refused: dict[str, bool] = {}


def _estimate(path: Path, window_s: float | None = None) -> Estimates:
    return next(iter(estimate_files([path], workers=1, threads=1, **({"window_s": window_s} if window_s else {}))))


def _rows(found: Estimates) -> list[dict[str, Any]]:
    return [item.to_row(values="all", dimensions=found.dimensions) for item in found]
