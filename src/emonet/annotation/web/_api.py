"""The JSON interface of the rating page. Every answer carries the browser's own identifier and may be sent again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from emonet.annotation.web import _work
from emonet.annotation.web._deps import CurrentPerson, CurrentWeb
from emonet.annotation.web._shapes import (
    Answer,
    Asked,
    Correction,
    OwnAnswers,
    OwnProgress,
    Receipt,
    SessionInfo,
    ShownUnits,
    Taking,
    Undone,
)

_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"description": "the answer does not fit the question; `detail` says why"},
    401: {"description": "not signed in"},
    403: {"description": "not allowed, or without a valid X-CSRF-Token"},
}
router = APIRouter(prefix="/api", responses=_REFUSED)
EventNumber = Annotated[int, Path(ge=1, le=2**53)]


@router.get("/session")
async def session(web: CurrentWeb, person: CurrentPerson) -> SessionInfo:
    """Who is signed in, and the token that every POST must carry."""
    return SessionInfo(
        code=person.code, name=person.name, role=person.role, csrf=person.csrf, protocol=web.protocol.name
    )


@router.post("/assignments")
def assignments(asked: Asked, web: CurrentWeb, person: CurrentPerson) -> ShownUnits:
    """The units this person holds, and new ones up to the number asked. Each is held for a while for them alone."""
    return ShownUnits(assignments=_work.take_units(web, person, asked.count))


@router.post("/answers", status_code=201, responses={200: {"model": Receipt, "description": "it was stored before"}})
def answer(given: Answer, web: CurrentWeb, person: CurrentPerson) -> JSONResponse:
    """Store an answer or a skip, once for each `client_id`."""
    receipt = _work.submit_answer(web, person, given)
    # The record is ours and checked; a second validation on the way out would cost as much as the first.
    return JSONResponse(receipt.model_dump(mode="json"), status_code=200 if receipt.duplicate else 201)


@router.get("/answers")
def answers(
    web: CurrentWeb,
    person: CurrentPerson,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> OwnAnswers:
    """Own answers, newest first; `before` is the number that the page before ended with."""
    return _work.own_answers(web, person, limit=limit, before=before)


@router.post("/answers/{event}/undo", responses={404: {"description": "no such answer of yours"}})
def undo(event: EventNumber, taking: Taking, web: CurrentWeb, person: CurrentPerson) -> Undone:
    """Take back one's own latest answer; the unit is put to the person again where it is still free."""
    return _work.undo_answer(web, person, event, taking.client_id)


@router.post("/answers/{event}/correction", responses={404: {"description": "no such answer of yours"}})
def correction(event: EventNumber, given: Correction, web: CurrentWeb, person: CurrentPerson) -> Receipt:
    """Say something else about a unit that one has judged. The first answer is kept beside it."""
    return _work.correct_answer(web, person, event, given)


@router.get("/progress")
def progress(web: CurrentWeb, person: CurrentPerson) -> OwnProgress:
    """How much this person has done and what is open for them."""
    return _work.progress_of(web, person)
