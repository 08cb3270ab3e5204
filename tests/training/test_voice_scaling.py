"""Straight lines, neutral means and figures of the voice model."""

from __future__ import annotations

import numpy as np
import pytest

from emonet.training._voice_measurement import (
    Heard,
    calibration_metrics,
    confusion_metrics,
    emotion_auc,
    naming_metrics,
    positives,
)
from emonet.training._voice_scaling import balanced_weights, fit_scaling


def clips(n: int = 400, *, strength: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Logits [n, 2] that know the emotions to `strength`, truth [n, 2], corpora with very different base levels."""
    random = np.random.default_rng(seed)
    truth = np.zeros((n, 2), np.float32)
    truth[np.arange(n), random.integers(0, 2, n)] = 1
    corpus = ["a" if i % 2 else "b" for i in range(n)]
    logits = random.normal(size=(n, 2)) + strength * truth + np.asarray([[5.0 * (c == "a")] for c in corpus])
    return logits.astype(np.float32), truth, corpus


def heard(logits: np.ndarray, truth: np.ndarray, corpus: list[str]) -> Heard:
    n = len(logits)
    label = tuple("xy"[int(row[1])] for row in truth)
    speaker = tuple(str(i % 20) for i in range(n))
    return Heard(logits.astype(float), truth, tuple(corpus), label, speaker, ("",) * n, ("anger", "fear"))


def test_balanced_weights_halve_each_corpus() -> None:
    """In every corpus the clips for an emotion weigh as much as those against it; a one-sided corpus is silent."""
    present = np.asarray([1, 0, 0, 0, 1, np.nan, 0], np.float32)
    weights = balanced_weights(present, ["a", "a", "a", "a", "b", "b", "c"])
    assert weights.tolist() == [1, pytest.approx(1 / 3), pytest.approx(1 / 3), pytest.approx(1 / 3), 0, 0, 0]


def test_line_gives_expected_intensity() -> None:
    """A sure head reaches 0 and 3; a head that knows nothing is flat at the middle and cannot outrank it."""
    _, truth, corpus = clips()
    neutral = np.zeros(len(truth), bool)
    neutral[:40] = True
    sure = (10 * truth - 3).astype(np.float32)
    scaling = fit_scaling(sure, truth, 3 * truth, neutral, corpus, min_positives=20)
    np.testing.assert_allclose(scaling.raw(sure), 3 * truth, atol=1e-4)
    noise = np.random.default_rng(1).normal(size=truth.shape).astype(np.float32)
    flat = fit_scaling(noise, truth, 3 * truth, neutral, corpus, min_positives=20)
    assert np.nanmax(np.abs(flat.raw(noise) - 1.5), initial=0.0) < 0.8


def test_heads_hold_the_line() -> None:
    """The line folded into the last layer gives the same raw scores as the line applied to the logits."""
    random = np.random.default_rng(2)
    weight, bias = random.normal(size=(2, 5)).astype(np.float32), random.normal(size=2).astype(np.float32)
    _, truth, corpus = clips()
    embedding = np.hstack([truth, random.normal(size=(len(truth), 3))]).astype(np.float32)
    weight[:, :2] = 4 * np.eye(2)
    logits = embedding @ weight.T + bias
    scaling = fit_scaling(logits, truth, 3 * truth, np.ones(len(truth), bool), corpus, min_positives=20)
    heads = scaling.heads(weight, bias, [1], ("anger", "fear"))
    assert heads.dimensions == ("fear",)
    np.testing.assert_allclose(embedding @ heads.weights[0].T + heads.biases[0], scaling.raw(logits)[:, 1:], atol=1e-4)


def test_auc_is_taken_within_corpora() -> None:
    """A corpus's base level neither helps nor hurts: the figure is what the head knows within a corpus."""
    logits, truth, corpus = clips(2000)
    found = emotion_auc(heard(logits, truth, corpus), 0, seed=0, resamples=100)
    assert found.value == pytest.approx(0.921, abs=0.02)  # Phi(2 / sqrt 2)
    assert found.low < found.value < found.high
    assert positives(heard(logits, truth, corpus), 0) == (int(truth[:, 0].sum()), 20)
    assert np.isnan(emotion_auc(heard(logits, truth * 0, corpus), 0, seed=0, resamples=10).value)


def test_naming_has_a_stated_chance_rate() -> None:
    """Guessing between two emotions is right half of the time, and the note says so."""
    _, truth, corpus = clips(1000)
    noise = np.random.default_rng(5).normal(size=truth.shape)
    top, recall = naming_metrics(heard(noise, truth, corpus), [0, 1], "a", seed=0, resamples=200)
    assert top.note.endswith("0.500")
    assert top.low < 0.5 < top.high
    assert recall.low < 0.5 < recall.high


def test_calibration_error_is_small_on_like_data() -> None:
    """Probabilities fitted on some speakers hold for others of the same kind."""
    logits, truth, corpus = clips(3000)
    logits = logits - np.asarray([[5.0 * (c == "a")] for c in corpus], np.float32)
    scaling = fit_scaling(logits, truth, 3 * truth, np.ones(len(truth), bool), corpus, min_positives=30)
    other, also, names = clips(3000, seed=9)
    other = other - np.asarray([[5.0 * (c == "a")] for c in names], np.float32)
    found, *groups = calibration_metrics(heard(other, also, names), scaling.raw(other), scaling, [0, 1], seed=0)
    assert found.value < 0.05
    assert len(groups) >= 5
    for group in groups:
        assert group.name == "reliability"
        assert group.value == pytest.approx(float(group.note.split()[0]), abs=0.15)


def test_without_neutral_clips_the_middle_is_that_of_other_emotions() -> None:
    """Where no corpus has neutral clips, a clip of another emotion is what a score is relative to."""
    _, truth, corpus = clips()
    scaling = fit_scaling(10 * truth, truth, 3 * truth, np.zeros(len(truth), bool), corpus, min_positives=20)
    np.testing.assert_allclose(scaling.neutral, [0, 0], atol=1e-4)


def test_frequent_confusions_are_told() -> None:
    """A label whose clips mostly score higher for the other emotion is named with its share; a clear one is not."""
    _, truth, corpus = clips()
    scores = truth.copy()
    taken = np.flatnonzero(truth[:, 1] == 1)[::2]  # half of label "y" looks like anger
    scores[taken] = [1, 0]
    found = confusion_metrics(heard(scores, truth, corpus), [0, 1], seed=0, resamples=50)
    assert {metric.note for metric in found} == {"y taken for Anger"}
    assert all(0.3 < metric.low <= metric.value <= metric.high < 0.7 for metric in found)
