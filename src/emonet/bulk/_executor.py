"""What runs shards: a small Protocol, of which a process pool and Ray are the two kinds.

Only addresses travel. A worker loads the model once and then takes one shard after the other; the driver hears of
progress, of finished shards and of failures, and decides itself what is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from emonet.bulk._statistics import ShardStatistics
from emonet.datasets import Shard


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a shard has come: rows so far, seconds of sound in them, and their statuses."""

    shard: str
    samples: int
    sound_s: float
    statuses: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Finished:
    """A shard is done."""

    statistics: ShardStatistics


@dataclass(frozen=True, slots=True)
class Failed:
    """A shard was not made. `died`: its worker ended without a word (killed, out of memory, crash in a decoder).
    `final`: no shard can be made, since the model cannot be loaded; `shard` is then empty."""

    shard: str
    reason: str
    died: bool = False
    final: bool = False


Event = Progress | Finished | Failed


@dataclass(frozen=True, slots=True)
class Workforce:
    """How many workers, and what each may use.

    `cpu`: workers on processors, each with the settings' threads. `gpu`: workers with a graphics card of their own,
    which compute with PyTorch; `gpu_readers`: threads of such a worker that decode.
    """

    cpu: int = 1
    gpu: int = 0
    gpu_readers: int = 4

    @property
    def total(self) -> int:
        """All workers."""
        return self.cpu + self.gpu


@runtime_checkable
class Executor(Protocol):
    """Runs shards on workers. Used by one thread, in a `with` statement that ends all workers."""

    name: str

    @property
    def workers(self) -> int:
        """Workers that are ready or at work now."""
        ...

    @property
    def free(self) -> int:
        """How many shards may be submitted now."""
        ...

    def submit(self, shard: Shard, *, careful: bool = False) -> None:
        """Give a shard to a free worker; see `Annotator.__call__` for `careful`."""
        ...

    def events(self, timeout_s: float) -> Sequence[Event]:
        """What happened since the last call, waiting for up to `timeout_s` for something to happen.

        Each submitted shard ends in one `Finished` or one `Failed`.
        """
        ...

    def shrink(self, wanted: int) -> None:
        """No more than `wanted` workers will be needed: idle ones beyond may end."""
        ...

    def __enter__(self) -> Executor: ...

    def __exit__(self, *error: object) -> None: ...
