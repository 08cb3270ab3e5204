"""What the readers share: tables of text with clear faults, names to keys, and columns to a ratings table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.datasets._records import RATING_SCHEMA
from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import ATTRIBUTES, EMOTIONS, Modality, dimension_key


def fault(path: Path, row: int, found: str, remedy: str = "") -> UsageError:
    """An error that names file and row; rows count from 1 below the header."""
    return UsageError(f"{path}, data row {row}: {found}" + (f" {remedy}" if remedy else ""))


def read_text_table(path: Path, columns: Mapping[str, Sequence[str]], *, layout: str) -> pl.DataFrame:
    """A CSV file with every cell as text.

    `columns`: name in the result → spellings that the file may have, case aside; all must be there. Other columns keep
    their names. `layout`: what the file is expected to be, for the message. Raises `UsageError`.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"{path}: cannot be read, no such file; expected {layout}.")
    try:
        table = pl.read_csv(path, infer_schema=False, glob=False)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error}); expected {layout}.") from error
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{path}: is no CSV table ({reason}); expected {layout}.") from error
    if table.is_empty():
        raise UsageError(f"{path}: a header and no rows; expected {layout}.")
    return renamed(table, columns, path, layout)


def renamed(table: pl.DataFrame, columns: Mapping[str, Sequence[str]], path: Path, layout: str) -> pl.DataFrame:
    """The table with the columns that carry one of the spellings under their names."""
    plain = {name.strip().casefold(): name for name in table.columns}
    change = {}
    for name, spellings in columns.items():
        found = next((plain[one.casefold()] for one in (name, *spellings) if one.casefold() in plain), None)
        if found is None:
            wanted = " or ".join(map(repr, (name, *spellings)))
            held = ", ".join(table.columns) or "none"
            raise UsageError(f"{path}: no column {wanted}; it has {held}. Expected {layout}.")
        change[found] = name
    return table.rename(change)


def filled(table: pl.DataFrame, column: str, path: Path) -> pl.Series:
    """A column of which no cell may be empty."""
    values = table[column]
    if values.null_count():
        row = int(values.is_null().arg_true()[0]) + 1
        raise fault(path, row, f"the column {column!r} is empty.", "Fill it or take the row out.")
    return values


def numbers(values: pl.Series, path: Path, *, low: float | None = None, high: float | None = None) -> pl.Series:
    """Texts as numbers, empty cells kept; a text that is no finite number or lies outside [low, high] is a fault."""
    out = values.cast(pl.Float64, strict=False)
    bad = values.is_not_null() & (out.is_null() | ~out.is_finite().fill_null(False))
    if low is not None and high is not None:
        bad |= ((out < low) | (out > high)).fill_null(False)
    if bad.any():
        at = int(bad.arg_true()[0])
        span = "a number" if low is None else f"a number from {low:g} to {high:g}"
        raise fault(path, at + 1, f"the column {values.name!r} holds {values[at]!r};", f"expected {span}.")
    return out


def keys_of(names: pl.Series, path: Path, modality: Modality) -> pl.Series:
    """Taxonomy keys of a column of emotions in any spelling; the first unknown one is a fault."""
    spelled = names.unique(maintain_order=True)
    keys = {}
    for name in spelled:
        try:
            keys[name] = dimension_key(name, modality)
        except UnknownNameError as error:
            row = int((names == name).arg_true()[0]) + 1
            hint = f" Did you mean {error.nearest!r}?" if error.nearest else ""
            remedy = f"Expected one of the 40 emotions or an attribute of a {modality}."
            raise fault(path, row, f"unknown emotion {name!r}.{hint}", remedy) from error
    return names.replace_strict(keys, return_dtype=pl.String)


def in_order(keys: Iterable[str], modality: Modality) -> tuple[str, ...]:
    """Keys in the taxonomy's order, emotions first."""
    wanted = set(keys)
    known = [one.key for one in EMOTIONS] + [one.key for one in ATTRIBUTES if one.modality == modality]
    return tuple(key for key in known if key in wanted)


def rating_rows(**columns: Any) -> pl.DataFrame:
    """A ratings table from series, arrays and single values; `protocol`, `stage` and `time` may be left out."""
    given = {"protocol": "rating", "stage": 1, "time": None, **columns}
    columns_of = [
        (value.alias(name) if isinstance(value, pl.Series) else pl.lit(value).alias(name)).cast(RATING_SCHEMA[name])
        for name, value in ((name, given[name]) for name in RATING_SCHEMA)
    ]
    return pl.select(columns_of)


def spread(names: Sequence[str], at: NDArray[np.integer[Any]]) -> pl.Series:
    """names[at] as a column of text, without making Python texts of it."""
    return pl.Series(list(names), dtype=pl.String).gather(pl.Series(at).cast(pl.UInt32))
