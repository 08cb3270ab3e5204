"""Which shards lie at an address, and who reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from emonet.datasets._addresses import (
    Entry,
    expand_braces,
    files_under,
    find_entry,
    folder_of,
    has_wildcard,
    inside,
    is_folder,
    is_http,
    local_path,
    matching,
    name_of,
    split_part,
)
from emonet.datasets._facts import defaults_of, is_media, split_name
from emonet.datasets._samples import KINDS, Sample, Shard, ShardKind
from emonet.errors import UnknownNameError, UsageError

_TARS = (".tar", ".tar.gz", ".tgz")
_TABLES = ("manifest", "metadata")
"""Names of manifests that stand for the folder they lie in."""
_AT_ONCE = 16  # requests while a list of web addresses is looked up


def samples_of(address: str, kind: ShardKind | None, licence: str, consent: str) -> Iterator[Sample]:
    """See `read_samples`. Faults of the call are raised here, those of the shard when it is read."""
    if kind is not None and kind not in KINDS:
        raise UnknownNameError("kind of shard", kind, KINDS)
    whole, part = split_part(address)
    kind = kind or _kind_within(whole)
    defaults = defaults_of(whole, licence, consent)
    if part is not None and kind not in ("folder", "manifest"):
        raise UsageError(f"{address}: a {kind} shard has no parts; expected a folder or a manifest before #part=.")
    if kind == "webdataset":
        from emonet.datasets._tar_samples import tar_samples

        return tar_samples(whole, defaults)
    if kind == "parquet":
        from emonet.datasets._parquet_samples import parquet_samples

        return parquet_samples(whole, defaults)
    if kind == "manifest":
        from emonet.datasets._manifest_samples import manifest_samples

        return manifest_samples(whole, part, defaults)
    from emonet.datasets._folder_samples import folder_samples

    return folder_samples(whole, part, defaults)


def shards_at(addresses: Sequence[str], per_shard: int) -> tuple[Shard, ...]:
    """See `list_shards`."""
    if per_shard < 1:
        raise UsageError(f"per_shard is {per_shard}; expected 1 or more.")
    if not addresses:
        raise UsageError("No address was given; name a shard, a pattern or a folder.")
    found: dict[str, Shard] = {}
    for address in addresses:
        if not address.strip():
            raise UsageError("An empty address was given; name a shard, a pattern or a folder.")
        for shard in _at(address, per_shard):
            found.setdefault(shard.address, shard)
    return tuple(found.values())


def _at(address: str, per_shard: int) -> list[Shard]:
    """Shards of one address."""
    whole, part = split_part(address)
    if is_folder(whole):
        return _in_folder(whole, per_shard) if part is None else [_part(whole, "folder", part, 0)]
    expanded = expand_braces(address)
    local = local_path(whole)
    if len(expanded) > 1 and (local is None or not local.exists()):
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return [shard for found in pool.map(lambda one: _at(one, per_shard), expanded) for shard in found]
    entry = None if is_http(whole) and has_wildcard(whole) else find_entry(whole)
    if entry is not None:
        kind = _kind_within(whole)
        return [_part(whole, kind, part, 0)] if part is not None else _of_file(entry, kind, name_of(whole), per_shard)
    if has_wildcard(address):
        fixed = folder_of(address[: min(k for k in (address.find(c) for c in "*?[") if k >= 0)] + "x")
        entries = [entry for entry in matching(address) if _kind(entry.address)]
        if entries:
            return _of_files(entries, fixed, per_shard)
        raise UsageError(f"{address}: no tar, Parquet file or manifest fits this pattern.")
    raise UsageError(f"{address}: nothing is there; expected a tar, a Parquet file, a manifest, a folder or a pattern.")


def _in_folder(address: str, per_shard: int) -> list[Shard]:
    """A folder's own manifest, else its tars and Parquet files, else the media in it. Of a data set that this package
    built, and of a set with ratings, what belongs to it."""
    if find_entry(f"{address}/dataset.json") and is_folder(f"{address}/data"):
        return _in_folder(f"{address}/data", per_shard)
    tables = ("items",) if find_entry(f"{address}/set.toml") else _TABLES
    count, shards = 0, list[Entry]()
    for entry in files_under(address):
        stem, extension = split_name(name_of(entry.address))
        if stem in tables and _kind(entry.address) and _same(folder_of(entry.address), address):
            kind = _kind_within(entry.address)
            return _of_file(entry, kind, name_of(address), per_shard)
        if entry.address.endswith((*_TARS, ".parquet")):
            shards.append(entry)
        count += is_media(extension)
    if shards and count:
        raise UsageError(
            f"{address}: holds both shards ({name_of(shards[0].address)}, ...) and {count} media files; name the one "
            "or the other, such as by a pattern."
        )
    if shards:
        return _of_files(shards, address, per_shard)
    if not count:
        raise UsageError(f"{address}: no tar, no Parquet file, no manifest and no media file in this folder.")
    return _parts(address, "folder", name_of(address), count, per_shard)


def _of_files(entries: Sequence[Entry], home: str, per_shard: int) -> list[Shard]:
    """Shards of several files, named by their paths from `home`. The first Parquet file tells what all of them are."""
    out = []
    table = next((entry.address for entry in entries if _kind(entry.address) == "parquet"), None)
    parquet = _kind_within(table) if table is not None else "parquet"
    for entry in entries:
        kind = _kind(entry.address) or "webdataset"
        out += _of_file(
            entry, parquet if kind == "parquet" else kind, inside(entry.address, home).replace("/", "--"), per_shard
        )
    return out


def _of_file(entry: Entry, kind: ShardKind, file_name: str, per_shard: int) -> list[Shard]:
    name = file_name
    for ending in (*_TARS, ".parquet", ".csv", ".tsv", ".jsonl", ".ndjson"):
        name = name.removesuffix(ending)
    if kind != "manifest":
        return [Shard(entry.address, kind, entry.size, name)]
    from emonet.datasets._manifest_samples import count_rows

    return _parts(entry.address, kind, name, count_rows(entry.address), per_shard)


def _parts(address: str, kind: ShardKind, name: str, count: int, per_shard: int) -> list[Shard]:
    parts = -(-count // per_shard)
    if parts <= 1:
        return [Shard(address, kind, count, name)]
    return [_part(address, kind, (part, parts), -(-count // parts), name) for part in range(parts)]


def _part(address: str, kind: ShardKind, part: tuple[int, int], size: int, name: str = "") -> Shard:
    number = f"{part[0]:05d}-of-{part[1]:05d}"
    return Shard(f"{address}#part={part[0]}/{part[1]}", kind, size, f"{name or name_of(address)}-{number}")


def _kind(address: str) -> ShardKind | None:
    """What a file is by its name."""
    plain = address.split("?")[0].lower() if "://" in address else address.lower()
    if plain.endswith(_TARS):
        return "webdataset"
    if plain.endswith(".parquet"):
        return "parquet"
    return "manifest" if plain.endswith((".csv", ".tsv", ".jsonl", ".ndjson")) else None


def _kind_within(address: str) -> ShardKind:
    """What a shard is by its name and, for a Parquet file, by its columns."""
    kind = _kind(address) or _looked_up(address)
    if kind == "parquet":
        from emonet.datasets._parquet_samples import holds_media

        return "parquet" if holds_media(address) else "manifest"
    return kind


def _looked_up(address: str) -> ShardKind:
    """What lies at an address whose name does not say."""
    if is_folder(address):
        return "folder"
    if find_entry(address) is None:
        raise UsageError(f"{address}: nothing is there; expected a tar, a Parquet file, a manifest or a folder.")
    raise UsageError(
        f"{address}: its name does not tell what it is; expected .tar, .parquet, .csv, .tsv, .jsonl or a folder, or "
        f"give kind= one of {', '.join(KINDS)}."
    )


def _same(one: str, other: str) -> bool:
    return os.path.normpath(one.split("://")[-1]) == os.path.normpath(other.split("://")[-1])
