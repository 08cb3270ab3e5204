"""A run: which shards are left, who makes them, and what is tried again."""

from __future__ import annotations

import json
import os
import platform
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from emonet.bulk._executor import Event, Executor, Failed, Finished, Workforce
from emonet.bulk._settings import FORMAT, Settings, choose_settings
from emonet.bulk._statistics import ShardStatistics, Totals
from emonet.bulk._storage import Storage, alone
from emonet.datasets import Shard, list_shards
from emonet.errors import ModelError, UnknownNameError, UsageError
from emonet.estimation._files import available_cores

ExecutorName = Literal["processes", "ray"]
RUN = "run.json"
FAILURES, STATISTICS, SESSIONS = "failures", "statistics", "sessions"
_WAIT_S = 0.25
_PART = "#part="  # of a folder or manifest, before i/n
_READERS = 16  # threads that read statistics; from an object store each takes a round trip


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a run. `totals`: of all shards of the output that are done; `made`: those made now; `failed`:
    shards given up; `seconds`: how long it took now, `ready_s` of them until the first worker stood; `workers`: most
    that stood at once."""

    totals: Totals
    made: int
    failed: tuple[Failed, ...]
    seconds: float
    ready_s: float
    workers: int

    @property
    def ok(self) -> bool:
        """Whether every shard is done."""
        return not self.failed


class Watch(Protocol):
    """Told of all that happens, by the thread that drives the run."""

    def begin(self, todo: Sequence[Shard], done: Totals) -> None: ...

    def heard(self, event: Event, executor: Executor) -> None: ...

    def idle(self, executor: Executor) -> None: ...


def run(
    input: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    model: str | Path,
    executor: ExecutorName = "processes",
    workers: int | None = None,
    gpus: int = 0,
    address: str = "auto",
    part: tuple[int, int] | None = None,
    retries: int = 2,
    page: bool = True,
    watch: Watch | None = None,
    **options: Any,
) -> Summary:
    """Score every shard of `input` into the folder `output`, or those that are not done there yet or have changed.

    `input`: WebDataset tars, Parquet files with media, folders or manifests, by path, pattern or URL. `output`: a
    folder or an URL, e.g. s3://bucket/scores. `executor`: "processes" on this machine or "ray", with `address` as in
    `RayCluster`. `workers`: None for one per core, or as many as the Ray cluster holds now; 0 with `gpus` for graphics
    cards alone. `part`: (i, n) takes every n-th shard from the i-th on, i from 0, as a Slurm array does. `retries`: how
    often a shard is tried again. `page`: write summary.html. `options`: those of `choose_settings`; they must be those
    the output was begun with.

    Shards that cannot be made are named in `Summary.failed` and in the output's `failures`; the others go on. Raises
    `UsageError` for other settings than the output's, `ModelError` when no worker can load the model.
    """
    start = time.perf_counter()
    storage = Storage(output)
    inputs = [str(one) for one in ([input] if isinstance(input, str | Path) else input)]
    _check(executor, workers, gpus, part, retries)
    settings = _settings(storage, model, options)
    shards = [_absolute(shard) for shard in list_shards(inputs)]
    _check_names(shards)
    with alone(storage, "run" if part is None else f"part-{part[0]}-of-{part[1]}"):
        done = {one.shard: one for one in read_statistics(storage)}
        _check_sources(shards, done)
        for shard in _changed(shards, done):
            storage.delete(f"{STATISTICS}/{shard.name}.json")
            del done[shard.name]
        _write_run(storage, settings, inputs, {shard.name for shard in shards} | set(done))
        mine = shards if part is None else sorted(shards, key=lambda shard: shard.name)[part[0] :: part[1]]
        todo = sorted((s for s in mine if s.name not in done), key=lambda s: (-(s.size or 0), s.name))
        if watch is not None:
            watch.begin(todo, Totals.of(done.values()))
        if todo:
            with _executor(executor, settings, storage.address, workers, gpus, address, len(todo)) as workforce:
                drive = _Drive(workforce, storage, todo, retries, watch)
                drive.go()
            found = (drive.made, tuple(drive.failed), time.perf_counter() - start, drive.ready_s, drive.most)
            _write_session(storage, executor, *found)
        else:
            found = (0, (), time.perf_counter() - start, 0.0, 0)
        if page and part is None:
            from emonet.bulk._page import write_page

            write_page(storage)
    return Summary(Totals.of(read_statistics(storage)), *found)


class _Drive:
    """Hands out shards until all are done or given up."""

    def __init__(
        self, executor: Executor, storage: Storage, todo: Sequence[Shard], retries: int, watch: Watch | None
    ) -> None:
        self.failed: list[Failed] = []
        self.made = self.most = 0
        self.ready_s = 0.0
        self._executor, self._storage, self._retries, self._watch = executor, storage, retries, watch
        self._queue, self._running = deque(todo), dict[str, Shard]()
        self._tried, self._deaths = Counter[str](), Counter[str]()
        self._known_failures = set(storage.names(FAILURES, ".json"))

    def go(self) -> None:
        """Until the last shard."""
        start = time.perf_counter()
        while self._queue or self._running:
            while self._queue and self._executor.free:
                shard = self._queue.popleft()
                self._running[shard.name] = shard
                self._executor.submit(shard, careful=self._deaths[shard.name] > 1)
            self._executor.shrink(max(1, len(self._queue) + len(self._running)))
            for event in self._executor.events(_WAIT_S):
                self._hear(event)
                if self._watch is not None:
                    self._watch.heard(event, self._executor)
            if self._executor.workers and not self.most:
                self.ready_s = time.perf_counter() - start
            self.most = max(self.most, self._executor.workers)
            if self._watch is not None:
                self._watch.idle(self._executor)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Finished):
            name = event.statistics.shard
            del self._running[name]
            self.made += 1
            if name in self._known_failures:
                self._storage.delete(f"{FAILURES}/{name}.json")
        elif isinstance(event, Failed):
            if event.final:
                raise ModelError(f"No worker can begin: {event.reason}")
            self._try_again(self._running.pop(event.shard), event)

    def _try_again(self, shard: Shard, event: Failed) -> None:
        self._tried[shard.name] += 1
        self._deaths[shard.name] += event.died
        # A death is not the shard's fault as long as it may be the machine's: the careful attempt comes after two.
        limit = max(self._retries, 2) if event.died and self._retries else self._retries
        if self._tried[shard.name] <= limit:
            self._queue.append(shard)
            return
        self.failed.append(event)
        note = {**asdict(event), "address": shard.address, "attempts": self._tried[shard.name]}
        self._storage.write_text(f"{FAILURES}/{shard.name}.json", json.dumps(note, indent=1))


def read_statistics(storage: Storage) -> list[ShardStatistics]:
    """Statistics of all shards that are done, by name."""
    names = [f"{STATISTICS}/{name}.json" for name in storage.names(STATISTICS, ".json")]

    def read(name: str) -> ShardStatistics | None:
        text = storage.read_text(name)
        return None if text is None else ShardStatistics.from_json(text, source=f"{storage.address}/{name}")

    with ThreadPoolExecutor(_READERS) as threads:
        return [one for one in threads.map(read, names) if one is not None]


def read_run(storage: Storage) -> Mapping[str, Any] | None:
    """Content of run.json: `settings`, `inputs` and `shards`, the number of all shards; None when there is no run."""
    text = storage.read_text(RUN)
    if text is None:
        return None
    try:
        content: Mapping[str, Any] = json.loads(text)
        return {**content, "settings": Settings.from_json(json.dumps(content["settings"]), source=RUN)}
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{storage.address}/{RUN}: not a run that this version writes ({error}).") from error


def _settings(storage: Storage, model: str | Path, options: Mapping[str, Any]) -> Settings:
    """The output's settings, or new ones. "auto" means what it meant when the run was begun."""
    found = read_run(storage)
    if found is None:
        return choose_settings(model, **options)
    begun: Settings = found["settings"]
    kept = {name: getattr(begun, name) for name in ("runtime", "precision") if options.get(name, "auto") == "auto"}
    chosen = choose_settings(model, **{**options, **kept})
    if different := begun.differences(chosen):
        said = "; ".join(f"{name} was {old!r} and is now {new!r}" for name, (old, new) in different.items())
        raise UsageError(
            f"{storage.address} holds a run with other settings: {said}. Use the same settings, or another output."
        )
    return chosen


def _write_run(storage: Storage, settings: Settings, inputs: Sequence[str], names: Iterable[str]) -> None:
    before = read_run(storage)
    known = list(before["inputs"]) if before else []
    content = {
        "format": FORMAT,
        "settings": json.loads(settings.to_json()),
        "inputs": known + [one for one in inputs if one not in known],
        "shards": len(set(names)),
    }
    if before is None or (before["inputs"], before["shards"]) != (content["inputs"], content["shards"]):
        storage.write_text(RUN, json.dumps(content, indent=1, ensure_ascii=False))


def _write_session(
    storage: Storage, executor: str, made: int, failed: Sequence[Failed], seconds: float, ready_s: float, workers: int
) -> None:
    """Note how long this took; what `plan` learns from, and the page tells. A session that was killed leaves none."""
    note = {
        "executor": executor, "workers": workers, "made": made, "failed": len(failed), "seconds": seconds,
        "ready_s": ready_s, "machine": platform.node(), "cores": available_cores(),
    }  # fmt: skip
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
    storage.write_text(f"{SESSIONS}/{name}.json", json.dumps(note, indent=1))


def _check(executor: str, workers: int | None, gpus: int, part: tuple[int, int] | None, retries: int) -> None:
    if executor not in ("processes", "ray"):
        raise UnknownNameError("executor", executor, ("processes", "ray"))
    if gpus < 0 or (workers is not None and workers < (0 if gpus else 1)):
        raise UsageError(f"workers is {workers} and gpus is {gpus}; expected at least one of them to be 1 or more.")
    if retries < 0:
        raise UsageError(f"retries is {retries}; expected 0 or more.")
    if part is not None and not 0 <= part[0] < part[1]:
        raise UsageError(f"part is {part[0]}/{part[1]}; expected i/n with i from 0 to n-1.")


def _check_names(shards: Sequence[Shard]) -> None:
    """Shards of one name would overwrite one another."""
    first: dict[str, Shard] = {}
    for shard in shards:
        other = first.setdefault(shard.name, shard)
        if other is not shard:
            raise UsageError(
                f"{other.address} and {shard.address} are both named {shard.name!r}. Rename one, or give each an "
                "output of its own."
            )


def _check_sources(shards: Sequence[Shard], done: Mapping[str, ShardStatistics]) -> None:
    """A shard that is done must not stand for another one of the same name."""
    for shard in shards:
        before = done.get(shard.name)
        if before is not None and before.address != shard.address:
            raise UsageError(
                f"The shard {shard.name!r} is done, from {before.address}; {shard.address} has the same name. Use "
                "another output, or give the input by the address it had."
            )
    parts = {shard.address.partition(_PART)[0]: shard for shard in shards if _PART in shard.address}
    for before in done.values():
        whole, mark, part = before.address.partition(_PART)
        now = parts.get(whole) if mark else None
        if now is not None and part.partition("/")[2] != now.address.rpartition("/")[2]:
            raise UsageError(
                f"{whole} was in {part.partition('/')[2]} parts when this run was begun and is in "
                f"{now.address.rpartition('/')[2]} now, since files came or went. Use another output."
            )


def _absolute(shard: Shard) -> Shard:
    """Workers may have another working folder than the driver."""
    return shard if "://" in shard.address else replace(shard, address=os.path.abspath(shard.address))


def _changed(shards: Sequence[Shard], done: Mapping[str, ShardStatistics]) -> list[Shard]:
    """Shards that are done and have another size now, as far as it is known."""
    pairs = ((shard, done.get(shard.name)) for shard in shards)
    return [shard for shard, before in pairs if before and shard.size and before.size and shard.size != before.size]


def _executor(
    name: ExecutorName, settings: Settings, output: str, workers: int | None, gpus: int, address: str, most: int
) -> Executor:
    if name == "ray":
        from emonet.bulk._ray import RayCluster

        wanted = Workforce(cpu=min(workers or 0, most), gpu=min(gpus, most))
        return RayCluster(settings, output, wanted, address=address, most=most)
    from emonet.bulk._pool import ProcessPool

    count = max(1, available_cores() // settings.threads) if workers is None else workers
    if gpus and workers is None:
        count = 0
    return ProcessPool(settings, output, Workforce(cpu=min(count, most), gpu=min(gpus, most)))
