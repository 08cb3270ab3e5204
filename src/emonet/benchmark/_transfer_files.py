"""Scores and a corpus's labels from one file, for the transfer evaluation.

Three layouts: a table (CSV or Parquet) with one column per emotion in any release's spelling and a column of labels;
what `emonet estimate --output` writes, with the labels added; and the JSON lines of LAION's evaluation
({"image_path", "results": {head: {"raw", "mean_subtracted", "softmax"}}}), whose class is the last part of the file's
stem or a `label`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.benchmark._transfer import TransferMap
from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import dimension_key

LABEL_COLUMNS = ("label", "intended", "class", "emotion")
_FILE_COLUMNS = ("source", "image", "image_path", "path", "file")


@dataclass(frozen=True, slots=True, eq=False)
class LabelledScores:
    """`scores` float64 [n, m] of the map's emotions, NaN where a column is absent; `labels` [n]; `clusters` [n] when
    asked for; `notes`: what was assumed or left out."""

    scores: NDArray[np.float64]
    labels: tuple[str, ...]
    clusters: tuple[str, ...] | None
    notes: tuple[str, ...]


def read_transfer(
    path: Path,
    map: TransferMap,
    *,
    label: str | None = None,
    cluster: str | None = None,
    values: Literal["raw", "relative"] | None = None,
) -> LabelledScores:
    """Read `path`, by its ending .csv, .parquet or .jsonl.

    `label`: the column of labels; by default the first of `LABEL_COLUMNS`, else the part of the file name after its
    last "_". `values`: what the scores are; by default what a column `scale` says, else raw. Raw scores of faces get
    the published neutral means taken off. Raises `UsageError` for a file without emotions or labels.
    """
    table = _table(Path(path))
    notes: list[str] = []
    if "status" in table.columns:
        failed = table.filter(pl.col("status") != "ok").height
        table = table.filter(pl.col("status") == "ok")
        if failed:
            notes.append(f"{failed} rows that were not scored left out")
    scale = _scale(table, values, path)
    labels = _labels(table, label, path)
    for column in filter(None, (cluster,)):
        if column not in table.columns:
            raise UnknownNameError(f"column of {path}", column, table.columns)
    groups = None if cluster is None else tuple(table[cluster].cast(pl.String).fill_null("").to_list())
    scores = _scores(table, map, path)
    if scale == "raw" and map.modality == "face":
        from emonet.models._neutral import built_in_neutral_means

        means = built_in_neutral_means()
        scores = scores - np.asarray([means[key] for key in map.emotions])
        notes.append("raw scores: the neutral means published with LAION's face model were taken off")
    return LabelledScores(scores, labels, groups, tuple(notes))


def _table(path: Path) -> pl.DataFrame:
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".csv": pl.read_csv,
        ".parquet": pl.read_parquet,
        ".pq": pl.read_parquet,
    }
    try:
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            with path.open(encoding="utf-8") as lines:
                return _flat(json.loads(line) for line in lines if line.strip())
        if reader := readers.get(path.suffix.lower()):
            return reader(path)
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise UsageError(f"{path}: cannot be read ({error}).") from error
    raise UsageError(f"{path}: the ending does not tell a format; expected .csv, .parquet or .jsonl.")


def _flat(records: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """LAION's evaluation lines as a table of relative scores; other lines are taken as rows."""
    rows = []
    for record in records:
        if isinstance(results := record.get("results"), Mapping):
            scores = {head: value["mean_subtracted"] for head, value in results.items()}
            facts = {key: value for key, value in record.items() if key != "results"}
            rows.append({**facts, **scores, "scale": "relative"})
        else:
            rows.append(dict(record))
    return pl.DataFrame(rows, infer_schema_length=None)


def _scale(table: pl.DataFrame, values: str | None, path: Path) -> str:
    if values is not None or "scale" not in table.columns:
        return values or "raw"
    found = table["scale"].unique().to_list()
    if found == ["relative"] or found == ["raw"]:
        return str(found[0])
    raise UsageError(f"{path}: the scores are {found}; expected all 'relative' or all 'raw' (--values of estimate).")


def _labels(table: pl.DataFrame, label: str | None, path: Path) -> tuple[str, ...]:
    column = label or next((name for name in LABEL_COLUMNS if name in table.columns), None)
    if column is not None:
        if column not in table.columns:
            raise UnknownNameError(f"column of {path}", column, table.columns)
        return tuple(table[column].cast(pl.String).fill_null("").to_list())
    source = next((name for name in _FILE_COLUMNS if name in table.columns), None)
    if source is None:
        raise UsageError(f"{path}: no column of labels; expected one of {', '.join(LABEL_COLUMNS)}, or name it.")
    return tuple(Path(str(name)).stem.rpartition("_")[2] for name in table[source])


def _scores(table: pl.DataFrame, map: TransferMap, path: Path) -> NDArray[np.float64]:
    columns: dict[str, str] = {}
    for name, kind in table.schema.items():
        if not kind.is_numeric():
            continue
        try:
            columns[dimension_key(name.removesuffix(".relative"), map.modality)] = name
        except UnknownNameError:
            continue  # not a score
    found = [key for key in map.emotions if key in columns]
    if not found:
        raise UsageError(f"{path}: no column is named after an emotion; expected columns such as {map.emotions[0]}.")
    out = np.full((table.height, len(map.emotions)), np.nan)
    for number, key in enumerate(map.emotions):
        if key in columns:
            out[:, number] = table[columns[key]].cast(pl.Float64).to_numpy()
    return out
