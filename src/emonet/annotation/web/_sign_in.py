"""Signing in and out, and taking up an invitation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from emonet.annotation.accounts import (
    SHORTEST,
    InvitationError,
    NewSession,
    SignInError,
    TooManyAttemptsError,
    end_session,
    join,
    read_invitation,
    sign_in,
)
from emonet.annotation.web._deps import CurrentPerson, CurrentWeb, Web, page, visitor_of
from emonet.annotation.web._guard import cookie_name, form_cookie_name
from emonet.errors import UsageError
from emonet.forwarded import client_address

router = APIRouter(include_in_schema=False)
_COOKIE_S = 400 * 86_400
"""Browsers keep a cookie no longer. When a session ends is decided here by its use, not by the cookie's age."""
Token = Annotated[str, Path(max_length=100)]
Short = Annotated[str, Form(max_length=200)]


@router.get("/health")
async def health() -> Response:
    """For a load balancer: the server answers."""
    return Response("ok", media_type="text/plain")


@router.get("/sign-in")
def sign_in_page(request: Request, web: CurrentWeb, next: str = "") -> Response:
    """The form; somebody who is signed in goes on at once."""
    if visitor_of(request):
        return RedirectResponse(_inside(next), 303)
    return _form(request, web, "sign_in.html", {"problem": "", "login": "", "next": _inside(next)})


@router.post("/sign-in")
def sign_in_form(
    request: Request, web: CurrentWeb, login: Short = "", password: Short = "", next: Short = ""
) -> Response:
    """Check name and password; after too many failures wait."""
    try:
        made = sign_in(
            web.store,
            login,
            password,
            address=address_of(request, web),
            limit=web.settings.attempts,
            window=web.settings.attempts_for,
            lasts=web.settings.session_for,
        )
    except SignInError as error:
        late = isinstance(error, TooManyAttemptsError)
        context = {"problem": str(error), "login": login, "next": _inside(next)}
        answer = _form(request, web, "sign_in.html", context, status=429 if late else 401)
        if isinstance(error, TooManyAttemptsError):
            answer.headers["Retry-After"] = str(error.wait_s)
        return answer
    return _welcome(web, made, _inside(next))


@router.get("/join/{token}")
def join_page(request: Request, web: CurrentWeb, token: Token) -> Response:
    """The form of an invitation."""
    try:
        invitation = read_invitation(web.store, token)
    except InvitationError as error:
        return page(request, "message.html", {"title": "This link does not work", "text": str(error)}, status=404)
    context = {"problem": "", "role": invitation.role, "name": "", "login": "", "shortest": SHORTEST}
    return _form(request, web, "join.html", context)


@router.post("/join/{token}")
def join_form(
    request: Request, web: CurrentWeb, token: Token, name: Short = "", login: Short = "", password: Short = ""
) -> Response:
    """Make the account and sign in."""
    try:
        invitation = read_invitation(web.store, token)
    except InvitationError as error:
        return page(request, "message.html", {"title": "This link does not work", "text": str(error)}, status=404)
    try:
        made = join(
            web.store, token, login=login, name=name, password=password, address=address_of(request, web),
            lasts=web.settings.session_for,
        )  # fmt: skip
    except UsageError as error:
        context = {"problem": str(error), "role": invitation.role, "name": name, "login": login, "shortest": SHORTEST}
        return _form(request, web, "join.html", context, status=422)
    return _welcome(web, made, "/")


@router.post("/sign-out")
def sign_out(web: CurrentWeb, person: CurrentPerson) -> Response:
    """End this session."""
    end_session(web.store, person.session)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(cookie_name(web), secure=web.settings.https, httponly=True, samesite="lax")
    return answer


def address_of(request: Request, web: Web) -> str:
    """Whence the request comes: the connection's other end, or what the proxies in front say."""
    direct = request.client.host if request.client else ""
    return client_address(direct, request.headers.get("x-forwarded-for", ""), web.settings.proxies)


def _form(
    request: Request, web: Web, template: str, context: Mapping[str, object], *, status: int = 200
) -> HTMLResponse:
    """A page with a form for people who are not signed in, tied to their browser by a cookie."""
    answer = page(request, template, {**context, "person": None, "csrf": request.state.form_token}, status=status)
    if request.state.new_form_token:
        answer.set_cookie(
            form_cookie_name(web), request.state.form_token, secure=web.settings.https, httponly=True, samesite="strict"
        )
    return answer


def _welcome(web: Web, made: NewSession, where: str) -> Response:
    answer = RedirectResponse(where, 303)
    answer.set_cookie(
        cookie_name(web),
        made.token,
        max_age=_COOKIE_S,
        httponly=True,
        secure=web.settings.https,
        samesite="lax",
    )
    return answer


def _inside(address: str) -> str:
    """A path of this application, never another host: "//evil" and "/\\evil" are addresses of hosts to a browser."""
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if plain and "\\" not in address else "/"
