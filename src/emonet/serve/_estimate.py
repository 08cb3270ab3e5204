"""/v1/estimate: files in, rows out."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from emonet.estimation import Estimates
from emonet.serve._documents import document
from emonet.serve._engine import Options, failed_row
from emonet.serve._problems import Problem
from emonet.serve._shapes import PROBLEMS, Chosen, EstimateJson, body_docs, read_body
from emonet.serve._state import State, client_of, state_of
from emonet.serve._uploads import Upload

router = APIRouter(prefix="/v1", tags=["estimates"], responses=PROBLEMS)

_EXAMPLE = {"files": [{"name": "clip.wav", "data": "UklGRiQAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQAAAAA="}],
            "values": "relative", "top": 3}  # fmt: skip


@router.post("/estimate", openapi_extra=body_docs(EstimateJson.model_json_schema(), _EXAMPLE))
async def estimate(request: Request) -> dict[str, Any]:
    """Perceived intensity of emotions in each face and each stretch of voice of one or more files.

    Pictures go to the face model, recordings to the voice model, videos to both, unless `model` names one. One file
    that cannot be used is refused with 413, 415 or 422; among several it becomes a row with its status and message.
    """
    state = state_of(request)
    chosen, uploads = await read_body(request, Chosen, EstimateJson, state.settings.limits)
    if not uploads:
        raise Problem("invalid", "file: at least one is needed.")
    async with state.turns.turn(client_of(request)):
        found = await estimate_uploads(state, client_of(request), uploads, chosen.options())
    return await asyncio.to_thread(document, found, chosen.values, chosen.top)


async def estimate_uploads(state: State, client: str, uploads: list[Upload], options: Options) -> list[Estimates]:
    """The rows of each upload. Only the fault of a single file is raised; a wrong model always is."""
    if options.model:
        state.ready.find(options.model)
    found = []
    for upload in uploads:
        try:
            found.append(await state.ready.estimate(client, upload, options))
        except Problem as problem:
            if len(uploads) == 1:
                raise
            found.append(Estimates([failed_row(upload.name, problem.detail)]))
    return found
