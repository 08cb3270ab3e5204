"""Leaving a corpus of faces out, with made answers and made pictures."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `torch` is not installed")
pytest.importorskip("skimage", reason="scikit-image (extra `demo`) is not installed")
from benchmarks.cross_corpus_faces import LEAST, NETWORK, hog, pixels, recalls, shared_expressions


def test_an_expression_counts_when_both_corpora_have_enough_of_it() -> None:
    """One too rare in either corpus is left out, as are pictures without a majority label (-1)."""
    first = [0] * LEAST + [1] * LEAST + [2] * LEAST + [-1] * 500
    second = [0] * LEAST + [1] * (LEAST - 1) + [3] * LEAST
    source = np.asarray(["a"] * len(first) + ["b"] * len(second))
    assert shared_expressions(np.asarray(first + second), source, 4) == [0]


def test_recall_is_averaged_over_expressions_and_the_difference_is_paired() -> None:
    """A system right on every second face of each expression is at 0.5, and the network, always right, 0.5 above."""
    actual = np.asarray([0] * 300 + [1] * 60)
    half = np.where(np.arange(360) % 2 == 0, actual, 1 - actual)
    found = recalls(actual, {NETWORK: actual, "half": half}, [str(i) for i in range(360)])
    own, ahead = found["half"]
    assert own.value == pytest.approx(0.5)
    assert own.low < 0.5 < own.high
    assert ahead.value == pytest.approx(0.5)
    assert ahead.low == pytest.approx(1 - own.high)
    assert found[NETWORK][1].value == 0


def test_features_do_not_depend_on_exposure() -> None:
    """Both baselines' features of a picture at half the contrast are those of the picture."""
    picture = np.random.default_rng(0).random((1, 48, 48)).astype(np.float32)
    for features, size in ((hog, 900), (pixels, 576)):
        one, other = features(picture), features(picture * 0.5 + 0.2)
        assert one.shape == (1, size)
        np.testing.assert_allclose(one, other, rtol=0.02, atol=0.02)
