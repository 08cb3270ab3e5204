"""What one running application has at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection

from emonet.serve._engine import Engine
from emonet.serve._metrics import Metrics
from emonet.serve._queue import Turns
from emonet.serve._settings import ServeSettings


@dataclass(slots=True, eq=False)
class State:
    """`engine`: None until the models are loaded. `active`: requests under way. `draining`: no new ones are taken."""

    settings: ServeSettings
    metrics: Metrics
    turns: Turns
    engine: Engine | None = None
    active: int = 0
    streams: int = 0
    draining: bool = False

    @property
    def ready(self) -> Engine:
        """The engine; `RuntimeError` before the application has started."""
        if self.engine is None:
            raise RuntimeError("the models are not loaded: the application's lifespan has not begun")
        return self.engine


def state_of(connection: HTTPConnection) -> State:
    """The state of the application that a request came to."""
    return cast(State, connection.app.state.serve)


def client_of(connection: HTTPConnection) -> str:
    """Whom the request is counted for."""
    return str(getattr(connection.state, "client", ""))
