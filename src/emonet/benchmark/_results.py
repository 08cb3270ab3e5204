"""What a benchmark run leaves behind: one file of facts and a Parquet file per table, in one folder.

The folder is complete when `run.json` is in it: it is taken away first and written last.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from emonet.datasets import RATING_SCHEMA
from emonet.errors import UsageError

HUMAN_CEILING = "people (leave one out)"
"""Name under which each person, scored against the reference of the others and averaged, stands in `scores`."""
PEOPLE = "people"
"""Name of the reference that raters are scored against."""
METRICS = (
    "spearman",
    "pearson",
    "mae",
    "rmse",
    "kappa",
    "auc",
    "balanced_accuracy",
    "calibration_error",
    "refusal_rate",
    "format_failure_rate",
)
LOWER_IS_BETTER = frozenset({"mae", "rmse", "calibration_error", "refusal_rate", "format_failure_rate"})
RUN_FILE = "run.json"
FORMAT = 1

_TEXT, _REAL, _WHOLE = pl.String(), pl.Float64(), pl.Int64()

SCHEMAS: Mapping[str, pl.Schema] = {
    # One figure of one rater. `dimension` null: the mean over dimensions. `slice`: column of the items by which the
    # figure is restricted to `slice_value`, null for all items. `n`: items that count; `dimensions_used`: dimensions
    # in the mean. `note`: why a figure is undefined, or a warning.
    "scores": pl.Schema(
        {
            "definition": _TEXT,
            "metric": _TEXT,
            "rater": _TEXT,
            "reference": _TEXT,
            "dimension": _TEXT,
            "slice": _TEXT,
            "slice_value": _TEXT,
            "value": _REAL,
            "low": _REAL,
            "high": _REAL,
            "n": _WHOLE,
            "dimensions_used": pl.Int32(),
            "note": _TEXT,
        }
    ),
    # Place of each rater, 1 the best, with the 95 % interval of its place and the letter of its group of ties.
    "ranks": pl.Schema(
        {
            "definition": _TEXT,
            "metric": _TEXT,
            "rater": _TEXT,
            "rank": _REAL,
            "rank_low": pl.Int32(),
            "rank_high": pl.Int32(),
            "tie_group": _TEXT,
        }
    ),
    # Weighted kappa of two raters; `dimension` null: the mean over dimensions.
    "pairs": pl.Schema(
        {"definition": _TEXT, "rater_a": _TEXT, "rater_b": _TEXT, "dimension": _TEXT, "kappa": _REAL, "n": _WHOLE}
    ),
    # How far people agree with one another; `dimension` null: the mean over dimensions.
    "agreement": pl.Schema(
        {
            "dimension": _TEXT,
            "metric": _TEXT,
            "value": _REAL,
            "low": _REAL,
            "high": _REAL,
            "n": _WHOLE,
            "raters": _WHOLE,
        }
    ),
    # Two kinds of raters by their agreement with people, all raters and dimensions of a kind together (Mann-Whitney).
    "kinds": pl.Schema(
        {
            "definition": _TEXT,
            "kind_a": _TEXT,
            "kind_b": _TEXT,
            "difference": _REAL,
            "low": _REAL,
            "high": _REAL,
            "p": _REAL,
            "p_holm": _REAL,
        }
    ),
    # Could the rater be one of the people? `kappa`: its mean agreement with each of them, `people_kappa`: theirs with
    # one another. `verdict`: published "yes" or "no" (Mann-Whitney p > 0.05); strict "worse", "better" or "not told
    # apart" by the interval of the difference.
    "annotators": pl.Schema(
        {
            "definition": _TEXT,
            "rater": _TEXT,
            "kappa": _REAL,
            "people_kappa": _REAL,
            "difference": _REAL,
            "low": _REAL,
            "high": _REAL,
            "p": _REAL,
            "p_holm": _REAL,
            "verdict": _TEXT,
        }
    ),
    # Items by how their votes fell: "3:0 present", "2:1", ..., "1:0 absent".
    "types": pl.Schema({"dimension": _TEXT, "type": _TEXT, "items": _WHOLE}),
    # One request to a rater. `dimension` null: the request asked for all dimensions.
    "replies": pl.Schema(
        {
            "rater": _TEXT,
            "item": _TEXT,
            "dimension": _TEXT,
            "status": _TEXT,
            "attempts": _WHOLE,
            "seconds": _REAL,
            "tokens_in": _WHOLE,
            "tokens_out": _WHOLE,
            "cost": _REAL,
            "message": _TEXT,
        }
    ),
    "ratings": RATING_SCHEMA,
    # Values of a slice compared with one another; `warning` names a small sample.
    "differences": pl.Schema(
        {
            "definition": _TEXT,
            "metric": _TEXT,
            "slice": _TEXT,
            "slice_value_a": _TEXT,
            "slice_value_b": _TEXT,
            "rater": _TEXT,
            "difference": _REAL,
            "low": _REAL,
            "high": _REAL,
            "p_holm": _REAL,
            "warning": _TEXT,
        }
    ),
}
"""Columns of each table. `items` has the columns of the labelled set and no schema of its own."""


def empty(table: str) -> pl.DataFrame:
    """A table of `SCHEMAS` without rows."""
    return pl.DataFrame(schema=SCHEMAS[table])


def table_of(table: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """A table of `SCHEMAS` from rows; what a row lacks and what is undefined (NaN) is null."""
    return pl.DataFrame(list(rows), schema=SCHEMAS[table], orient="row", strict=False).fill_nan(None)


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Everything that a report is drawn from.

    `facts`: set, modality, scale, levels, dimensions, groups, items, raters (list of name, kind, scale, facts), people
    (names), cluster, demographics, seed, resamples, definitions, gold, common_scale, version, created, config, notes,
    licence, source. The tables have the columns of `SCHEMAS`; `items` those of the labelled set.
    """

    facts: Mapping[str, Any]
    scores: pl.DataFrame
    ranks: pl.DataFrame
    pairs: pl.DataFrame
    agreement: pl.DataFrame
    items: pl.DataFrame
    kinds: pl.DataFrame = field(default_factory=lambda: empty("kinds"))
    annotators: pl.DataFrame = field(default_factory=lambda: empty("annotators"))
    types: pl.DataFrame = field(default_factory=lambda: empty("types"))
    replies: pl.DataFrame = field(default_factory=lambda: empty("replies"))
    ratings: pl.DataFrame = field(default_factory=lambda: empty("ratings"))
    differences: pl.DataFrame = field(default_factory=lambda: empty("differences"))

    def __post_init__(self) -> None:
        for name, schema in SCHEMAS.items():
            found = getattr(self, name).schema
            if found != schema:
                raise UsageError(f"The table {name!r} has columns {dict(found)}; expected {dict(schema)}.")


TABLES = (*SCHEMAS, "items")


def write_results(results: Results, folder: Path) -> Path:
    """Write run.json and one Parquet file per table into `folder`, made when absent; earlier results are replaced.

    Other files of the folder stay. Interrupted, the folder holds either the old results, the new ones, or no
    `run.json`, which `read_results` refuses.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; expected a folder for the results.")
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".results-", dir=folder))
    try:
        for name in TABLES:
            getattr(results, name).write_parquet(staging / f"{name}.parquet")
        text = json.dumps({"format": FORMAT, **results.facts}, ensure_ascii=False, indent=1, default=str)
        (staging / RUN_FILE).write_text(text + "\n", encoding="utf-8")
        (folder / RUN_FILE).unlink(missing_ok=True)
        for name in (*(f"{table}.parquet" for table in TABLES), RUN_FILE):
            os.replace(staging / name, folder / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def read_results(folder: Path) -> Results:
    """Results that `write_results` wrote. Raises `UsageError` for a folder without complete results."""
    folder = Path(folder)
    try:
        facts = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"{folder}: no {RUN_FILE}, so no complete benchmark results. Expected the output folder of "
            "`emonet benchmark run`; run it again to finish an interrupted run."
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder / RUN_FILE}: cannot be read ({error}). Run the benchmark again.") from error
    if facts.get("format") != FORMAT:
        raise UsageError(
            f"{folder}: results of format {facts.get('format')}, expected {FORMAT}. Run the benchmark again."
        )
    try:
        tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(f"{folder}: a table cannot be read ({error}). Run the benchmark again.") from error
    return Results(facts={key: value for key, value in facts.items() if key != "format"}, **tables)
