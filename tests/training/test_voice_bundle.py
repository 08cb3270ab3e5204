"""The voice model that ships inside the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emonet.media import read_audio
from emonet.models import Model, load_model
from emonet.statistics import auc_interval
from emonet.taxonomy import EMOTIONS
from emonet.training._card_pages import docs_pages
from emonet.training._manifest import Item, read_manifest
from emonet.training._voice_page import VOICE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("voice", threads=1)


def test_card_accounts_for_every_emotion(model: Model) -> None:
    """Each of the 40 is scored with evidence, a measured AUC above chance and a calibration, or NaN with a reason."""
    card = model.card
    assert set(card.dimensions) == {emotion.key for emotion in EMOTIONS}
    scored = set(card.dimensions) - set(card.missing)
    assert scored == set(card.evidence) == set(card.calibration) == set(card.neutral_means)
    figures = {metric.dimension: metric for metric in card.metrics if metric.name == "auc"}
    assert scored == set(figures)
    assert all(metric.low > 0.5 and metric.low <= metric.value <= metric.high for metric in figures.values())
    assert all(card.missing.values())
    assert "NC" in card.licence
    assert {data.name for data in card.training_data} >= {"EmoGator", "RAVDESS", "nEMO"}


@pytest.mark.parametrize("name", ["voice", "voice-open"])
def test_bundle_is_small(name: str) -> None:
    """The three files stay below 7 MB together."""
    folder = ROOT / "src/emonet/models/embedded" / name
    assert sum(path.stat().st_size for path in folder.iterdir()) < 7_000_000


def test_open_model_rests_on_open_sources_alone() -> None:
    """Every source's licence allows any use, and so does that of the weights."""
    card = load_model("voice-open", threads=1).card
    assert all(source.licence in ("MIT", "Apache-2.0", "CC-BY-4.0", "CC0-1.0") for source in card.training_data)
    assert card.licence.startswith("CC-BY-4.0")
    assert set(card.dimensions) - set(card.missing) == set(card.evidence)


def test_level_does_not_matter(model: Model) -> None:
    """The same sound twenty times quieter has the same scores; silence gives finite ones."""
    random = np.random.default_rng(0)
    sound = (0.5 * np.sin(np.cumsum(0.05 + 0.02 * random.normal(size=24000)))).astype(np.float32)
    loud, quiet, silent = model.raw_scores([sound, sound / 20, np.zeros(16000, np.float32)])
    np.testing.assert_allclose(loud, quiet, atol=1e-3)
    known = [key not in model.card.missing for key in model.card.dimensions]
    assert np.isfinite(silent[known]).all()
    assert np.isnan(silent[~np.asarray(known)]).all()


def test_pages_are_those_of_the_bundles() -> None:
    """The pages and figures under docs were written from the cards and not by hand."""
    embedded = ROOT / "src/emonet/models/embedded"
    for name, text in docs_pages(VOICE, embedded / "voice", embedded / "voice-open").items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, name


@pytest.mark.shared
def test_real_voices_beat_chance(model: Model, shared: Path) -> None:
    """Angry and happy sentences of actors that training never heard are told from the rest."""
    items = [item for item in read_manifest(shared / "data", "voice") if item.split == "test"]
    chosen = [item for item in items if item.source == "ravdess"][::4] + [
        item for item in items if item.source == "nemo" and item.label != "neutral"
    ][::8]
    raw = model.raw_scores([read_audio(item.path).samples for item in chosen])
    for key in ("anger", "elation"):
        scores = raw[:, model.card.dimensions.index(key)]
        for source in ("ravdess", "nemo"):
            rows = [i for i, item in enumerate(chosen) if item.source == source]
            present = [key in chosen[i].emotions for i in rows]
            assert auc_interval(scores[rows], present, seed=0, resamples=50).value > 0.6


@pytest.mark.shared
def test_card_figures_come_back(model: Model, shared: Path) -> None:
    """On the bursts of all test speakers the AUCs are those of the card."""
    items = [item for item in read_manifest(shared / "data", "voice") if item.split == "test"]
    bursts = [item for item in items if item.source == "emogator"]
    raw = model.raw_scores([read_audio(item.path).samples for item in bursts])
    card = {m.dimension: m for m in model.card.metrics if m.name == "auc" and m.data.startswith("emogator, test")}
    found = {}
    for key in card:
        present = [carries(item, key) for item in bursts]
        scores = raw[:, model.card.dimensions.index(key)]
        found[key] = auc_interval(scores, present, seed=0, resamples=20).value
    assert len(found) >= 10
    np.testing.assert_allclose(list(found.values()), [card[key].value for key in found], atol=0.01)


def carries(item: Item, key: str) -> bool:
    """Whether the clip counts for the emotion, with the two labels that the recipe adds."""
    also = {"Sympathy": "affection", "Adoration": "infatuation"}
    return key in item.emotions or also.get(item.label) == key
