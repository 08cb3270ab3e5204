"""The real server for the page's tests: the embedded models, a second voice model, and one refusal for being busy."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emonet.models import update_card
from emonet.serve import Limits, ServeSettings, create_app

MAX_BYTES = 3_000_000


def application(folder: Path) -> FastAPI:
    """`folder`: for the second voice model, a copy of the embedded one by another name."""
    twin = folder / "twin"
    shutil.copytree(Path(str(files("emonet.models") / "embedded" / "voice")), twin)
    update_card(twin, id="test/twin", title="Twin of the voice model")
    app = create_app(ServeSettings(models=("face", "voice", str(twin)), limits=Limits(max_bytes=MAX_BYTES)))
    app.add_middleware(BusyOnce)
    return app


class BusyOnce:
    """Answers 429 to the first request with a file called "busy", as a server with a full queue does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.refused = app, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/v1/estimate":
            await self.app(scope, receive, send)
            return
        first = await receive()
        if not self.refused and b'filename="busy' in first.get("body", b""):
            self.refused = True
            while first.get("more_body"):
                first = await receive()
            refusal = JSONResponse({"detail": "The queue is full."}, 429, {"Retry-After": "1"})
            await refusal(scope, receive, send)
            return
        waiting: list[Message] = [first]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self.app(scope, replay, send)
