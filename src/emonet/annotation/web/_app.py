"""The application: routes, gate, errors in plain words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from emonet.annotation.store import AnsweredError, NotAssignedError, Store, read_project
from emonet.annotation.web import _api, _assets, _media, _pages, _sign_in
from emonet.annotation.web._deps import Web, page
from emonet.annotation.web._guard import Guard
from emonet.annotation.web._lead import lead
from emonet.annotation.web._settings import WebSettings
from emonet.errors import UsageError


def create_app(store: Store, *, media: str | Path, settings: WebSettings | None = None) -> FastAPI:
    """The web application of the project in `store`, as an ASGI application.

    media: folder below which the items' files lie. The application keeps no state of its own, so that several
    processes can serve one database. It does not close the store.
    """
    used = settings or WebSettings()
    project = read_project(store)
    web = Web(store, project.name, project.protocol, Path(media).resolve(), used, _assets.environment())
    # Its pages of documentation would load scripts from elsewhere; the OpenAPI document is `app.openapi()`.
    app = FastAPI(title=f"{project.name}: annotation", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_life)
    app.state.web = web
    for router in (_assets.router, _sign_in.router, _pages.router, _api.router, _media.router, lead):
        app.include_router(router)
    app.add_exception_handler(HTTPException, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(UsageError, _unfit)
    app.add_middleware(Guard, web=web)
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    """No more threads than the database has connections: a request waits for a thread rather than fail for want of
    a connection."""
    web: Web = app.state.web
    anyio.to_thread.current_default_thread_limiter().total_tokens = web.settings.threads
    yield


async def _told(request: Request, error: Exception) -> Response:
    """An error of a known status, as JSON to scripts and as a page to people."""
    assert isinstance(error, HTTPException)
    if _script(request):
        return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)
    title = {403: "Not allowed", 404: "Not found", 405: "Not possible here"}.get(error.status_code, "That did not work")
    return page(request, "message.html", {"title": title, "text": str(error.detail)}, status=error.status_code)


async def _invalid(request: Request, error: Exception) -> Response:
    """A request that does not have the form it should have; the first fault in one sentence."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    text = f"{where}: {first['msg']}" if where else str(first["msg"])
    if _script(request):
        return JSONResponse({"detail": text}, 422)
    return page(request, "message.html", {"title": "That did not work", "text": text}, status=422)


async def _unfit(request: Request, error: Exception) -> Response:
    """What the protocol or the store refuses, in its own words."""
    status = 404 if isinstance(error, NotAssignedError) else 409 if isinstance(error, AnsweredError) else 400
    if _script(request):
        return JSONResponse({"detail": str(error)}, status)
    return page(request, "message.html", {"title": "That did not work", "text": str(error)}, status=status)


def _script(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/media/", "/static/"))
