"""Style sheets, scripts and pictures of the pages, from the package; and the templates' environment."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@lru_cache(maxsize=1)
def _files() -> dict[str, tuple[bytes, str]]:
    """Every file by its address, with its tag. They are few and small, so they stay in memory."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            found[path.relative_to(FOLDER).as_posix()] = (body, hashlib.sha256(body).hexdigest()[:16])
    return found


@lru_cache(maxsize=1)
def release() -> str:
    """Tag of all files together. It stands in their addresses, so that a browser may keep them for ever and still has
    the right set of modules, which import one another by relative addresses, after an update."""
    return hashlib.sha256("".join(tag for _, tag in _files().values()).encode()).hexdigest()[:12]


def static(name: str) -> str:
    """Address of a file in `static/`; a name that is not there is a fault of the template."""
    if name not in _files():
        raise KeyError(f"static/{name} does not exist; there are: {', '.join(_files())}")
    return f"/static/{release()}/{name}"


@router.get("/static/{path:path}")
async def asset(path: str, request: Request) -> Response:
    """A file by its address with the release in front."""
    tag, _, name = path.partition("/")
    if name not in _files():
        raise HTTPException(404, "There is no such file.")
    body, own = _files()[name]
    kept = "public, max-age=31536000, immutable" if tag == release() else "no-cache"
    headers = {"Cache-Control": kept, "ETag": f'"{own}"'}
    if f'"{own}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=_TYPES[Path(name).suffix], headers=headers)


def environment() -> Environment:
    """The templates. Everything is escaped; a name that a page was not given is an error, not an empty place."""
    made = Environment(
        loader=PackageLoader("emonet.annotation.web", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = static
    return made
