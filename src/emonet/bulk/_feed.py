"""Samples of a shard as files, read ahead by a thread of their own while others are scored.

Decoders take files, and memory must not grow with the media that wait. In a folder in RAM (`TMPDIR=/dev/shm`) nothing
is written to a disk.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from emonet.datasets import Sample

_AHEAD = 32  # samples written and not yet asked for
_PATIENCE_S = 0.2


@dataclass(frozen=True, slots=True)
class Fed:
    """One sample on its way. `sample`: without its media, which are in `path`; `size`: their bytes. `refused`: why they
    are not to be decoded, empty when they are; if so, the file is empty and the sample has them."""

    sample: Sample
    path: Path
    size: int
    refused: str = ""


class Feed:
    """Iterate to get the files; `take` then gives the sample of each in the same order. Use it in a `with` statement.

    `skip`: key → why the sample must not be decoded. A key that was seen before in the shard is left out and counted in
    `repeated`. `wait_s`: how long the iteration waited. What reading the shard raises is raised by the iteration.
    """

    def __init__(self, samples: Iterator[Sample], folder: Path, *, skip: Mapping[str, str] | None = None) -> None:
        self.repeated = 0
        self.wait_s = 0.0
        self._samples, self._folder, self._skip = samples, folder, skip or {}
        self._ready: queue.Queue[Fed | BaseException | None] = queue.Queue(_AHEAD)
        self._begun: deque[Fed] = deque()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, name="emonet-feed", daemon=True)

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._thread.join()
        left = [*self._begun]
        while not self._ready.empty():
            if isinstance(item := self._ready.get_nowait(), Fed):
                left.append(item)
        for fed in left:
            fed.path.unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Path]:
        while True:
            start = time.perf_counter()
            item = self._ready.get()
            self.wait_s += time.perf_counter() - start
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            self._begun.append(item)
            yield item.path

    def take(self) -> Fed:
        """The sample whose file was handed out first of those not taken yet. The caller removes its file."""
        return self._begun.popleft()

    def _read(self) -> None:
        last: BaseException | None = None
        try:
            seen: set[str] = set()
            for number, sample in enumerate(self._samples):
                if sample.key in seen:
                    self.repeated += 1
                    continue
                seen.add(sample.key)
                if not self._put(self._written(number, sample)):
                    return
        except BaseException as error:  # it belongs to whoever waits for the next sample
            last = error
        self._put(last)

    def _written(self, number: int, sample: Sample) -> Fed:
        refused = self._skip.get(sample.key, sample.problem)
        if not sample.media and not refused:
            refused = "the sample holds no media"
        path = self._folder / f"{number}{_suffix(sample.extension)}"
        size = len(sample.media or b"")
        path.write_bytes(b"" if refused else sample.media or b"")
        return Fed(sample if refused else replace(sample, media=None), path, size, refused)

    def _put(self, item: Fed | BaseException | None) -> bool:
        """False when nobody wants it any more."""
        while not self._closed.is_set():
            try:
                self._ready.put(item, timeout=_PATIENCE_S)
            except queue.Full:
                continue
            return True
        if isinstance(item, Fed):
            item.path.unlink(missing_ok=True)
        return False


def _suffix(extension: str) -> str:
    kept = re.sub(r"[^a-z0-9]", "", extension.lower())[:10]
    return f".{kept}" if kept else ""
