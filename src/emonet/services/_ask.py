"""Asking a service everything that is not answered yet: threads, retries, pace, budget, and a cache of every reply."""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emonet.errors import ModelError, UsageError
from emonet.services._cache import CACHE_FILE, Attempt, Key, ReplyCache
from emonet.services._limits import Budget, Pace, backoff_s
from emonet.services._records import (
    CostEstimate,
    Endpoint,
    Reply,
    ReplyStatus,
    Request,
    ServiceAccount,
    public_address,
)
from emonet.services._replies import Fault, Received, fault_of
from emonet.services._wire import Content, Exchange, most, open_client, read, send, usage

Say = Callable[[str], None]
_SAY_EVERY_S = 2.0


def ask(
    requests: Iterable[Request],
    endpoint: Endpoint,
    *,
    cache: str | Path,
    progress: Say = lambda _: None,
) -> Iterator[Reply]:
    """Replies to all requests, each as soon as it is there, so in any order.

    cache: a file that ends in .sqlite, or a folder for one. What it holds is not asked again; every reply is in it
    before anybody sees it. After Ctrl-C or when the caller stops listening, no request is begun any more and those
    under way are waited for, since they are paid for.

    Raises `UsageError` for a missing key or two requests of one key, `MissingExtraError` without the extra `services`,
    and `ModelError` when no request will ever do (wrong key, wrong name of the model, no money).
    """
    with ReplyCache(cache_file(cache)) as replies:
        run = _Run(_distinct(requests), endpoint, replies, progress)
        threads = [threading.Thread(target=run.work, daemon=True) for _ in range(endpoint.concurrency)]
        for thread in threads:
            thread.start()
        try:
            yield from run.replies(threads)
        finally:
            run.stop.set()
            for thread in threads:
                thread.join()
    if run.error is not None:
        raise run.error


def estimate_cost(requests: Iterable[Request], endpoint: Endpoint) -> CostEstimate:
    """Number, tokens and money of requests if each is answered at once and at its longest; nothing is sent."""
    count, tokens_in, tokens_out, cost = 0, 0, 0, 0.0
    for request in requests:
        used = most(request)
        count += 1
        tokens_in += used.tokens_in or 0
        tokens_out += used.tokens_out or 0
        cost += endpoint.prices.cost(used) or 0.0
    return CostEstimate(count, tokens_in, tokens_out, cost if endpoint.prices.known else None, endpoint.currency)


def read_account(cache: str | Path) -> ServiceAccount:
    """What the replies of a cache took, of all endpoints together."""
    with ReplyCache(cache_file(cache)) as replies:
        return ServiceAccount(*replies.totals())


def cache_file(cache: str | Path) -> Path:
    """The SQLite file of a cache that is named by its folder or by itself."""
    path = Path(cache)
    return path if path.suffix == ".sqlite" else path / CACHE_FILE


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the attempts so far come to. `settled`: nothing more is to be asked."""

    reply: Reply
    settled: bool
    unusable: tuple[Exchange, ...]


class _Run:
    """What the threads of one call share."""

    def __init__(self, requests: Iterator[Request], endpoint: Endpoint, cache: ReplyCache, progress: Say) -> None:
        self.stop = threading.Event()
        self.error: Exception | None = None
        self._requests, self._endpoint, self._cache, self._progress = requests, endpoint, cache, progress
        self._lock = threading.Lock()
        self._done: queue.Queue[Reply] = queue.Queue()
        self._client: Any = None
        self._pace = Pace(endpoint.requests_per_minute, None)
        self._spent = False
        self._budget = Budget(endpoint.budget, cache.spent_of_model(public_address(endpoint.base_url), endpoint.model))

    def replies(self, threads: Sequence[threading.Thread]) -> Iterator[Reply]:
        count, told = 0, time.monotonic()
        while True:
            working = any(thread.is_alive() for thread in threads)
            try:
                reply = self._done.get(timeout=0.1)
            except queue.Empty:
                if not working:
                    return
                continue
            count += 1
            if time.monotonic() - told > _SAY_EVERY_S:
                told = time.monotonic()
                money = (
                    f", {self._budget.spent:.2f} {self._endpoint.currency} spent" if self._endpoint.prices.known else ""
                )
                self._progress(f"{self._endpoint.model}: {count} replies{money}")
            yield reply

    def work(self) -> None:
        """Ask one request after the other until none is left."""
        try:
            while not self.stop.is_set():
                with self._lock:
                    request = next(self._requests, None)
                if request is None:
                    return
                self._done.put(self._settle(request))
        except Exception as error:  # it must reach the caller, and no other thread may go on spending
            with self._lock:
                self.error = self.error or error
            self.stop.set()

    def _settle(self, request: Request) -> Reply:
        key = self._key(request)
        waits = failures = sent = 0
        while True:
            found = self._outcome(request, self._cache.attempts(key))
            if found.settled or failures + len(found.unusable) >= self._endpoint.max_attempts:
                return replace(found.reply, cached=not sent and bool(found.reply.attempts))
            received = self._request(key, request, found.unusable)
            if received is None:
                message = "the budget does not allow it" if self._spent else "the run was stopped"
                return replace(found.reply, status="not_asked", message=message)
            sent += 1
            if received.state == "reply":
                continue
            fault: Fault = "again"
            message = received.message
            if received.state == "http":
                fault, message = fault_of(received.http_status or 0, received.body)
            if fault == "fatal":
                raise ModelError(
                    f"{public_address(self._endpoint.base_url)}, model {self._endpoint.model!r}: the service answers "
                    f"{message}. Check key, model name and address."
                )
            if fault in ("item", "refused"):
                status: ReplyStatus = "refused" if fault == "refused" else "error"
                return Reply(request.key, status, message=message, attempts=found.reply.attempts + 1)
            if fault == "wait":
                waits += 1
                if waits > self._endpoint.max_waits:
                    return Reply(request.key, "error", message=message, attempts=found.reply.attempts + 1)
                self._pace.pause(received.retry_after_s or backoff_s(waits, self._endpoint.backoff_s))
                continue
            failures += 1
            if failures + len(found.unusable) < self._endpoint.max_attempts:
                self.stop.wait(received.retry_after_s or backoff_s(failures, self._endpoint.backoff_s))

    def _request(self, key: Key, request: Request, earlier: tuple[Exchange, ...]) -> Received | None:
        """One request, its reply kept and priced; None when it may not be sent."""
        endpoint, expected = self._endpoint, most(request)
        price = endpoint.prices.cost(expected) or 0.0
        if not self._budget.reserve(price, self.stop):
            self._spent = not self.stop.is_set()
            return None
        cost = 0.0
        try:
            client = self._opened()  # before the pace: loading the SDK takes time in which turns would pile up
            if not self._pace.wait(0, self.stop):
                return None
            attempt, start = self._cache.begin(key), time.monotonic()
            received = send(client, endpoint, request, earlier)
            self._cache.receive(
                attempt, received.state, body=received.body, http_status=received.http_status,
                message=received.message, seconds=time.monotonic() - start,
            )  # fmt: skip
            # What may be billed without a figure (a timeout, a reply without token counts) counts at its highest price.
            cost = price if received.state in ("reply", "timeout") else 0.0
            if received.state == "reply":
                cost = self._account(attempt, request, received.body or "", price)
            return received
        finally:
            self._budget.settle(price, cost)

    def _account(self, attempt: int, request: Request, body: str, price: float) -> float:
        used = usage(request.kind, body)
        known = self._endpoint.prices.cost(used)
        status = _reply(request, read(request.kind, body)).status
        self._cache.account(
            attempt, status=status, tokens_in=used.tokens_in, tokens_out=used.tokens_out,
            cost=known if known is not None or not self._endpoint.prices.known else price,
        )  # fmt: skip
        return price if known is None else known

    def _outcome(self, request: Request, attempts: Sequence[Attempt]) -> _Outcome:
        """The first usable reply or refusal of all attempts, or the last failure."""
        unusable: list[Exchange] = []
        last = Reply(request.key, "error", message="no reply was kept: the run ended while waiting for it")
        cost = _sum([attempt.cost for attempt in attempts])
        for attempt in attempts:
            if attempt.state == "reply":
                last = _reply(request, read(request.kind, attempt.body or ""))
                if last.status != "unusable":
                    return _Outcome(replace(last, attempts=len(attempts), cost=cost), True, ())
                unusable.append(Exchange(last.text, last.message))
            elif attempt.state == "http":
                fault, message = fault_of(attempt.http_status or 0, attempt.body)
                refused = fault == "refused"
                last = Reply(request.key, "refused" if refused else "error", message=message)
                if refused:
                    return _Outcome(replace(last, attempts=len(attempts), cost=cost), True, ())
            elif attempt.state != "sent":
                last = Reply(request.key, "error", message=attempt.message or attempt.state)
        return _Outcome(replace(last, attempts=len(attempts), cost=cost), False, tuple(unusable))

    def _opened(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = open_client(self._endpoint)
            return self._client

    def _key(self, request: Request) -> Key:
        endpoint = self._endpoint
        about = {
            "kind": request.kind, "base_url": public_address(endpoint.base_url), "model": endpoint.model,
            "extra": dict(endpoint.extra),
        }  # fmt: skip
        configuration, prompt = _digest(about), _digest(request.body)
        self._cache.keep_text(configuration, about)
        self._cache.keep_text(prompt, dict(request.body))
        content = hashlib.sha256(request.file).hexdigest() if request.file is not None else ""
        return Key(content, configuration, prompt, request.key)


def _reply(request: Request, content: Content) -> Reply:
    if content.refusal:
        return Reply(request.key, "refused", content.text, message=content.refusal[:300])
    reply = Reply(request.key, "ok", content.text, content.data, content.vector)
    fault = content.fault or (request.check(reply) if request.check is not None else "")
    return replace(reply, status="unusable", message=fault[:1000]) if fault else reply


def _distinct(requests: Iterable[Request]) -> Iterator[Request]:
    seen: set[str] = set()
    for request in requests:
        if request.key in seen:
            raise UsageError(f"Two requests have the key {request.key!r}; give each one of its own.")
        seen.add(request.key)
        yield request


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
