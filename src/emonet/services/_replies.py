"""What came back for one request, what a failure means, and what it cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from emonet.services._cache import State
from emonet.services._limits import retry_after_s

Fault = Literal["wait", "again", "item", "refused", "fatal"]
"""`wait`: too many requests; `again`: worth another try; `item`: this request will never do; `refused`: by a content
filter; `fatal`: no request will do (key, model name, empty account)."""

# Codes by which gateways answer HTTP 400 when a filter stopped the request.
_FILTERS = ("content_filter", "content_policy_violation", "moderation_blocked", "responsibleaipolicyviolation")
_NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "credit balance is too low")


@dataclass(frozen=True, slots=True)
class Received:
    """What came back. `body` is raw. `form`: which form the request had, as its sender tells forms apart."""

    state: State
    body: str | None = None
    http_status: int | None = None
    message: str = ""
    retry_after_s: float | None = None
    form: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a request took or may take; None where the service does not say."""

    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True)
class Prices:
    """Per million tokens and per request, in `currency`; None where not told."""

    tokens_in: float | None = None
    tokens_out: float | None = None
    request: float | None = None
    currency: str = "USD"

    @property
    def known(self) -> bool:
        """Whether any price was told."""
        return any(price is not None for price in (self.tokens_in, self.tokens_out, self.request))

    def cost(self, used: Usage) -> float | None:
        """Cost of a request; None when a price is known for what the service did not count, or none is known."""
        if not self.known:
            return None
        total = self.request or 0.0
        for price, tokens in ((self.tokens_in, used.tokens_in), (self.tokens_out, used.tokens_out)):
            if price is not None and tokens is None:
                return None
            total += (price or 0.0) * (tokens or 0) / 1e6
        return total


def fault_of(http_status: int, body: str | None) -> tuple[Fault, str]:
    """What an HTTP error means, and its message in one line."""
    text = (body or "").casefold()
    message = f"HTTP {http_status}: {error_message(body)}"
    if any(mark in text for mark in _NO_MONEY):
        return "fatal", message
    if http_status == 429:
        return "wait", message
    if http_status in (408, 409, 425) or http_status >= 500:
        return "again", message
    if any(mark in text for mark in _FILTERS):
        return "refused", message
    if http_status in (401, 402, 403, 404):
        return "fatal", message
    return "item", message


def error_message(body: str | None) -> str:
    """The `message` of a JSON error, as most services write it, or the start of the text."""
    found = json_object(body)
    error = found.get("error", found)
    message = error.get("message") if isinstance(error, dict) else error
    text = message if isinstance(message, str) and message else (body or "no text")
    return " ".join(text.split())[:300]


def json_object(body: str | None) -> dict[str, Any]:
    """A reply's JSON object; empty for anything else."""
    try:
        found = json.loads(body or "")
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, list) and len(found) == 1:  # Gemini wraps its errors so
        found = found[0]
    return found if isinstance(found, dict) else {}


def delay_s(headers: Mapping[str, str], body: str | None = None) -> float | None:
    """Seconds that a service asks to wait: `retry-after-ms`, `Retry-After`, or Google's RetryInfo in the body."""
    if (found := retry_after_s(headers.get("retry-after-ms"))) is not None:
        return found / 1000
    if (found := retry_after_s(headers.get("retry-after"))) is not None:
        return found
    error = json_object(body).get("error")
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else []:
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str) and (found := retry_after_s(delay.removesuffix("s"))) is not None:
            return found
    return None


def received_of(error: Exception, form: str = "") -> Received:
    """What an exception of httpx or of an SDK says came back: an HTTP error, or nothing. Raises the exception itself
    when it is of another kind: then our own code is wrong."""
    response = getattr(error, "response", None)
    if response is not None:
        return http_error(response, form)
    names = {kind.__name__ for kind in type(error).__mro__}
    if not names & {"TransportError", "APIConnectionError", "InvalidURL"}:  # httpx, httpx2 and the SDKs alike
        raise error
    cause = error.__cause__ or error
    state: State = "timeout" if names & {"TimeoutException", "APITimeoutError"} else "connection"
    return Received(state, message=f"{type(cause).__name__}: {cause}"[:300], form=form)


def http_error(response: Any, form: str = "") -> Received:
    """An answer that is not HTTP 200, of httpx or its kin."""
    wait = delay_s(response.headers, response.text)
    return Received("http", response.text, response.status_code, retry_after_s=wait, form=form)
