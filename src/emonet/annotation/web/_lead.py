"""The lead's desk: overview, agreement, raters, consensus. People, adjudication and export have files of their own."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response

from emonet.annotation.desk import ConsensusRow, RaterDetail, rater_detail
from emonet.annotation.protocols import Judgement
from emonet.annotation.store import Remaining, last_event
from emonet.annotation.web import _lead_export, _lead_judging, _lead_people
from emonet.annotation.web._charts import ending_class
from emonet.annotation.web._deps import CurrentWeb
from emonet.annotation.web._lead_page import desk_page
from emonet.annotation.web._lead_routes import LEAD_ROUTES
from emonet.annotation.web._lead_state import State, state_of
from emonet.annotation.web._lead_words import dimension, hours, level_names, percent, seconds, told, whole

__all__ = ["LEAD_ROUTES", "lead"]

lead = APIRouter(include_in_schema=False)
for part in (_lead_judging.router, _lead_people.router, _lead_export.router):
    lead.include_router(part)
_A_PAGE = 100
_CODE = re.compile(r"(rater|lead|admin)-\d{1,9}")
Text = Annotated[str, Query(max_length=2000)]


@lead.get("/lead")
def overview(request: Request, web: CurrentWeb) -> Response:
    """How far the project is, and what is worth a look."""
    state = state_of(request)
    desk = state.desk
    protocol = web.protocol
    asked = len(protocol.dimensions)
    about = [protocol.name, f"{asked} emotion{'s' * (asked != 1)}" if asked else "", f"{whole(len(state.items))} items"]
    left = state.left
    notes = []
    if desk.units and not any(unit.gold for unit in state.units.values()):
        notes.append("No unit has a known answer, so careless raters show by speed, rows and disagreement only.")
    if left.stuck:
        notes.append(f"{whole(left.stuck)} units want more people than there are left to ask. Invite further raters.")
    context = {
        "about": " · ".join(word for word in about if word),
        "headline": desk.overall_open or desk.overall,
        "remaining": _left(left),
        "people": len(desk.raters),
        "notes": notes,
    }
    return desk_page(request, "overview", state, context)


@lead.get("/lead/state")
def changed(web: CurrentWeb) -> Response:
    """Number of the newest event: pages ask it often and load anew when it has changed."""
    return JSONResponse({"event": last_event(web.store)}, headers={"Cache-Control": "no-store"})


@lead.get("/lead/agreement")
def agreement(request: Request, web: CurrentWeb) -> Response:
    """Alpha, kappa and per cent, in all and by emotion."""
    state = state_of(request)
    rows = [("all units", state.desk.overall)]
    if state.desk.overall_open:
        rows.append(("asked openly", state.desk.overall_open))
    return desk_page(request, "agreement", state, {"overall": rows, "words": _AGREEMENT[_kind(web.protocol.question)]})


@lead.get("/lead/raters")
def raters(request: Request, gone: Text = "") -> Response:
    """Everybody beside the others. gone: whose answers have just been set aside."""
    state = state_of(request)
    left = all(row.rater != gone for row in state.desk.raters)
    done = f"All answers of {gone} are set aside; their units go to others." if _CODE.fullmatch(gone) and left else ""
    return desk_page(request, "raters", state, {}, done=done)


@lead.get("/lead/raters/{code}")
def rater(request: Request, web: CurrentWeb, code: str) -> Response:
    """One rater: conduct, time, what was said."""
    state = state_of(request)
    row = next((row for row in state.desk.raters if row.rater == code), None)
    if row is None:
        raise HTTPException(404, "Nobody of that name has answered yet.")
    detail = rater_detail(web.protocol, tuple(state.units.values()), state.judgements, code)
    latent = state.desk.latent
    names = level_names(web.protocol, latent.levels) if latent else []
    confusion = latent.confusion.get(code, ()) if latent else ()
    context = {
        "row": row,
        "detail": detail,
        "usual_ms": _usual(state, code),
        "levels": _levels(state, detail),
        "level_names": names,
        "confusion": list(zip(names, confusion, strict=True)) if confusion else [],
        "missed": [_line(state, one) for one in detail.missed],
        "recent": [_line(state, one) for one in detail.recent],
    }
    return desk_page(request, "rater", state, context)


@lead.get("/lead/consensus")
def consensus(
    request: Request,
    web: CurrentWeb,
    ending: Text = "",
    emotion: Text = "",
    match: Text = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """What units came to, by the rule and by Dawid-Skene."""
    state = state_of(request)
    rows = [row for row in state.desk.rows if _fits(row, ending, emotion, match)]
    pages = max(1, math.ceil(len(rows) / _A_PAGE))
    number = min(page, pages)
    chosen = {"ending": ending, "emotion": emotion, "match": match}
    latent = state.desk.latent
    asked = {row.dimension for row in state.desk.by_dimension}
    context = {
        "rows": [_consensus_line(state, row) for row in rows[(number - 1) * _A_PAGE : number * _A_PAGE]],
        "count": len(rows),
        "number": number,
        "pages": pages,
        "chosen": chosen,
        "address": "/lead/consensus?" + urlencode(chosen) + "&",
        "endings": sorted({row.ending for row in state.desk.rows if row.ending}),
        "dimensions": [name for name in web.protocol.dimensions if name in asked],
        "level_names": level_names(web.protocol, latent.levels) if latent else [],
    }
    return desk_page(request, "consensus", state, context)


def _fits(row: ConsensusRow, ending: str, emotion: str, match: str) -> bool:
    wanted = {"same": True, "other": False}.get(match)
    return (
        (not ending or row.ending == ending)
        and (not emotion or emotion in row.settled.unit.dimensions)
        and (wanted is None or row.match is wanted)
    )


def _consensus_line(state: State, row: ConsensusRow) -> dict[str, Any]:
    unit = row.settled.unit
    named = level_names(state.protocol, [row.latent])[0] if row.latent is not None else ""
    return {
        "key": row.key,
        "item": ", ".join(unit.items),
        "asked": ", ".join(map(dimension, unit.dimensions))
        if len(unit.dimensions) < 4
        else f"{len(unit.dimensions)} emotions",
        "votes": row.settled.decision.type,
        "ending": row.ending or "under way",
        "kind": ending_class(row.ending),
        "latent": named,
        "differs": row.match is False,
        "certainty": percent(row.certainty),
        "spread": percent(row.spread),
        "lead": told(state.protocol, unit, row.adjudicated) if row.adjudicated is not None else "",
    }


def _line(state: State, one: Judgement) -> dict[str, str]:
    """One judgement for a table."""
    unit = state.units[one.unit]
    settled = state.rows.get(one.unit)
    asked = ", ".join(map(dimension, unit.dimensions)) if len(unit.dimensions) < 4 else ""
    return {
        "unit": one.unit,
        "name": " · ".join(part for part in (", ".join(unit.items), asked) if part),
        "said": f"skipped: {one.skipped}" if one.skipped else told(state.protocol, unit, one.values),
        "known": told(state.protocol, unit, unit.gold) if unit.gold else "",
        "type": "known answer" if unit.gold else settled.settled.decision.type if settled else "",
        "seconds": seconds(one.duration_ms),
        "when": f"{one.time:%d %b %H:%M}",
    }


def _levels(state: State, detail: RaterDetail) -> list[tuple[str, int]]:
    """How often each level was given, by name."""
    names = level_names(state.protocol, [level for level, _ in detail.levels])
    return [(name, count) for name, (_, count) in zip(names, detail.levels, strict=True)]


def _usual(state: State, code: str) -> float:
    """Median time of the other raters' answers in milliseconds."""
    from statistics import median

    times = [one.duration_ms for one in state.judgements if one.rater != code and one.skipped is None]
    return float(median(times)) if times else math.nan


def _kind(question: str) -> str:
    return question if question in _AGREEMENT else "levels"


_AGREEMENT = {
    "levels": "Alpha: Krippendorff's, of the levels. Kappa: Fleiss'. Equal: share of pairs of answers to one unit that "
    "are the same. Only units with two answers or more count; known answers and practice do not.",
    "sliders": "Alpha: Krippendorff's, ordinal, of the sliders; one that was left alone counts 0. Kappa (Fleiss') and "
    "equal pairs are of presence: above 0 or not.",
    "pair": "Alpha and kappa of which side was taken. Equal: share of pairs of answers that took the same.",
    "best-worst": "Alpha (ordinal) and kappa of each item's place in its set: most, between, least.",
    "form": "A questionnaire has no agreement.",
}


def _left(left: Remaining) -> dict[str, str]:
    """What is still to do: the headline and the line beneath it."""
    if not left.ratings.high:
        return {"hours": "nothing", "detail": "every unit is settled"}
    answers = f"about {whole(left.ratings.value)} answers"
    if not math.isfinite(left.hours.value):
        return {"hours": answers.removeprefix("about "), "detail": "time unknown until somebody answers"}
    between = f"{hours(left.hours.low)} to {hours(left.hours.high)}"
    return {"hours": hours(left.hours.value), "detail": f"{answers}; {between}"}
