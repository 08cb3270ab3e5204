"""Refusals as RFC 9457 problem details: a status, a code for programs, a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from emonet.errors import MediaError, MediaTooLargeError, UsageError

TITLES: Mapping[str, tuple[int, str]] = {
    "bad_request": (400, "The request could not be understood"),
    "no_key": (401, "An API key is needed"),
    "not_found": (404, "There is nothing here"),
    "method": (405, "This method is not possible here"),
    "slow_body": (408, "The request arrived too slowly"),
    "too_large": (413, "Too large"),
    "unknown_media": (415, "Not a picture, recording or video"),
    "invalid": (422, "The request is not as it should be"),
    "unreadable": (422, "The file cannot be used"),
    "queue_full": (429, "The server is busy"),
    "rate": (429, "Too many requests"),
    "failed": (500, "The server failed"),
    "stopping": (503, "The server is stopping"),
    "timeout": (504, "The request waited too long"),
}


class Problem(Exception):  # noqa: N818  # the standard's own word
    """A request is refused. `code`: a key of `TITLES`; `retry_after`: seconds, for 429 and 503."""

    def __init__(self, code: str, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.retry_after = code, detail, retry_after
        self.status, self.title = TITLES[code]

    def response(self) -> JSONResponse:
        """As it is sent."""
        body = {"type": f"urn:emonet:problem:{self.code}", "title": self.title, "status": self.status}
        headers = {} if self.retry_after is None else {"Retry-After": str(max(1, round(self.retry_after)))}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(
            body | {"code": self.code, "detail": self.detail},
            self.status,
            headers=headers,
            media_type="application/problem+json",
        )


def media_problem(error: MediaError, name: str) -> Problem:
    """What is wrong with an upload; `name` stands in place of the temporary file's."""
    detail = f"{name}: {error.reason}"
    return Problem("too_large" if isinstance(error, MediaTooLargeError) else "unreadable", detail)


def add_handlers(app: FastAPI) -> None:
    """Every error leaves the application as a problem."""
    app.add_exception_handler(Problem, _told)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(UsageError, _usage)


async def _told(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return error.response()


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    codes = {400: "bad_request", 404: "not_found", 405: "method", 413: "too_large"}
    answer = Problem(codes.get(error.status_code, "bad_request"), str(error.detail)).response()
    answer.headers.update(error.headers or {})
    return answer


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """The first fault in one sentence. The routes of LAION's servers keep FastAPI's own layout."""
    assert isinstance(error, RequestValidationError)
    faults = [{"loc": list(map(str, item["loc"])), "msg": item["msg"], "type": item["type"]} for item in error.errors()]
    if request.url.path in ("/predict", "/score", "/rank"):
        return JSONResponse({"detail": faults}, 422)
    where = ".".join(faults[0]["loc"][1:])
    return Problem("invalid", f"{where}: {faults[0]['msg']}" if where else str(faults[0]["msg"])).response()


async def _usage(_: Request, error: Exception) -> JSONResponse:
    return Problem("invalid", str(error)).response()
