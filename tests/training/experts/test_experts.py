"""Expert heads on a frozen encoder: they learn, stop each at its own best, and resume to the same weights."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from emonet.errors import UsageError
from emonet.models import load_model, read_card
from emonet.models._checkpoints import find_heads
from emonet.training.experts import Options, Stage, train_experts
from made_rated_pictures import PRESENT, WEAK, grey_pictures, labelled

SMALL = Options(hidden=(32, 16), dropout=0.0, weight_decay=0.0, shares=(0.2, 0.2, 0.2))


def stages(weak: int = 8, **changes: object) -> list[Stage]:
    """Weak graded labels for `weak` epochs, then people who say absent or present."""
    fine = {"losses": {"presence": 1.0, "rank": 0.5}, "epochs": 20, "learning_rate": 3e-3, "batch": 64, **changes}
    return [
        Stage("weak", (labelled("weak", WEAK),), {"mae": 1.0}, epochs=weak, learning_rate=1e-2, batch=32, patience=60),
        Stage("human", (labelled("human", PRESENT, count=300, seed=5, levels=(0.0, 1.0)),), **fine),  # type: ignore[arg-type]
    ]


def test_heads_learn_what_raters_see(face_bundle: Path, tmp_path: Path) -> None:
    """Graded weak labels first, then absent and present: order and probability fit items that nobody learnt from."""
    card = train_experts(face_bundle, stages(weak=60), tmp_path, options=SMALL, name="test/experts")
    assert card.dimensions == ("amusement", "anger")
    aucs = {metric.dimension: metric for metric in card.metrics if metric.name == "auc"}
    assert aucs["amusement"].value > 0.93
    model = load_model(tmp_path / "bundle")
    files, shades, _ = grey_pictures(60, seed=9)
    pictures = [np.asarray(PIL.Image.open(io.BytesIO(file))) for file in files.values()]
    raw = model.raw_scores(pictures)
    assert np.corrcoef(raw[:, 0], shades)[0, 1] > 0.9
    chance = model.calibrated(raw)[:, 0]
    assert chance[shades > 0.45].mean() > 0.8
    assert chance[shades < 0.25].mean() < 0.2
    assert set(card.neutral_means) == {"amusement", "anger"}
    page = (tmp_path / "card.md").read_text(encoding="utf-8")
    assert all(f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]" in page for metric in card.metrics)
    assert all(source.licence in page for source in card.training_data)


def test_the_official_layout_holds_the_same_heads(face_bundle: Path, tmp_path: Path) -> None:
    """`official/` is what LAION's releases look like; its heads are the bundle's."""
    train_experts(face_bundle, stages(), tmp_path, options=SMALL)
    heads = find_heads(tmp_path / "official", "face")
    assert [head.path.name for head in heads] == ["model_amusement_best.pth", "model_anger_best.pth"]
    x = np.array([[0.3, 0.8], [0.5, 0.7]], np.float32)
    expected = load_model(tmp_path / "bundle").score_embeddings(x)
    for column, head in enumerate(heads):
        hidden = x
        for number, (weight, bias) in enumerate(head.read()):
            hidden = np.maximum(hidden, 0) if number else hidden
            hidden = hidden @ weight.T + bias
        np.testing.assert_allclose(hidden[:, 0], expected[:, column], rtol=1e-5, atol=1e-5)


def test_an_interrupted_training_comes_to_the_same_weights(face_bundle: Path, tmp_path: Path) -> None:
    """Stopped twice in the middle, dropout and all."""
    options = Options(hidden=(32, 16), dropout=0.2, shares=(0.2, 0.2, 0.2))
    train_experts(face_bundle, stages(), tmp_path / "whole", options=options)
    for stop in ("weak: epoch 7", "human: epoch 3"):

        def interrupt(text: str, stop: str = stop) -> None:
            if text.startswith(stop):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train_experts(face_bundle, stages(), tmp_path / "broken", options=options, progress=interrupt)
    train_experts(face_bundle, stages(), tmp_path / "broken", options=options)
    for name in ("model_amusement_best.pth", "model_anger_best.pth"):
        whole, broken = (torch.load(tmp_path / folder / "official" / name) for folder in ("whole", "broken"))
        assert all(torch.equal(whole[key], broken[key]) for key in whole)


def test_a_head_without_labels_in_a_stage_keeps_its_weights(face_bundle: Path, tmp_path: Path) -> None:
    """The second stage says nothing on anger: its head is the first stage's best."""
    train_experts(face_bundle, stages()[:1], tmp_path / "one", options=SMALL)
    train_experts(face_bundle, stages(), tmp_path / "two", options=SMALL)
    one, two = (torch.load(tmp_path / folder / "official/model_anger_best.pth") for folder in ("one", "two"))
    assert all(torch.equal(one[key], two[key]) for key in one)
    course = json.loads((tmp_path / "two" / "history.json").read_text())
    assert course[1]["best_epoch"]["anger"] == -1
    assert course[1]["best_epoch"]["amusement"] >= 0


def test_heads_do_not_depend_on_one_another(face_bundle: Path, tmp_path: Path) -> None:
    """Trained one by one or all at once, a head is the same up to rounding."""
    together = train_experts(face_bundle, stages(), tmp_path / "all", options=SMALL)
    single = Options(hidden=(32, 16), dropout=0.0, weight_decay=0.0, shares=(0.2, 0.2, 0.2), at_once=1)
    train_experts(face_bundle, stages(), tmp_path / "one", options=single)
    x = np.random.default_rng(0).uniform(0, 1, (50, 2)).astype(np.float32)
    scores = [load_model(tmp_path / folder / "bundle").score_embeddings(x) for folder in ("all", "one")]
    np.testing.assert_allclose(scores[0], scores[1], atol=0.05)
    assert together.recipe["stages"] == "weak, human"


def test_raters_can_be_held_out(face_bundle: Path, tmp_path: Path) -> None:
    """Validation by other raters on the same items."""
    card = train_experts(face_bundle, stages(weak=60, hold_out="raters", criterion="rank"), tmp_path, options=SMALL)
    assert next(metric.value for metric in card.metrics if metric.dimension == "amusement") > 0.95


def test_features_are_computed_once(face_bundle: Path, tmp_path: Path) -> None:
    """A second run reads them; items that cannot be decoded are left out, not learnt as nothing."""
    one = labelled("weak", WEAK)
    looked: list[str] = []

    def read(item: str) -> bytes:
        looked.append(item)
        return b"no picture" if item == "003.png" else grey_pictures(200, 0)[0][item]

    from dataclasses import replace

    damaged = replace(one, read_media=read)
    stage = Stage("weak", (damaged,), epochs=2, learning_rate=1e-2)
    train_experts(face_bundle, [stage], tmp_path, options=SMALL)
    assert len(looked) == 200
    train_experts(face_bundle, [stage], tmp_path, options=SMALL)
    assert len(looked) == 200
    kept = json.loads((tmp_path / "features" / "weak" / "features.json").read_text())
    assert list(kept["missing"]) == ["003.png"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"losses": {"hinge": 1.0}}, "hinge"),
        ({"epochs": 0}, "epochs 0"),
        ({"losses": {}}, "at least one set and one loss"),
    ],
)
def test_what_a_stage_may_not_be(change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        stages(**change)


def test_another_modality_is_refused(face_bundle: Path, voice_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="modality face"):
        train_experts(voice_bundle, stages(), tmp_path, options=SMALL)
    assert read_card(face_bundle).modality == "face"
