"""From a folder of media, with or without a table, to the items of a project."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from emonet.annotation.protocols import Item
from emonet.errors import UnknownNameError, UsageError
from emonet.media import AUDIO_SUFFIXES, IMAGE_SUFFIXES
from emonet.taxonomy import Modality, resolve

FILE_COLUMNS = ("file", "path", "media", "filename", "file_name", "image", "audio")
EMOTION_COLUMNS = ("emotion", "emotions", "prompted_emotion", "target_emotion")
DEMOGRAPHIC_COLUMNS = ("age", "age_group", "gender", "sex", "ethnicity", "race", "skin_tone", "language", "speaker")
"""Columns of a manifest that are known by name; `demographic:NAME` makes a demographic of any other."""
_TRUE, _FALSE = ("1", "true", "yes", "y"), ("", "0", "false", "no", "n")


def read_items(
    folder: str | Path, *, manifest: str | Path | None = None, modality: Modality | None = None
) -> tuple[Item, ...]:
    """The media of a folder as items, in alphabetical order; in the manifest's order where there is one.

    An item's key is its path below the folder. What it was made for comes from the manifest's column `emotion` (several
    with ";"), else from the name of the folder it lies in, where that is an emotion of the taxonomy. Without a manifest
    all pictures are taken, or all recordings where there are no pictures; `modality` says which.

    Manifest: CSV with a header. `file` (below the folder) is needed; `emotion`, `gold` ("1", or "anger=0;joy=1"),
    `tolerance`, `training`, `sensitive` and the usual demographics are understood; other columns are kept as facts.
    Raises `UsageError` naming the line for anything that does not fit.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UsageError(f"{folder} is not a folder; expected a folder of pictures or recordings.")
    if manifest is not None:
        return tuple(_listed(root, Path(manifest), modality))
    found = _media(root, modality)
    return tuple(
        Item(key=name, media=name, modality=_modality(name), dimensions=_from_folder(name, _modality(name)))
        for name in found
    )


def _media(root: Path, modality: Modality | None) -> list[str]:
    """Paths below the root of one kind of media."""
    names = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    kinds: dict[Modality, list[str]] = {
        "face": [name for name in names if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES],
        "voice": [name for name in names if PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES],
    }
    chosen = kinds[modality] if modality else kinds["face"] or kinds["voice"]
    if not chosen:
        wanted = {"face": "pictures", "voice": "recordings"}.get(modality or "", "pictures or recordings")
        raise UsageError(f"{root} holds no {wanted}: {len(names)} files, none with a known ending.")
    return chosen


def _modality(name: str) -> Modality:
    return "voice" if PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES else "face"


def _from_folder(name: str, modality: Modality) -> tuple[str, ...]:
    """The emotion that the nearest folder with an emotion's name stands for."""
    for part in reversed(PurePosixPath(name).parts[:-1]):
        try:
            return (resolve(part, modality=modality).key,)
        except UnknownNameError:
            continue
    return ()


def _listed(root: Path, manifest: Path, modality: Modality | None) -> Iterator[Item]:
    try:
        text = manifest.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{manifest} cannot be read as a UTF-8 CSV file: {error}") from error
    table = csv.DictReader(io.StringIO(text, newline=""))
    columns = [name.strip() for name in table.fieldnames or ()]
    file_column = next((name for name in columns if name.lower() in FILE_COLUMNS), None)
    if file_column is None:
        raise UsageError(
            f"{manifest} has the columns {', '.join(columns) or 'none'}; expected one that names the file: "
            f"{', '.join(FILE_COLUMNS)}."
        )
    rows = [{(key or "").strip(): (value or "").strip() for key, value in row.items() if key} for row in table]
    if not rows:
        raise UsageError(f"{manifest} has a header but no rows.")
    counts = Counter(row[file_column] for row in rows)
    if twice := next((name for name, count in counts.items() if count > 1), None):
        raise UsageError(f"{manifest} lists {twice!r} {counts[twice]} times; each file may be listed once.")
    for line, row in enumerate(rows, start=2):
        where = f"{manifest}, line {line}"
        item = _item(root, row, file_column, where)
        if modality is None or item.modality == modality:
            yield item


def _item(root: Path, row: Mapping[str, str], file_column: str, where: str) -> Item:
    name = row[file_column]
    path = (root / name).resolve()
    if not name or not path.is_relative_to(root.resolve()) or not path.is_file():
        raise UsageError(f"{where}: no file {name!r} below {root}.")
    media = path.relative_to(root.resolve()).as_posix()
    kind = _modality(media)
    emotion_column = next((key for key in row if key.lower() in EMOTION_COLUMNS), None)
    named = [part for part in (row[emotion_column] if emotion_column else "").split(";") if part.strip()]
    dimensions = tuple(_dimension(part, kind, where) for part in named) or _from_folder(media, kind)
    reserved = {file_column, emotion_column, "gold", "tolerance", "training", "sensitive"}
    rest = {key: value for key, value in row.items() if key not in reserved and value}
    people = {key: value for key, value in rest.items() if _is_demographic(key)}
    return Item(
        key=media,
        media=media,
        modality=kind,
        facts={key: value for key, value in rest.items() if key not in people},
        dimensions=dimensions,
        demographics={key.removeprefix("demographic:"): value for key, value in people.items()},
        sensitive=_flag(row.get("sensitive", ""), "sensitive", where),
        gold=_gold(row.get("gold", ""), dimensions, kind, where),
        tolerance=_number(row.get("tolerance", "") or "0", "tolerance", where),
        training=_flag(row.get("training", ""), "training", where),
    )


def _is_demographic(column: str) -> bool:
    return column.lower() in DEMOGRAPHIC_COLUMNS or column.startswith("demographic:")


def _dimension(name: str, modality: Modality, where: str) -> str:
    try:
        return resolve(name.strip(), modality=modality).key
    except UnknownNameError as error:
        raise UsageError(f"{where}: {error}") from error


def _gold(text: str, dimensions: Sequence[str], modality: Modality, where: str) -> dict[str, float]:
    """ "1" for the item's own emotion, or "anger=0;joy=1"."""
    out = {}
    for part in (part for part in text.split(";") if part.strip()):
        name, equals, value = part.rpartition("=")
        if not equals and len(dimensions) != 1:
            raise UsageError(
                f"{where}: gold is {text!r}, but the row names {len(dimensions)} emotions; write emotion=value."
            )
        out[_dimension(name, modality, where) if equals else dimensions[0]] = _number(value, "gold", where)
    return out


def _number(text: str, column: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{where}: {column} is {text!r}; expected a number.") from None


def _flag(text: str, column: str, where: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise UsageError(f"{where}: {column} is {text!r}; expected yes or no.")
    return text.lower() in _TRUE
