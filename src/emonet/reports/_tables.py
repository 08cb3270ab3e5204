"""Tables on disk: JSON, JSON lines, CSV and Parquet, written row by row and put in place whole."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal, Protocol

import numpy as np

from emonet.errors import UsageError
from emonet.estimation import REGION_COLUMNS, Estimates, Values, dimension_columns

Format = Literal["json", "jsonl", "csv", "parquet", "laion"]
FORMATS: tuple[Format, ...] = ("json", "jsonl", "csv", "parquet", "laion")
_SUFFIXES: Mapping[str, Format] = {
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet", ".pq": "parquet"
}  # fmt: skip
_ROW_GROUP = 2048
_TYPES = dict.fromkeys(("start_s", "end_s", "left", "top", "right", "bottom"), "float64") | {
    "detector_score": "float32", "track": "int32", "window": "int32"
}  # fmt: skip


class Writer(Protocol):
    """Takes the estimates of one file at a time."""

    def write(self, estimates: Estimates) -> None:
        """Add all rows of one file."""

    def close(self) -> None:
        """Put the output in place; it then holds every file written so far."""

    def abort(self) -> None:
        """Leave no trace; an older output stays as it was."""


def format_of(path: Path) -> Format:
    """Format by a file's ending; `UsageError` with the known ones otherwise."""
    if found := _SUFFIXES.get(path.suffix.lower()):
        return found
    known = ", ".join(_SUFFIXES)
    raise UsageError(f"{path}: the ending does not tell a format. Use one of {known}, or name a format outright.")


def open_table(
    target: Path | IO[str],
    format: Format,
    *,
    dimensions: Sequence[str],
    values: Values = "relative",
    about: Mapping[str, Any] | None = None,
) -> Writer:
    """A writer for one table.

    `target`: a file, replaced when the writer is closed, or a text stream (not for Parquet). `dimensions`: the
    columns after `REGION_COLUMNS`. `about`: what to tell about the run (versions, models), stored in JSON documents
    and in Parquet's schema metadata. Raises `UsageError` for a folder that does not exist.
    """
    if format == "parquet":
        if not isinstance(target, Path):
            raise UsageError("Parquet cannot be written to a stream; name a file with --output.")
        return _ParquetTable(_Replacement(target, binary=True), dimensions, values, about or {})
    sink = _Replacement(target, binary=False) if isinstance(target, Path) else _Stream(target)
    if format == "csv":
        return _CsvTable(sink, dimensions, values)
    if format in ("json", "jsonl"):
        return _JsonTable(sink, dimensions, values, (about or {}) if format == "json" else None)
    raise UsageError(f"{format!r} is not a table format; expected json, jsonl, csv or parquet.")


class _Stream:
    """Standard output or another open stream, left open."""

    def __init__(self, file: IO[str]) -> None:
        self.file: IO[Any] = file

    def commit(self) -> None:
        self.file.flush()

    def discard(self) -> None:
        self.file.flush()


class _Replacement:
    """A temporary file beside `path` that takes its place on `commit`."""

    def __init__(self, path: Path, *, binary: bool) -> None:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; expected the name of a file.")
        if not path.parent.is_dir():
            raise UsageError(f"{path.parent} does not exist; make the folder first or choose another place.")
        try:
            handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", dir=path.parent)
        except OSError as error:
            raise UsageError(f"{path.parent}: cannot be written ({error.strerror}).") from error
        self.path, self.temporary = path, Path(name)
        self.file: IO[Any] = os.fdopen(handle, "wb") if binary else os.fdopen(handle, "w", encoding="utf-8", newline="")

    def commit(self) -> None:
        self.file.close()
        self.temporary.chmod(0o666 & ~_umask())
        os.replace(self.temporary, self.path)

    def discard(self) -> None:
        self.file.close()
        self.temporary.unlink(missing_ok=True)


class _CsvTable:
    """UTF-8, comma, header line; unknown values are empty."""

    def __init__(self, sink: _Stream | _Replacement, dimensions: Sequence[str], values: Values) -> None:
        self._sink, self._dimensions, self._values = sink, tuple(dimensions), values
        names = [*REGION_COLUMNS, *dimension_columns(dimensions, values)]
        self._csv = csv.DictWriter(sink.file, names, lineterminator="\n")
        self._csv.writeheader()

    def write(self, estimates: Estimates) -> None:
        self._csv.writerows(plain_rows(estimates, self._values, self._dimensions))

    def close(self) -> None:
        self._sink.commit()

    def abort(self) -> None:
        self._sink.discard()


class _JsonTable:
    """With `about` one document, {..., "estimates": [row, ...]}; without, one row a line."""

    def __init__(
        self, sink: _Stream | _Replacement, dimensions: Sequence[str], values: Values, about: Mapping[str, Any] | None
    ) -> None:
        self._sink, self._dimensions, self._values = sink, tuple(dimensions), values
        self._document = about is not None
        self._first = True
        if about is not None:
            head = json.dumps(dict(about), ensure_ascii=False, allow_nan=False, indent=1).rstrip("}\n ")
            sink.file.write(head + ("," if about else "") + '\n "estimates": [')

    def write(self, estimates: Estimates) -> None:
        for row in plain_rows(estimates, self._values, self._dimensions):
            line = json.dumps(row, ensure_ascii=False, allow_nan=False)
            if self._document:
                line = ("\n" if self._first else ",\n") + line
                self._first = False
            self._sink.file.write(line if self._document else line + "\n")

    def close(self) -> None:
        if self._document:
            self._sink.file.write("\n ]\n}\n")
        self._sink.commit()

    def abort(self) -> None:
        self._sink.discard()


class _ParquetTable:
    """One row group per 2048 rows, zstd; the schema's metadata tells the versions and models."""

    def __init__(self, sink: _Replacement, dimensions: Sequence[str], values: Values, about: Mapping[str, Any]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._sink, self._dimensions, self._values = sink, tuple(dimensions), values
        fields = [pa.field(name, pa.type_for_alias(_TYPES.get(name, "string"))) for name in REGION_COLUMNS]
        fields += [pa.field(name, pa.float32()) for name in dimension_columns(dimensions, values)]
        metadata = {f"emonet.{key}": _metadata(value) for key, value in about.items()}
        self._schema = pa.schema(fields, metadata=metadata)
        self._rows: list[dict[str, Any]] = []
        self._parquet = pq.ParquetWriter(sink.file, self._schema, compression="zstd")

    def write(self, estimates: Estimates) -> None:
        self._rows += [item.to_row(values=self._values, dimensions=self._dimensions) for item in estimates]
        if len(self._rows) >= _ROW_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._parquet.close()
        self._sink.commit()

    def abort(self) -> None:
        self._parquet.close()
        self._sink.discard()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._parquet.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


class EmbeddingTable:
    """Parquet with `REGION_COLUMNS` and `embedding`, a list of float32; only rows that have one.

    A `Writer` for estimates made with `embeddings=True`.
    """

    def __init__(self, path: Path, *, about: Mapping[str, Any] | None = None) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._sink = _Replacement(path, binary=True)
        fields = [pa.field(name, pa.type_for_alias(_TYPES.get(name, "string"))) for name in REGION_COLUMNS]
        metadata = {f"emonet.{key}": _metadata(value) for key, value in (about or {}).items()}
        self._schema = pa.schema([*fields, pa.field("embedding", pa.list_(pa.float32()))], metadata=metadata)
        self._parquet = pq.ParquetWriter(self._sink.file, self._schema, compression="zstd")

    def write(self, estimates: Estimates) -> None:
        """Add the embeddings of one file."""
        import pyarrow as pa

        rows = [item.to_row(dimensions=()) | {"embedding": item.embedding} for item in estimates if item.ok]
        if rows:
            self._parquet.write_table(pa.Table.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        """Put the file in place."""
        self._parquet.close()
        self._sink.commit()

    def abort(self) -> None:
        """Leave no trace."""
        self._parquet.close()
        self._sink.discard()


def plain_rows(estimates: Estimates, values: Values, dimensions: Sequence[str]) -> list[dict[str, Any]]:
    """Rows for text: a score is written with the fewest digits that give the same float32 back."""
    rows = [item.to_row(values=values, dimensions=dimensions) for item in estimates]
    names = {*dimension_columns(dimensions, values), "detector_score"}
    for row in rows:
        for name in names:
            if row[name] is not None:
                row[name] = float(str(np.float32(row[name])))
    return rows


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    sink = _Replacement(path, binary=False)
    try:
        sink.file.write(text)
    except BaseException:
        sink.discard()
        raise
    sink.commit()


def _metadata(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _umask() -> int:
    """The process's file mask; a temporary file ignores it, the output should not."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
