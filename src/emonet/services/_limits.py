"""What holds requests back: a rate per minute, a pause that the service asked for, a budget in money."""

from __future__ import annotations

import math
import random
import threading
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

_LONGEST_BACKOFF_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_attempts`: requests that bring no usable answer, per question and run (unusable answers of earlier runs
    count, too); `max_waits`: "too many requests" answers that are waited out, per question. `backoff_s`: first pause
    after a failure. `budget`: in the currency of the prices."""

    concurrency: int = 8
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    max_attempts: int = 4
    max_waits: int = 20
    backoff_s: float = 1.0
    budget: float | None = None


class Pace:
    """Spreads requests and tokens evenly over time for all threads, and holds all of them while a service asks to wait.

    `requests_per_minute`, `tokens_per_minute`: None for no limit.
    """

    def __init__(self, requests_per_minute: float | None, tokens_per_minute: float | None) -> None:
        self._request_s = 60 / requests_per_minute if requests_per_minute else 0.0
        self._token_s = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._lock = threading.Lock()
        self._next = 0.0  # when the next request may be sent, by the monotonic clock
        self._paused_until = 0.0

    def wait(self, tokens: int, stop: threading.Event) -> bool:
        """Wait for one's turn to send a request of about `tokens`; False when `stop` was set meanwhile."""
        with self._lock:
            at = max(time.monotonic(), self._next)
            self._next = at + max(self._request_s, tokens * self._token_s)
        while (left := max(at, self._paused_until) - time.monotonic()) > 0:
            # In short steps: a pause that begins meanwhile holds those who wait already, too.
            if stop.wait(min(left, 1.0)):
                return False
        return not stop.is_set()

    def correct(self, expected: int, real: int) -> None:
        """Take account of a request that needed another number of tokens than expected."""
        with self._lock:
            self._next += (real - expected) * self._token_s

    def pause(self, seconds: float) -> None:
        """Let nobody send for so long."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)


class Budget:
    """Money that may be spent. A request starts only when what was spent, what is under way at its highest price and
    the request itself stay within `limit` (None: no limit)."""

    def __init__(self, limit: float | None, spent: float = 0.0) -> None:
        self.limit, self.spent = limit, spent
        self._under_way = 0.0
        self._changed = threading.Condition()

    def reserve(self, most: float, stop: threading.Event) -> bool:
        """Set aside the price of a request; waits for others under way to turn out cheaper. False when the budget
        does not allow it or `stop` was set."""
        if self.limit is None:
            return not stop.is_set()
        with self._changed:
            while self.spent + self._under_way + most > self.limit:
                if self._under_way <= 0 or stop.is_set():
                    return False
                self._changed.wait(0.2)
            self._under_way += most
            return True

    def settle(self, reserved: float, cost: float) -> None:
        """Replace what was set aside by what it cost."""
        with self._changed:
            if self.limit is not None:
                self._under_way = max(0.0, self._under_way - reserved)
            self.spent += cost
            self._changed.notify_all()


def backoff_s(failures: int, first_s: float) -> float:
    """Seconds to wait after so many failures in a row: doubling from `first_s`, up to a minute, with jitter so that
    threads do not come back together. The jitter has no influence on any result and needs no seed."""
    most = min(first_s * 2.0 ** min(failures - 1, 30), _LONGEST_BACKOFF_S)
    return most * random.uniform(0.5, 1.0)


def retry_after_s(value: str | None) -> float | None:
    """Seconds of a Retry-After header, a number or a date (RFC 9110, 10.2.3); None without a readable one."""
    if not value:
        return None
    try:
        seconds = float(value)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
