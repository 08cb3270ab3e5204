"""The page itself: one HTML document whose scripts talk to the API, and the headers that keep it to this host."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi import Path as UrlPath
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from emonet import __version__
from emonet.serve.page._examples import examples, make_example
from emonet.serve.page._words import SETUP

router = APIRouter(include_in_schema=False)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; worker-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Nothing from another host, no inline script or style, no frame; camera and microphone for this page alone."""

_templates = Environment(
    loader=PackageLoader("emonet.serve.page"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def static_folder() -> Path:
    """Scripts and styles."""
    return Path(str(files("emonet.serve") / "static"))


def mount(app: FastAPI) -> None:
    """Add the page at "/", the examples, and the files under /static."""
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=static_folder()), name="static")


@router.get("/")
def index(request: Request) -> HTMLResponse:
    """The page; its scripts do the rest over /v1."""
    setup: dict[str, Any] = SETUP | {
        "version": __version__,
        "examples": [example.public() for example in examples()],
    }
    return HTMLResponse(_templates.get_template("index.html").render(setup=setup, version=__version__), headers=HEADERS)


@router.get("/examples/{name}")
async def example(name: Annotated[str, UrlPath(pattern=r"^[a-z-]{1,40}\.(png|wav)$")]) -> Response:
    """One of the example files, made when it is first asked for."""
    known = {item.name: item for item in examples()}
    if name not in known:
        raise HTTPException(404, f"There is no example {name}. Known: {', '.join(known) or 'none'}.")
    content = await anyio.to_thread.run_sync(make_example, name)
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=known[name].media_type, headers=headers)
