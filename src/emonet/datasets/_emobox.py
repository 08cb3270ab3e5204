"""The file layout of EmoBox (arXiv 2406.07162): one JSON line per voice, with folds of training and test."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from emonet.datasets._coarse import chosen, labelled_by_class, nearest
from emonet.datasets._records import LabelledSet
from emonet.errors import UsageError

_TRAIN, _TEST = "train", "test"


def write_emobox(labelled: LabelledSet, folded: pl.DataFrame, folder: Path) -> Path:
    """Write a set of voices with one class each as EmoBox does; the folder of the corpus.

    `<folder>/<name>/<name>.jsonl` has every item, `fold_<n>/<name>_train_fold_<n>.jsonl` and `..._test_...` its parts,
    `label_map.json` each class under its own name. One line an item: key, dataset, wav (path), type, sample_rate,
    num_frame, task, length (seconds), emo (class), channel. Lengths are read from the files where `items` has no
    `duration_s` and `sample_rate`. Files of an earlier run are replaced one by one. Raises `UsageError` for a set
    without `label` and `media`.
    """
    if lacking := [name for name in ("label", "media") if name not in labelled.items.columns]:
        raise UsageError(
            f"{labelled.name}: its items have no column {lacking[0]!r}; expected a set as read_coarse reads."
        )
    table = labelled.items.join(folded, on="item", how="left", maintain_order="left")
    if table["fold"].null_count():
        raise UsageError(
            f"{labelled.name}: {table['fold'].null_count()} items have no fold; pass what folds() returned."
        )
    home = Path(folder) / labelled.name
    lines = {row["item"]: _line(row, labelled.name) for row in table.iter_rows(named=True)}
    _write(home / f"{labelled.name}.jsonl", lines.values())
    for fold in table["fold"].unique().sort():
        tested = set(table.filter(pl.col("fold") == fold)["item"])
        for part in (_TRAIN, _TEST):
            inside = [line for item, line in lines.items() if (item in tested) == (part == _TEST)]
            _write(home / f"fold_{fold}" / f"{labelled.name}_{part}_fold_{fold}.jsonl", inside)
    classes = {label: label for label in table["label"].unique().sort()}
    _replace(home / "label_map.json", json.dumps(classes, ensure_ascii=False, indent=1) + "\n")
    return home


def read_emobox(
    folder: Path, *, media: Path | None = None, labels: Mapping[str, str] | None = None
) -> tuple[LabelledSet, pl.DataFrame]:
    """Read a corpus in EmoBox's layout: the set, and its folds as `folds` returns them.

    folder: that of the corpus, with `<name>.jsonl` and `fold_<n>`. media: folder that the paths of the audio start
    from, by default two above `folder`, the root of EmoBox. labels: class (after `label_map.json`) → emotion. The
    layout names no speaker; the folds are what keeps speakers apart. An item that no fold tests has fold null. Raises
    `UsageError` naming file and line.
    """
    folder = Path(folder)
    name = folder.resolve().name
    whole = folder / f"{name}.jsonl"
    tests = sorted(folder.glob(f"fold_*/{name}_{_TEST}_fold_*.jsonl"))
    parts = [whole] if whole.is_file() else sorted(folder.glob(f"fold_*/{name}_*_fold_*.jsonl"))
    if not parts:
        raise UsageError(
            f"{folder}: neither {whole.name} nor fold_<n>/{name}_test_fold_<n>.jsonl; expected EmoBox's layout."
        )
    rows = {str(line["key"]): line for part in parts for line in _lines(part)}
    names = _label_map(folder / "label_map.json")
    root = Path(media) if media is not None else folder.parent.parent
    items = pl.DataFrame(
        {
            "item": list(rows),
            "label": [names.get(str(line["emo"]), str(line["emo"])) for line in rows.values()],
            "media": [str(root / str(line["wav"])) for line in rows.values()],
            "duration_s": [_length(line) for line in rows.values()],
        },
        schema={"item": pl.String, "label": pl.String, "media": pl.String, "duration_s": pl.Float64},
    )
    classes = items["label"].unique().sort().to_list()
    emotions = (
        nearest(classes, "voice", str(folder)) if labels is None else chosen(labels, classes, "voice", str(folder))
    )
    labelled = labelled_by_class(
        items=items,
        emotions=emotions,
        name=name,
        modality="voice",
        labelled_by="human",
        licence="",
        source=f"{name} (EmoBox)",
    )
    fold_of = {str(line["key"]): int(part.parent.name.removeprefix("fold_")) for part in tests for line in _lines(part)}
    tested = pl.Series("fold", [fold_of.get(item) for item in items["item"]], dtype=pl.Int32)
    return labelled, items.select("item", tested)


def _line(row: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """One item as EmoBox stores it."""
    length, rate, channels = row.get("duration_s"), row.get("sample_rate"), 1
    if length is None or rate is None:
        import soundfile

        try:
            info = soundfile.info(row["media"])
        except (OSError, soundfile.SoundFileError) as error:
            raise UsageError(
                f"{row['media']}: its length cannot be read ({error}); it is the file of {row['item']!r}."
            ) from error
        length, rate, channels = info.duration, info.samplerate, info.channels
    length, rate = float(length), int(rate)
    return {
        "key": row["item"], "dataset": dataset, "wav": row["media"], "type": "raw", "sample_rate": rate,
        "num_frame": round(length * rate), "task": "category", "length": length, "emo": row["label"],
        "channel": channels,
    }  # fmt: skip


def _length(line: Mapping[str, Any]) -> float | None:
    value = line.get("length")
    return float(value) if isinstance(value, int | float) else None


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Lines of a file, each with key, wav and emo."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); expected EmoBox's JSON lines.") from error
    for number, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            line = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}, line {number}: no JSON ({error}); expected one object per line.") from error
        if not isinstance(line, dict) or (lacking := [key for key in ("key", "wav", "emo") if key not in line]):
            what = f"lacks {', '.join(lacking)}" if isinstance(line, dict) else "is no object"
            raise UsageError(f"{path}, line {number}: {what}; expected at least key, wav and emo.")
        yield line


def _label_map(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path}: no JSON ({error}); expected a table from label to class.") from error
    if not isinstance(names, dict):
        raise UsageError(f"{path}: expected a table from label to class.")
    return {str(label): str(name) for label, name in names.items()}


def _write(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    _replace(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
