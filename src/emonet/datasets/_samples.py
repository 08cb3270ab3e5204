"""Samples of a data set, one shard at a time: the records, and the two functions that every consumer starts from.

A *sample* is one picture, clip or video with its facts. A *shard* is a file, or a part of a folder, that is read from
beginning to end: a WebDataset tar, a Parquet file with encoded media, a folder of media, or a manifest that names media
files. Layouts and their quirks: docs/shards.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from emonet.taxonomy import Modality

ShardKind = Literal["webdataset", "parquet", "folder", "manifest"]
KINDS: tuple[ShardKind, ...] = ("webdataset", "parquet", "folder", "manifest")
PER_SHARD = 1000
"""Files of a folder or manifest that are one shard's work."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a data set.

    key: unique within its shard. media: the encoded file's bytes, None when there are none; `problem` then says why.
    extension: of the file, lower case and without dot ("wav"), empty when unknown. modality: "face" for pictures,
    "voice" for sound, None where neither is clear (videos). facts: whatever else the source says, as JSON values.
    licence, consent: as stated, empty when nothing is said. source: where the item is from, as its record says, else
    the name of its shard. left_out: extensions of members that a tar holds for this sample and that were not read.
    """

    key: str
    media: bytes | None
    extension: str
    modality: Modality | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    consent: str = ""
    source: str = ""
    left_out: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Shard:
    """What one worker reads. `address`: for `read_samples`; `size`: bytes, or number of files for a folder or
    manifest; `name`: unlike that of the other shards where their file names are."""

    address: str
    kind: ShardKind
    size: int
    name: str


def read_samples(
    address: str | os.PathLike[str], *, kind: ShardKind | None = None, licence: str = "", consent: str = ""
) -> Iterator[Sample]:
    """The samples of one shard, one after another; memory does not grow with the shard.

    address: a local path, or an URL of any storage that fsspec knows (s3://, hf://, memory://) or http(s)://. An
    address that ends in `#part=i/n` is the i-th of n parts of a folder or manifest, as `list_shards` gives them.
    kind: follows from the address by default. licence, consent: for samples that state none.

    A sample that cannot be used (no media, a missing file, facts that are no JSON) comes with its `problem`. Raises
    `UsageError` for an address that is no shard, and `UnreadableMediaError` where a shard breaks off or is damaged,
    after the samples before.
    """
    from emonet.datasets._shards import samples_of

    return samples_of(os.fspath(address), kind, licence, consent)


def list_shards(
    addresses: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], *, per_shard: int = PER_SHARD
) -> tuple[Shard, ...]:
    """The shards at the addresses, sorted within each one, none twice.

    An address is a shard, a pattern with `*`, `?`, `[...]`, `{000..127}` or `{a,b}`, or a folder. A folder with tars or
    Parquet files (at any depth) stands for these; one with a `manifest` or `metadata` table (csv, jsonl, parquet) for
    that; any other for the media in it. Folders and manifests with more than `per_shard` files become several shards;
    a file's part follows from its name. Raises `UsageError` when nothing is there.
    """
    from emonet.datasets._shards import shards_at

    given = [addresses] if isinstance(addresses, str | os.PathLike) else list(addresses)
    return shards_at([os.fspath(one) for one in given], per_shard)
