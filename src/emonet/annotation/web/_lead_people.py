"""People and invitations, and the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import update

from emonet.annotation.accounts import ROLES, RoleName, Visitor, end_sessions, invite, record, set_active
from emonet.annotation.store import Store, audit_log, find_person, people, progress, withdraw
from emonet.annotation.store._tables import PersonRow
from emonet.annotation.web._deps import CurrentPerson, CurrentWeb, Web
from emonet.annotation.web._lead_page import desk_page
from emonet.annotation.web._lead_state import state_of
from emonet.errors import UsageError

router = APIRouter()
_ENTRIES = 100
Field = Annotated[str, Form(max_length=40)]
Note = Annotated[str, Form(max_length=200)]
Code = Annotated[str, PathParameter(pattern=r"^(rater|lead|admin)-\d{1,9}$")]
PersonId = Annotated[int, PathParameter(ge=1, le=2**31 - 1)]


@router.get("/lead/people")
def people_page(request: Request, web: CurrentWeb, person: CurrentPerson) -> Response:
    """Everybody with an account. Names are shown to admins; leads know codes, as the data do."""
    return _people_page(request, web, person)


@router.post("/lead/people/invite")
def invited(
    request: Request, web: CurrentWeb, person: CurrentPerson, role: Field = "rater", note: Note = ""
) -> Response:
    """Make an invitation and show its link, this once."""
    if role not in ROLES:
        raise UsageError(f"Received the role {role!r}; expected one of {', '.join(ROLES)}.")
    if not note.isprintable():
        raise UsageError("For whom: received characters that cannot be printed; expected a name or nothing.")
    token = invite(web.store, role, by=person, note=note.strip(), lasts=web.settings.invitation_for)
    base = web.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    until = datetime.now(UTC) + web.settings.invitation_for
    return _people_page(request, web, person, link=f"{base}/join/{token}", role=role, until=f"{until:%d %B %Y}")


@router.post("/lead/people/{person}/active")
def activity(web: CurrentWeb, visitor: CurrentPerson, person: PersonId, active: Field = "") -> Response:
    """Close an account or open it again; answers stay."""
    if active not in ("yes", "no"):
        raise UsageError(f"Received active={active!r}; expected yes or no.")
    _changeable(web.store, visitor, person)
    set_active(web.store, person, active == "yes", by=visitor)
    return RedirectResponse("/lead/people", 303)


@router.post("/lead/people/{person}/role")
def change_role(web: CurrentWeb, visitor: CurrentPerson, person: PersonId, role: Field = "") -> Response:
    """Give a person another role. Their sessions end, so that the new role holds at once; the blinded name stays."""
    if role not in ROLES:
        raise UsageError(f"Received the role {role!r}; expected one of {', '.join(ROLES)}.")
    code = _changeable(web.store, visitor, person)
    with web.store.writing() as connection:
        connection.execute(update(PersonRow).where(PersonRow.id == person).values(role=role))
        end_sessions(connection, person)
        record(connection, "changed role", person=visitor.id, target=code, details={"role": role})
    return RedirectResponse("/lead/people", 303)


@router.post("/lead/raters/{code}/set-aside")
def set_aside(
    web: CurrentWeb, visitor: CurrentPerson, code: Code, reason: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """Take all answers of a rater out and close the account. The answers stay on record; their units go to others."""
    found = find_person(web.store, code=code)
    if found is None:
        raise HTTPException(404, "There is no such account.")
    _changeable(web.store, visitor, found.id)
    if not reason.strip() or not reason.isprintable():
        raise UsageError("Please say why; it is kept with every answer that is set aside.")
    withdraw(web.store, found.id, by=visitor.id, reason=reason.strip())
    return RedirectResponse(f"/lead/raters?gone={code}", 303)


@router.get("/lead/log")
def log(
    request: Request,
    web: CurrentWeb,
    visitor: CurrentPerson,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """What people did beyond answering, newest first."""
    found = audit_log(web.store, limit=_ENTRIES + 1, before=before)
    entries = [
        {
            "when": f"{one.time:%d %b %Y %H:%M:%S}",
            "who": one.person or "–",
            "action": one.action,
            "target": one.target,
            "details": _details(one.details, private=visitor.role == "admin"),
        }
        for one in found[:_ENTRIES]
    ]
    older = found[_ENTRIES - 1].id if len(found) > _ENTRIES else None
    return desk_page(request, "log", state_of(request), {"entries": entries, "older": older})


_PRIVATE = ("note", "address")
"""Details that could tell who is behind a blinded name."""


def _details(given: Mapping[str, Any], *, private: bool) -> str:
    """Details of a line that say something, private ones to admins only."""
    shown = {key: value for key, value in given.items() if value != "" and (private or key not in _PRIVATE)}
    return ", ".join(f"{k}: {v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)}" for k, v in shown.items())


def may_invite(visitor: Visitor) -> tuple[RoleName, ...]:
    """Roles that a person may invite others to."""
    return ROLES if visitor.role == "admin" else ("rater", "lead")


def _changeable(store: Store, visitor: Visitor, person: int) -> str:
    """Code of an account that this person may change. Leads change raters, admins everybody but themselves."""
    found = find_person(store, person)
    if found is None:
        raise HTTPException(404, "There is no such account.")
    if not _may_change(visitor, person, found.role):
        raise HTTPException(403, "Leads can change raters' accounts, admins all but their own.")
    return found.code


def _may_change(visitor: Visitor, person: int, role: str) -> bool:
    return person != visitor.id and (visitor.role == "admin" or role == "rater")


def _people_page(
    request: Request, web: Web, visitor: Visitor, *, link: str = "", role: str = "", until: str = ""
) -> Response:
    given = {one.person.id: one.answers for one in progress(web.store).people}
    listed = [
        {
            "id": one.id,
            "code": one.code,
            "name": one.name,
            "login": one.login or "",
            "role": one.role,
            "active": one.active,
            "answers": given.get(one.id, 0),
            "changeable": _may_change(visitor, one.id, one.role),
        }
        for one in people(web.store)
    ]
    context = {
        "people_rows": listed,
        "named": visitor.role == "admin",
        "may_promote": visitor.role == "admin",
        "roles": ROLES,
        "may_invite": may_invite(visitor),
        "link": link,
        "link_role": role,
        "link_until": until,
    }
    return desk_page(request, "people", state_of(request), context)
