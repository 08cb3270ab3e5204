"""Write samples as shards: WebDataset tars, Parquet files with encoded media, or a folder with its manifest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from emonet.datasets._samples import Sample, Shard


def write_shards(
    samples: Iterable[Sample],
    folder: Path,
    *,
    kind: Literal["webdataset", "parquet", "folder"] = "webdataset",
    per_shard: int = 1000,
    max_bytes: int = 1 << 30,
    name: str = "shard",
) -> tuple[Shard, ...]:
    """Write samples in their order and return the shards: `folder/shard-000000.tar`, ... or `.parquet`.

    A shard ends after `per_shard` samples or when its media exceed `max_bytes`. Files appear whole or not at all, and
    equal samples give equal bytes. `read_samples` gives the same samples back.
    """
    raise NotImplementedError
