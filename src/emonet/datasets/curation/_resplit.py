"""A split of what lies at an address, as a table of its own: nothing is decoded and no file is moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import polars as pl

from emonet.datasets.curation._recipe import Source
from emonet.datasets.curation._set import is_set, read_set, write_table
from emonet.datasets.curation._sources import streams_of
from emonet.datasets.curation._splits import SHARES, Split, split_items
from emonet.datasets.curation._survey import survey
from emonet.errors import UsageError


def split_dataset(
    address: str | Path,
    output: Path,
    *,
    shares: Mapping[str, float] = SHARES,
    by: Sequence[str] = (),
    stratify: Sequence[str] = (),
    unknown: Literal["refuse", "single"] = "refuse",
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Split:
    """Split the items of a finished set, of shards, a folder or a manifest, or of a table with a column `item`, and
    write the columns item and split to `output` (.parquet or .csv).

    The options are those of `split_items`. A finished set is not changed: its shards follow its recipe, which has a
    table [split] of its own.
    """
    if output.suffix not in (".parquet", ".csv"):
        raise UsageError(f"output is {output}; expected a name that ends in .parquet or .csv.")
    split = split_items(_items(address, progress), shares=shares, by=by, stratify=stratify, unknown=unknown, seed=seed)
    write_table(output, split.table)
    return split


def _items(address: str | Path, progress: Callable[[str, int, int], None] | None) -> pl.DataFrame:
    if is_set(address):
        return read_set(Path(address))[1]
    path = Path(address)
    if path.suffix in (".parquet", ".csv") and path.is_file():
        table = (
            pl.read_parquet(path, glob=False) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
        )
        if "item" in table.columns:
            return table
    with TemporaryDirectory(prefix="emonet-split-") as scratch:
        streams = streams_of(Source(name="set", input=(str(address),)))
        return survey(streams, Path(scratch), media=False, progress=progress).items
