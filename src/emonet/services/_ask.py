"""Asking a service everything that is not answered yet: threads, retries, pace, budget, and a cache of every reply."""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from emonet.errors import ModelError, UsageError
from emonet.services._cache import CACHE_FILE, Key, ReplyCache
from emonet.services._forms import Form, next_form
from emonet.services._limits import Budget, Pace, backoff_s
from emonet.services._outcomes import outcome_of, reply_of
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
from emonet.services._wire import Exchange, most, open_client, read, send, usage

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
        self._form = Form()
        self._under_way: set[str] = set()
        self._left = threading.Condition()
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
                key = self._key(request)
                with self._alone(key.sha256):
                    self._done.put(self._settle(request, key))
        except Exception as error:  # it must reach the caller, and no other thread may go on spending
            with self._lock:
                self.error = self.error or error
            self.stop.set()

    @contextmanager
    def _alone(self, digest: str) -> Iterator[None]:
        """Requests that are the same but for their keys go one after the other, so that all but one find the reply."""
        with self._left:
            self._left.wait_for(lambda: digest not in self._under_way)
            self._under_way.add(digest)
        try:
            yield
        finally:
            with self._left:
                self._under_way.discard(digest)
                self._left.notify_all()

    def _settle(self, request: Request, key: Key) -> Reply:
        waits = failures = sent = 0
        self._account_late(key, request)
        while True:
            found = outcome_of(request, self._cache.attempts(key))
            if found.settled or failures + len(found.unusable) >= self._endpoint.max_attempts:
                return replace(found.reply, cached=not sent and bool(found.reply.attempts))
            form = self._form
            received = self._request(key, request, found.unusable, form)
            if received is None:
                message = "the budget does not allow it" if self._spent else "the run was stopped"
                return replace(found.reply, status="not_asked", message=message)
            sent += 1
            if received.state == "reply" or self._formed(form, received, request):
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

    def _formed(self, form: Form, received: Received, request: Request) -> bool:
        """Whether a request was refused for its form only, which is another one by now."""
        other = next_form(form, received, {**request.body, **self._endpoint.extra})
        if other is None:
            return False
        with self._lock:
            if self._form == form:  # no other thread was told meanwhile
                self._form, change = other
                self._progress(f"{self._endpoint.model}: {change}")
        return True

    def _account_late(self, key: Key, request: Request) -> None:
        """Price replies that were kept by a process that ended before it came to that."""
        for attempt in self._cache.attempts(key):
            if attempt.state == "reply" and attempt.status is None:
                price = self._endpoint.prices.cost(most(request)) or 0.0
                self._budget.settle(0.0, self._account(attempt.id, request, attempt.body or "", price))

    def _request(
        self, key: Key, request: Request, earlier: tuple[Exchange, ...], form: Form
    ) -> Received | None:  # fmt: skip
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
            received = send(client, endpoint, request, earlier, form)
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
        status = reply_of(request, read(request.kind, body)).status
        self._cache.account(
            attempt, status=status, tokens_in=used.tokens_in, tokens_out=used.tokens_out,
            cost=known if known is not None or not self._endpoint.prices.known else price,
        )  # fmt: skip
        return price if known is None else known

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
