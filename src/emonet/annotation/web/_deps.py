"""What the routes share: the running application's parts, who is asking, and how a page is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from emonet.annotation.accounts import Visitor
from emonet.annotation.protocols import Protocol
from emonet.annotation.store import Store
from emonet.annotation.web._settings import WebSettings


@dataclass(frozen=True, slots=True)
class Web:
    """The parts of one application, kept in `app.state.web`. `media`: folder below which the items' files lie,
    resolved."""

    store: Store
    title: str
    protocol: Protocol
    media: Path
    settings: WebSettings
    templates: Environment


def web_of(request: Request) -> Web:
    """The running application's parts."""
    web: Web = request.app.state.web
    return web


async def current_web(request: Request) -> Web:
    """Dependency of routes; asynchronous so that it costs no thread."""
    return web_of(request)


async def current_person(request: Request) -> Visitor:
    """Who is signed in. The middleware has checked the role already, so that a route can rely on it."""
    visitor = visitor_of(request)
    if visitor is None:
        raise RuntimeError(f"{request.url.path} asks for a person but is listed for anyone in _access.py")
    return visitor


CurrentWeb = Annotated[Web, Depends(current_web)]
CurrentPerson = Annotated[Visitor, Depends(current_person)]


def visitor_of(request: Request) -> Visitor | None:
    """Who is signed in, None for nobody; set by the middleware."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    return visitor


def page(
    request: Request,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    web: Web | None = None,
) -> HTMLResponse:
    """Render `templates/<template>`, which extends `base.html`.

    Every template gets `person` (a `Visitor` or None), `csrf` (for a hidden field of that name in each form),
    `project` (title), `protocol`, `theme` ("light", "dark" or "auto"), `path` (of this page) and the function
    `static("desk.css")`, which gives the address of a file in `static/` that may be cached for ever.
    """
    web = web or web_of(request)
    visitor = visitor_of(request)
    theme = request.cookies.get("theme", "auto")
    shared = {
        "person": visitor,
        "csrf": visitor.csrf if visitor else getattr(request.state, "form_token", ""),
        "project": web.title,
        "protocol": web.protocol,
        "theme": theme if theme in ("light", "dark") else "auto",
        "path": request.url.path,
    }
    body = web.templates.get_template(template).render({**shared, **(context or {})})
    return HTMLResponse(body, status_code=status, headers={"Cache-Control": "no-store", **(headers or {})})
