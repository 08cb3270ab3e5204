"""Manifests: a table (CSV, TSV, JSON lines, Parquet) with one row per item that names its file."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from typing import Any

from emonet.datasets._addresses import Entry, find_entry, folder_of, local_path, open_address
from emonet.datasets._facts import KEY, Defaults, clean, make_sample, parse_facts, plain, split_name
from emonet.datasets._folder_samples import Part, in_part, read_media
from emonet.datasets._samples import Sample
from emonet.errors import UnreadableMediaError, UsageError

ENDINGS = ("csv", "tsv", "jsonl", "ndjson", "parquet")
_PATHS = (
    "path file_name filename file filepath file_path audio_path image_path audio_filepath audio image media video url "
    "audio_file image_file audio_filename"
).split()
_KEYS = (KEY, "key", "item", "id")
_OWN = frozenset({"key", "path", "licence", "consent", "source", "facts"})
"""Columns of manifests that `write_shards` writes."""
_LONGEST = 1 << 27  # characters of a cell


def manifest_samples(address: str, part: Part, defaults: Defaults) -> Iterator[Sample]:
    """The samples that a manifest names, in its order.

    The file is named in a column `path`, `file_name`, `audio`, `image`, `media`, `url` or the like, by its path from
    the manifest's folder or by an address of its own. The key is in a column `key`, `item` or `id`, else it is the path
    as it stands. A file that is missing gives a sample with its problem. A manifest that was read from elsewhere names
    no files of this machine.
    """
    names: tuple[str, str | None] | None = None
    number = 0
    for number, row in enumerate(_rows(address), start=1):
        names = names or _columns(row, address)
        path_column, key_column = names
        path = row.pop(path_column, None)
        said = row.pop(key_column, None) if key_column is not None else None
        key = clean(str(said if said not in (None, "") else path if path else f"row-{number:06d}"))
        if not in_part(key, part):
            continue
        if set(row) | {path_column, key_column} == _OWN and isinstance(row["facts"], dict):
            row = {**row.pop("facts"), **row}
        media, problem = _media(path, address) if path else (None, f"row {number} of {address} names no file")
        extension = split_name(str(path).split("?")[0] if "://" in str(path) else str(path))[1] if path else ""
        yield make_sample(key, media, extension, row, defaults, problem=problem)
    if not number:
        raise UsageError(f"{address}: holds no rows; expected one per file.")


def count_rows(address: str) -> int:
    """Rows of a manifest."""
    return sum(1 for _ in _rows(address))


def _rows(address: str) -> Iterator[dict[str, Any]]:
    ending = split_name(address.split("?")[0])[1]
    with open_address(address) as file:
        try:
            if ending == "parquet":
                yield from _parquet_rows(file)
            elif ending in ("jsonl", "ndjson"):
                yield from _json_rows(file, address)
            else:
                yield from _csv_rows(file, address, "\t" if ending == "tsv" else ",")
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise UnreadableMediaError(address, f"cannot be read as a table ({error})") from error


def _csv_rows(file: Any, address: str, delimiter: str) -> Iterator[dict[str, Any]]:
    """Cells are texts, empty ones None."""
    csv.field_size_limit(_LONGEST)
    with io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        header = next(reader, [])
        if len(set(header)) < len(header):
            raise UsageError(f"{address}: two columns have one name; the header is {', '.join(header)}.")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise UsageError(
                    f"{address}, line {reader.line_num}: {len(cells)} cells under {len(header)} columns; quote cells "
                    "that hold the delimiter."
                )
            yield {name: cell or None for name, cell in zip(header, cells, strict=True)}


def _json_rows(file: Any, address: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = parse_facts(line.removeprefix(b"\xef\xbb\xbf"))
        except ValueError as error:
            raise UsageError(f"{address}, line {number}: is no JSON ({error}); expected one object a line.") from error
        if not isinstance(row, dict):
            raise UsageError(f"{address}, line {number}: is no JSON object; expected one a line.")
        yield row


def _parquet_rows(file: Any) -> Iterator[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        content = pyarrow.parquet.ParquetFile(file, pre_buffer=False)
        for batch in content.iter_batches(1024, use_threads=False):
            for row in batch.to_pylist():
                yield {clean(name): plain(value) for name, value in row.items()}
    except pyarrow.ArrowException as error:
        raise OSError(str(error)) from error


def _columns(row: dict[str, Any], address: str) -> tuple[str, str | None]:
    """Names of the columns of paths and of keys."""
    plainly = {name.strip().casefold(): name for name in row}
    path = next((plainly[name] for name in _PATHS if name in plainly), None)
    if path is None:
        raise UsageError(
            f"{address}: no column names the files; it has {', '.join(row) or 'none'}. Expected one of "
            f"{', '.join(_PATHS[:6])}, audio, image, media, url."
        )
    return path, next((plainly[name] for name in _KEYS if name in plainly), None)


def _media(path: Any, manifest: str) -> tuple[bytes | None, str]:
    """The bytes of a file that a manifest names, or None and why."""
    if not isinstance(path, str):
        return None, f"{json.dumps(path)[:60]} is no path of a file"
    home = folder_of(manifest)
    if local_path(manifest) is not None:
        address = path if "://" in path else os.path.join(home, os.path.expanduser(path))
    elif "://" in path:
        if path.startswith("file:") or "::" in path:
            return None, f"{path} is a file of this machine, which a manifest from elsewhere cannot name"
        address = path
    else:
        if path.startswith("/") or ".." in path.split("/"):
            return None, f"{path} lies outside the manifest's folder {home}"
        address = f"{home}/{path}"
    try:
        entry = Entry(address, 0) if "://" in address else find_entry(address)
    except (OSError, ValueError) as error:
        return None, f"{address}: cannot be read ({error})"
    return read_media(entry) if entry is not None else (None, f"{address}: no such file")
