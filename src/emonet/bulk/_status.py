"""How far a run has come, and whether its files are what its statistics say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emonet.bulk._executor import Failed
from emonet.bulk._run import FAILURES, read_run, read_statistics
from emonet.bulk._settings import Settings
from emonet.bulk._shard import digest_of
from emonet.bulk._statistics import ShardStatistics, Totals
from emonet.bulk._storage import Storage
from emonet.errors import UsageError
from emonet.taxonomy import Modality


@dataclass(frozen=True, slots=True)
class RunStatus:
    """`shards`: of the whole run; `done`: statistics by name; `failed`: given up so far; `problems`: what `verify`
    found, one sentence each."""

    settings: Settings
    inputs: tuple[str, ...]
    shards: int
    done: tuple[ShardStatistics, ...]
    failed: tuple[Failed, ...]
    problems: tuple[str, ...] = ()

    @property
    def totals(self) -> Totals:
        """Of the shards that are done."""
        return Totals.of(self.done)

    @property
    def modality(self) -> Modality:
        """What the run's model judges."""
        return self.settings.modality

    @property
    def left(self) -> int:
        """Shards that are not done."""
        return max(0, self.shards - len(self.done))


def status(output: str | Path, *, verify: bool = False) -> RunStatus:
    """Read a run's statistics.

    `verify`: also read every output and compare it with its statistics: size, SHA-256, rows, and that no key occurs
    twice in a shard. Raises `UsageError` when there is no run at `output`.
    """
    storage = Storage(output)
    run = read_run(storage)
    if run is None:
        raise UsageError(f"{storage.address}: no run here (run.json is missing). Name the output of `emonet bulk run`.")
    done = read_statistics(storage)
    problems = tuple(text for one in done for text in check_shard(storage, one)) if verify else ()
    return RunStatus(run["settings"], tuple(run["inputs"]), run["shards"], tuple(done), _failed(storage), problems)


def check_shard(storage: Storage, one: ShardStatistics) -> Iterator[str]:
    """What is wrong with the outputs of a shard that is done."""
    remedy = f"Delete statistics/{one.shard}.json and run again."
    for output in one.outputs:
        try:
            size, digest = digest_of(storage, output.name)
        except FileNotFoundError:
            yield f"{output.name} is missing. {remedy}"
            continue
        if (size, digest) != (output.size, output.sha256):
            yield f"{output.name} is not what was written ({size:,} bytes; {output.size:,} expected). {remedy}"
        elif output.name.endswith(".parquet"):
            yield from _check_rows(storage, output.name, one.samples, remedy)


def _check_rows(storage: Storage, name: str, samples: int, remedy: str) -> Iterator[str]:
    import pyarrow.parquet as pq

    with storage.open(name) as file:
        keys = pq.read_table(file, columns=["key"])["key"]
    if len(keys) != samples or len(keys.unique()) != samples:
        yield f"{name} has {len(keys):,} rows and {len(keys.unique()):,} keys; {samples:,} expected. {remedy}"


def _failed(storage: Storage) -> tuple[Failed, ...]:
    found = []
    for name in storage.names(FAILURES, ".json"):
        if (text := storage.read_text(f"{FAILURES}/{name}.json")) is not None:
            note = json.loads(text)
            found.append(Failed(note["shard"], note["reason"], note["died"]))
    return tuple(found)
