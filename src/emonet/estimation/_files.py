"""Many files through one or two models: files are read, searched and scored side by side, answers come in order.

Every thread does the same: it scores a batch that is ready, or else reads the next file. Decoders, ONNX Runtime and
numpy let go of Python's lock, so threads are enough, and models, weights and results need not be copied between
processes. What makes up a batch is settled by the order of the files alone: full batches within a file, and then the
remainders of the files, one after the other, as they come. The rows are therefore the same for any number of threads.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from emonet.errors import UsageError
from emonet.estimation._estimate import Estimates
from emonet.estimation._reading import Batch, Job, Router, read_job

_AHEAD_FILES = 512  # most files that are read before the first of them was handed out
_AHEAD_BYTES = 128 * 2**20  # and most that their waiting pieces hold
_PATIENCE_S = 0.1  # how long the thread that hands out waits before it looks for an interruption


def stream_files(
    files: Iterable[Path], route: Router, *, workers: int | None = None, stop: threading.Event | None = None
) -> Iterator[Estimates]:
    """All rows of each file, in the order of the files, as soon as they are complete.

    A file that cannot be used gives one row with the status `unreadable` after the rows it gave before it failed.
    Only errors of the model are raised, when the turn of the first file they concern has come.

    `workers`: threads that read and score, None for one per core; with 1 all work is done by the calling thread, and
    only when it asks for the next file. The rows do not depend on it. `stop`: once set, the files that are complete
    are still handed out, then the stream ends. Raises `UsageError` for less than one worker.
    """
    count = worker_count(workers)
    return _streamed(_Schedule(files, route, spread=count > 1, stop=stop or threading.Event()), count)


def worker_count(workers: int | None) -> int:
    """`workers`, or one per core that this process may use. Raises `UsageError` for less than one."""
    if workers is not None and workers < 1:
        raise UsageError(f"workers is {workers}; expected 1 or more, or None for one per core.")
    return workers or available_cores()


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _streamed(schedule: _Schedule, workers: int) -> Iterator[Estimates]:
    with closing(schedule):
        if workers > 1:
            schedule.start(workers)
        while (job := schedule.next_done()) is not None:
            yield job.result()


class _Stopped(BaseException):
    """Ends a task that nobody waits for any more."""


class _Schedule:
    """What is to be done next, and which files are complete. All fields are guarded by one lock, held in `_changed`
    by those who look for work and in `_complete` by the one who waits for results: it is woken only when there is one.

    `spread`: whether other threads may take over what a task gives rise to.
    """

    def __init__(self, files: Iterable[Path], route: Router, *, spread: bool, stop: threading.Event) -> None:
        self._files, self._route, self._spread, self._stop = iter(files), route, spread, stop
        lock = threading.RLock()
        self._changed, self._complete = threading.Condition(lock), threading.Condition(lock)
        self._jobs: deque[Job] = deque()  # begun and not handed out, in the order of the files
        self._unread: deque[Job] = deque()  # of these, from the first one on whose tails were not collected
        self._tails: dict[int, Batch] = {}  # incomplete batches over the borders of files, by estimator
        self._ready: deque[Batch] = deque()
        self._running = self._held = 0  # tasks; bytes of pieces that wait
        self._ended = self._closed = False  # all files were begun; nobody wants the rest
        self._threads: list[threading.Thread] = []

    def start(self, workers: int) -> None:
        """Let `workers` threads do the work."""
        # A stream that is left unfinished must not keep the process alive; at its end the threads are waited for.
        self._threads = [threading.Thread(target=self._work, name=f"emonet-{i}", daemon=True) for i in range(workers)]
        atexit.register(self.close)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End the work: at once when all is done, else after the piece or the encoder call that each thread is in."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        atexit.unregister(self.close)

    def next_done(self) -> Job | None:
        """The next file once it is complete, waiting for it, or working for it; None at the end or after `stop`."""
        while True:
            with self._complete:
                if self._jobs and self._jobs[0].done:
                    self._changed.notify_all()  # there is room for another file
                    return self._jobs.popleft()
                if self._stop.is_set() or (self._ended and not self._jobs):
                    return None
                if self._threads:
                    self._complete.wait(_PATIENCE_S)
                    continue
            if (task := self._next_task()) is not None:
                self._run(task)

    def _work(self) -> None:
        while (task := self._next_task()) is not None:
            self._run(task)

    def _run(self, task: Callable[[], None]) -> None:
        try:
            task()
        except _Stopped:
            pass
        except BaseException as error:  # or those who wait for this task would wait for ever
            self._fail(list(self._jobs), error)
            raise
        finally:
            with self._changed:
                self._running -= 1
                self._tell()

    def _tell(self) -> None:
        """Wake whoever may go on now."""
        self._changed.notify_all()
        if (self._jobs and self._jobs[0].done) or (self._ended and not self._jobs):
            self._complete.notify()

    def _next_task(self) -> Callable[[], None] | None:
        """A batch to score, else a file to read, waiting for either; None when no more will come."""
        with self._changed:
            while not self._closed and not self._stop.is_set():
                if self._ended and not self._unread and not self._ready:
                    self._ready.extend(self._tails.values())  # the last ones stay incomplete
                    self._tails = {}
                if self._ready:
                    self._running += 1
                    return partial(self._score, self._ready.popleft())
                if self._ended and not self._running:
                    return None
                if self._ended or not self._has_room():
                    self._changed.wait()
                elif (job := self._begin()) is not None:
                    self._running += 1
                    return partial(self._read, job)
        return None

    def _has_room(self) -> bool:
        """Whether another file may be begun.

        The first file may wait for its batch, which only further files can fill. When nothing else is done, one file
        may be read whatever waits: without it nothing would ever become complete.
        """
        first = self._jobs[0] if self._jobs else None
        in_batch = first is None or (first.read and not first.done)
        return (in_batch or len(self._jobs) < _AHEAD_FILES) and (not self._running or self._held < _AHEAD_BYTES)

    def _begin(self) -> Job | None:
        """The next file; None at the end. What the iterator of files raises becomes the error of a job of its own."""
        try:
            path = next(self._files, None)
        except Exception as error:
            self._jobs.append(Job(Path(), error=error))
            path = None
        if path is None:
            self._ended = True
            self._changed.notify_all()
            return None
        job = Job(path)
        self._jobs.append(job)
        self._unread.append(job)
        return job

    def _read(self, job: Job) -> None:
        try:
            for batch in read_job(job, self._route, self._check):
                self._hand_over(batch)
        except Exception as error:
            self._fail([job], error)
        with self._changed:
            job.read = True
            self._held += sum(batch.nbytes for batch in job.tails)
            job.waiting += sum(len(batch.pieces) for batch in job.tails)
            while self._unread and self._unread[0].read:
                self._collect(self._unread.popleft())

    def _hand_over(self, batch: Batch) -> None:
        """A batch within a file: to another thread unless these have enough to do."""
        with self._changed:
            batch.pieces[0][0].waiting += len(batch.pieces)
            self._held += batch.nbytes
            if self._spread and len(self._ready) < len(self._threads):
                self._ready.append(batch)
                self._changed.notify_all()
                return
        self._score(batch)

    def _collect(self, job: Job) -> None:
        """Add what is left of a file to the batches over the borders of files."""
        for tail in job.tails:
            estimator = tail.estimator
            for piece in tail.pieces:
                batch = self._tails.setdefault(id(estimator), Batch(estimator))
                if batch.add(*piece):
                    self._ready.append(self._tails.pop(id(estimator)))
        job.tails = []

    def _score(self, batch: Batch) -> None:
        jobs = [job for job, _, _ in batch.pieces]
        try:
            rows = batch.score(self._check)
        except Exception as error:
            self._fail(jobs, error)
            return
        with self._changed:
            self._held -= batch.nbytes
            for (job, index, _), row in zip(batch.pieces, rows, strict=True):
                job.rows[index] = row
                job.waiting -= 1
            self._tell()

    def _fail(self, jobs: list[Job], error: BaseException) -> None:
        """Leave `error` to the files it concerns; no more are begun."""
        with self._changed:
            for job in jobs:
                job.error = job.error or (None if job.done else error)
            self._ended = True
            self._tell()

    def _check(self) -> None:
        if self._closed or self._stop.is_set():
            raise _Stopped
