"""Pieces of several requests scored in one call of a model: one worker thread a model."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from emonet.estimation import Estimate, Estimator, Piece

Observe = Callable[[int, float], None]
"""Told of each batch: pieces, seconds."""


@dataclass(slots=True, eq=False)
class _Waiting:
    source: str
    piece: Piece
    future: Future[Estimate] = field(default_factory=Future)


class Batcher:
    """Scores what is handed in, up to `batch` pieces at once, after waiting `wait_s` for more.

    Pieces are taken one by one round the clients. A row does not depend on what shared its batch. A batch that fails
    is scored piece by piece, so that the error reaches only the request that caused it.
    """

    def __init__(self, estimator: Estimator, *, batch: int, wait_s: float, observe: Observe) -> None:
        self._estimator, self._batch, self._wait_s, self._observe = estimator, batch, wait_s, observe
        self._queues: OrderedDict[str, deque[_Waiting]] = OrderedDict()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=f"score {estimator.card.id}", daemon=True)
        self._thread.start()

    def submit(self, client: str, source: str, pieces: Sequence[Piece]) -> list[Future[Estimate]]:
        """One future for each piece; every piece has an item. A cancelled future is not scored."""
        added = [_Waiting(source, piece) for piece in pieces]
        if not added:
            return []
        with self._changed:
            if self._closed:
                raise RuntimeError("the worker was closed")
            self._queues.setdefault(client, deque()).extend(added)
            self._changed.notify()
        return [item.future for item in added]

    def close(self) -> None:
        """Score what is waiting, then end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(30)

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            live = [item for item in taken if item.future.set_running_or_notify_cancel()]
            if live:
                began = time.perf_counter()
                self._score(live)
                self._observe(len(live), time.perf_counter() - began)

    def _take(self) -> list[_Waiting] | None:
        with self._changed:
            while not self._queues:
                if self._closed:
                    return None
                self._changed.wait()
            until = time.monotonic() + self._wait_s
            while not self._closed and self._count() < self._batch and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            taken: list[_Waiting] = []
            while self._queues and len(taken) < self._batch:
                client, queue = self._queues.popitem(last=False)
                taken.append(queue.popleft())
                if queue:
                    self._queues[client] = queue
            return taken

    def _count(self) -> int:
        return sum(map(len, self._queues.values()))

    def _score(self, items: list[_Waiting]) -> None:
        try:
            rows = self._estimator.score([(item.source, item.piece) for item in items])
        except Exception as error:
            if len(items) == 1:
                items[0].future.set_exception(error)
                return
            for item in items:
                self._score([item])
            return
        for item, row in zip(items, rows, strict=True):
            item.future.set_result(row)
