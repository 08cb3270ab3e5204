"""Parquet files with encoded media in a column, as the Hub has them, read a few rows at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from emonet.datasets._addresses import name_of, open_address
from emonet.datasets._facts import KEY, MAX_MEDIA, Defaults, clean, make_sample, plain, split_name
from emonet.datasets._hub import class_names, media_columns
from emonet.datasets._samples import Sample
from emonet.errors import UnreadableMediaError, UsageError

OWN = b"emonet.samples"
"""Schema entry of files that `write_shards` wrote."""
_KEYS = (KEY, "key", "item", "id", "audio_id", "audioId", "image_id", "file_name", "filename", "name", "path", "ind")
"""Columns that may name the rows, the first that holds no value twice."""
_AT_ONCE = 32 << 20
"""Bytes of media that are decoded at a time, where rows are smaller."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """`media`: column of the encoded files; `nested`: it is a struct of bytes and path. `facts`: the other columns,
    `left_out`: those that hold bytes. `classes`: names of each class column's numbers."""

    media: str
    nested: bool
    has_names: bool
    facts: tuple[str, ...]
    left_out: tuple[str, ...]
    classes: Mapping[str, Sequence[str]]
    own: bool


def holds_media(address: str) -> bool:
    """Whether a Parquet file has a column of bytes; others are manifests. Raises `UnreadableMediaError`."""
    with open_address(address) as file:
        return bool(media_columns(_opened(file, address).schema_arrow))


def parquet_samples(address: str, defaults: Defaults) -> Iterator[Sample]:
    """The samples of a Parquet file, one a row.

    Rows are named by the file names of their media, else by a column that names them, else by their number.
    """
    import pyarrow

    with open_address(address) as file:
        content = _opened(file, address)
        layout = _layout(content, address)
        row = 0
        try:
            keys = _keys(content, layout)
            columns = [layout.media, *layout.facts]
            for batch in content.iter_batches(_rows_at_once(content, layout), columns=columns, use_threads=False):
                media = batch.column(layout.media)
                facts = batch.select(list(layout.facts)).to_pylist()
                for at, said in enumerate(facts):
                    cell = media[at].as_py()
                    yield _sample(cell, said, keys, row, layout, defaults, address)
                    row += 1
        except (OSError, pyarrow.ArrowException) as error:
            raise UnreadableMediaError(
                address, f"breaks off or is damaged after {row} samples ({error}); get it again"
            ) from error


def _opened(file: IO[bytes], address: str) -> Any:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20)
    except (OSError, pyarrow.ArrowException) as error:
        raise UnreadableMediaError(address, f"cannot be read as Parquet ({error}); get it again") from error


def _layout(content: Any, address: str) -> _Layout:
    import pyarrow.types as kinds

    schema = content.schema_arrow
    found = media_columns(schema)
    if len(found) != 1:
        raise UsageError(
            f"{address}: expected one column with encoded media, found "
            f"{', '.join(name for name, _ in found) or 'none'} among {', '.join(schema.names)}."
        )
    media, nested = found[0]

    def of_bytes(kind: Any) -> bool:
        return bool(kinds.is_binary(kind) or kinds.is_large_binary(kind) or kinds.is_fixed_size_binary(kind))

    others = [name for name in schema.names if name != media]
    left_out = tuple(name for name in others if of_bytes(schema.field(name).type))
    return _Layout(
        media=media,
        nested=nested,
        has_names=nested and schema.field(media).type.get_field_index("path") >= 0,
        facts=tuple(name for name in others if name not in left_out),
        left_out=left_out,
        classes=class_names(schema),
        own=OWN in (schema.metadata or {}),
    )


def _keys(content: Any, layout: _Layout) -> Any:
    """An Arrow column of keys, None when nothing names every row differently."""
    import pyarrow.compute

    def usable(column: Any) -> bool:
        return column.null_count == 0 and bool(pyarrow.compute.count_distinct(column).as_py() == len(column))

    for name in (KEY, *(() if KEY in layout.facts else [None]), *_KEYS[1:]):
        if name is None and layout.has_names:
            names = _leaf(content, layout.media, "path")
            stems = pyarrow.array([None if not text else _stem(text) for text in names.to_pylist()], pyarrow.string())
            if usable(stems):
                return stems
        elif name in layout.facts:
            column = content.read([name], use_threads=False).column(0)
            simple = pyarrow.types.is_string(column.type) or pyarrow.types.is_integer(column.type)
            if simple and name not in layout.classes and usable(column):
                return column
    return None


def _leaf(content: Any, column: str, name: str) -> Any:
    from emonet.datasets._media import leaf

    return leaf(content.read([f"{column}.{name}"], use_threads=False), name)


def _stem(path: str) -> str:
    return split_name(path.replace("\\", "/").rpartition("/")[2])[0]


def _rows_at_once(content: Any, layout: _Layout) -> int:
    size, rows = 0, 0
    for k in range(content.metadata.num_row_groups):
        group = content.metadata.row_group(k)
        rows += group.num_rows
        for column in range(group.num_columns):
            chunk = group.column(column)
            if chunk.path_in_schema.split(".")[0] == layout.media:
                size += chunk.total_uncompressed_size
    return int(min(max(_AT_ONCE * rows // max(size, 1), 1), 256))


def _sample(
    cell: Any, said: dict[str, Any], keys: Any, row: int, layout: _Layout, defaults: Defaults, address: str
) -> Sample:
    name = (cell or {}).get("path") if layout.nested else None
    media: bytes | None = (cell or {}).get("bytes") if layout.nested else cell
    problem = ""
    if media is not None and len(media) > MAX_MEDIA:
        problem, media = f"its file has {len(media)} bytes; at most {MAX_MEDIA} are read", None
    elif not media:
        problem, media = f"row {row + 1} holds no bytes in the column {layout.media!r}", None
    extension = split_name(name)[1] if name else ""
    key = f"{split_name(name_of(address))[0]}-row-{row:06d}" if keys is None else clean(str(keys[row].as_py()))
    if layout.own:
        facts = {**json.loads(said["facts"]), **{one: said[one] for one in ("licence", "consent", "source")}}
    else:
        facts = {clean(one): plain(value) for one, value in said.items()}
        for one, classes in layout.classes.items():
            if isinstance(number := facts.get(one), int) and 0 <= number < len(classes):
                facts[one] = classes[number]
    facts.pop(KEY, None)
    return make_sample(key, media, extension, facts, defaults, left_out=layout.left_out, problem=problem)
