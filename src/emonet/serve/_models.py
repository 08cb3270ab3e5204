"""What is loaded, and what it was measured to be worth."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request

from emonet.serve._documents import model_document
from emonet.serve._shapes import PROBLEMS
from emonet.serve._state import state_of

router = APIRouter(prefix="/v1/models", tags=["models"], responses=PROBLEMS)


@router.get("")
async def models(request: Request) -> dict[str, Any]:
    """Every loaded model: dimensions, scale, licence, measured reliability by dimension; and the server's limits."""
    state = state_of(request)
    return {
        "models": [model_document(item.card) for item in state.ready.estimators.values()],
        "limits": asdict(state.settings.limits),
        "stores": False,
        "captions": True,
        "streams": state.ready.of("voice") is not None,
        "keys": bool(state.settings.keys),
    }


@router.get("/{model:path}")
async def model(request: Request, model: str) -> dict[str, Any]:
    """One loaded model, by its id or the name that the server was started with."""
    return model_document(state_of(request).ready.find(model).card)
