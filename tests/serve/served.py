"""A server in this process on a free port, with tiny models or the embedded ones."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from emonet.serve import ServeSettings, create_app
from emonet.serve._process import DrainingServer


@dataclass
class Served:
    url: str
    app: FastAPI
    server: DrainingServer
    thread: threading.Thread


@contextmanager
def served(settings: ServeSettings) -> Iterator[Served]:
    """Listens until the block ends."""
    app = create_app(settings)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, timeout_graceful_shutdown=5, ws="websockets-sansio"
        )
        server = DrainingServer(config, app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", app, server, thread)
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
