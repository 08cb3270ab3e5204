"""Processes that finish takes and write tars."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context


@contextmanager
def worker_pool(workers: int, tasks: int, *, fewest: int = 2) -> Iterator[ProcessPoolExecutor | None]:
    """A pool of processes, or None where one process is as fast: fewer than `fewest` tasks, or one worker. When the
    work is interrupted, tasks that have not begun are dropped."""
    if workers < 2 or tasks < fewest:
        yield None
        return
    # Spawned, as a forked ONNX Runtime hangs; deaf to Ctrl-C, which is the parent's to hear.
    pool = ProcessPoolExecutor(min(workers, tasks), mp_context=get_context("spawn"), initializer=_deaf)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def _deaf() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
