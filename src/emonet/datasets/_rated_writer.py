"""Write any labelled set as a folder that `read_rated` reads."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from emonet.datasets._endings import ending_of
from emonet.datasets._rated import SET_FILE, rater_facts
from emonet.datasets._records import LabelledSet
from emonet.errors import UsageError

_MEDIA = "media"


def write_rated(labelled: LabelledSet, folder: Path, *, media: bool = False) -> Path:
    """Write `set.toml`, `items.parquet`, `ratings.parquet` and, where the set has it, `asked.parquet`; the folder.

    media: also copy every item's file into `folder/media`, so that the folder can be handed on. Without, items keep
    the path of a file that lies elsewhere (from `folder` when it lies there), and those of a parquet file stay without
    one. Interrupted, the folder holds the old set, or none that `read_rated` takes. Raises `UsageError` for a set that
    is to be written with media and has none, and for a folder that holds tables as CSV.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; expected a folder for the set.")
    if media and labelled.read_media is None:
        raise UsageError(
            f"The set {labelled.name!r} was read without its media; read it with them, or pass media=False."
        )
    if held := sorted(name for name in ("items.csv", "ratings.csv", "asked.csv") if (folder / name).exists()):
        raise UsageError(f"{folder} already holds {held[0]}, which would stand beside the new tables; choose another.")
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".set-", dir=folder))
    try:
        items = _copied(labelled, staging) if media else _placed(labelled.items, folder)
        tables = {"items": items, "ratings": labelled.ratings.table}
        if labelled.asked is not None:
            tables["asked"] = labelled.asked.select("item", "dimension")
        for name, table in tables.items():
            table.write_parquet(staging / f"{name}.parquet")
        (staging / SET_FILE).write_text(_toml(_set_facts(labelled)), encoding="utf-8")
        _replace(staging, folder, [f"{name}.parquet" for name in tables], media=media)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def _replace(staging: Path, folder: Path, tables: Iterable[str], *, media: bool) -> None:
    """Move what was written into place. Without items a folder is no set, so they go first and come last."""
    for name in ("items.parquet", "asked.parquet"):
        (folder / name).unlink(missing_ok=True)
    if media:
        (folder / _MEDIA).mkdir(exist_ok=True)
        for file in (staging / _MEDIA).iterdir():
            os.replace(file, folder / _MEDIA / file.name)
    for name in (SET_FILE, *(name for name in tables if name != "items.parquet"), "items.parquet"):
        os.replace(staging / name, folder / name)


def _set_facts(labelled: LabelledSet) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": labelled.name,
        "modality": labelled.modality,
        "scale": list(labelled.scale),
        "dimensions": list(labelled.dimensions),
        "demographics": list(labelled.demographics),
        "licence": labelled.licence,
        "source": labelled.source,
        "notes": list(labelled.notes),
    }
    if labelled.levels is not None:
        facts["levels"] = list(labelled.levels)
    if labelled.cluster is not None:
        facts["cluster"] = labelled.cluster
    return {**facts, "rater": rater_facts(labelled.ratings.raters)}


def _placed(items: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """`media` as it can be found from `folder`: relative to it where the file lies inside, else absolute."""
    if _MEDIA not in items.columns:
        return items
    home = folder.resolve()
    paths = [None if name is None else Path(name).resolve() for name in items[_MEDIA]]
    shown = [
        None if path is None else str(path.relative_to(home) if path.is_relative_to(home) else path) for path in paths
    ]
    return items.with_columns(pl.Series(_MEDIA, shown, dtype=pl.String))


def _copied(labelled: LabelledSet, staging: Path) -> pl.DataFrame:
    """Every item's bytes under media/ with a running number, which no two items share, and the file's own ending."""
    assert labelled.read_media is not None
    (staging / _MEDIA).mkdir()
    known = labelled.items[_MEDIA].to_list() if _MEDIA in labelled.items.columns else [None] * len(labelled.items)
    names = []
    for number, (item, path) in enumerate(zip(labelled.items["item"], known, strict=True)):
        content = labelled.read_media(item)
        ending = Path(path).suffix if path else ending_of(content)
        names.append(f"{_MEDIA}/{number:06d}{ending}")
        (staging / names[-1]).write_bytes(content)
    return labelled.items.with_columns(pl.Series(_MEDIA, names, dtype=pl.String))


def _toml(facts: Mapping[str, Any]) -> str:
    """TOML of plain values, with `rater` as a list of tables."""
    lines = [f"{name} = {_value(value)}" for name, value in facts.items() if name != "rater"]
    for rater in facts["rater"]:
        lines += ["", "[[rater]]", *(f"{name} = {_value(value)}" for name, value in rater.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, str):
        # TOML's escapes are JSON's; only the delete character must be escaped as well.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_value(name)} = {_value(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return repr(float(value))
