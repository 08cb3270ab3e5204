"""Workers as Ray actors, on one machine or a cluster.

Each actor holds the model and is given one shard's address at a time; media never pass through Ray's object store.
Actors that do not fit yet wait for nodes, which is what makes a cluster's autoscaler add some; they take shards as soon
as they stand, and idle ones end when no shard is left for them, so that their nodes can go.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emonet.bulk._executor import Event, Failed, Finished, Progress, Workforce
from emonet.bulk._pool import describe, worker_environment
from emonet.bulk._settings import Settings
from emonet.datasets import Shard
from emonet.errors import UsageError, require

_PROGRESS_S = 1.0  # between two questions for progress
_CONNECT_S = 20.0
_DEATHS = 5  # of actors that never got to their first shard, before the run is given up


class _Actor:
    """What runs on a node: `Annotator`, and beside it an answer to how far it has come."""

    def __init__(self, settings: Settings, output: str, readers: int, on_card: bool) -> None:
        from emonet.bulk._shard import Annotator

        self._progress: Progress | None = None
        self._refused = ""
        try:
            self._annotate = Annotator(settings, output, readers=readers, runtime="torch" if on_card else None)
        except Exception as error:  # told by `ready`: what an actor's constructor raises comes back garbled
            self._refused = describe(error)

    def ready(self) -> str:
        """Empty, or why no shard can be made here."""
        return self._refused

    def annotate(self, shard: Shard, careful: bool) -> Event:
        try:
            return Finished(self._annotate(shard, careful=careful, tick=self._note))
        except Exception as error:
            return Failed(shard.name, describe(error))
        finally:
            self._progress = None

    def progress(self) -> Progress | None:
        return self._progress

    def _note(self, progress: Progress) -> None:
        self._progress = progress


@dataclass(slots=True, eq=False)
class _Worker:
    """One actor. `ready`: resolves when it stands; `result`, `asked`: of its shard, and of its progress."""

    actor: Any
    on_card: bool
    ready: Any
    stands: bool = False
    shard: Shard | None = None
    result: Any = None
    asked: Any = None


class RayCluster:
    """Executor on a Ray cluster; see `Executor`.

    `address`: of the head, "auto" for the cluster of this machine or of `RAY_ADDRESS`, "local" for one started here
    and ended with the run. Every node needs emonet with the extra `bulk`, the model, and access to input and output.
    `workforce` without workers: as many as the cluster has room for now. `memory_gb`: what Ray sets aside for an actor.
    Raises `UsageError` when there is no cluster at the address.
    """

    name = "ray"

    def __init__(
        self,
        settings: Settings,
        output: str,
        workforce: Workforce,
        *,
        address: str = "auto",
        most: int = 10_000,
        memory_gb: float = 0.0,
    ) -> None:
        self._settings, self._output, self._workforce = settings, output, workforce
        self._address, self._most, self._memory = address, most, memory_gb
        self._ray = _ray(local=address == "local")
        self._ours = False
        self._workers: list[_Worker] = []
        self._asked_at = 0.0
        self._early_deaths = 0

    def __enter__(self) -> RayCluster:
        if not self._ray.is_initialized():
            self._connect()
        # Questions for progress are answered by a thread of their own while a shard is made.
        self._class = self._ray.remote(concurrency_groups={"progress": 1}, max_restarts=0)(_Actor)
        if not self._workforce.total:
            room = self._ray.cluster_resources().get("CPU", 0) // self._settings.threads
            self._workforce = Workforce(cpu=min(self._most, max(1, int(room))))
        kinds = [False] * self._workforce.cpu + [True] * self._workforce.gpu
        self._workers = [self._start(on_card) for on_card in kinds]
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            self._end(worker)
        self._workers = []
        if self._ours:
            self._ray.shutdown()

    @property
    def workers(self) -> int:
        """Actors that stand."""
        return sum(worker.stands for worker in self._workers)

    @property
    def free(self) -> int:
        """Actors that stand and have no shard."""
        return sum(worker.stands and worker.shard is None for worker in self._workers)

    def submit(self, shard: Shard, *, careful: bool = False) -> None:
        """Give a shard to a free actor."""
        worker = next(worker for worker in self._workers if worker.stands and worker.shard is None)
        worker.shard = shard
        worker.result = worker.actor.annotate.remote(shard, careful)

    def shrink(self, wanted: int) -> None:
        """End idle and waiting actors beyond `wanted`, those that do not stand yet first."""
        idle = sorted((worker for worker in self._workers if worker.shard is None), key=lambda worker: worker.stands)
        for worker in idle[: max(0, len(self._workers) - wanted)]:
            self._workers.remove(worker)
            self._end(worker)

    def events(self, timeout_s: float) -> Sequence[Event]:
        """What became of the shards, who stands now, and how far the others have come."""
        waited = {worker.result if worker.stands else worker.ready: worker for worker in self._workers}
        waited.pop(None, None)  # idle ones
        if not waited:
            time.sleep(timeout_s)
            return []
        done, _ = self._ray.wait(list(waited), num_returns=len(waited), timeout=0)
        if not done:
            done, _ = self._ray.wait(list(waited), num_returns=1, timeout=timeout_s)
        found = [event for reference in done for event in self._heard(waited[reference], reference)]
        return [*found, *self._progress()]

    def _heard(self, worker: _Worker, reference: Any) -> list[Event]:
        try:
            said = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return self._replaced(worker, _brief(error))
        if worker.stands:
            worker.shard = worker.result = worker.asked = None
            return [said]
        worker.stands = True
        return [Failed("", said, final=True)] if said else []

    def _replaced(self, worker: _Worker, reason: str) -> list[Event]:
        events: list[Event] = []
        if worker.shard is not None:
            events.append(Failed(worker.shard.name, f"its worker died: {reason}", died=True))
        if not worker.stands:
            self._early_deaths += 1
            if self._early_deaths >= _DEATHS:
                return [*events, Failed("", f"actors die while they load the model: {reason}", final=True)]
        self._end(worker)
        self._workers[self._workers.index(worker)] = self._start(worker.on_card)
        return events

    def _progress(self) -> list[Event]:
        """Answers to the last question; then ask again."""
        asked = {worker.asked: worker for worker in self._workers if worker.asked is not None}
        found: list[Event] = []
        if asked:
            for reference in self._ray.wait(list(asked), num_returns=len(asked), timeout=0)[0]:
                worker = asked[reference]
                worker.asked = None
                try:
                    said = self._ray.get(reference)
                except self._ray.exceptions.RayError:
                    continue  # its shard's own result tells
                if said is not None and worker.shard is not None and said.shard == worker.shard.name:
                    found.append(said)
        if time.monotonic() - self._asked_at > _PROGRESS_S:
            self._asked_at = time.monotonic()
            for worker in self._workers:
                if worker.shard is not None and worker.asked is None:
                    worker.asked = worker.actor.progress.options(concurrency_group="progress").remote()
        return found

    def _start(self, on_card: bool) -> _Worker:
        readers = self._workforce.gpu_readers if on_card else 1
        options: dict[str, Any] = {
            "num_cpus": readers if on_card else self._settings.threads,
            "num_gpus": 1 if on_card else 0,
            "runtime_env": {"env_vars": worker_environment(self._settings.threads)},
        }
        if self._memory:
            options["memory"] = int(self._memory * 2**30)
        actor = self._class.options(**options).remote(self._settings, self._output, readers, on_card)
        return _Worker(actor, on_card, actor.ready.remote())

    def _end(self, worker: _Worker) -> None:
        self._ray.kill(worker.actor, no_restart=True)

    def _connect(self) -> None:
        options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        if self._address == "local":
            options |= {"include_dashboard": False}
        try:
            _reach(self._address)
            self._ray.init(address=self._address, **options)
        except (OSError, ValueError, RuntimeError) as error:
            raise UsageError(
                f"No Ray cluster at {self._address!r} ({_brief(error)}). Start one with `ray start --head`, name "
                "another --address, or use --address local for one that lives as long as this run."
            ) from error
        self._ours = True


def _ray(*, local: bool) -> Any:
    """The package, which reports to nobody. A cluster that ends with the run gets a token of its own, or Ray would
    leave one in the home folder; Ray reads the settings when it is imported."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if local and "RAY_AUTH_MODE" not in os.environ:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return require("ray", extra="bulk", feature="The executor ray")


def _reach(address: str) -> None:
    """Raise `OSError` when nobody listens at host:port; Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()


def _brief(error: BaseException) -> str:
    """The last telling line of Ray's long messages."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "Error" in line or "died" in line or "killed" in line]
    return (telling or lines or [type(error).__name__])[-1].partition(" Some common causes")[0][:300]
