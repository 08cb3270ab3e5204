"""Disagreements, and a lead's word on them."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from emonet.annotation._status import adjudication_reason
from emonet.annotation.desk import ConsensusRow, Disagreement
from emonet.annotation.protocols import Judgement, Unit, question_text
from emonet.annotation.store import adjudicate as adjudicate_unit
from emonet.annotation.store import find_unit
from emonet.annotation.web._deps import CurrentPerson, CurrentWeb, web_of
from emonet.annotation.web._lead_page import desk_page
from emonet.annotation.web._lead_state import State, state_of, take_in
from emonet.annotation.web._lead_words import Vote, dimension, graded, level_names, percent, seconds, told, votes
from emonet.errors import UsageError

router = APIRouter()
_SHOWN = 120
_APART = 0.5
"""Sliders whose ratings lie this share of the scale apart are put to the lead; of the others the median stands."""
UnitKey = Annotated[str, Query(max_length=2000)]


@router.get("/lead/disagreements")
def disagreements(request: Request) -> Response:
    """All of them, undecided ones first."""
    state = state_of(request)
    rows = state.desk.disagreements[:_SHOWN]
    undecided = state.desk.undecided
    context = {
        "rows": [_card(state, one) for one in rows],
        "first": _address(undecided[0].row.key) if undecided else "",
        "words": _WORDS.get(state.protocol.question, _WORDS["levels"]),
    }
    return desk_page(request, "disagreements", state, context)


@router.get("/lead/unit")
def unit_page(request: Request, unit: UnitKey, saved: UnitKey = "") -> Response:
    """One unit: the item, everybody's answers, the lead's word."""
    state = state_of(request)
    done = f"Your word on {saved} is kept." if saved in state.units else ""
    return _unit_page(request, state, _found(state, unit), done=done)


@router.post("/lead/unit")
async def adjudicate(request: Request, web: CurrentWeb, person: CurrentPerson) -> Response:
    """Keep the lead's word and go on to the next unit that nobody has decided."""
    import anyio.to_thread

    form = {name: str(value) for name, value in (await request.form()).items()}

    def act() -> Response:
        state = state_of(request)
        unit = _found(state, form.get("unit", ""))
        onward = _neighbours(state, unit.key)[1]
        try:
            values = _values(state, unit, form)
            stored = find_unit(web.store, key=unit.key)
            assert stored is not None  # units are never taken away
            event = adjudicate_unit(web.store, person.id, stored.id, values, form.get("reason", "").strip())
        except UsageError as error:
            return _unit_page(request, state, unit, fault=str(error), status=422)
        take_in(request, unit.key, values, event)
        query = urlencode({"unit": onward, "saved": unit.key}) if onward else ""
        return RedirectResponse(f"/lead/unit?{query}" if onward else "/lead/disagreements", 303)

    return await anyio.to_thread.run_sync(act)


def _unit_page(
    request: Request, state: State, unit: Unit, *, done: str = "", fault: str = "", status: int = 200
) -> Response:
    row = state.rows.get(unit.key)
    undecided = [one.row.key for one in state.desk.undecided]
    back, further = _neighbours(state, unit.key)
    why_not = _why_not(unit, row)
    latent = state.desk.latent
    context: dict[str, Any] = {
        "unit": unit.key,
        "question": question_text(state.protocol, unit),
        "standing": _standing(state, unit, row),
        "items": [_item(state, key) for key in unit.items],
        "numbered": len(unit.items) > 1,
        "given": _given(state, unit, row),
        "sliders": _sliders(state, unit, row) if row and state.protocol.question == "sliders" else None,
        "shows_accuracy": latent is not None,
        "can_adjudicate": not why_not,
        "why_not": why_not,
        "groups": _groups(state, unit, row) if row and not why_not else [],
        "reason": adjudication_reason(web_of(request).store, unit.key),
        "place": undecided.index(unit.key) + 1 if unit.key in undecided else 0,
        "total": len(undecided),
        "back": _address(back) if back else "",
        "further": _address(further) if further else "",
    }
    return desk_page(request, "unit", state, context, done=done, fault=fault, status=status)


def _found(state: State, key: str) -> Unit:
    if key not in state.units:
        raise HTTPException(404, "There is no such unit in this project.")
    return state.units[key]


def _neighbours(state: State, key: str) -> tuple[str, str]:
    """Keys of the undecided units before and after one; empty for none."""
    keys = [one.row.key for one in state.desk.undecided]
    if key not in keys:
        return "", keys[0] if keys else ""
    at = keys.index(key)
    return keys[at - 1] if at else "", keys[at + 1] if at + 1 < len(keys) else ""


def _why_not(unit: Unit, row: ConsensusRow | None) -> str:
    if unit.gold or unit.role == "training":
        return "The answer to this unit was known before; it is there to check raters, not to be rated."
    if row is None or not row.ending:
        return "This unit still waits for raters; a lead's word comes after them."
    return ""


def _standing(state: State, unit: Unit, row: ConsensusRow | None) -> str:
    if unit.gold:
        return f"Known answer: {told(state.protocol, unit, unit.gold)}"
    if row is None:
        return "Nobody has answered yet."
    parts = [f"Votes {row.settled.decision.type}", row.ending or "under way"]
    if row.latent is not None:
        parts.append(f"Dawid-Skene: {level_names(state.protocol, [row.latent])[0]} ({percent(row.certainty)})")
    return ", ".join(parts) + "."


def _given(state: State, unit: Unit, row: ConsensusRow | None) -> list[dict[str, Any]]:
    """All judgements of a unit, answers first."""
    latent = state.desk.latent
    flagged = {one.rater for one in state.desk.flagged}
    own = sorted(state.by_unit.get(unit.key, ()), key=lambda one: (one.skipped is not None, one.stage, one.time))
    return [
        {
            "rater": one.rater,
            "flagged": one.rater in flagged,
            "said": votes(state.protocol, unit, one.values),
            "skipped": one.skipped,
            "seconds": seconds(one.duration_ms),
            "accuracy": percent(latent.accuracy.get(one.rater)) if latent else "",
        }
        for one in own
    ]


def _sliders(state: State, unit: Unit, row: ConsensusRow) -> dict[str, Any]:
    """Everybody's values of the sliders that lie apart: raters as columns, emotions as rows."""
    answers = [one for one in state.by_unit.get(unit.key, ()) if one.skipped is None]
    top = state.protocol.scale[1]
    rows = [
        (dimension(name), [graded(one.values.get(name, 0.0), top) for one in answers]) for name in _apart(state, row)
    ]
    return {"raters": [one.rater for one in answers], "rows": rows}


def _apart(state: State, row: ConsensusRow) -> list[str]:
    """Dimensions on which ratings lie far apart, widest first."""
    width = state.protocol.scale[1] - state.protocol.scale[0]
    spread = row.settled.spread
    return sorted((name for name in spread if spread[name] >= _APART * width), key=lambda name: -spread[name])


def _groups(state: State, unit: Unit, row: ConsensusRow) -> list[dict[str, Any]]:
    """The choices put to the lead, as groups of radio buttons."""
    protocol, now = state.protocol, row.adjudicated
    if protocol.question == "levels":
        name = unit.dimensions[0]
        choices = [
            {
                "value": f"{one.value:g}",
                "label": one.label,
                "key": one.key,
                "chosen": now is not None and now.get(name) == one.value,
            }
            for one in protocol.choices
        ]
        return [
            {"name": f"value:{name}", "label": dimension(name), "choices": choices, "required": True, "scale": False}
        ]
    if protocol.question == "sliders":
        return [_slider(state, row, name) for name in _apart(state, row)]
    wanted = [("best", "Shows more" if protocol.question == "pair" else "Shows the most", 1.0)]
    if protocol.question == "best-worst":
        wanted.append(("worst", "Shows the least", -1.0))
    groups = []
    for field, label, value in wanted:
        choices = [
            {
                "value": item,
                "label": f"number {place}",
                "key": str(place) if field == "best" else "",
                "chosen": now is not None and now.get(item) == value,
            }
            for place, item in enumerate(unit.items, start=1)
        ]
        groups.append({"name": field, "label": label, "choices": choices, "required": True, "scale": False})
    return groups


def _slider(state: State, row: ConsensusRow, name: str) -> dict[str, Any]:
    low, high = state.protocol.scale
    steps = round((high - low) / state.protocol.step)
    values = [low + k * state.protocol.step for k in range(steps + 1)]
    current = row.adjudicated.get(name, 0.0) if row.adjudicated is not None else None
    choices = [
        {"value": f"{value:g}", "label": f"{value:g}", "key": "", "chosen": value == current} for value in values
    ]
    return {"name": f"value:{name}", "label": dimension(name), "choices": choices, "required": True, "scale": True}


def _values(state: State, unit: Unit, form: dict[str, str]) -> dict[str, float]:
    """The lead's values from a form. Sliders that were not put to the lead keep the median of the ratings."""
    if state.protocol.question in ("pair", "best-worst"):
        best, worst = form.get("best", ""), form.get("worst", "")
        values = dict.fromkeys(unit.items, 0.0)
        if best not in values or (state.protocol.question == "best-worst" and (worst not in values or worst == best)):
            raise UsageError("Please choose one item for each question, and different ones.")
        values[best] = 1.0
        if state.protocol.question == "best-worst":
            values[worst] = -1.0
        return values
    given = {name.removeprefix("value:"): _number(text) for name, text in form.items() if name.startswith("value:")}
    if state.protocol.question == "sliders":
        row = state.rows[unit.key]
        step = state.protocol.step
        medians = {name: step * round(value / step) for name, value in row.settled.median.items() if value > 0}
        return {**medians, **given}
    return given


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"Received {text[:40]!r}; expected one of the choices shown.") from None


def _item(state: State, key: str) -> dict[str, Any]:
    item = state.items[key]
    facts = ", ".join(f"{name}: {value}" for name, value in [*item.facts.items(), *item.demographics.items()][:6])
    return {
        "key": key,
        "address": f"/media/{item.id}",
        "modality": item.modality,
        "sensitive": item.sensitive,
        "facts": facts,
    }


def _card(state: State, one: Disagreement) -> dict[str, Any]:
    row = one.row
    unit = row.settled.unit
    first = state.items[unit.items[0]]
    apart = _apart(state, row) if state.protocol.question == "sliders" else []
    answers = [answer for answer in state.by_unit.get(unit.key, ()) if answer.skipped is None]
    latent = ""
    if row.latent is not None:
        latent = f"{level_names(state.protocol, [row.latent])[0]}, {percent(row.certainty)}"
    return {
        "address": _address(row.key),
        "thumb": f"/media/{first.id}" if first.modality == "face" and not first.sensitive else "",
        "asked": ", ".join(map(dimension, apart[:1] or unit.dimensions[:3])) + _more(len(apart) - 1),
        "item": ", ".join(unit.items),
        "given": _votes(state, unit, answers, apart)[:8],
        "latent": latent,
        "lead": f"Lead: {told(state.protocol, unit, row.adjudicated)}" if row.adjudicated is not None else "",
    }


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _votes(state: State, unit: Unit, answers: list[Judgement], apart: list[str]) -> list[Vote]:
    """What everybody said; of sliders the one that lies widest apart."""
    if apart:
        return [graded(one.values.get(apart[0], 0.0), state.protocol.scale[1]) for one in answers]
    return [vote for one in answers for vote in votes(state.protocol, unit, one.values)]


def _address(key: str) -> str:
    return f"/lead/unit?{urlencode({'unit': key})}"


_WORDS = {
    "levels": "Units on which the protocol's rule found no agreement, the most doubtful first. Your word stands beside "
    "the answers; it changes none of them.",
    "sliders": "Items with ratings at least half the scale apart on an emotion, the widest first.",
    "best-worst": "Sets of which one person called an item the most and another the least.",
}
