"""What a labelled clip teaches about the 40 emotions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emonet.errors import UsageError
from emonet.training._manifest import Item
from emonet.training._voice_targets import KEYS, make_targets, validation_rows

RECIPE: dict[str, Any] = {
    "seed": 3,
    "targets": {
        "neutral": ["neutral"],
        "neutral_weight": 0.1,
        "smoothing": 0.05,
        "grade": 3.0,
        "grades": {"normal": 2.0},
        "teacher_scores": "scores.csv",
        "teacher_weight": 0.2,
    },
    "sources": {
        "a": {"role": "labels", "validation_speakers": 2, "also": {"Sympathy": ["Affection"]}},
        "b": {"role": "labels"},
        "t": {"role": "teacher"},
        "x": {"role": "auxiliary"},
    },
}


def item(source: str, label: str, *emotions: str, subject: str = "1", split: Any = "train", **extra: Any) -> Item:
    key = f"{source}/{label}/{subject}"
    return Item(Path(key), key, source, "l", label, emotions, split, subject, "en", 1.0, extra)


ITEMS = [
    item("a", "angry", "anger", intensity="normal"),
    item("a", "Sympathy"),
    item("a", "Neutral"),
    item("b", "sad", "sadness"),
    item("t", "Anger", "anger"),
    item("x", "Cough"),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "scores.csv").write_text("path,source,value_kind,Anger,Fear\nt/Anger/1,t,raw,5,\nt/Anger/1,t,z,1,1\n")
    return tmp_path


def test_unnamed_emotions_stay_unknown(data: Path) -> None:
    """A corpus is evidence only about the emotions its labels could have named."""
    targets = make_targets(ITEMS, RECIPE, data)
    known = {KEYS[column] for column in np.flatnonzero(np.isfinite(targets.present[0]))}
    assert known == {"anger", "affection"}
    assert targets.present[0, KEYS.index("anger")] == 1
    assert targets.present[0, KEYS.index("affection")] == 0
    assert targets.intensity[0, KEYS.index("anger")] == 2
    assert targets.present[1, KEYS.index("affection")] == 1
    assert targets.weight[3, KEYS.index("anger")] == 0


def test_neutral_speaks_softly_about_the_rest(data: Path) -> None:
    """A neutral clip is against its corpus's emotions, and a little against all others."""
    targets = make_targets(ITEMS, RECIPE, data)
    assert targets.neutral.tolist() == [False, False, True, False, False, False]
    assert targets.weight[2, KEYS.index("anger")] == 1
    assert targets.weight[2, KEYS.index("awe")] == np.float32(0.1)
    assert np.isnan(targets.present[2, KEYS.index("awe")])


def test_teacher_scores_are_soft_targets(data: Path) -> None:
    """Published raw scores count with a small weight, clipped to the scale; they are no labels, and z is not read."""
    targets = make_targets(ITEMS, RECIPE, data)
    assert targets.target[4, KEYS.index("anger")] == 1
    assert targets.weight[4].sum() == pytest.approx(0.2)
    assert np.isnan(targets.present[4]).all()
    assert targets.classes.tolist() == [2, 1, 0, 0, -1, 0]
    assert targets.auxiliary == {"x"}


def test_validation_speakers_are_whole_and_fixed() -> None:
    """Validation takes whole training speakers, the same for a seed, of both genders in turn."""
    items = [item("a", "angry", subject=str(s), gender="f" if s % 2 else "m") for s in range(10) for _ in range(3)]
    items += [item("a", "angry", subject="99", split="test")]
    rows = validation_rows(items, RECIPE)
    chosen = {one.subject for one, row in zip(items, rows, strict=True) if row}
    assert len(chosen) == 2
    assert rows.sum() == 6
    assert {int(s) % 2 for s in chosen} == {0, 1}
    assert (validation_rows(items, RECIPE) == rows).all()
    assert any((validation_rows(items, RECIPE | {"seed": s}) != rows).any() for s in range(5))


def test_too_many_validation_speakers_are_refused() -> None:
    """A corpus must keep speakers to train on."""
    with pytest.raises(UsageError, match="validation speakers"):
        validation_rows([item("a", "angry", subject="1")], RECIPE)
