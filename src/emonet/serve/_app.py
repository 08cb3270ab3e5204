"""The application: models, routes, gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from emonet import __version__
from emonet.reports import NOTE
from emonet.serve import _captions, _compatible, _estimate, _explorer, _health, _models, _stream
from emonet.serve._engine import Engine
from emonet.serve._gate import Gate
from emonet.serve._metrics import Metrics
from emonet.serve._problems import add_handlers
from emonet.serve._queue import Turns
from emonet.serve._settings import ServeSettings
from emonet.serve._state import State


def create_app(settings: ServeSettings | None = None, *, engine: Engine | None = None) -> FastAPI:
    """The server as an ASGI application. The models are loaded when it starts; `engine` gives loaded ones instead.

    Its state is `app.state.serve`. Pages of documentation would load scripts from elsewhere, so there is only the
    OpenAPI document itself, at /openapi.json.
    """
    used = settings or ServeSettings()
    state = State(used, Metrics(), Turns(used.limits), engine)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        if state.engine is None:
            state.engine = await asyncio.to_thread(Engine, used, state.metrics.batch)
        try:
            yield
        finally:
            await asyncio.to_thread(state.engine.close)

    app = FastAPI(title="emonet", version=__version__, description=NOTE, docs_url=None, redoc_url=None, lifespan=life)
    app.state.serve, app.state.settings = state, used
    for module in (_health, _models, _estimate, _captions, _stream, _compatible, _explorer):
        app.include_router(module.router)
    from emonet.serve.page import mount

    mount(app)
    add_handlers(app)
    app.add_middleware(Gate, state=state)
    return app
