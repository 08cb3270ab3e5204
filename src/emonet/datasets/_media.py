"""Encoded bytes of items: files of a folder, or rows of parquet files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from emonet.errors import UnknownNameError, UnreadableMediaError, UsageError


def folder_media(items: pl.Series, paths: pl.Series) -> Callable[[str], bytes]:
    """Reader of the file at `paths` [i] of each of `items` [i]. It raises `UnreadableMediaError` for a lost file."""
    path_of = dict(zip(items, paths, strict=True))

    def read(item: str) -> bytes:
        path = _of(path_of, item)
        if path is None:
            raise UnreadableMediaError(item, "this item names no media file")
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise UnreadableMediaError(
                path, f"cannot be read ({error.strerror}); it is the file of {item!r}"
            ) from error

    return read


def files_by_name(folder: Path, items: pl.Series, *, what: str) -> pl.Series:
    """Path under `folder`, at any depth, of the file that each item names, with or without its ending.

    Raises `UsageError` when a file is missing or a name fits two files.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; expected the folder with the {what}s.")
    known: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            for name in {path.name, path.stem}:
                known.setdefault(name, []).append(path)
    found: list[str] = []
    missing = []
    for item in items:
        paths = known.get(Path(item).name) or known.get(Path(item).stem) or []
        if len(paths) > 1:
            exact = [path for path in paths if path.as_posix().endswith(f"/{item}")]
            if len(exact) != 1:
                raise UsageError(
                    f"{folder}: {len(paths)} files fit the {what} {item!r}: {paths[0]}, {paths[1]}. Keep one."
                )
            paths = exact
        if paths:
            found.append(str(paths[0]))
        else:
            missing.append(item)
    if missing:
        raise UsageError(
            f"{folder}: no file for {len(missing)} of {len(items)} {what}s, the first {missing[0]!r}. Expected files "
            f"named like the items; get the missing ones, or leave the folder out to work without {what}s."
        )
    return pl.Series("media", found, dtype=pl.String)


class ParquetMedia:
    """Reads the bytes of rows, one row group at a time: cheap when items are read in the order of the files.

    `places`: item → (file, row in that file). May be called from several threads.
    """

    def __init__(
        self, files: Sequence[Path], column: str, *, nested: bool, places: Mapping[str, tuple[int, int]]
    ) -> None:
        self._files, self._column, self._nested, self._places = tuple(files), column, nested, dict(places)
        self._lock = threading.Lock()
        self._groups: dict[int, Any] = {}
        self._at: tuple[int, int] | None = None
        self._held: Any = None

    def __call__(self, item: str) -> bytes:
        file, row = _of(self._places, item)
        with self._lock:
            group, first = self._group(file, row)
            if self._at != (file, group):
                self._held, self._at = self._read(file, group), (file, group)
            value: bytes | None = self._held[row - first].as_py()
        if not value:
            raise UnreadableMediaError(
                str(self._files[file]),
                f"row {row + 1} ({item!r}) holds no bytes; expected the encoded file in the column {self._column!r}",
            )
        return value

    def _group(self, file: int, row: int) -> tuple[int, int]:
        """Number of the row group that holds a row, and that group's first row."""
        import pyarrow.parquet

        if file not in self._groups:
            meta = pyarrow.parquet.read_metadata(self._files[file])
            sizes = [meta.row_group(k).num_rows for k in range(meta.num_row_groups)]
            self._groups[file] = np.concatenate([[0], np.cumsum(sizes)])
        ends = self._groups[file]
        group = int(np.searchsorted(ends, row, side="right")) - 1
        return group, int(ends[group])

    def _read(self, file: int, group: int) -> Any:
        import pyarrow.parquet

        name = f"{self._column}.bytes" if self._nested else self._column
        with pyarrow.parquet.ParquetFile(self._files[file]) as source:
            return leaf(source.read_row_group(group, columns=[name]), "bytes")


def leaf(table: Any, name: str) -> Any:
    """The only column of a table that was read by the name of one field of a struct.

    pyarrow returns the struct with that field alone, or the field itself, by version and function.
    """
    import pyarrow.compute
    import pyarrow.types

    column = table.column(0)
    return pyarrow.compute.struct_field(column, name) if pyarrow.types.is_struct(column.type) else column


def _of(known: Mapping[str, Any], item: str) -> Any:
    if item not in known:
        raise UnknownNameError("item", item, list(known)[:60])
    return known[item]
