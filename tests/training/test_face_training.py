"""The face recipe end to end on drawn faces, and the bundle that ships."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest

from emonet.errors import MissingExtraError
from emonet.models import load_model, read_card, resolve_model
from emonet.training import read_recipe
from emonet.training._card_pages import docs_pages
from emonet.training._face_page import FACE, face_page

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
from emonet.training._face_card import fit_correction  # noqa: E402
from emonet.training._face_data import Faces, copies  # noqa: E402
from emonet.training._face_figures import detected_crops, expected_shares  # noqa: E402
from emonet.training._face_tiers import check_tiers  # noqa: E402
from emonet.training._face_training import labelled, splits, train_face  # noqa: E402

_ROOT = Path(__file__).parents[2]
_RECIPE_FILE = _ROOT / "recipes" / "embedded-face.toml"
_OPEN_FILE = _ROOT / "recipes" / "embedded-face-open.toml"
_EMBEDDED = _ROOT / "src" / "emonet" / "models" / "embedded"
_CLASSES = ("neutral", "happiness", "surprise")


def _recipe(file: Path = _RECIPE_FILE) -> dict[str, Any]:
    """The shipped recipe, small enough for seconds: three expressions, narrow layers, ten epochs."""
    recipe = copy.deepcopy(read_recipe(file))
    recipe["network"] |= {"channels": [8, 16, 16, 24], "dropout": 0.0}
    recipe["training"] |= {"epochs": 10, "batch": 32, "mixup_share": 0.0, "average": 0.9}
    recipe["targets"]["classes"] = list(_CLASSES)
    recipe["targets"]["direct"] = {"happiness": "elation", "surprise": "astonishment_surprise"}
    recipe["targets"]["validation_share"] = 0.25
    recipe["support"]["intended"] = {"neutral": "Neutral", "happiness": "Happy", "surprise": "Surprised"}
    recipe["support"]["resamples"] = 50
    del recipe["tiers"]
    recipe["sources"].pop("muxspace" if "ferplus" in recipe["sources"] else "", None)
    return recipe


def _draw(expression: str, random: np.random.Generator) -> PIL.Image.Image:
    """A face of a few strokes: a flat, a smiling or a round mouth."""
    picture = PIL.Image.new("L", (48, 48), int(random.integers(90, 200)))
    pen = PIL.ImageDraw.Draw(picture)
    x, y = (int(v) for v in random.integers(-3, 4, 2))
    for eye in (14, 32):
        pen.ellipse((eye + x - 3, 15 + y, eye + x + 3, 20 + y), fill=20)
    if expression == "neutral":
        pen.line((15 + x, 36 + y, 33 + x, 36 + y), fill=10, width=3)
    elif expression == "happiness":
        pen.arc((12 + x, 22 + y, 36 + x, 42 + y), 20, 160, fill=10, width=3)
    else:
        pen.ellipse((18 + x, 28 + y, 30 + x, 44 + y), fill=10)
    return picture


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the real one: pictures, manifest and the teacher's table."""
    data, random = tmp_path_factory.mktemp("drawn"), np.random.default_rng(3)
    (data / "faces").mkdir()
    fields = ["path", "modality", "source", "licence", "label", "emonet40", "split", "subject", "language"]
    with (data / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*fields, "duration_s", "extra"])
        writer.writeheader()
        for number in range(360):
            name = _CLASSES[number % 3]
            _draw(name, random).save(data / "faces" / f"{number}.png")
            votes = {c: 8 if c == name else 1 for c in _CLASSES} | {"unknown": 0, "NF": 0}
            row = {"path": f"faces/{number}.png", "modality": "face", "source": "ferplus", "label": name}
            split = "test" if number % 6 > 4 or number % 7 == 0 else "train"
            writer.writerow(row | {"split": split, "extra": json.dumps({"votes": votes})})
        for number in range(150):  # one label each, from people who allow any use; few of them are surprised
            name = _CLASSES[number % 2] if number % 15 else "surprise"
            _draw(name, random).save(data / "faces" / f"open-{number}.png")
            row = {"path": f"faces/open-{number}.png", "modality": "face", "source": "muxspace", "label": name}
            writer.writerow(row | {"split": "test" if number % 5 == 0 else "train"})
    table = data / "reference" / "emonet_face_model_outputs_152_faces.csv"
    table.parent.mkdir()
    lines = ["image,intended,amusement,longing"]
    for name, level in (("Neutral", 0.0), ("Happy", 4.0), ("Surprised", 1.0)):
        lines += [f"{i}.jpg,{name},{level + random.normal(0, 0.2)},{random.normal(0, 0.2)}" for i in range(19)]
    table.write_text("\n".join(lines))
    return data


def test_learns_resumes_and_ships_what_it_measured(drawn: Path, tmp_path: Path) -> None:
    """Drawn expressions are learnt, a stopped run goes on to the same weights, and the card holds its own figures."""
    recipe, lines = _recipe(), []
    bundle = train_face(recipe, data=drawn, output=tmp_path / "whole", report=lines.append)
    assert sum("epoch" in line for line in lines) == 10
    card = read_card(bundle)
    accuracy = next(metric for metric in card.metrics if metric.name == "top1_accuracy")
    assert accuracy.low > 0.6
    names = {metric.name for metric in card.metrics}
    assert {"majority_accuracy", "calibration_error", "reliability", "damage_jpeg", "damage_cover"} <= names
    assert {"elation", "astonishment_surprise", "amusement"} <= set(card.evidence)
    assert "longing" in card.missing
    assert "## Direct emotions" in face_page(card)

    model = load_model(bundle)
    random = np.random.default_rng(9)
    crops = [np.asarray(_draw(name, random).convert("RGB")) for name in _CLASSES for _ in range(12)]
    means = model.raw_scores(crops).reshape(3, 12, -1).mean(axis=1)  # [expressions, 40]
    scores = dict(zip(model.card.dimensions, means.T, strict=True))
    assert scores["elation"].argmax() == 1
    assert scores["astonishment_surprise"].argmax() == 2
    assert np.isnan(scores["longing"]).all()

    class _StoppedError(Exception):
        pass

    def stop(line: str) -> None:
        if line.startswith("epoch 2/"):
            raise _StoppedError

    with pytest.raises(_StoppedError):
        train_face(recipe, data=drawn, output=tmp_path / "parts", report=stop)
    again = train_face(recipe, data=drawn, output=tmp_path / "parts", report=lines.append)
    assert any("resuming after epoch 2/10" in line for line in lines)
    np.testing.assert_allclose(load_model(again).raw_scores(crops), model.raw_scores(crops), atol=1e-5)


def test_the_open_recipe_learns_from_open_pictures_alone(drawn: Path, tmp_path: Path) -> None:
    """Pictures under [evaluation] are measured and never learnt from; an expression too rare to check is not scored."""
    recipe = _recipe(_OPEN_FILE)
    recipe["training"]["epochs"] = 4
    items, _ = labelled(recipe, drawn)
    assert {item.split for item in items if item.source == "ferplus"} == {"test"}
    card = read_card(train_face(recipe, data=drawn, output=tmp_path, report=lambda _: None))
    learnt = {source.name: source.items for source in card.training_data}
    assert learnt["muxspace facial expressions"] < 120
    assert "FER+ labels on FER-2013 pictures" not in learnt
    assert "few to know" in card.missing["astonishment_surprise"]
    assert "Apache-2.0" in card.licence
    assert card.source == "recipes/embedded-face-open.toml"
    assert any(m.name == "majority_accuracy" and "FER+" in m.data for m in card.metrics)
    assert "the labeller" in card.neutral_source


def test_a_tier_that_cannot_be_made_is_said_before_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipes ask for an 8-bit tier; without its package the run stops at once and names the extra."""
    monkeypatch.setattr("emonet.training._face_tiers.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"emonet\[quantize\]"):
        check_tiers(read_recipe(_RECIPE_FILE))
    check_tiers({})


def test_pages_are_those_of_the_shipped_cards() -> None:
    """docs/models-face*.md and their figures say what the bundles inside the package say."""
    for name, text in docs_pages(FACE, _EMBEDDED / "face", _EMBEDDED / "face-open").items():
        assert (_ROOT / "docs" / name).read_text(encoding="utf-8") == text, name


def test_splits_keep_people_apart(drawn: Path) -> None:
    """Validation comes from the training split only."""
    items, shares = labelled(_recipe(), drawn)
    validation, test = splits(items, _recipe())
    assert not (validation & test).any()
    assert 0.1 < validation.sum() / (~test).sum() < 0.4
    assert len(items) == len(shares)


def test_copies_of_held_out_pictures_are_left_out() -> None:
    """A training picture with the very pixels of a test picture is found, others are not."""
    pixels = np.random.default_rng(0).integers(0, 255, (6, 4, 4)).astype(np.uint8)
    pixels[4] = pixels[1]
    faces = Faces(pixels, np.ones(6, np.float32), np.ones(6, bool))
    train, test = np.arange(6) < 4, np.arange(6) >= 4
    assert copies(faces, train, test).tolist() == [False, True, False, False, False, False]


def test_correction_undoes_a_bias() -> None:
    """Logits that are too sharp and shifted come back to the shares that they stand for."""
    random = np.random.default_rng(0)
    true = random.normal(0, 1, (2000, 3))
    shares = np.exp(true) / np.exp(true).sum(1, keepdims=True)
    scale, bias = fit_correction((2 * true + [0, 1, -1]).astype(np.float32), shares.astype(np.float32))
    assert scale == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(bias - bias[0], [0, -0.5, 0.5], atol=0.05)


@pytest.mark.shared
def test_the_shipped_model_does_what_its_card_says(shared: Path) -> None:
    """On 200 real test pictures the embedded model is within the noise of its card, and far above chance."""
    recipe = read_recipe(_RECIPE_FILE)
    items, shares = labelled(recipe, shared / "data")
    rows = [i for i, item in enumerate(items) if item.split == "test" and item.source == "ferplus"][::17][:200]
    model = load_model(resolve_model("face"))
    crops, _ = detected_crops([items[i] for i in rows], model.card)
    expected = expected_shares(model, crops, shares.shape[1])
    accuracy = float((expected.argmax(1) == shares[rows].argmax(1)).mean())
    stated = next(m for m in model.card.metrics if m.name == "top1_accuracy" and "FER+" in m.data)
    assert accuracy == pytest.approx(stated.value, abs=0.09)
    assert accuracy > 0.5
