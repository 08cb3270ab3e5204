"""Is it up, is it ready, how is it doing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from emonet.serve._state import state_of

router = APIRouter(tags=["operation"])


@router.get("/health")
async def health(request: Request) -> dict[str, Any]:
    """The process answers. The layout of LAION's server, so that its clients understand it."""
    state = state_of(request)
    return {
        "status": "stopping" if state.draining else "ok",
        "device": "cpu",
        "models_loaded": state.engine is not None,
    }


@router.get("/ready", responses={503: {"description": "Starting or stopping"}})
async def ready(request: Request) -> JSONResponse:
    """Whether new requests are taken: models loaded, not stopping."""
    state = state_of(request)
    fine = state.engine is not None and not state.draining
    return JSONResponse({"ready": fine}, 200 if fine else 503)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    state = state_of(request)
    state.metrics.waiting.set(state.turns.waiting)
    state.metrics.present.set(state.turns.present)
    state.metrics.streams.set(state.streams)
    return Response(state.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
