"""/v1/caption: what a voice or face seems to express, in words."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from emonet import __version__
from emonet.captions import TEMPLATES, Caption, caption_estimates
from emonet.errors import UnknownNameError
from emonet.estimation import Estimates
from emonet.reports import NOTE
from emonet.serve._documents import brief_model
from emonet.serve._engine import from_scores
from emonet.serve._estimate import estimate_uploads
from emonet.serve._problems import Problem
from emonet.serve._shapes import PROBLEMS, CaptionChosen, CaptionJson, body_docs, read_body
from emonet.serve._state import client_of, state_of

router = APIRouter(prefix="/v1", tags=["captions"], responses=PROBLEMS)

_EXAMPLE = {"scores": {"anger": 2.5, "sadness": 0.5}}
_EXTRA = {"template": {"type": "string"}, "seed": {"type": "integer"}}


@router.post("/caption", openapi_extra=body_docs(CaptionJson.model_json_schema(), _EXAMPLE, _EXTRA))
async def caption(request: Request) -> dict[str, Any]:
    """A caption for each face and stretch of voice, made of the scores by rule.

    Takes the files and options of /v1/estimate, or in JSON the raw `scores` of an earlier reply with their `model`.
    """
    state = state_of(request)
    chosen, uploads = await read_body(request, CaptionChosen, CaptionJson, state.settings.limits)
    if chosen.template != "random" and chosen.template not in TEMPLATES:
        raise UnknownNameError("template", chosen.template, TEMPLATES)
    scores = chosen.scores if isinstance(chosen, CaptionJson) else None
    async with state.turns.turn(client_of(request)):
        if scores is not None:
            estimator = state.ready.find(chosen.model) if chosen.model else state.ready.of("voice")
            if estimator is None:
                raise Problem("invalid", "model: say of which model the scores are.")
            rows = Estimates([from_scores(estimator, scores)], {estimator.card.id: estimator.card})
        elif uploads:
            found = await estimate_uploads(state, client_of(request), uploads, chosen.options())
            rows = Estimates([r for e in found for r in e], {k: c for e in found for k, c in e.cards.items()})
        else:
            raise Problem("invalid", "Give files or scores.")
        told = await asyncio.to_thread(caption_estimates, rows, template=chosen.template, seed=chosen.seed)
    return {
        "version": __version__,
        "note": NOTE,
        "models": [brief_model(card) for card in rows.cards.values()],
        "captions": [
            {"source": row.source, "model": row.model or None, "status": row.status, "message": row.message,
             "start_s": row.region.start_s, "end_s": row.region.end_s, "box": row.region.box, **_words(said)}
            for row, said in zip(rows, told, strict=True)
        ],
    }  # fmt: skip


def _words(said: Caption | None) -> dict[str, Any]:
    if said is None:
        return {"text": None, "emotions": [], "attributes": [], "traits": {}}
    return {
        "text": said.text,
        "emotions": [{"key": item.key, "z": round(float(item.z), 4), "word": item.word} for item in said.emotions],
        "attributes": [{"key": item.key, "z": round(float(item.z), 4), "word": item.word} for item in said.attributes],
        "traits": dict(said.traits),
    }
