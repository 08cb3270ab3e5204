"""Who may come in, and whose turn it is: a bounded queue that is fair between clients. Used in the event loop only."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from emonet.serve._problems import Problem
from emonet.serve._settings import Limits

_BUCKETS = 4096  # clients whose rate is remembered


class Turns:
    """Requests that wait and run.

    Each of the c clients that have requests here may have queue / c of them; newcomers are let in even when others
    have filled the queue, up to twice its length. Turns go round the clients, so that one with fifty requests delays
    another one's single request by at most what runs.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._here: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._running = 0
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._seconds = 0.2  # moving mean of how long a request runs
        self.refused: Counter[str] = Counter()

    @property
    def present(self) -> int:
        """Requests that wait or run."""
        return self._here.total()

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Wait for one's turn and hold it. Raises `Problem` 429 when the queue has no place for this client."""
        self._admit(client)
        self._here[client] += 1
        try:
            await self._wait(client)
            began = time.monotonic()
            try:
                yield
            finally:
                self._seconds += 0.1 * (time.monotonic() - began - self._seconds)
                self._running -= 1
                self._wake()
        finally:
            self._here[client] -= 1
            if not self._here[client]:
                del self._here[client]

    def charge(self, client: str) -> None:
        """Count a request against the client's rate; `Problem` 429 when it was used up (a token bucket)."""
        rate = self._limits.per_minute
        if rate is None:
            return
        now = time.monotonic()
        tokens, then = self._buckets.pop(client, (rate, now))
        tokens = min(rate, tokens + (now - then) * rate / 60)
        self._buckets[client] = (tokens - 1 if tokens >= 1 else tokens, now)
        while len(self._buckets) > _BUCKETS:
            self._buckets.popitem(last=False)
        if tokens < 1:
            wait = (1 - tokens) * 60 / rate
            raise Problem("rate", f"This client may send {rate:g} requests a minute.", retry_after=wait)

    def _admit(self, client: str) -> None:
        active = len(self._here) + (client not in self._here)
        share = max(1, self._limits.queue // active)
        if self._here[client] < share and self.present < 2 * self._limits.queue:
            return
        if not self._here[client]:
            del self._here[client]
        wait = self._seconds * (self.present + 1) / self._limits.running
        told = f"{self.present} requests wait or run, of which this client may have {share}."
        raise Problem("queue_full", told, retry_after=min(60.0, max(1.0, wait)))

    async def _wait(self, client: str) -> None:
        if self._running < self._limits.running and not self._waiting:
            self._running += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._running -= 1  # it was called just as it left
                self._wake()
            elif client in self._waiting and place in self._waiting[client]:
                self._waiting[client].remove(place)
                if not self._waiting[client]:
                    del self._waiting[client]
            raise

    def _wake(self) -> None:
        """Call the next client's oldest request; the client then goes to the end of the round."""
        while self._waiting and self._running < self._limits.running:
            client, places = self._waiting.popitem(last=False)
            place = places.popleft()
            if places:
                self._waiting[client] = places
            if not place.done():
                self._running += 1
                place.set_result(None)
