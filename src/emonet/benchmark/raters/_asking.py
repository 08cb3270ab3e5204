"""Asking a service everything that is not answered yet: threads, retries, pace, budget and accounts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from emonet.benchmark.raters._media_parts import content_hash
from emonet.benchmark.raters._outcomes import outcome_of, said_before
from emonet.benchmark.raters._questions import Question
from emonet.benchmark.raters._records import Progress
from emonet.benchmark.raters._service import Call, Service
from emonet.datasets import LabelledSet
from emonet.errors import EmonetError, MediaError, ModelError, UsageError
from emonet.services._cache import Attempt, Key, ReplyCache
from emonet.services._limits import Budget, Limits, Pace, backoff_s
from emonet.services._replies import Prices, Received, fault_of

_SAY_EVERY_S = 2.0
_LONG_WAIT_S = 10.0
_NEVER_IN_A_ROW = 5  # requests refused for their form, before any was answered, that make the rater give up


@dataclass(slots=True)
class Asked:
    """What a run found out. `content`: file hash by item; `unreadable`: message by item whose file cannot be used;
    `unasked`: why questions were left out; `changes`: in what other form the service had to be asked."""

    content: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    unasked: str = ""
    changes: list[str] = field(default_factory=list)


def ask(
    name: str,
    labelled: LabelledSet,
    asked: list[Question],
    service: Service,
    cache: ReplyCache,
    *,
    configuration: str,
    limits: Limits,
    prices: Prices,
    progress: Progress,
) -> Asked:
    """Send what is missing. Returns when every question is settled, given up, or the budget is spent.

    Raises `ModelError` when no request will ever do. On Ctrl-C no request is begun any more and the replies under way
    are waited for; a second one leaves them.
    """
    if labelled.read_media is None:
        raise UsageError(f"The set {labelled.name!r} has no media, so {name!r} has nothing to look at or listen to.")
    run = _Run(name, labelled.read_media, asked, service, cache, configuration, limits, prices, progress)
    threads = min(limits.concurrency, len(asked))
    run.working = threads
    for _ in range(threads):
        threading.Thread(target=run.work, daemon=True).start()
    try:
        # Not Thread.join: interrupted, it takes a thread that still works for finished (Python 3.11).
        while run.working and not run.idle.wait(0.2):
            run.say(_SAY_EVERY_S)
    except KeyboardInterrupt:
        run.stop.set()
        progress(f"{name}: stopping; waiting for the replies under way (Ctrl-C again leaves them)")
        run.idle.wait()
        raise
    run.say(0)
    if run.error is not None:
        raise run.error
    return run.found


class _Run:
    """The state that the threads of one run share."""

    def __init__(
        self, name: str, read_media: Callable[[str], bytes], asked: list[Question], service: Service, cache: ReplyCache,
        configuration: str, limits: Limits, prices: Prices, progress: Progress,
    ) -> None:  # fmt: skip
        self.name, self.service, self.cache, self.configuration = name, service, cache, configuration
        self.limits, self.prices, self.progress = limits, prices, progress
        self.stop, self.idle = threading.Event(), threading.Event()
        self.working = 0
        self.error: Exception | None = None
        self.found = Asked()
        self._questions: Iterator[Question] = iter(asked)
        self._total = len(asked)
        self._lock = threading.Lock()
        self._pace = Pace(limits.requests_per_minute, limits.tokens_per_minute)
        self._budget = Budget(limits.budget, cache.spent(configuration))
        self._dearest: float | None = None
        self._ended: Counter[str] = Counter()
        self._under_way: set[str] = set()
        self._texts: set[str] = set()
        self._never = 0
        self._said = (0, time.monotonic())
        self._read = lru_cache(maxsize=2 * limits.concurrency)(read_media)
        self._read_lock, self._opening = threading.Lock(), threading.Lock()

    def work(self) -> None:
        """Ask one question after the other until none is left."""
        try:
            while not self.stop.is_set():
                with self._lock:
                    question = next(self._questions, None)
                if question is None:
                    return
                status = self._settle(question)
                with self._lock:
                    self._ended[status] += 1
        except Exception as error:  # it must reach the caller, and no other thread may go on spending
            with self._lock:
                self.error = self.error or error
            self.stop.set()
        finally:
            with self._lock:
                self.working -= 1
                if not self.working:
                    self.idle.set()

    def say(self, every_s: float) -> None:
        """A line of progress, at most so often and only when there is something new."""
        done, now = sum(self._ended.values()), time.monotonic()
        if done == self._said[0] or now - self._said[1] < every_s:
            return
        self._said = (done, now)
        counts = ", ".join(f"{n} {status}" for status, n in sorted(self._ended.items()) if status != "ok")
        money = f", {self._budget.spent:.2f} {self.prices.currency} spent" if self.prices.known else ""
        self.progress(f"{self.name}: {done} of {self._total} done{', ' + counts if counts else ''}{money}")

    def _settle(self, question: Question) -> str:
        """Ask until there is an answer; how it ended."""
        try:
            data = self._media(question.item)
        except MediaError as error:
            return self._unreadable(question, error)
        key = self._key(question, data)
        with self._lock:
            if key.sha256 in self._under_way:
                return "same file"
            self._under_way.add(key.sha256)
        return self._try(question, key, data)

    def _try(self, question: Question, key: Key, data: bytes) -> str:
        prompt, part = self.service.prompt(question), None
        failures = waits = 0
        while True:
            attempts = self.cache.attempts(key)
            outcome = outcome_of(attempts, question, self.service, self.prices)
            if outcome.settled or failures + outcome.malformed >= self.limits.max_attempts:
                return outcome.status
            if part is None:
                try:
                    part = self.service.part(question.item, data)
                except MediaError as error:
                    return self._unreadable(question, error)
            job = _open_job(attempts)
            call = Call(
                question,
                prompt,
                part,
                said_before(attempts, question, self.service),
                None if job is None else job.handle,
            )
            received = self._request(key, call, None if job is None else job.id)
            if received is None:
                return "not asked"
            pause = self._weigh(received, question)
            if pause == "wait":
                waits += 1
                if waits > self.limits.max_waits:
                    return "error"
                self._hold(received.retry_after_s or backoff_s(waits, self.limits.backoff_s))
            elif pause == "give up":
                return "error"
            elif pause == "again":
                failures += 1
                if failures + outcome.malformed < self.limits.max_attempts:
                    self.stop.wait(received.retry_after_s or backoff_s(failures, self.limits.backoff_s))

    def _request(self, key: Key, call: Call, open_job: int | None) -> Received | None:
        """One request, its reply kept and accounted; None when it was not allowed."""
        most = self.service.most(call)
        tokens = (most.tokens_in or 0) + (most.tokens_out or 0)
        reserved = self._reserved(self.prices.cost(most) or 0.0)
        if not self._budget.reserve(reserved, self.stop):
            if not self.stop.is_set():
                self._out_of_money(reserved)
            return None
        cost = 0.0
        try:
            with self._opening:  # before the pace: loading an SDK takes time in which turns would pile up
                self.service.open()
            if not self._pace.wait(tokens, self.stop):
                return None
            attempt = self.cache.begin(key) if open_job is None else open_job
            call = replace(call, keep_handle=lambda handle: self.cache.keep_handle(attempt, handle))
            start = time.monotonic()
            received = self.service.send(call)
            self.cache.receive(
                attempt, received.state, body=received.body, http_status=received.http_status,
                message=received.message, seconds=time.monotonic() - start,
            )  # fmt: skip
            known = self._account(attempt, received, call)
            # What may be billed without a figure (a timeout, a reply without token counts) counts at its highest price.
            cost = reserved if known is None else known
            if received.state == "reply":
                used = self.service.usage(received.body or "")
                if used.tokens_in is not None:
                    self._pace.correct(tokens, used.tokens_in + (used.tokens_out or 0))
            return received
        finally:
            self._budget.settle(reserved, cost)

    def _account(self, attempt: int, received: Received, call: Call) -> float | None:
        """Note status, tokens and cost of a kept reply; the cost, None when it is unknown."""
        if received.state != "reply":
            return None if received.state == "timeout" else 0.0
        used = self.service.usage(received.body or "")
        cost = self.prices.cost(used)
        status = self.service.interpret(received.body or "", call.question).status
        self.cache.account(attempt, status=status, tokens_in=used.tokens_in, tokens_out=used.tokens_out, cost=cost)
        if cost is not None:
            with self._lock:
                self._dearest = max(cost, self._dearest or 0.0)
        return cost

    def _weigh(self, received: Received, question: Question) -> str:
        """What to do after a request: "on" (look at the reply), "again", "wait" or "give up".

        Raises `ModelError` when no request will do.
        """
        if received.state == "reply":
            with self._lock:
                self._never = 0
            unreadable = self.service.interpret(received.body or "", question).status in ("error", "timeout")
            return "again" if unreadable else "on"
        if received.state != "http":
            return "again"
        fault, message = fault_of(received.http_status or 0, received.body)
        if fault in ("item", "fatal") and (change := self.service.adapt(received)) is not None:
            with self._lock:
                if change and change not in self.found.changes:
                    self.found.changes.append(change)
                    self.progress(f"{self.name}: {change}")
            return "on"
        if fault == "item":
            with self._lock:
                self._never += 1
                hopeless = self._never >= _NEVER_IN_A_ROW and not self._ended["ok"]
            if not hopeless:
                return "give up"
        if fault in ("item", "fatal"):
            raise ModelError(f"{self.name}: the service answers {message}. Check key, model name and address.")
        return {"wait": "wait", "again": "again"}.get(fault, "on")

    def _hold(self, seconds: float) -> None:
        """Let all threads wait, and say so when it is long."""
        self._pace.pause(seconds)
        if seconds >= _LONG_WAIT_S:
            self.progress(f"{self.name}: the service asks to wait for {seconds:.0f} s")

    def _reserved(self, most: float) -> float:
        """The highest price of the next request: what its length allows, and with experience a quarter above the
        dearest so far."""
        with self._lock:
            return most if self._dearest is None else min(most, 1.25 * self._dearest)

    def _out_of_money(self, price: float) -> None:
        with self._lock:
            if not self.found.unasked:
                limit, currency = self.limits.budget or 0.0, self.prices.currency
                self.found.unasked = (
                    f"the budget of {limit:g} {currency} does not allow another request: {self._budget.spent:.4f} is "
                    f"spent, and the next may cost {price:.4f}"
                )
                self.progress(f"{self.name}: {self.found.unasked}")
        self.stop.set()

    def _unreadable(self, question: Question, error: MediaError) -> str:
        with self._lock:
            self.found.unreadable[question.item] = str(error)
        return "error"

    def _media(self, item: str) -> bytes:
        with self._read_lock:
            try:
                return self._read(item)
            except EmonetError:
                raise
            except OSError as error:
                raise MediaError(item, f"cannot be read ({error})") from error

    def _key(self, question: Question, data: bytes) -> Key:
        prompt, content = self.service.prompt(question), content_hash(data)
        with self._lock:
            self.found.content[question.item] = content
            new = prompt.sha256 not in self._texts
            self._texts.add(prompt.sha256)
        if new:
            self.cache.keep_text(
                prompt.sha256, {"system": prompt.system, "user": prompt.user, "schema": dict(prompt.schema)}
            )
        return Key(content, self.configuration, prompt.sha256, question.item)


def _open_job(attempts: list[Attempt]) -> Attempt | None:
    """The last request, when the service still works on it or has its result ready."""
    last = attempts[-1] if attempts else None
    waiting = last is not None and last.handle and last.state in ("sent", "timeout", "connection")
    return last if waiting else None
