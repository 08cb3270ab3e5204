"""Workers as processes of this machine, each with a pipe of its own.

A pool of the standard library is of no use here: it is broken for good once one of its processes is killed. Here a
dead worker is replaced and its shard reported as failed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess, parent_process

from emonet.bulk._executor import Event, Failed, Finished, Progress, Workforce
from emonet.bulk._settings import Settings
from emonet.datasets import Shard

_DEATHS = 5  # of workers that never got to their first shard, before the run is given up
_SPAWN = multiprocessing.get_context("spawn")  # forked ONNX Runtime hangs


@dataclass(slots=True, eq=False)
class _Worker:
    """One process. `shard`: what it is at work on; `ready`: it has loaded the model."""

    number: int
    process: BaseProcess
    pipe: Connection
    shard: Shard | None = None
    ready: bool = False


class ProcessPool:
    """Executor of one machine; see `Executor`. Worker `i` of those with a graphics card sees card `i` alone.

    Call it under `if __name__ == "__main__":` in a script, as with all spawned processes of Python.
    """

    name = "processes"

    def __init__(self, settings: Settings, output: str, workforce: Workforce) -> None:
        self._settings, self._output, self._workforce = settings, output, workforce
        self._workers: list[_Worker] = []
        self._early_deaths = 0

    def __enter__(self) -> ProcessPool:
        self._workers = [self._start(number) for number in range(self._workforce.total)]
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            _end(worker)
        self._workers = []

    @property
    def workers(self) -> int:
        """Workers that are ready or at work."""
        return sum(worker.ready for worker in self._workers)

    @property
    def free(self) -> int:
        """Ready workers without a shard."""
        return sum(worker.ready and worker.shard is None for worker in self._workers)

    def submit(self, shard: Shard, *, careful: bool = False) -> None:
        """Give a shard to a free worker."""
        worker = next(worker for worker in self._workers if worker.ready and worker.shard is None)
        worker.shard = shard
        try:
            worker.pipe.send((shard, careful))
        except OSError:  # it died while it was idle; `events` finds out
            return

    def shrink(self, wanted: int) -> None:
        """End idle workers beyond `wanted`."""
        idle = [worker for worker in self._workers if worker.shard is None]
        for worker in idle[: max(0, len(self._workers) - wanted)]:
            self._workers.remove(worker)
            _end(worker)

    def events(self, timeout_s: float) -> Sequence[Event]:
        """What the workers said, and who died."""
        found: list[Event] = []
        pipes = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(pipes), timeout_s):
            assert isinstance(pipe, Connection)
            found += self._heard(pipes[pipe])
        return found

    def _heard(self, worker: _Worker) -> Iterator[Event]:
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._replaced(worker)
            return
        if said == "ready":
            worker.ready = True
            return
        if isinstance(said, Failed) and said.final:
            yield said
            return
        if not isinstance(said, Progress):
            worker.shard = None
        yield said

    def _replaced(self, worker: _Worker) -> Iterator[Event]:
        worker.process.join()
        code = worker.process.exitcode or 0
        how = f"signal {-code} ({_signal(-code)})" if code < 0 else f"exit code {code}"
        if worker.shard is not None:
            yield Failed(worker.shard.name, f"its worker died with {how}", died=True)
        if not worker.ready:
            self._early_deaths += 1
            if self._early_deaths >= _DEATHS:
                yield Failed("", f"workers die while they load the model, the last one with {how}", final=True)
                return
        worker.pipe.close()
        self._workers[self._workers.index(worker)] = self._start(worker.number)

    def _start(self, number: int) -> _Worker:
        card = number - self._workforce.cpu
        readers = self._workforce.gpu_readers if card >= 0 else 1
        ours, theirs = _SPAWN.Pipe()
        with _environment(self._settings.threads, card if card >= 0 else None):
            process = _SPAWN.Process(
                target=_work,
                args=(theirs, self._settings, self._output, readers, card >= 0),
                name=f"emonet-worker-{number}",
                daemon=True,
            )
            process.start()
        theirs.close()
        return _Worker(number, process, ours)


@contextmanager
def _environment(threads: int, card: int | None) -> Iterator[None]:
    """Numerical libraries of a new process use as many threads as the encoder, not one per core each."""
    changes = worker_environment(threads)
    if card is not None:
        changes["CUDA_VISIBLE_DEVICES"] = str(card)
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def worker_environment(threads: int) -> dict[str, str]:
    """Environment of a worker: threads of numerical libraries, and memory of one sample kept for the next one, since
    filling new pages takes a fifth of the time of a large picture (glibc's mallopt(3))."""
    count = str(threads)
    return {
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), count),
        "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
        "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
    }


def _end(worker: _Worker) -> None:
    """End a worker: what it has not finished is made again, so nothing is lost by doing it at once."""
    worker.process.terminate()
    worker.process.join(5)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.pipe.close()


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _work(pipe: Connection, settings: Settings, output: str, readers: int, on_card: bool) -> None:
    """What a worker does until its driver is gone."""
    from emonet.bulk._shard import Annotator

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the driver decides what it means
    threading.Thread(target=_die_with_parent, daemon=True).start()
    sending = threading.Lock()

    def say(event: Event | str) -> None:
        with sending:
            pipe.send(event)

    try:
        annotate = Annotator(settings, output, readers=readers, runtime="torch" if on_card else None)
    except Exception as error:
        say(Failed("", f"{type(error).__name__}: {error}", final=True))
        return
    say("ready")
    while (given := _received(pipe)) is not None:
        shard, careful = given
        try:
            say(Finished(annotate(shard, careful=careful, tick=say)))
        except Exception as error:
            say(Failed(shard.name, describe(error)))


def _received(pipe: Connection) -> tuple[Shard, bool] | None:
    try:
        given: tuple[Shard, bool] = pipe.recv()
    except EOFError:
        return None
    return given


def describe(error: BaseException) -> str:
    """An error in one line, with the place where it arose if it is not one of ours."""
    from emonet.errors import EmonetError

    if isinstance(error, EmonetError):
        return str(error)
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}{place}"


def _die_with_parent() -> None:
    """A worker whose driver was killed must not go on beside those of the next driver."""
    parent = parent_process()
    if parent is None:
        return
    if sys.platform == "win32":
        while parent.is_alive():
            time.sleep(1)
    else:
        wait([parent.sentinel])
    os._exit(1)
