"""One shard in, one shard out: what every worker does, whoever started it."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from emonet.bulk._captions import region_captions
from emonet.bulk._executor import Progress
from emonet.bulk._feed import Fed, Feed
from emonet.bulk._probe import find_fatal
from emonet.bulk._rows import ScoreTable, make_row, score_columns
from emonet.bulk._scratch import scratch
from emonet.bulk._segments import SegmentTar
from emonet.bulk._settings import Settings
from emonet.bulk._statistics import Output, ShardStatistics, Tally
from emonet.bulk._storage import Storage
from emonet.bulk._tar import SampleTar
from emonet.datasets import Shard, read_samples
from emonet.errors import EmonetError
from emonet.estimation import Estimates, stream_files
from emonet.media import open_audio
from emonet.models import Runtime

Tick = Callable[[Progress], None]

SCORES, MEDIA, SEGMENTS, STATISTICS = "scores", "media", "segments", "statistics"
"""Folders of a run: NAME.parquet, NAME.tar, NAME.tar and NAME.json of each shard."""

_TICK_S = 0.5


class Annotator:
    """A loaded model and the place where its shards go; each worker has one.

    `readers`: threads that decode and score; the rows do not depend on it. `runtime`: instead of the settings' one, as
    on a graphics card, where scores agree up to rounding only.
    """

    def __init__(
        self, settings: Settings, output: str | Path, *, readers: int = 1, runtime: Runtime | None = None
    ) -> None:
        start = time.perf_counter()
        self.settings, self.storage = settings, Storage(output)
        self.estimator = settings.open(workers=readers, runtime=runtime)
        self._readers = readers
        self._columns = score_columns(self.estimator.card, settings)
        self._load_s = time.perf_counter() - start

    def __call__(self, shard: Shard, *, careful: bool = False, tick: Tick | None = None) -> ShardStatistics:
        """Score a shard and write its outputs, the statistics last. Afterwards the shard is done.

        `careful`: first decode each sample in a process of its own, since a worker died over this shard; a sample that
        kills its process gets a row with the status `unreadable`. `tick`: told now and then how far it has come.
        Raises what reading the shard or writing raises; nothing is then left behind but complete outputs.
        """
        fatal = find_fatal(self.settings, shard) if careful else {}
        tally, watch = Tally(), _Watch()
        with ExitStack() as stack:
            folder = stack.enter_context(scratch())
            feed = stack.enter_context(Feed(read_samples(shard.address, kind=shard.kind), folder, skip=fatal))
            names = self._write(shard, feed, tally, watch, tick)
        outputs = tuple(Output(name, *digest_of(self.storage, name)) for name in names)
        tally.repeated = feed.repeated
        statistics = self._statistics(shard, tally, feed, watch, outputs)
        self.storage.write_text(f"{STATISTICS}/{shard.name}.json", statistics.to_json())
        self._load_s = 0.0
        return statistics

    def _write(self, shard: Shard, feed: Feed, tally: Tally, watch: _Watch, tick: Tick | None) -> list[str]:
        """Score all samples into the shard's files; the names of these."""
        names = [f"{SCORES}/{shard.name}.parquet"]
        told = time.perf_counter()
        with ExitStack() as stack:
            path = stack.enter_context(self.storage.new_file(names[0]))
            table = stack.enter_context(ScoreTable(path, self.estimator, self.settings))
            tar = segments = None
            if self.settings.enrich:
                names.append(f"{MEDIA}/{shard.name}.tar")
                tar = stack.enter_context(SampleTar(stack.enter_context(self.storage.new_file(names[-1]))))
            if self.settings.segments:
                names.append(f"{SEGMENTS}/{shard.name}.tar")
                segments = stack.enter_context(SegmentTar(stack.enter_context(self.storage.new_file(names[-1]))))
            for fed, estimates in self._scored(feed):
                said = region_captions(fed.sample.key, estimates, self.settings)
                row = make_row(
                    fed, estimates, self.estimator.card, self.settings, duration_s=self._duration(fed), captions=said
                )
                table.add(row)
                if tar is not None:
                    tar.add(fed.sample, fed.path, row)
                if segments is not None:
                    segments.add(fed, estimates, said)
                tally.add(row, self._columns, fed.size)
                fed.path.unlink()
                if tick is not None and time.perf_counter() - told > _TICK_S:
                    told = time.perf_counter()
                    tick(Progress(shard.name, tally.samples, tally.sound_s, dict(tally.statuses)))
            watch.scored = time.perf_counter()
        return names

    def _scored(self, feed: Feed) -> Iterator[tuple[Fed, Estimates]]:
        for estimates in stream_files(iter(feed), lambda _: (self.estimator,), workers=self._readers):
            yield feed.take(), estimates

    def _duration(self, fed: Fed) -> float | None:
        """Length of a recording as its header tells it."""
        if self.estimator.modality != "voice" or fed.refused:
            return None
        try:
            with open_audio(fed.path) as stream:
                return stream.duration_s
        except (EmonetError, OSError):
            return None

    def _statistics(
        self, shard: Shard, tally: Tally, feed: Feed, watch: _Watch, outputs: tuple[Output, ...]
    ) -> ShardStatistics:
        return ShardStatistics(
            shard=shard.name,
            address=shard.address,
            size=shard.size,
            samples=tally.samples,
            repeated=tally.repeated,
            statuses=dict(tally.statuses),
            reasons=dict(tally.reasons),
            regions=tally.regions,
            sound_s=tally.sound_s,
            speech_s=tally.speech_s,
            bytes_in=tally.bytes_in,
            sums=tally.sums,
            outputs=outputs,
            wall_s=time.perf_counter() - watch.wall,
            cpu_s=time.process_time() - watch.cpu,
            wait_s=feed.wait_s,
            write_s=time.perf_counter() - watch.scored,
            load_s=self._load_s,
            memory_mb=resident_mb(),
            worker=f"{platform.node()}:{os.getpid()}",
            computed_by=self.estimator.model.session.name,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        )


class _Watch:
    """When a shard was begun, by the clock and by the processor, and when its last sample was scored."""

    def __init__(self) -> None:
        self.wall = self.scored = time.perf_counter()
        self.cpu = time.process_time()


def digest_of(storage: Storage, name: str) -> tuple[int, str]:
    """Bytes and SHA-256 of a file of a run."""
    size, total = 0, hashlib.sha256()
    with storage.open(name) as file:
        while block := file.read(2**20):
            size += len(block)
            total.update(block)
    return size, total.hexdigest()


def resident_mb() -> float:
    """Memory of this process in RAM: now on Linux, at most so far elsewhere; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next((line for line in status.read_text().splitlines() if line.startswith("VmRSS")), "VmRSS: 0")
        return int(line.split()[1]) / 1024
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return 0.0
