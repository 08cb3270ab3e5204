"""What the server answers, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emonet.errors import EmonetError


class ServerRefusedError(EmonetError):
    """The server refused a request. `status`: of HTTP, 0 for none; `code`: the problem's; `retry_after`: seconds."""

    def __init__(self, status: int, code: str, detail: str, retry_after: float | None = None) -> None:
        self.status, self.code, self.detail, self.retry_after = status, code, detail, retry_after
        super().__init__(f"The server refused the request ({status} {code}): {detail}")


@dataclass(frozen=True, slots=True)
class Reply:
    """Of `Client.estimate`. `rows`: one a face or window, as in `emonet estimate`'s tables; `models`: what took part,
    with scale, licence and measured figures; `top`: the strongest emotions of each file when asked for."""

    rows: tuple[Mapping[str, Any], ...]
    models: tuple[Mapping[str, Any], ...]
    values: str
    note: str
    top: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Captioned:
    """One caption. `text` is None where nothing was scored; `status` and `message` say why."""

    source: str
    status: str
    text: str | None
    message: str = ""
    start_s: float | None = None
    end_s: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StreamReply:
    """One rolling estimate. `row`: as in `Reply.rows`; `latency_s`: from the last sound to its scores, in the
    server."""

    row: Mapping[str, Any]
    latency_s: float
