"""Timing the runtimes that are here: every open way once, in little time."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emonet.models import _trials as trials
from emonet.models import read_card
from emonet.models._remembered import name_of


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer over a few positions takes milliseconds."""
    monkeypatch.setattr(trials, "_POSITIONS", 16)


def test_every_open_way_is_timed(small_bundle: Callable[..., Path], tmp_path: Path) -> None:
    """A small model and the stand-in, each way with its speed, the model's with its distance from fp32."""
    folder = small_bundle()
    skipped: list[trials.Skipped] = []
    timings = trials._timed(trials._model_ways(folder, skipped, math.inf), end=0)
    timings += trials._timed(trials._layer_ways(tmp_path, skipped, math.inf), end=0)
    assert skipped == []
    own = [timing for timing in timings if timing.model == name_of(read_card(folder))]
    assert {timing.runtime for timing in own} >= {"onnxruntime", "openvino"}
    assert all(timing.per_second > 0 for timing in timings)
    assert all(timing.rank_correlation == pytest.approx(1) for timing in own if timing.precision == "fp32")
    assert max(timing.max_difference or 0 for timing in own if timing.precision == "fp32") < 1e-4
    layers = {(timing.runtime, timing.precision) for timing in timings if timing.kind == "transformer"}
    assert {("onnxruntime", "fp32"), ("onnxruntime", "int8"), ("openvino", "int8-weights")} <= layers
    assert not [timing for timing in timings if timing.kind == "transformer" and timing.rank_correlation is not None]


def test_without_time_only_the_plain_way_is_timed(small_bundle: Callable[..., Path]) -> None:
    """What was left out is said."""
    timings, skipped = trials.time_runtimes([small_bundle(modality="face")], seconds=1e-6)
    assert {(timing.kind, timing.runtime, timing.precision) for timing in timings} == {
        ("face", "onnxruntime", "fp32"),
        ("transformer", "onnxruntime", "fp32"),
    }
    assert any("--seconds" in one.reason for one in skipped)


def test_precisions_of_the_layer_compute_the_same_network(tmp_path: Path) -> None:
    """The stand-in of fp32 under both runtimes agrees, so that both are timed on the same work."""
    from emonet.models._session import open_session

    x = np.random.default_rng(1).standard_normal((1, 16, 768), np.float32)
    graph = trials._layer(tmp_path, "fp32")
    ours, theirs = (
        open_session(graph, output="sequence", runtime=runtime, precision="fp32")(x)
        for runtime in ("onnxruntime", "openvino")
    )
    assert np.abs(ours - theirs).max() < 1e-4 * np.abs(ours).max()
    assert np.abs(ours - x).max() > 0.1


def test_scores_are_compared_by_dimension() -> None:
    """One reordered dimension is what counts; dimensions without a head do not."""
    nan = np.full(4, np.nan)
    expected = np.stack([[1, 2, 3, 4], [1, 2, 3, 4], nan], axis=1).astype(np.float32)
    found = np.stack([[1, 2, 3, 4.5], [4, 3, 2, 1], nan], axis=1).astype(np.float32)
    order, difference = trials.compare_scores(expected, found)
    assert order == pytest.approx(-1)
    assert difference == 3
    assert not math.isnan(order)
