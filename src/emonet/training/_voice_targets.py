"""From the labels of several corpora to what each clip teaches about the 40 emotions, and what it leaves open.

No corpus labels all 40 emotions. A clip is positive for the emotions its label names, negative for those its corpus
could have named instead, and silent (weight 0) about the rest, so that a corpus's sound cannot pass for evidence.

Symbols: n clips, d = 40 emotions, c corpora with classes of their own.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.taxonomy import EMOTIONS, emotion
from emonet.training._manifest import Item

KEYS: tuple[str, ...] = tuple(record.key for record in EMOTIONS)
_COLUMN = {key: column for column, key in enumerate(KEYS)}


@dataclass(frozen=True, slots=True)
class Targets:
    """What n clips teach.

    `present`: float32 [n, d], 1 or 0 by label, NaN where the corpus never names the emotion. `weight`: float32 [n, d]
    in the loss. `target`: float32 [n, d] share 0..1 that the loss aims at (softened labels, teacher's score / 4).
    `intensity`: float32 [n, d], 0..4, NaN where unknown. `classes`: int64 [n], the clip's class in its own corpus, -1
    without one. `corpora`: corpus name → its class names; `auxiliary`: those of them whose classes are no emotions.
    `source`: [n] names. `neutral`: bool [n].
    """

    present: NDArray[np.float32]
    weight: NDArray[np.float32]
    target: NDArray[np.float32]
    intensity: NDArray[np.float32]
    classes: NDArray[np.int64]
    corpora: Mapping[str, tuple[str, ...]]
    auxiliary: frozenset[str]
    source: tuple[str, ...]
    neutral: NDArray[np.bool_]


def make_targets(items: Sequence[Item], recipe: Mapping[str, Any], data: Path) -> Targets:
    """Targets of `items` by the recipe's `[targets]` and `[sources.*]` tables.

    `sources.<name>.role`: `labels` (an intended emotion per clip), `teacher` (another model's scores, read from
    `targets.teacher_scores` below `data`) or `auxiliary` (classes that are no emotions). `sources.<name>.also` adds
    emotions to a label; `targets.neutral` lists labels that mean no emotion at all.
    """
    rules, sources = recipe["targets"], recipe["sources"]
    n = len(items)
    present = np.full((n, len(KEYS)), np.nan, np.float32)
    weight = np.zeros((n, len(KEYS)), np.float32)
    target = np.zeros((n, len(KEYS)), np.float32)
    intensity = np.full((n, len(KEYS)), np.nan, np.float32)
    neutral = np.asarray([item.label.lower() in rules["neutral"] for item in items], bool)
    positives = [positive_emotions(item, sources[item.source]) for item in items]
    named = {
        name: sorted({key for item, keys in zip(items, positives, strict=True) if item.source == name for key in keys})
        for name, source in sources.items()
        if source["role"] == "labels"
    }
    for row, (item, keys) in enumerate(zip(items, positives, strict=True)):
        if sources[item.source]["role"] != "labels":
            continue
        could = [_COLUMN[key] for key in named[item.source]]
        present[row, could] = 0.0
        intensity[row, could] = 0.0
        weight[row, could] = 1.0
        if neutral[row]:  # no emotion at all, so a little evidence against those the corpus never names
            weight[row, weight[row] == 0] = rules["neutral_weight"]
        target[row] = rules["smoothing"]
        grade = rules["grades"].get(str(item.extra.get("intensity", "")), rules["grade"])
        for key in keys:
            present[row, _COLUMN[key]] = 1.0
            intensity[row, _COLUMN[key]] = grade
            target[row, _COLUMN[key]] = 1.0 - rules["smoothing"]
    _add_teacher(items, recipe, data, target, weight)
    classes, corpora = _classes(items, sources)
    auxiliary = frozenset(name for name, source in sources.items() if source["role"] == "auxiliary")
    source_of = tuple(item.source for item in items)
    return Targets(present, weight, target, intensity, classes, corpora, auxiliary, source_of, neutral)


def positive_emotions(item: Item, source: Mapping[str, Any]) -> tuple[str, ...]:
    """Emotions that the clip's label names: the manifest's, and those that the recipe adds for the label."""
    also = [emotion(name).key for name in source.get("also", {}).get(item.label, ())]
    return tuple(dict.fromkeys((*item.emotions, *also))) if source["role"] == "labels" else ()


def validation_rows(items: Sequence[Item], recipe: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Clips of `split` train that are kept from training to choose and calibrate by: bool [n].

    Whole speakers, `sources.<name>.validation_speakers` of each source, drawn by a hash of seed and name, alternating
    between the genders where these are known.
    """
    chosen: set[tuple[str, str]] = set()
    for name, source in recipe["sources"].items():
        genders: dict[str, str] = {}
        for item in items:
            if item.source == name and item.split == "train" and item.subject:
                genders[item.subject] = str(item.extra.get("gender", ""))
        ranked = sorted(genders, key=lambda subject: _draw(recipe["seed"], name, subject))
        wanted = int(source.get("validation_speakers", 0))
        if wanted >= max(len(ranked), 1) and wanted:
            raise UsageError(f"source {name}: {wanted} validation speakers asked for, {len(ranked)} are at hand")
        chosen |= {(name, subject) for subject in _alternating(ranked, genders)[:wanted]}
    return np.asarray([item.split == "train" and (item.source, item.subject) in chosen for item in items], bool)


def _draw(seed: int, source: str, subject: str) -> str:
    return hashlib.sha256(f"{seed}/{source}/{subject}".encode()).hexdigest()


def _alternating(ranked: Sequence[str], genders: Mapping[str, str]) -> list[str]:
    queues: dict[str, list[str]] = {}
    for subject in ranked:
        queues.setdefault(genders[subject], []).append(subject)
    order: list[str] = []
    while any(queues.values()):
        order += [queue.pop(0) for _, queue in sorted(queues.items()) if queue]
    return order


def _classes(items: Sequence[Item], sources: Mapping[str, Any]) -> tuple[NDArray[np.int64], dict[str, tuple[str, ...]]]:
    corpora = {
        name: tuple(sorted({item.label for item in items if item.source == name}))
        for name, source in sources.items()
        if source["role"] in ("labels", "auxiliary")
    }
    index = {name: {label: i for i, label in enumerate(labels)} for name, labels in corpora.items()}
    numbers = [index.get(item.source, {}).get(item.label, -1) for item in items]
    return np.asarray(numbers, np.int64), corpora


def _add_teacher(
    items: Sequence[Item],
    recipe: Mapping[str, Any],
    data: Path,
    target: NDArray[np.float32],
    weight: NDArray[np.float32],
) -> None:
    """Raw head outputs of the teacher, 0..4, as soft targets of a small weight; heads not published stay silent."""
    rows = {item.key: row for row, item in enumerate(items) if recipe["sources"][item.source]["role"] == "teacher"}
    if not rows:
        return
    path = Path(data) / recipe["targets"]["teacher_scores"]
    try:
        file = path.open(newline="", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot read the teacher's scores ({error.strerror})") from error
    with file:
        for record in csv.DictReader(file):
            if record["value_kind"] != "raw" or record["path"] not in rows:
                continue
            row = rows[record["path"]]
            for name, value in record.items():
                if name not in ("path", "source", "value_kind") and value:
                    column = _COLUMN[emotion(name).key]
                    target[row, column] = min(max(float(value) / 4.0, 0.0), 1.0)
                    weight[row, column] = recipe["targets"]["teacher_weight"]
