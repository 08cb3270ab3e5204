"""What is asked of a service, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from urllib.parse import urlsplit, urlunsplit

from emonet.errors import UnknownNameError, UsageError
from emonet.services._limits import Limits
from emonet.services._replies import Prices

Kind = Literal["chat", "speech", "image", "audio_chat", "transcription", "embedding"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ReplyStatus = Literal["ok", "refused", "unusable", "error", "not_asked"]
"""`refused`: by the model or a content filter; `unusable`: answered, but not in a usable form or not passing the check;
`error`: no answer in the allowed attempts; `not_asked`: the budget did not allow it, or the run was stopped."""

_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind a service that speaks OpenAI's protocol.

    `base_url`: up to and with `/v1`. `api_key_env`: environment variable that holds the key; "" sends none, and a
    server on this machine needs none. `timeout_s`: of one request. `max_attempts`: requests without a usable answer,
    `max_waits`: "too many requests" answers that are waited out, both per request. `price_*`: money per million tokens
    and per request; `budget`: no request is begun that could exceed it, what the cache holds included. `extra`:
    further fields of each request's body.
    """

    base_url: str
    model: str
    api_key_env: str = "OPENAI_API_KEY"
    timeout_s: float = 120.0
    concurrency: int = 4
    requests_per_minute: float | None = None
    max_attempts: int = 4
    max_waits: int = 20
    backoff_s: float = 1.0
    price_in: float | None = None
    price_out: float | None = None
    price_request: float | None = None
    currency: str = "USD"
    budget: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if urlsplit(self.base_url).scheme not in ("http", "https") or not self.model:
            raise UsageError(
                f"The service {self.base_url!r} with the model {self.model!r}; expected an address such as "
                "http://127.0.0.1:8000/v1 and a model's name."
            )
        least = {"concurrency": 1, "max_attempts": 1, "max_waits": 0}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise UsageError(f"{name} is {getattr(self, name)}; expected {low} or more.")
        for name in ("timeout_s", "backoff_s", "requests_per_minute", "budget"):
            if (value := getattr(self, name)) is not None and not value > 0:
                raise UsageError(f"{name} is {value}; expected more than 0.")
        for name in ("price_in", "price_out", "price_request"):
            if (value := getattr(self, name)) is not None and value < 0:
                raise UsageError(f"{name} is {value}; expected 0 or more.")
        if self.budget is not None and not self.prices.known:
            raise UsageError("A budget needs prices: price_in and price_out (per million tokens) or price_request.")

    @property
    def prices(self) -> Prices:
        """The same as the accounts take them."""
        return Prices(self.price_in, self.price_out, self.price_request, self.currency)

    @property
    def limits(self) -> Limits:
        """The same as the engine takes them."""
        return Limits(
            self.concurrency, self.requests_per_minute, None, self.max_attempts, self.max_waits, self.backoff_s,
            self.budget,
        )  # fmt: skip

    @property
    def api_key(self) -> str:
        """The key from the environment. Raises `UsageError` naming the variable when a remote service needs it."""
        key = os.environ.get(self.api_key_env, "").strip() if self.api_key_env else ""
        if self.api_key_env and not key and urlsplit(self.base_url).hostname not in _LOCAL:
            raise UsageError(
                f"{self.base_url} needs a key in the environment variable {self.api_key_env}, which is empty. Set it, "
                'name another, or use "" for a server without keys.'
            )
        return key


@dataclass(frozen=True, slots=True)
class Reply:
    """How a request ended. `key`: the request's. `text`: of a chat, a transcript, or what audio was said to say;
    `data`: bytes of sound or picture; `vector`: of an embedding. `attempts`: requests that were sent for it, `cached`:
    all of them in earlier runs. `cost`: of all attempts, None where it is not known."""

    key: str
    status: ReplyStatus
    text: str = ""
    data: bytes = b""
    vector: tuple[float, ...] = ()
    message: str = ""
    attempts: int = 0
    cached: bool = False
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to ask. `key`: the caller's own name, unique in a run. `body`: the request's JSON without `model`.
    `file`: the recording that a transcription is of. `check`: "" for a reply that can be used, else what is wrong with
    it, which a chat model is told before it is asked again."""

    key: str
    kind: Kind
    body: Mapping[str, Any]
    file: bytes | None = None
    check: Callable[[Reply], str] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownNameError("kind of request", self.kind, KINDS)
        if (self.file is None) == (self.kind == "transcription"):
            raise UsageError(f"{self.key}: a file belongs to a transcription, which needs one; this is {self.kind}.")


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """About the most that requests can take. `cost`: None without prices."""

    requests: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """What a cache of replies has cost so far. Tokens and cost: sums of what is known."""

    requests: int
    replies: int
    tokens_in: int
    tokens_out: int
    cost: float


def public_address(address: str) -> str:
    """An address without user, password and query, which may hold secrets."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, f"{shown}:{parts.port}" if parts.port else shown, parts.path.rstrip("/"), "", ""))
