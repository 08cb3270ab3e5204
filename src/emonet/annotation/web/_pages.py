"""The raters' pages: overview, rating, own answers, guide, account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from emonet.annotation.accounts import SHORTEST, PasswordError, change_password
from emonet.annotation.protocols import Protocol
from emonet.annotation.store import withdraw
from emonet.annotation.web import _work
from emonet.annotation.web._deps import CurrentPerson, CurrentWeb, page
from emonet.annotation.web._guard import cookie_name
from emonet.annotation.web._setup import groups_of, keys_hint, setup_of
from emonet.annotation.web._sign_in import address_of

router = APIRouter(include_in_schema=False)
Password = Annotated[str, Form(max_length=200)]


@router.get("/")
def overview(request: Request, web: CurrentWeb, person: CurrentPerson) -> Response:
    """What is open, own figures, how it works."""
    progress = _work.progress_of(web, person)
    hours = _hours(progress.left, progress.median_seconds)
    context = {
        "progress": {**progress.model_dump(), "hours_left": hours},
        "prompt": prompt_of(web.protocol),
        "keys_hint": keys_hint(web.protocol),
    }
    return page(request, "overview.html", context)


@router.get("/rate")
def rate(request: Request, web: CurrentWeb, person: CurrentPerson) -> Response:
    """The rating page; its script does the rest over /api."""
    progress = _work.progress_of(web, person).model_dump()
    setup = setup_of(web.protocol, csrf=person.csrf, person=person.code, progress=progress, title=web.title)
    return page(request, "rate.html", {"setup": setup})


@router.get("/history")
def history(request: Request, web: CurrentWeb, person: CurrentPerson) -> Response:
    """Own answers, each open to correction."""
    setup = setup_of(web.protocol, csrf=person.csrf, person=person.code, title=web.title)
    return page(request, "history.html", {"setup": setup})


@router.get("/guide")
def guide(request: Request, web: CurrentWeb, person: CurrentPerson) -> Response:
    """Instructions, and the emotions with their example words."""
    return page(request, "guide.html", {"prompt": prompt_of(web.protocol), "groups": groups_of(web.protocol)})


@router.get("/account")
def account(request: Request, person: CurrentPerson) -> Response:
    """Password and withdrawal."""
    return _account(request)


@router.post("/account/password")
def password(
    request: Request, web: CurrentWeb, person: CurrentPerson, old: Password = "", new: Password = ""
) -> Response:
    """Change the password; every other session of the person ends."""
    try:
        change_password(web.store, person, old=old, new=new, address=address_of(request, web))
    except PasswordError as error:
        return _account(request, problem=str(error), status=422)
    return _account(request, done="Your password is changed. Other devices are signed out.")


@router.post("/account/leave")
def leave(web: CurrentWeb, person: CurrentPerson, erase: Password = "") -> Response:
    """Withdraw one's answers from use and close the account; on request forget the name as well."""
    withdraw(web.store, person.id, by=person.id, erase=erase == "yes")
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(cookie_name(web), secure=web.settings.https, httponly=True, samesite="lax")
    return answer


def prompt_of(protocol: Protocol) -> str:
    """The prompt for people, where no particular emotion is asked yet."""
    return protocol.prompt.replace("{emotion}", "a given emotion")


def _account(request: Request, *, done: str = "", problem: str = "", status: int = 200) -> Response:
    return page(request, "account.html", {"done": done, "problem": problem, "shortest": SHORTEST}, status=status)


def _hours(left: int | None, seconds: float | None) -> str:
    """Time that the open units take at one's own pace, in words; empty where either is unknown."""
    if not left or not seconds:
        return ""
    minutes = left * seconds / 60
    return f"{max(1, round(minutes))} min" if minutes < 90 else f"{minutes / 60:.1f} h"
