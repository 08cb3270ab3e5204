"""Bulk runs: what a second worker brings, processes against Ray, and what sharding costs.

Usage: python -m benchmarks.bulk [--json FILE] [--rounds 5] [--clips 5000] [--ray] [--quick]

Each row is a whole run over the same shards, encoder threads held at 1. The rate is that of the time in which workers
stood, without their start, which a run has once. Runs are made in turns; every run's tables are compared with the
first one's byte for byte. "Others" is what other processes, and other machines on the same host, took of the cores
meanwhile: where that is more than a few per cent, the ratio says little. Few clips say little too, since at the end of
a run one worker waits for the other's last shard. Six minutes on two cores of a quiet machine; `--ray` adds three.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.bulk_shards import write_tars
from benchmarks.pipeline import Record, machine_s
from benchmarks.timing import Table, finish, options
from emonet.bulk import Summary, run
from emonet.estimation._files import available_cores


@dataclass
class Way:
    """One way to make the run, and what its turns took: seconds with workers, and the share of cores others took."""

    name: str
    executor: str
    workers: int
    seconds: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    ready_s: list[float] = field(default_factory=list)


def tables_of(output: Path) -> dict[str, str]:
    """SHA-256 of every score table of a run."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(output.glob("scores/*"))}


def turn(way: Way, shards: Sequence[Path], output: Path, *, model: str, address: str) -> Summary:
    """One run from nothing, timed."""
    shutil.rmtree(output, ignore_errors=True)
    used, stolen, start = machine_s(), stolen_s(), time.perf_counter()
    made = run(shards, output, model=model, executor=way.executor, workers=way.workers, address=address, page=False)  # type: ignore[arg-type]
    wall = time.perf_counter() - start
    if not made.ok:
        raise SystemExit(f"{way.name}: shards failed: {made.failed}")
    own = made.totals.cpu_s  # of the shards; starting the workers counts as others' work and is not in `wall` either
    way.seconds.append(made.seconds - made.ready_s)
    way.ready_s.append(made.ready_s)
    taken = machine_s() - used - own + stolen_s() - stolen
    way.others.append(max(0.0, taken / wall / available_cores()))
    return made


def stolen_s() -> float:
    """Processor seconds that a virtual machine wanted and did not get, since it started; 0 where it is not known."""
    path = Path("/proc/stat")
    return int(path.read_text().split()[8]) / 100 if path.exists() else 0.0


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.set_defaults(rounds=5)
    parser.add_argument("--clips", type=int, default=5000, help="recordings in all (default 5000)")
    parser.add_argument("--per-shard", type=int, default=50, help="recordings of a shard (default 50)")
    parser.add_argument("--model", default="voice")
    parser.add_argument("--workers", type=int, default=2, help="compared with one worker (default 2)")
    parser.add_argument("--ray", action="store_true", help="also by Ray, on a cluster of this process")
    parser.add_argument("--address", default="local", help="of the Ray cluster (default local)")
    arguments = parser.parse_args()
    clips = 40 if arguments.quick else arguments.clips
    per_shard = 10 if arguments.quick else arguments.per_shard
    folder = arguments.bundles / f"bulk-{clips}"
    shards, _ = write_tars(folder / "shards", data=arguments.data, clips=clips, per_shard=per_shard)
    ways = [Way("1 process", "processes", 1), Way(f"{arguments.workers} processes", "processes", arguments.workers)]
    if arguments.ray:
        ways.append(Way(f"{arguments.workers} Ray actors", "ray", arguments.workers))
    first: dict[str, str] = {}
    totals: Any = None
    for number in range(arguments.rounds):
        for i in range(len(ways)):
            way = ways[(i + number) % len(ways)]
            output = folder / "output"
            totals = turn(way, shards, output, model=arguments.model, address=arguments.address).totals
            found = tables_of(output)
            first = first or found
            if found != first:
                raise SystemExit(f"{way.name}: its tables differ from the first run's")
    finish_up(ways, totals, arguments, len(shards))


def finish_up(ways: Sequence[Way], totals: Any, arguments: argparse.Namespace, shards: int) -> None:
    """Print the table, and write the records."""
    rows, records = [], []
    for way in ways:
        seconds = statistics.median(way.seconds)
        ratios = [a / b for a, b in zip(ways[0].seconds, way.seconds, strict=True)]
        rows.append(
            {
                "name": way.name,
                "rate": totals.samples / seconds,
                "real_time": totals.sound_s / seconds,
                "ratio": statistics.median(ratios),
                "ratio_low": min(ratios),
                "ratio_high": max(ratios),
                "others": statistics.median(way.others),
            }
        )
        conditions = {
            "executor": way.executor, "workers": way.workers, "threads": 1, "clips": totals.samples, "shards": shards,
            "others": round(statistics.median(way.others), 3), "ready_s": statistics.median(way.ready_s),
        }  # fmt: skip
        spread = (min(ratios), max(ratios))
        records.append(
            Record("bulk.ratio", statistics.median(ratios), "times one worker", spread, len(ratios), conditions)
        )
        rates = [totals.samples / s for s in way.seconds]
        records.append(
            Record("bulk.rate", totals.samples / seconds, "clips/s", (min(rates), max(rates)), len(rates), conditions)
        )
    note = (
        f"{totals.samples:,} recordings ({totals.sound_s / 60:.0f} minutes) in {shards} shards; the tables of all runs "
        "are the same to the last byte."
    )
    table = Table("bulk", "A second worker", "clip", rows, note)
    finish("bulk", [table], arguments, records=[asdict(record) for record in records])
    for record in records:
        low, high = record.spread or (record.value, record.value)
        print(f"{record.name:12} {record.value:8.3f} {record.unit} [{low:.3f}, {high:.3f}] {record.conditions}")


if __name__ == "__main__":
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    main()
