"""Graded scores against a corpus's few classes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from emonet.benchmark._transfer import TransferMap, evaluate_transfer, transfer_map, transfer_maps
from emonet.benchmark._transfer_files import read_transfer
from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import EMOTIONS


def _made(map: TransferMap, n: int = 80, strength: float = 3.0) -> tuple[np.ndarray, list[str]]:
    """Scores where every item's class lifts its emotions."""
    generator = np.random.default_rng(0)
    truth = generator.integers(0, len(map.classes), n)
    scores = generator.normal(0, 1, (n, len(map.emotions))) + strength * map.members.T[truth]
    return scores, [map.classes[k] for k in truth]


@pytest.mark.parametrize("name", transfer_maps())
def test_maps_hold_each_emotion_once(name: str) -> None:
    """Every mapped emotion counts as exactly one class; the face maps use all 40."""
    map = transfer_map(name)
    assert (map.members.sum(axis=1) == 1).all()
    assert map.members.any(axis=0).all()
    expected = {"ferd": 40, "affectnet": 40, "ravdess": 39, "emodb": 37}
    assert len(map.emotions) == expected[name]
    assert len(map.classes) == (7 if name == "emodb" else 8)


def test_good_scores_transfer_and_shuffled_labels_do_not() -> None:
    """Strict figures are high, the null is far below, and p is as small as the shuffles allow."""
    map = transfer_map("ferd")
    result = evaluate_transfer(*_made(map), map, resamples=200, shuffles=500)
    assert result.figures["summed"].value > 0.9
    assert result.figures["lenient"].low > result.null.high
    assert result.null_p == pytest.approx(1 / 501)
    assert result.classes["n"].sum() == result.n == 80
    for value in result.figures.values():
        assert value.low <= value.value <= value.high


def test_noise_is_accepted_often_and_right_seldom() -> None:
    """On noise the lenient rule accepts several classes and looks far better than the strict ones; the null tells."""
    map = transfer_map("ferd")
    result = evaluate_transfer(*_made(map, 300, strength=0.0), map, resamples=200, shuffles=200)
    assert result.figures["lenient"].value > 0.6
    assert result.figures["summed"].value < 0.25
    assert result.figures["accepted"].value > 4
    assert result.null_p > 0.01


def test_absent_emotions_and_foreign_labels_are_noted() -> None:
    """Columns of NaN take no part; items of other classes are counted and left out."""
    map = transfer_map("ferd")
    scores, labels = _made(map)
    scores[:, :3] = np.nan
    labels[:5] = ["bored"] * 5
    result = evaluate_transfer(scores, labels, map, resamples=100, shuffles=100)
    assert result.n == 75
    assert "5 items" in result.notes[0]
    assert "3 of 40" in result.notes[1]


def test_wrong_input_is_named() -> None:
    """Other shapes, holes, no known label, an unknown map."""
    map = transfer_map("ferd")
    scores, labels = _made(map)
    with pytest.raises(UsageError, match="shape"):
        evaluate_transfer(scores[:, :5], labels, map)
    with pytest.raises(UnknownNameError, match="'happy'"):
        evaluate_transfer(scores, ["hapy"] * len(labels), map)
    holes = scores.copy()
    holes[3, 7] = np.nan
    with pytest.raises(UsageError, match="missing for others"):
        evaluate_transfer(holes, labels, map)
    with pytest.raises(UsageError, match="No score"):
        evaluate_transfer(np.full(scores.shape, np.nan), labels, map)
    with pytest.raises(UnknownNameError, match="'ferd'"):
        transfer_map("fred")


def test_three_layouts_read_alike(tmp_path: Path) -> None:
    """A table, an estimate's output and LAION's JSON lines give the same scores and labels."""
    map = transfer_map("ferd")
    scores, labels = _made(map, 6)
    named = {key: scores[:, k] for k, key in enumerate(map.emotions)}
    pl.DataFrame({"image": [f"{k}.jpg" for k in range(6)], "label": labels, **named}).write_csv(tmp_path / "a.csv")
    rows = pl.DataFrame({"source": [f"{k}_{label}.jpg" for k, label in enumerate(labels)], **named})
    rows = rows.with_columns(status=pl.lit("ok"), scale=pl.lit("relative"))
    failed = rows.head(1).with_columns(status=pl.lit("no_face"))
    pl.concat([rows, failed]).write_parquet(tmp_path / "b.parquet")
    heads = {emotion.key: emotion.aliases["face_checkpoint"] for emotion in EMOTIONS}
    with (tmp_path / "c.jsonl").open("w") as file:
        for k, label in enumerate(labels):
            results = {
                heads[key]: {"raw": 0.0, "mean_subtracted": float(v[k]), "softmax": 0} for key, v in named.items()
            }
            file.write(json.dumps({"image_path": f"/x/{k:04d}_{label}.jpg", "results": results}) + "\n")
    table = read_transfer(tmp_path / "a.csv", map, values="relative")
    for name in ("b.parquet", "c.jsonl"):
        other = read_transfer(tmp_path / name, map)
        assert np.allclose(other.scores, table.scores)
        assert other.labels == table.labels
    assert "1 rows" in read_transfer(tmp_path / "b.parquet", map).notes[0]


def test_raw_face_scores_lose_their_neutral_means(tmp_path: Path) -> None:
    """The published means are taken off, and the notes say so; voices have none."""
    pl.DataFrame({"label": ["happy"], "concentration": [4.0734057]}).write_csv(tmp_path / "face.csv")
    data = read_transfer(tmp_path / "face.csv", transfer_map("ferd"))
    column = transfer_map("ferd").emotions.index("concentration")
    assert data.scores[0, column] == pytest.approx(0.0, abs=1e-6)
    assert "neutral means" in data.notes[0]
    voice = read_transfer(tmp_path / "face.csv", transfer_map("ravdess"))
    assert voice.scores[0, transfer_map("ravdess").emotions.index("concentration")] == 4.0734057


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "x", "expected .csv"),
        ("a.csv", "label,score\nhappy,1\n", "named after an emotion"),
        ("a.csv", "anger\n1\n", "no column of labels"),
        ("a.csv", "label,anger,scale\nhappy,1,softmax\n", "softmax"),
        ("a.jsonl", "{", "cannot be read"),
    ],
)
def test_files_without_scores_or_labels_are_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    """The message says what is missing."""
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match=said):
        read_transfer(tmp_path / name, transfer_map("ferd"))


def test_columns_that_are_asked_for_must_exist(tmp_path: Path) -> None:
    """A misspelt label or person column gets the nearest one."""
    (tmp_path / "a.csv").write_text("intended,person,anger\nhappy,p1,1\n")
    with pytest.raises(UnknownNameError, match="'intended'"):
        read_transfer(tmp_path / "a.csv", transfer_map("ferd"), label="intend")
    with pytest.raises(UnknownNameError, match="'person'"):
        read_transfer(tmp_path / "a.csv", transfer_map("ferd"), cluster="persons")
    assert read_transfer(tmp_path / "a.csv", transfer_map("ferd"), cluster="person").clusters == ("p1",)


@pytest.mark.shared
def test_published_figures_are_reproduced(shared: Path) -> None:
    """LAION's 152 faces: 119 by the lenient rule, 0.3026 by the strict one, and the null that explains the gap."""
    file = shared / "data" / "reference" / "emonet_face_model_outputs_152_faces.csv"
    map = transfer_map("ferd")
    data = read_transfer(file, map)
    result = evaluate_transfer(data.scores, data.labels, map, resamples=200)
    assert result.n == 152
    assert result.figures["lenient"].value == pytest.approx(119 / 152)
    counts = dict(result.classes.select("class", "lenient").iter_rows())
    order = ("anger", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    assert [counts[name] for name in order] == [14, 6, 15, 19, 19, 16, 15, 15]
    assert result.figures["top1"].value == pytest.approx(0.3026, abs=5e-5)
    assert result.figures["summed"].value == pytest.approx(0.3553, abs=5e-5)
    assert result.figures["accepted"].value == pytest.approx(3.54, abs=5e-3)
    assert tuple(result.null) == pytest.approx((0.442, 0.375, 0.507), abs=0.01)
    other = transfer_map("affectnet")
    data = read_transfer(file, other)
    lenient = evaluate_transfer(data.scores, data.labels, other, resamples=100).figures["lenient"]
    assert lenient.value == pytest.approx(0.7237, abs=5e-5)
