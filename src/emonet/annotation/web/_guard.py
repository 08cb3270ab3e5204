"""The gate before every route: who is asking, may they, and did this page of ours send it. Plain ASGI, so that it costs
little; the database is asked in a worker thread.

A request passes when `_access.py` lists it and the person's role suffices. An unsafe one (POST) also needs the token of
its session in the header X-CSRF-Token or, from a form, in the field `csrf`, and must not come from another site.
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emonet.annotation.accounts import Visitor, find_visitor, new_token, same_token
from emonet.annotation.web._access import Least, allows, least_role
from emonet.annotation.web._deps import Web, page

MAX_BODY = 256 * 1024
"""Largest body of a request, in bytes; an answer to 40 sliders takes 2 kB."""

SECURITY = (
    ("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
     "media-src 'self' blob:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
     "frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
)  # fmt: skip


def cookie_name(web: Web) -> str:
    """Of the session; the prefix makes browsers insist on https and this host alone."""
    return "__Host-emonet" if web.settings.https else "emonet"


def form_cookie_name(web: Web) -> str:
    """Of the token that ties the forms for people who are not signed in to their browser."""
    return "__Host-emonet-form" if web.settings.https else "emonet-form"


class Guard:
    """ASGI middleware; put around the whole application."""

    def __init__(self, app: ASGIApp, web: Web) -> None:
        self.app, self.web = app, web

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # No web sockets here: whatever is neither a request nor the server's start and stop is turned away.
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        send = _with_headers(send, https=self.web.settings.https)
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        method, path = scope["method"], scope["path"]
        least = least_role(method, path)
        if least == "anyone" and path.startswith("/static/"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookies = cookie_parser(headers.get("cookie", ""))
        token = cookies.get(cookie_name(self.web), "")
        visitor = await anyio.to_thread.run_sync(self._visitor, token) if token else None
        state["visitor"] = visitor
        if least is None:
            await self._refuse(scope, receive, send, 404 if visitor else 401)
            return
        if not allows(least, visitor.role if visitor else None):
            await self._refuse(scope, receive, send, 403 if visitor else 401)
            return
        expected = self._expected(visitor, least, path, cookies, state)
        if method not in ("GET", "HEAD", "OPTIONS"):
            body = await _read(receive, headers)
            if body is None:
                await self._refuse(scope, receive, send, 413)
                return
            if not _from_here(headers, scope) or not same_token(_given(headers, body), expected):
                await self._refuse(scope, receive, send, 403, "This page is out of date. Load it again and repeat.")
                return
            receive = _replay(body, receive)
        await self.app(scope, receive, send)

    def _visitor(self, token: str) -> Visitor | None:
        return find_visitor(self.web.store, token, lasts=self.web.settings.session_for)

    def _expected(
        self,
        visitor: Visitor | None,
        least: Least,
        path: str,
        cookies: dict[str, str],
        state: MutableMapping[str, Any],
    ) -> str:
        """The token that unsafe requests must carry: the session's, or for the forms of people who are not signed in
        the one in their form cookie, which is made with the page and set by it."""
        if visitor is not None and least != "anyone":
            return visitor.csrf
        known = cookies.get(form_cookie_name(self.web), "")
        state["form_token"] = known if len(known) >= 32 else new_token()
        state["new_form_token"] = state["form_token"] != known
        return known

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, status: int, text: str | None = None) -> None:
        """Answer in the language of the one who asks: JSON to scripts, a page to people."""
        from starlette.responses import RedirectResponse, Response

        told = text or _TOLD[status]
        path = scope["path"]
        response: Response
        if path.startswith(("/api/", "/media/")) or Headers(scope=scope).get("accept", "").startswith(
            "application/json"
        ):
            response = Response(json.dumps({"detail": told}), status, media_type="application/json")
        elif status == 401:
            wanted = path if scope["method"] == "GET" and path not in ("/", "/sign-out") else ""
            response = RedirectResponse(f"/sign-in?next={quote(wanted)}" if wanted else "/sign-in", 303)
        else:
            response = page(
                Request(scope), "message.html", {"title": _TITLES[status], "text": told}, status=status, web=self.web
            )
        response.headers["Cache-Control"] = "no-store"
        await response(scope, receive, send)


_TOLD = {
    401: "Please sign in.",
    403: "Your account may not do this.",
    404: "There is nothing at this address.",
    413: f"The request is larger than {MAX_BODY // 1024} kB.",
}
_TITLES = {403: "Not allowed", 404: "Not found", 413: "Too large"}


def _with_headers(send: Send, *, https: bool) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY:
                headers.setdefault(name, value)
            if https:
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        await send(message)

    return sending


def _from_here(headers: Headers, scope: Scope) -> bool:
    """Whether the request came from a page of this host. Browsers say so in one or the other header; scripts without
    a browser send neither and have the token alone."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def _given(headers: Headers, body: bytes) -> str:
    token = headers.get("x-csrf-token")
    if token is not None or not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return token or ""
    return parse_qs(body.decode("utf-8", "replace"), max_num_fields=200).get("csrf", [""])[-1]


async def _read(receive: Receive, headers: Headers) -> bytes | None:
    """The whole body, None when it is too large."""
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body again, then whatever comes after it."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
