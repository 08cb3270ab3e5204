"""A folder with one's own ratings: `items` and `ratings` as Parquet or CSV, and `set.toml`.

set.toml          name, modality, scale, ... and one [[rater]] per rater, see `read_rated`
items.parquet     column item, optional media (path from the folder) and any facts
ratings.parquet   columns item, rater, dimension, value, optional protocol, stage, time
asked.parquet     optional: columns item and dimension, the pairs that were put to the raters
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from emonet.datasets._media import folder_media
from emonet.datasets._records import RATING_SCHEMA, LabelledSet, Rater, RaterKind, Ratings
from emonet.datasets._tables import fault, in_order, keys_of
from emonet.errors import UsageError
from emonet.media import kind_of
from emonet.taxonomy import Modality

SET_FILE = "set.toml"
_LOOKED_AT = 20
"""Media files that are opened to tell faces from voices."""
_EXAMPLE = 'modality = "voice"\nscale = [0, 2]'


class _RaterFacts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    kind: RaterKind = "human"
    scale: tuple[float, float] | None = None
    facts: Mapping[str, str] = {}


class _SetFacts(BaseModel):
    """What `set.toml` may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str | None = None
    modality: Modality | None = None
    scale: tuple[float, float] | None = None
    levels: tuple[float, ...] | None = None
    dimensions: tuple[str, ...] | None = None
    demographics: tuple[str, ...] = ()
    cluster: str | None = None
    licence: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    rater: tuple[_RaterFacts, ...] = ()


def read_rated(
    folder: Path,
    *,
    modality: Literal["face", "voice"] | None = None,
    scale: tuple[float, float] | None = None,
) -> LabelledSet:
    """Read a folder of ratings (layout in this module's first lines; each table may be .parquet or .csv).

    `set.toml` may hold name, modality ("face" or "voice"), scale, levels, dimensions, demographics, cluster, licence,
    source, notes, and for each rater that is no person, or of whom more is known, a table [[rater]] with name, kind,
    scale and facts. Raters it does not name are people. modality and scale may be given here instead; a modality
    that is told nowhere follows the media files. Emotions may be spelled in any way. Raises `UsageError` naming file,
    row and remedy.
    """
    folder = Path(folder)
    facts = _facts(folder)
    items, items_file = _table(folder, "items")
    ratings, ratings_file = _table(folder, "ratings")
    _known_items(items, items_file)
    kind = modality or facts.modality or _modality(items, folder)
    ends = scale or facts.scale
    if ends is None or not ends[0] < ends[1]:
        raise UsageError(
            f"{folder}: the scale of the ratings is {ends}; expected its two ends, low and high, as scale= or in "
            f"{folder / SET_FILE}, such as:\n{_EXAMPLE}"
        )
    rows = _ratings(ratings, ratings_file, kind)
    _same_items(rows, items, ratings_file, items_file)
    raters = _raters(facts, rows)
    people = {rater.name for rater in raters if rater.kind == "human"}
    outside = rows["rater"].is_in(sorted(people)) & ((rows["value"] < ends[0]) | (rows["value"] > ends[1]))
    if outside.any():
        at = int(outside.arg_true()[0])
        found = f"{rows['rater'][at]!r} gave {rows['value'][at]:g};"
        raise fault(ratings_file, at + 1, found, f"expected from {ends[0]:g} to {ends[1]:g}, the scale of the set.")
    asked = _asked(folder, items, items_file, kind)
    used = [*rows["dimension"].unique(), *(asked["dimension"].unique() if asked is not None else ())]
    named = pl.Series("dimensions", facts.dimensions or (), dtype=pl.String)
    for role, columns in (("demographics", facts.demographics), ("cluster", (facts.cluster,) if facts.cluster else ())):
        if lost := [name for name in columns if name not in items.columns]:
            raise UsageError(
                f"{folder / SET_FILE}: {role} names the column {lost[0]!r}, which {items_file} lacks; it has "
                f"{', '.join(items.columns)}."
            )
    items, read_media = _with_media(items, folder)
    return LabelledSet(
        name=facts.name or folder.resolve().name,
        modality=kind,
        items=items,
        ratings=Ratings(rows, raters),
        dimensions=tuple(keys_of(named, folder / SET_FILE, kind))
        if facts.dimensions is not None
        else in_order(used, kind),
        scale=(float(ends[0]), float(ends[1])),
        levels=facts.levels,
        asked=asked,
        demographics=facts.demographics,
        cluster=facts.cluster,
        read_media=read_media,
        licence=facts.licence,
        source=facts.source,
        notes=facts.notes,
    )


def _facts(folder: Path) -> _SetFacts:
    path = folder / SET_FILE
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; expected one with items.parquet and ratings.parquet (or .csv).")
    try:
        return _SetFacts.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return _SetFacts()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: no TOML that can be read ({error}); expected lines such as:\n{_EXAMPLE}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        known = ", ".join(_SetFacts.model_fields)
        raise UsageError(
            f"{path}, {place}: {first['msg']}. Known keys: {known}; [[rater]] has name, kind, scale, facts."
        ) from error


def _table(folder: Path, name: str) -> tuple[pl.DataFrame, Path]:
    held = [path for path in (folder / f"{name}.parquet", folder / f"{name}.csv") if path.is_file()]
    if len(held) != 1:
        found = "both" if held else "neither"
        raise UsageError(
            f"{folder}: {found} {name}.parquet {'and' if held else 'nor'} {name}.csv; expected one of them."
        )
    path = held[0]
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path, glob=False), path
        # Names such as 007 must stay text; numbers are read where the column needs them.
        table = pl.read_csv(path, infer_schema=False, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(f"{path}: cannot be read ({str(error).splitlines()[0]}); write the table again.") from error
    return table, path


def _known_items(items: pl.DataFrame, path: Path) -> None:
    if "item" not in items.columns or items["item"].dtype != pl.String:
        kinds = ", ".join(f"{name} ({kind})" for name, kind in items.schema.items())
        raise UsageError(f"{path}: expected a text column 'item'; it has {kinds or 'no columns'}.")
    bad = items["item"].is_null() | ~items["item"].is_first_distinct()
    if bad.any():
        at = int(bad.arg_true()[0])
        found = "no item" if items["item"][at] is None else f"{items['item'][at]!r}, which is in several rows"
        raise fault(path, at + 1, f"holds {found};", "expected each item once.")


def _ratings(table: pl.DataFrame, path: Path, modality: Modality) -> pl.DataFrame:
    """The table with the columns of `RATING_SCHEMA`, emotions as keys."""
    if lacking := [name for name in ("item", "rater", "dimension", "value") if name not in table.columns]:
        raise UsageError(f"{path}: no column {lacking[0]!r}; it has {', '.join(table.columns) or 'none'}.")
    extra = {"protocol": pl.lit("rating"), "stage": pl.lit(1), "time": pl.lit(None)}
    table = table.with_columns(**{name: value for name, value in extra.items() if name not in table.columns})
    table = table.select(list(RATING_SCHEMA))
    rows = pl.DataFrame([_cast(table[name], path) for name in RATING_SCHEMA])
    return rows.with_columns(keys_of(rows["dimension"], path, modality).alias("dimension"))


def _cast(column: pl.Series, path: Path) -> pl.Series:
    """A column of the ratings as `RATING_SCHEMA` has it; only stage and time may have empty cells."""
    name, kind = column.name, RATING_SCHEMA[column.name]
    if name == "time" and column.dtype == pl.String:
        zoned = column.str.replace(r"[zZ]$", "+00:00")
        cast = zoned.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us").cast(kind)
    else:
        cast = column.cast(kind, strict=False)
    bad = cast.is_null() & (column.is_not_null() | pl.Series([name not in ("stage", "time")]))
    if name == "value":
        bad |= ~cast.is_finite().fill_null(False)
    if name == "stage" and column.dtype.is_float():
        bad |= (column != column.round()).fill_null(False)
    if bad.any():
        at = int(bad.arg_true()[0])
        wanted = {"value": "a finite number", "stage": "a whole number", "time": "a time like 2025-06-01T12:30:00Z"}
        found = f"the column {name!r} holds {column[at]!r};"
        raise fault(path, at + 1, found, f"expected {wanted.get(name, 'a text')}.")
    return cast


def _same_items(rows: pl.DataFrame, items: pl.DataFrame, path: Path, items_file: Path) -> None:
    strange = ~rows["item"].is_in(items["item"].implode())
    if strange.any():
        at = int(strange.arg_true()[0])
        raise fault(path, at + 1, f"the item {rows['item'][at]!r} is not in {items_file.name};", "add it there.")


def _raters(facts: _SetFacts, rows: pl.DataFrame) -> tuple[Rater, ...]:
    """Those of set.toml in its order, then the others as people."""
    told = tuple(Rater(one.name, one.kind, one.scale, dict(one.facts)) for one in facts.rater)
    names = [rater.name for rater in told]
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"{SET_FILE}: two tables [[rater]] are named {double!r}; expected one each.")
    others = sorted(set(rows["rater"].unique()) - set(names))
    return (*told, *(Rater(name, "human") for name in others))


def _asked(folder: Path, items: pl.DataFrame, items_file: Path, modality: Modality) -> pl.DataFrame | None:
    if not any((folder / f"asked.{ending}").is_file() for ending in ("parquet", "csv")):
        return None
    table, path = _table(folder, "asked")
    if lacking := [name for name in ("item", "dimension") if name not in table.columns]:
        raise UsageError(f"{path}: no column {lacking[0]!r}; it has {', '.join(table.columns) or 'none'}.")
    table = table.select(pl.col("item").cast(pl.String), pl.col("dimension").cast(pl.String))
    _same_items(table, items, path, items_file)
    return table.with_columns(keys_of(table["dimension"], path, modality).alias("dimension"))


def _modality(items: pl.DataFrame, folder: Path) -> Modality:
    named = items["media"].drop_nulls().head(_LOOKED_AT) if "media" in items.columns else ()
    kinds = {kind_of(folder / name) for name in named}
    if kinds == {"image"}:
        return "face"
    if kinds == {"audio"}:
        return "voice"
    raise UsageError(
        f"{folder}: nothing tells whether these are faces or voices; say it as modality= or in {folder / SET_FILE}, "
        f"such as:\n{_EXAMPLE}"
    )


def _with_media(items: pl.DataFrame, folder: Path) -> tuple[pl.DataFrame, Any]:
    """`media` as paths that can be opened, and their reader; None without media."""
    if "media" not in items.columns or items["media"].null_count() == len(items):
        return items, None
    # A path that is absolute stays as it is.
    media = pl.Series(
        "media", [None if name is None else str(folder / name) for name in items["media"]], dtype=pl.String
    )
    return items.with_columns(media), folder_media(items["item"], media)


def rater_facts(raters: Sequence[Rater]) -> list[dict[str, Any]]:
    """The raters as tables of set.toml."""
    return [
        {
            "name": rater.name,
            "kind": rater.kind,
            **({"scale": list(rater.scale)} if rater.scale else {}),
            **({"facts": dict(rater.facts)} if rater.facts else {}),
        }
        for rater in raters
    ]
