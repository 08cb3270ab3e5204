"""Files of what was rated: the package's own rated folder, CSV, LAION's two layouts, and the whole record."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import polars as pl

from emonet.annotation.protocols import Protocol
from emonet.annotation.store._engine import Store
from emonet.annotation.store._history import events, unit_states, valid_judgements
from emonet.annotation.store._labelled import to_labelled
from emonet.annotation.store._projects import read_project
from emonet.datasets import LabelledSet, write_rated
from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import EMOTIONS

FORMATS = ("parquet", "csv", "binary.csv", "hq.csv", "jsonl")
"""parquet: `rated/`, which `emonet.datasets.read_rated` and the benchmark read. csv: `ratings.csv`, `items.csv` and
`units.csv` (what each unit came to), and `forms.csv` for questionnaires. binary.csv, hq.csv: the layouts of EmoNet-Face
Binary and HQ. jsonl: `events.jsonl`, every event with nothing left out but people's names."""

_BINARY = {emotion.key: emotion.aliases["binary"] for emotion in EMOTIONS}
_HQ = {emotion.key: emotion.aliases["hq"] for emotion in EMOTIONS}


def export(
    store: Store, folder: str | Path, formats: Sequence[str] | None = None, *, media: Path | None = None
) -> tuple[Path, ...]:
    """Write the project's ratings below `folder`; the files (for parquet, the folder) that were written.

    formats: of `FORMATS`; by default all that fit the protocol. media: the project's folder of media, so that the rated
    folder names the items' files. Each file is written whole or not at all. Raises `UnknownNameError` for a format, and
    `UsageError` for a layout that cannot hold this protocol's answers.
    """
    protocol = read_project(store).protocol
    for name in formats or ():
        if name not in FORMATS:
            raise UnknownNameError("export format", name, FORMATS)
        if reason := _misfit(protocol, name):
            raise UsageError(f"The answers do not fit the layout {name!r}: {reason}.")
    chosen = list(formats) if formats is not None else [name for name in FORMATS if not _misfit(protocol, name)]
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    labelled = to_labelled(store, media=media)
    written: list[Path] = []
    for name in dict.fromkeys(chosen):
        if name == "parquet":
            written.append(write_rated(labelled, root / "rated"))
        elif name == "csv":
            written += _csv(store, labelled, root)
        elif name == "binary.csv":
            written.append(_binary(labelled, root / "binary.csv"))
        elif name == "hq.csv":
            written.append(_hq(store, root / "hq.csv"))
        else:
            written.append(_jsonl(store, root / "events.jsonl"))
    return tuple(written)


def _misfit(protocol: Protocol, name: str) -> str:
    """Why a protocol's answers cannot be written in a format; empty when they can."""
    strange = [key for key in protocol.dimensions if key not in _BINARY]
    if name == "binary.csv":
        if protocol.question != "levels" or {choice.value for choice in protocol.choices} != {0.0, 1.0}:
            return "it takes yes or no for one emotion at a time"
        return f"it knows the 40 emotions only, not {strange[0]!r}" if strange else ""
    if name == "hq.csv":
        if protocol.question != "sliders" or (protocol.scale, protocol.step) != ((0.0, 7.0), 1.0):
            return "it takes sliders from 0 to 7 in whole steps"
        return f"it knows the 40 emotions only, not {strange[0]!r}" if strange else ""
    if name == "parquet" and protocol.question == "form":
        return "a questionnaire rates nothing"
    return ""


def _csv(store: Store, labelled: LabelledSet, root: Path) -> list[Path]:
    written = []
    if read_project(store).protocol.question == "form":
        written.append(_forms(store, root / "forms.csv"))
    else:
        for name, table in (("ratings", labelled.ratings.table), ("items", labelled.items)):
            written.append(_table(root / f"{name}.csv", table))
    return [*written, _units(store, root / "units.csv")]


def _table(path: Path, table: pl.DataFrame) -> Path:
    text = table.write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")
    return _written(path, lambda file: file.write(text))


def _units(store: Store, path: Path) -> Path:
    """What every unit came to; maps and lists as JSON."""
    header = "unit kind role items dimensions stage wanted answers outcome type agreed adjudicated".split()
    rows = (
        (
            one.unit.key,
            one.kind,
            one.unit.role,
            json.dumps(one.unit.items, ensure_ascii=False),
            json.dumps(one.unit.dimensions, ensure_ascii=False),
            one.stage,
            one.wanted,
            one.answers,
            one.outcome or "",
            one.type,
            json.dumps(dict(one.agreed), ensure_ascii=False),
            one.adjudicated,
        )
        for one in unit_states(store)
    )
    return _rows(path, header, rows)


def _forms(store: Store, path: Path) -> Path:
    names = [field.name for field in read_project(store).protocol.form]
    answers = [one for one in valid_judgements(store) if one.skipped is None]
    rows = ((one.rater, one.time.isoformat(), *(one.form.get(name, "") for name in names)) for one in answers)
    return _rows(path, ["rater", "time", *names], rows)


def _binary(labelled: LabelledSet, path: Path) -> Path:
    """Columns path, annotator, value, emotion; by item and, within it, by rater, as in the release."""
    table = labelled.ratings.table.sort("item", "rater", "dimension")
    rows = (
        (item, rater, str(value > 0), _BINARY[dimension])
        for item, rater, dimension, value in table.select("item", "rater", "dimension", "value").iter_rows()
    )
    return _rows(path, ["path", "annotator", "value", "emotion"], rows)


def _hq(store: Store, path: Path) -> Path:
    """Columns image, annotator, human, annotations; the last the text of a dict of the sliders that were touched."""
    states = {one.unit.key: one for one in unit_states(store) if one.kind == "work"}
    answers = [one for one in valid_judgements(store) if one.unit in states and one.skipped is None]
    rows = []
    for one in answers:
        unit = states[one.unit].unit
        touched = {_HQ[name]: int(one.values[name]) for name in unit.dimensions if name in one.values}
        rows.append((unit.items[0], one.rater, "True", repr(touched)))
    return _rows(path, ["image", "annotator", "human", "annotations"], sorted(rows))


def _jsonl(store: Store, path: Path) -> Path:
    def write(file: TextIO) -> None:
        for event in events(store):
            file.write(json.dumps(asdict(event), default=_moment, ensure_ascii=False, allow_nan=False) + "\n")

    return _written(path, write)


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not stored as JSON")


def _rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    def write(file: TextIO) -> None:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)

    return _written(path, write)


def _written(path: Path, write: Callable[[TextIO], object]) -> Path:
    """Write a file beside its place and move it there."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            write(file)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
