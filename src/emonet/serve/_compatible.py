"""Routes of LAION's servers, so that their clients work unchanged: /predict of one, /score of the Plus server.

A file that cannot be used is answered as there, with 200 and a field `error`; this server's own refusals (429, 413,
503) stay what they are.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import JSONResponse

from emonet.captions import caption_estimate
from emonet.errors import UsageError
from emonet.estimation import Estimate, Estimates
from emonet.reports import laion_voice
from emonet.serve._engine import Options
from emonet.serve._problems import Problem
from emonet.serve._state import State, client_of, state_of
from emonet.serve._uploads import Upload, shown_name

router = APIRouter(tags=["compatible"])
_FAILED = "Processing failed"
_WAIT_S = 45.0


@router.post("/predict")
async def predict(request: Request, file: Annotated[UploadFile, File()]) -> Any:
    """Raw scores and a caption of one recording, in the layout of LAION's server."""
    state = state_of(request)
    name = shown_name(file.filename)
    upload = Upload(name, await file.read())
    try:
        async with asyncio.timeout(_WAIT_S), state.turns.turn(client_of(request)):
            voice = await _judged(state, client_of(request), upload)
    except TimeoutError:
        return JSONResponse({"detail": "Request timed out in queue."}, 504)
    except Problem as problem:
        if problem.status not in (415, 422):
            raise
        return {"file": name, "error": _FAILED}
    if voice is None:
        return {"file": name, "error": _FAILED}
    return {"file": name, "caption": _caption(voice), "emotions": laion_voice(voice)["emotions"]}


@router.post("/score")
async def score(request: Request, audio_path: Annotated[str, Form(max_length=4096)]) -> Any:
    """Scores of a recording on the server's own disk. Only below the folder that the server was started with."""
    state = state_of(request)
    began = time.perf_counter()
    path = await asyncio.to_thread(_allowed, state.settings.score_root, audio_path)
    limit = state.settings.limits.max_bytes
    if path.stat().st_size > limit:
        raise Problem("too_large", f"The file is larger than {limit:,} bytes.")
    content = await asyncio.to_thread(path.read_bytes)
    async with state.turns.turn(client_of(request)):
        try:
            voice = await _judged(state, client_of(request), Upload(path.name, content))
        except Problem as problem:
            return JSONResponse({"error": problem.detail}, problem.status)
    if voice is None:
        return JSONResponse({"error": "no speech was found"}, 422)
    scores = {name: round(value, 4) for name, value in laion_voice(voice)["emotions"].items()}
    elapsed = round(time.perf_counter() - began, 3)
    return {"status": "ok", "scores": scores, "caption": _caption(voice), "elapsed": elapsed}


async def _judged(state: State, client: str, upload: Upload) -> Estimate | None:
    """The mean over the recording's windows; None when nothing was scored."""
    model = state.ready.of("voice")
    if model is None:
        raise Problem("not_found", "No voice model is loaded.")
    found = await state.ready.estimate(client, upload, Options(model=model.card.id))
    return Estimates(found, found.cards).mean() if any(row.ok for row in found) else None


def _caption(voice: Estimate) -> str:
    """Empty for a model that no baseline is known for, as the Plus server does when captions fail."""
    try:
        return caption_estimate(voice).text
    except UsageError:
        return ""


def _allowed(root: Path | None, given: str) -> Path:
    """The file below `root`; the same refusal whatever is wrong, so that nothing can be learned of other files."""
    if root is None:
        raise Problem("not_found", "This server reads no paths; start it with --score-root FOLDER to allow one.")
    refused = Problem("not_found", "No such file below the folder that this server may read.")
    try:
        resolved, folder = (root / given).resolve(strict=True), root.resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise refused from error
    if not resolved.is_relative_to(folder) or not resolved.is_file():
        raise refused
    return resolved
