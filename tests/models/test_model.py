"""A loaded model: scores, their three readings, threads, and inputs it refuses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emonet.errors import BundleError, UnknownNameError, UsageError
from emonet.models import load_model, read_card, update_card
from emonet.models._model import Model
from emonet.taxonomy import EMOTIONS


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_scores_follow_the_cards_dimensions(
    small_bundle: Callable[..., Path], modality: str, pictures: Any, clips: Any
) -> None:
    """Three judged dimensions of 40; the others are NaN, never 0."""
    model = load_model(small_bundle(modality=modality))
    items = pictures if modality == "face" else clips
    raw = model.raw_scores(items)
    assert raw.dtype == np.float32
    assert raw.shape == (5, 40)
    judged = [d in ("anger", "fear", "awe") for d in model.dimensions]
    assert np.array_equal(~np.isnan(raw).any(0), judged)
    assert np.array_equal(~np.isnan(raw).all(0), judged)
    assert model.embed(items).shape == (5, 8)
    assert model.raw_scores([]).shape == (0, 40)
    assert model.embed([]).shape == (0, 8)
    assert "3 of 40 dimensions" in repr(model)


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_company_does_not_change_a_score(
    small_bundle: Callable[..., Path], modality: str, pictures: Any, clips: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item alone scores as in a batch, whatever the batch's size: nothing is padded to fit."""
    model = load_model(small_bundle(modality=modality))
    items = (pictures if modality == "face" else clips) * 8
    together = model.raw_scores(items)
    alone = np.concatenate([model.raw_scores([item]) for item in items])
    assert np.allclose(together, alone, atol=1e-5, equal_nan=True)
    monkeypatch.setattr("emonet.models._model._INPUT_BYTES", 1)
    assert np.allclose(together, model.raw_scores(items), atol=1e-5, equal_nan=True)


def test_one_model_serves_several_threads(small_bundle: Callable[..., Path], clips: Any) -> None:
    """Eight calls at once give what one call gives, in both runtimes."""
    for runtime in ("onnxruntime", "openvino"):
        model = load_model(small_bundle(modality="voice"), runtime=runtime, threads=1)  # type: ignore[arg-type]
        expected = model.raw_scores(clips)
        with ThreadPoolExecutor(4) as pool:
            for got in pool.map(lambda _: model.raw_scores(clips), range(8)):  # noqa: B023
                assert np.allclose(got, expected, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize(("precision", "bound"), [("fp32", 1e-4), ("bf16", 3e-2)])
def test_openvino_gives_onnxruntimes_scores(
    small_bundle: Callable[..., Path], pictures: Any, precision: Any, bound: float
) -> None:
    """Both runtimes read the same file; float32 agrees closely, bfloat16 loosely."""
    folder = small_bundle(modality="face")
    expected = load_model(folder).raw_scores(pictures)
    model = load_model(folder, runtime="openvino", precision=precision)
    assert model.session.name.startswith("openvino")
    assert np.nanmax(np.abs(model.raw_scores(pictures) - expected)) < bound * np.nanmax(np.abs(expected))


def test_stored_embeddings_are_scored_without_the_encoder(small_bundle: Callable[..., Path], pictures: Any) -> None:
    """What `embed` gave yesterday has the scores of its pictures."""
    model = load_model(small_bundle(modality="face"))
    assert np.allclose(model.score_embeddings(model.embed(pictures)), model.raw_scores(pictures), equal_nan=True)
    with pytest.raises(UsageError, match=r"expected \[n, "):
        model.score_embeddings(np.zeros((2, 3), np.float32))


def test_unknown_runtimes_and_foreign_graphs(small_bundle: Callable[..., Path]) -> None:
    """A misspelt runtime answers with the nearest; a graph without the promised output is refused."""
    folder = small_bundle()
    with pytest.raises(UnknownNameError, match="Did you mean 'openvino'"):
        load_model(folder, runtime="openvno")  # type: ignore[arg-type]
    with pytest.raises(BundleError, match="output named 'sequence'"):
        load_model(small_bundle(encoder={"output": "sequence", "size": 8}))


@pytest.mark.parametrize(
    ("modality", "item"),
    [
        ("face", np.zeros((4, 4), np.uint8)),
        ("face", np.zeros((4, 4, 3), np.float32)),
        ("face", np.zeros((0, 4, 3), np.uint8)),
        ("voice", np.zeros(100, np.int16)),
        ("voice", np.zeros((2, 100), np.float32)),
        ("voice", np.zeros(0, np.float32)),
        ("voice", np.full(1000, np.nan, np.float32)),
    ],
)
def test_wrong_items_say_what_is_expected(small_bundle: Callable[..., Path], modality: str, item: Any) -> None:
    """Shape, dtype and NaN are checked before anything is computed."""
    model = load_model(small_bundle(modality=modality))
    with pytest.raises(UsageError, match=r"Item 0: .*expected"):
        model.raw_scores([item])


@pytest.fixture(scope="module")
def bare_model(face_release: Any, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """All 44 face dimensions with the published neutral means."""
    from emonet.models import convert

    folder = tmp_path_factory.mktemp("bare") / "b"
    convert(face_release[0], face_release[1], folder)
    return load_model(folder)


@given(raw=arrays(np.float32, (3, 44), elements=st.floats(-20, 20, width=32)))
@settings(max_examples=40, deadline=None)
def test_relative_and_softmax_identities(bare_model: Model, raw: Any) -> None:
    """raw - relative is the published table; softmax is over the 40 emotions, sums to 1, and ignores attributes."""
    relative, softmax = bare_model.relative(raw), bare_model.softmax(raw)
    means = [bare_model.card.neutral_means[d] for d in bare_model.dimensions]
    assert np.allclose(raw - relative, means, atol=1e-5)
    power = np.exp(relative[:, :40].astype(np.float64))
    assert np.allclose(softmax[:, :40], power / power.sum(1, keepdims=True), atol=1e-6)
    assert np.allclose(softmax[:, :40].sum(1), 1, atol=1e-5)
    assert np.isnan(softmax[:, 40:]).all()
    assert bare_model.dimensions[:40] == tuple(emotion.key for emotion in EMOTIONS)


def test_the_published_softmax_example(bare_model: Model) -> None:
    """A face at the neutral means has no leading emotion: every softmax value is 1/40."""
    raw = np.array([[bare_model.card.neutral_means[d] for d in bare_model.dimensions]], np.float32)
    assert np.allclose(bare_model.relative(raw), 0)
    assert np.allclose(bare_model.softmax(raw)[:, :40], 1 / 40)


def test_softmax_of_nothing_is_nan(bare_model: Model) -> None:
    """A row without any score stays unknown and warns of nothing."""
    assert np.isnan(bare_model.softmax(np.full((2, 44), np.nan, np.float32))).all()


def test_relative_needs_a_mean_where_the_model_has_means(small_bundle: Callable[..., Path]) -> None:
    """With some neutral means, a dimension without one is unknown; with none at all raw scores are the reference."""
    model = load_model(small_bundle(neutral_means={"anger": 0.5}))
    raw = np.ones((1, 40), np.float32)
    anger = model.dimensions.index("anger")
    assert model.relative(raw)[0, anger] == 0.5
    assert np.isnan(np.delete(model.relative(raw), anger)).all()
    assert np.array_equal(load_model(small_bundle()).relative(raw), raw)


def test_calibration_is_monotone_and_flat_outside(small_bundle: Callable[..., Path]) -> None:
    """Piecewise linear through the card's points; NaN without a calibration or a score."""
    folder = small_bundle()
    fitted = {"x": (0.0, 1.0, 3.0), "y": (0.1, 0.5, 0.9), "data": "made up"}
    update_card(folder, calibration={"anger": fitted})
    model = load_model(folder)
    anger = model.dimensions.index("anger")
    raw = np.full((6, 40), 1.0, np.float32)
    raw[:, anger] = [-5, 0, 0.5, 2, 9, np.nan]
    calibrated = model.calibrated(raw)
    assert calibrated[:, anger] == pytest.approx([0.1, 0.1, 0.3, 0.7, 0.9, np.nan], nan_ok=True)
    assert np.isnan(np.delete(calibrated, anger, axis=1)).all()


def test_the_card_is_what_was_written(small_bundle: Callable[..., Path]) -> None:
    """A model carries its card unchanged."""
    folder = small_bundle()
    assert load_model(folder).card == read_card(folder)
