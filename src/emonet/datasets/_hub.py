"""Parquet files of a Hub data set, with columns found by their role.

The cards of EmoNet's data sets describe other columns than the files have (the picture is in `path`), and copies
rename them. So the media column is the one that holds encoded bytes, the label column the one whose cells are
literals of ratings, and the class column the one that the schema declares as such.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from emonet.datasets._literals import parse_votes
from emonet.datasets._media import ParquetMedia, leaf
from emonet.datasets._tables import fault, keys_of
from emonet.errors import UsageError
from emonet.taxonomy import Modality

_PERSONAL = ("ethnicity", "race", "gender", "sex", "age")
_OWN = ("item", "media", "target", "contrast", "block", "prefix")
"""Columns that the readers add; a file's own of that name is kept as `source_...`."""


@dataclass(frozen=True, slots=True, eq=False)
class HubTable:
    """`frame`: every column but the media, rows of all files in order. `names` [rows]: file names that came with the
    media, None where they were lost. `sizes`: rows of each file. `classes`: names of each class column's numbers.
    `demographics`: columns of `frame` that describe the person."""

    files: tuple[Path, ...]
    sizes: tuple[int, ...]
    media_column: str
    nested: bool
    names: tuple[str | None, ...]
    frame: pl.DataFrame
    classes: Mapping[str, tuple[str, ...]]
    demographics: tuple[str, ...]

    @property
    def source(self) -> Path:
        """What error messages name: the file, or the folder of several."""
        return self.files[0] if len(self.files) == 1 else self.files[0].parent

    def media(self, row_of: Mapping[str, int]) -> Callable[[str], bytes]:
        """Reader of the bytes of items; `row_of`: item → row of the whole table."""
        starts = [sum(self.sizes[:k]) for k in range(len(self.sizes))]
        places = {}
        for item, row in row_of.items():
            file = max(k for k, start in enumerate(starts) if start <= row and self.sizes[k])
            places[item] = (file, row - starts[file])
        return ParquetMedia(self.files, self.media_column, nested=self.nested, places=places)

    def emotions(self, modality: Modality) -> tuple[str, pl.Series]:
        """Name of the column of one emotion per row, and its keys."""
        texts = [name for name, kind in self.frame.schema.items() if kind == pl.String]
        candidates = [*self.classes, *(name for name in texts if name.casefold() in ("emotion", "label", "category"))]
        named = [name for name in candidates if name.casefold() == "emotion"] or candidates
        if len(named) != 1:
            raise UsageError(
                f"{self.source}: expected one column with the emotion of each row (a class label, or text in a column "
                f"'emotion'); found {', '.join(named) or 'none'} among {', '.join(self.frame.columns)}."
            )
        values = self.frame[named[0]]
        if named[0] in self.classes:
            names = dict(enumerate(self.classes[named[0]]))
            values = values.replace_strict(names, default=None, return_dtype=pl.String)
        if values.null_count():
            row = int(values.is_null().arg_true()[0]) + 1
            raise fault(self.source, row, f"the column {named[0]!r} holds no known class.", "Get the file again.")
        return named[0], keys_of(values, self.source, modality)

    def votes(self) -> tuple[str, list[list[tuple[str, str, float]]]]:
        """Name of the label column, and for each row its (rater, name, number)."""
        column = self._label_column()
        out = []
        for row, cell in enumerate(self.frame[column].to_list(), start=1):
            try:
                parts = [cell] if isinstance(cell, str) else list(cell or ())
                out.append([vote for part in parts for vote in parse_votes(part)])
            except UsageError as error:
                remedy = "Expected ratings as {rater: {emotion: number}}; get the file again."
                raise fault(self.source, row, f"in the column {column!r}: {error}", remedy) from error
        return column, out

    def _label_column(self) -> str:
        """The text column whose first cell reads as ratings, the ones named like labels first."""
        texts = [
            name
            for name, kind in self.frame.schema.items()
            if kind == pl.String or (isinstance(kind, pl.List) and kind.inner == pl.String)
        ]
        texts.sort(key=lambda name: not name.casefold().startswith(("label", "annotation", "rating")))
        for name in texts:
            cells = self.frame[name].drop_nulls()
            first = cells[0] if len(cells) else None
            first = first if isinstance(first, str) or first is None else next(iter(first), None)
            if isinstance(first, str) and first.lstrip().startswith(("{", "[")):
                return name
        raise UsageError(
            f"{self.source}: no column holds ratings as text like {{rater: {{emotion: number}}}}; it has "
            f"{', '.join(self.frame.columns) or 'no column beside the media'}."
        )


def read_hub(parquet: Path | Sequence[Path], *, media: Literal["image", "audio"]) -> HubTable:
    """Read everything but the media of parquet files or of the folders that hold them. Raises `UsageError`."""
    files = _files(parquet)
    import pyarrow
    import pyarrow.parquet

    tables, sizes = [], []
    names: list[str | None] = []
    column, nested, schema = "", False, None
    for file in files:
        try:
            with pyarrow.parquet.ParquetFile(file) as content:
                schema = content.schema_arrow
                column, nested = _media_column(schema, media, file)
                facts = content.read([name for name in schema.names if name != column])
                rows = content.metadata.num_rows
                has_names = nested and schema.field(column).type.get_field_index("path") >= 0
                paths = leaf(content.read([f"{column}.path"]), "path").to_pylist() if has_names else [None] * rows
        except (OSError, pyarrow.ArrowException) as error:
            raise UsageError(
                f"{file}: cannot be read as parquet ({error}); expected a file of the data set, get it again."
            ) from error
        sizes.append(rows)
        names += [path or None for path in paths]
        tables.append(facts)
    try:
        whole = pyarrow.concat_tables(tables)
    except pyarrow.ArrowException as error:
        raise UsageError(f"{files[0].parent}: the files have different columns ({error}).") from error
    frame = pl.from_arrow(whole) if whole.num_columns else pl.DataFrame()
    assert isinstance(frame, pl.DataFrame)
    frame, people = _facts(frame)
    return HubTable(tuple(files), tuple(sizes), column, nested, tuple(names), frame, class_names(schema), people)


def _files(parquet: Path | Sequence[Path]) -> list[Path]:
    given = [Path(parquet)] if isinstance(parquet, str | Path) else [Path(one) for one in parquet]
    files = [file for one in given for file in (sorted(one.rglob("*.parquet")) if one.is_dir() else [one])]
    if missing := [file for file in files if not file.is_file()]:
        raise UsageError(f"{missing[0]}: no such file; expected a parquet file of the data set or its folder.")
    if not files:
        shown = ", ".join(map(str, given)) or "nothing"
        raise UsageError(f"No parquet files in {shown}; expected those of the data set or their folder.")
    return files


def media_columns(schema: Any, media: str | None = None) -> list[tuple[str, bool]]:
    """(name, whether it is a struct with bytes and path) of the columns that hold encoded files; those that the schema
    declares as `media` ("image" or "audio", by default either) where there are any."""
    import pyarrow.types as kinds

    def holds_bytes(kind: Any) -> bool:
        return bool(kinds.is_binary(kind) or kinds.is_large_binary(kind))

    found = []
    for field in schema:
        at = field.type.get_field_index("bytes") if kinds.is_struct(field.type) else -1
        if at >= 0 and holds_bytes(field.type.field(at).type):
            found.append((field.name, True))
        elif holds_bytes(field.type):
            found.append((field.name, False))
    wanted = ("image", "audio", "video") if media is None else (media,)
    declared = {name for name, kind in _features(schema).items() if kind.get("_type", "").casefold() in wanted}
    return [entry for entry in found if entry[0] in declared] or found


def _media_column(schema: Any, media: str, file: Path) -> tuple[str, bool]:
    chosen = media_columns(schema, media)
    if len(chosen) != 1:
        raise UsageError(
            f"{file}: expected one column with encoded {media} bytes, found "
            f"{', '.join(name for name, _ in chosen) or 'none'} among {', '.join(schema.names)}."
        )
    return chosen[0]


def _features(schema: Any) -> dict[str, dict[str, Any]]:
    """The Hub library's description of the columns, where the file carries one."""
    text = (schema.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(text)["info"]["features"] if text else {}
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: kind for name, kind in features.items() if isinstance(kind, dict)}


def class_names(schema: Any) -> dict[str, tuple[str, ...]]:
    """Class column → names of its numbers, where the file carries them."""
    kinds = _features(schema)
    return {name: tuple(kind["names"]) for name, kind in kinds.items() if kind.get("_type") == "ClassLabel"}


def _facts(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame with nested person columns unfolded and clashing names changed, and the columns on the person."""
    for name, kind in list(frame.schema.items()):
        if isinstance(kind, pl.Struct) and name.casefold() in ("demographics", "metadata"):
            inner = [field.name for field in kind.fields]
            if not set(inner) & set(frame.columns):
                frame = frame.unnest(name)
    frame = frame.rename({name: f"source_{name}" for name in frame.columns if name in _OWN})
    small = {name: name.casefold() for name in frame.columns if name.casefold() in _PERSONAL}
    if len(set(small.values())) == len(small):
        frame = frame.rename(small)
    return frame, tuple(name for name in _PERSONAL if name in frame.columns)
