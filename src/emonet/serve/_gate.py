"""The gate before every route: keys, rate, size of the body, the drain, headers and the log. Plain ASGI."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emonet.forwarded import client_address
from emonet.serve._keys import given_key, known_key
from emonet.serve._metrics import log
from emonet.serve._problems import Problem

if TYPE_CHECKING:
    from emonet.serve._state import State

_OPEN = ("/", "/health", "/ready", "/favicon.ico")
_OPEN_BELOW = ("/static/", "/examples/")
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


class Gate:
    """ASGI middleware around the whole application; puts `client` in the scope's state."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app, self.state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        if scope["type"] == "http":
            await self._request(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keys and the drain; the route itself says why it closes, for a refused handshake carries no words."""
        headers = Headers(scope=scope)
        query = dict(part.partition("=")[::2] for part in scope["query_string"].decode("latin-1").split("&"))
        state = scope.setdefault("state", {})
        state["client"], state["problem"] = self._who(scope, headers, query.get("key", ""))
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host", ""):
            state["problem"] = Problem("no_key", "A page of another site may not open a stream here.")
        await self.app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, body = time.perf_counter(), _Body(receive, self.state.settings.limits.max_bytes,
                                                  time.monotonic() + self.state.settings.limits.body_s)  # fmt: skip
        sent: dict[str, Any] = {"status": 500, "started": False}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent.update(status=message["status"], started=True)
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS:
                    headers.setdefault(name, value)
            await send(message)

        problem: Problem | None = None
        self.state.active += 1
        try:
            self._admit(scope, body)
            await self.app(scope, body, sending)
        except Problem as refused:
            problem = refused
        except Exception as error:
            # The text of an error may hold what a client sent: the log tells its type and place alone.
            log("error", type=type(error).__name__, place=_place(error))
            problem = Problem("failed", "The server failed; its log says more.")
        finally:
            self.state.active -= 1
            if problem is not None and not sent["started"]:
                await problem.response()(scope, receive, sending)
            route = getattr(scope.get("route"), "path", "other")
            code = problem.code if problem else str(sent["status"]) if sent["status"] >= 400 else ""
            self.state.metrics.request(
                scope["method"], route, sent["status"], time.perf_counter() - began, body.size, code
            )

    def _admit(self, scope: Scope, body: _Body) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        client, problem = self._who(scope, headers, "")
        scope.setdefault("state", {})["client"] = client
        public = path in _OPEN or path.startswith(_OPEN_BELOW)
        if not public and problem is not None:
            raise problem
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > body.limit:
            raise body.too_large()
        if not public and path != "/metrics" and scope["method"] == "POST":
            self.state.turns.charge(client)

    def _who(self, scope: Scope, headers: Headers, query: str) -> tuple[str, Problem | None]:
        """The client that a request is counted for, by key or address, and why it may not pass."""
        keys = self.state.settings.keys
        if self.state.draining:
            return "", Problem("stopping", "The server is stopping.", retry_after=5)
        if not keys:
            direct = scope["client"][0] if scope.get("client") else ""
            said = ", ".join(headers.getlist("x-forwarded-for"))
            return f"address {client_address(direct, said, self.state.settings.proxies)}", None
        given = given_key(headers, query)
        if known_key(given, keys):
            return f"key {keys.index(given)}", None
        return "", Problem("no_key", "Give a valid API key: Authorization: Bearer KEY." if not given
                           else "This API key is not known.")  # fmt: skip


class _Body:
    """`receive` that counts: a body may have so many bytes and take so long to come."""

    def __init__(self, receive: Receive, limit: int, until: float) -> None:
        self._receive, self.limit, self._until, self.size, self._whole = receive, limit, until, 0, False

    def too_large(self) -> Problem:
        return Problem("too_large", f"The request is larger than {self.limit:,} bytes.")

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout(max(0.0, self._until - time.monotonic())):
                message = await self._receive()
        except TimeoutError as error:
            raise Problem("slow_body", "The body took too long to arrive.") from error
        if message["type"] == "http.request":
            self.size += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self.size > self.limit:
                raise self.too_large()
        return message


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}"
