"""Memory and time of writing and reading one shard of growing size: the table of docs/shards.md.

python benchmarks/shards.py --megabytes 20 200 1000
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from emonet.datasets import Sample, list_shards, read_samples, write_shards

_CLIP = 100_000  # bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[20, 200, 1000])
    parser.add_argument("--task", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        _task(*given.task)
        return
    print("kind | task | size (MB) | highest resident memory (MB) | seconds")
    for kind in ("webdataset", "parquet"):
        for size in given.megabytes:
            with tempfile.TemporaryDirectory() as folder:
                for task in ("write", "read"):  # each in a process of its own: peaks do not go down again
                    command = [sys.executable, __file__, "--task", kind, task, str(size * 1_000_000 // _CLIP), folder]
                    subprocess.run(command, check=True)


def _task(kind: str, task: str, count: str, folder: str) -> None:
    start = time.perf_counter()
    if task == "write":
        assert kind in ("webdataset", "parquet")
        write_shards(_clips(int(count)), Path(folder), kind=kind, per_shard=10**9, max_bytes=1 << 50)  # type: ignore[arg-type]
    else:
        (shard,) = list_shards(folder)
        assert sum(1 for _ in read_samples(shard.address)) == int(count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    size = int(count) * _CLIP // 1_000_000
    print(f"{kind} | {task} | {size} | {peak} | {time.perf_counter() - start:.1f}", flush=True)


def _clips(count: int) -> Iterator[Sample]:
    content = os.urandom(_CLIP)
    return (Sample(f"{k:07d}", content, "mp3", "voice", {"number": k}) for k in range(count))


if __name__ == "__main__":
    main()
