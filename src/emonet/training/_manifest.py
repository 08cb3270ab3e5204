"""The list of labelled media that a recipe trains on: `manifest.csv`, one row per file."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import Modality, emotion

MANIFEST = "manifest.csv"
COLUMNS = ("path", "modality", "source", "licence", "label", "emonet40", "split", "subject", "language", "duration_s")
_MODALITIES = ("face", "voice")
_SPLITS = ("train", "test")

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled file.

    `path`: the file. `key`: its path as the manifest writes it, the item's name in caches. `label`: the source's own
    label, "" when it gives none. `emotions`: keys of the nearest of the 40 emotions, empty when there is none.
    `subject`: speaker or person, "" when unknown. `duration_s`: length of a sound, None for a picture. `extra`:
    whatever else the source says (votes, intensity, text, scores).
    """

    path: Path
    key: str
    source: str
    licence: str
    label: str
    emotions: tuple[str, ...]
    split: Split
    subject: str
    language: str
    duration_s: float | None
    extra: Mapping[str, Any] = field(default_factory=dict)


def read_manifest(data: Path, modality: Modality) -> list[Item]:
    """All faces or all voices that `data/manifest.csv` lists, in its order.

    The media themselves are not opened. Raises UsageError when the file is absent or lacks a column, and for a row
    with an unknown emotion, split or modality, a path outside `data` or one listed before, a length that is no
    positive number, or an `extra` that is no JSON object; the message names the line.
    """
    if modality not in _MODALITIES:
        raise UsageError(f"modality is {modality!r}, expected 'face' or 'voice'")
    path = Path(data) / MANIFEST
    try:
        file = path.open(newline="", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path}: cannot read the list of media ({error.strerror}). Pass --data the folder that holds {MANIFEST}; "
            "the recipe names the public sources it is made from."
        ) from error
    with file:
        rows = csv.DictReader(file)
        absent = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if absent:
            raise UsageError(f"{path}: no column {', '.join(absent)}. Expected {', '.join(COLUMNS)} and maybe extra.")
        items: list[Item] = []
        seen: set[str] = set()
        for row in rows:
            try:
                if item := _item(row, Path(data), modality, seen):
                    items.append(item)
            except (ValueError, UnknownNameError) as error:
                raise UsageError(f"{path}, line {rows.line_num}: {error} Correct the line.") from error
    return items


def _item(row: Mapping[str, str | None], data: Path, modality: Modality, seen: set[str]) -> Item | None:
    text = {column: (row.get(column) or "").strip() for column in (*COLUMNS, "extra")}
    if text["modality"] not in _MODALITIES:
        raise ValueError(f"modality is {text['modality']!r}, expected face or voice.")
    if text["modality"] != modality:
        return None
    if text["split"] not in _SPLITS:
        raise ValueError(f"split is {text['split']!r}, expected train or test.")
    key = text["path"]
    if not key or Path(key).is_absolute() or ".." in Path(key).parts:
        raise ValueError(f"path is {key!r}, expected a file below the manifest's folder.")
    if key in seen:
        raise ValueError(f"{key} is listed twice.")
    seen.add(key)
    return Item(
        path=data / key,
        key=key,
        source=text["source"],
        licence=text["licence"],
        label=text["label"],
        emotions=tuple(dict.fromkeys(emotion(name).key for name in text["emonet40"].split(";") if name.strip())),
        split=cast(Split, text["split"]),
        subject=text["subject"],
        language=text["language"],
        duration_s=_length(text["duration_s"]),
        extra=_object(text["extra"]),
    )


def _length(text: str) -> float | None:
    if not text:
        return None
    value = float(text)
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"duration_s is {text!r}, expected seconds above 0.")
    return value


def _object(text: str) -> dict[str, Any]:
    if not text:
        return {}
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"extra is {text[:40]!r}, expected a JSON object.")
    return value
