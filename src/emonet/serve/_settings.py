"""What a server can be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from emonet.errors import UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, one client and all of them together may ask for.

    `max_bytes`: of a whole request. `max_files`: of a batch. `max_duration_s`: of a recording or video. `max_pixels`:
    of a picture or a video's frame, judged by its header. `max_pieces`: faces and windows of one file. `queue`:
    requests that wait or run, shared evenly between the clients that are there. `running`: requests that are decoded
    and scored at once. `per_minute`: requests of one client, None for any number. `streams`: open at once.
    `body_s`: how long a body may take to arrive.
    """

    max_bytes: int = 50_000_000
    max_files: int = 16
    max_duration_s: float = 600.0
    max_pixels: int = 40_000_000
    max_pieces: int = 1200
    queue: int = 64
    running: int = 8
    per_minute: float | None = None
    streams: int = 8
    body_s: float = 60.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"The limit {name} is {value}; expected more than 0.")


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Settings of one running server.

    `models`: names that `emonet.load` takes. `keys`: accepted API keys, none for a server that asks for none.
    `score_root`: folder whose files `/score` may read, None to answer 404 there. `explorer`: a Parquet table for
    `/columns` and `/rank`, None likewise. `wait_s`: how long a batch waits for company. `batch`: most pieces scored
    together. `threads`: of a model call. `proxies`: how many reverse proxies stand in front and append to
    X-Forwarded-For, by which clients without a key are then told apart; 0 ignores that header.
    """

    models: tuple[str, ...] = ("face", "voice")
    keys: tuple[str, ...] = field(default=(), repr=False)
    limits: Limits = Limits()
    score_root: Path | None = None
    explorer: Path | None = None
    wait_s: float = 0.004
    batch: int = 16
    threads: int | None = None
    proxies: int = 0
