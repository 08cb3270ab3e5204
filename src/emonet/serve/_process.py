"""The process: where it listens, its log, and how it stops."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from emonet.errors import UsageError
from emonet.serve._app import create_app
from emonet.serve._metrics import LOG, log
from emonet.serve._settings import ServeSettings

_DRAIN_S = 60.0


def refuse_open_door(host: str, keys: tuple[str, ...], *, open_door: bool) -> None:
    """`UsageError` when anybody who reaches `host` could use the server, unless that is wanted."""
    if keys or open_door or _loopback(host):
        return
    raise UsageError(
        f"{host} can be reached from other machines, and no API key is asked for. Give keys with --keys FILE or the "
        "variable EMONET_API_KEYS, listen on 127.0.0.1, or say --open if everybody may use this server."
    )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def run(settings: ServeSettings, *, host: str = "127.0.0.1", port: int = 8022, open_door: bool = False) -> int:
    """Serve until SIGTERM or Ctrl-C; what was accepted is finished first. Raises `UsageError` as `refuse_open_door`
    and when the address is taken."""
    refuse_open_door(host, settings.keys, open_door=open_door)
    _log_to_stderr()
    app = create_app(settings)
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, server_header=False, ws_max_size=1_100_000,
        timeout_graceful_shutdown=10, timeout_keep_alive=20, proxy_headers=False, limit_concurrency=2048,
    )  # fmt: skip
    with _bound(host, port) as listening:
        log("listening", host=host, port=listening.getsockname()[1], keys=bool(settings.keys))
        server = DrainingServer(config, app)
        server.run(sockets=[listening])
    return 0 if server.started else 1


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host.strip("[]"), port), family=family, backlog=512)
    except OSError as error:
        raise UsageError(f"{host}:{port} cannot be listened on ({error.strerror or error}); choose another "
                         "--host or --port.") from error  # fmt: skip


def _log_to_stderr() -> None:
    if not LOG.handlers:
        LOG.addHandler(logging.StreamHandler(sys.stderr))
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


class DrainingServer(uvicorn.Server):
    """On the first signal it goes on listening, answers 503 to what is new, and stops once the rest is finished; on
    the second it stops at once."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._state = app.state.serve
        self._task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Also remembers the loop, which signals arrive beside."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        if self._state.draining or not self.started or sig not in (signal.SIGTERM, signal.SIGINT):
            super().handle_exit(sig, frame)
            return
        self._state.draining = True
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._task = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        log("draining", requests=self._state.active, streams=self._state.streams)
        until = self._loop.time() + _DRAIN_S
        await asyncio.sleep(0.3)  # for what was sent before its sender could know
        while (self._state.turns.present or self._state.active or self._state.streams) and self._loop.time() < until:
            await asyncio.sleep(0.02)
        log("stopped", unfinished=self._state.active)
        self.should_exit = True
