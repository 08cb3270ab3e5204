"""Batches for training are what the shipped front end hears, changed, and every corpus has its share of them."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.models._card import AudioPreprocessing
from emonet.models._logmel import log_mel
from emonet.training._manifest import Item
from emonet.training._voice_data import (
    as_heard,
    balanced_rows,
    open_clips,
    own_length_batches,
    stretch,
    training_batches,
)

SPEC = AudioPreprocessing(front_end="waveform", window_s=30.0, min_s=0.5, peak=0.5)
RECIPE: dict[str, Any] = tomllib.loads(
    (Path(__file__).resolve().parents[2] / "recipes/embedded-voice.toml").read_text(encoding="utf-8")
)


def sound(seconds: float, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (0.1 * random.normal(size=round(16000 * seconds))).astype(np.float32)


@given(st.floats(0.01, 3.0), st.floats(1e-3, 1.0))
def test_training_and_run_time_see_the_same(seconds: float, gain: float) -> None:
    """What is scored while training is what the bundle's front end gives, for any length and level."""
    samples = (gain * sound(seconds)).astype(np.float32)
    np.testing.assert_array_equal(as_heard(samples, SPEC), log_mel(samples, SPEC))
    assert len(as_heard(samples, SPEC)) >= 8000


@given(st.integers(400, 50_000), st.sampled_from([8_000, 25_600, 41_600]), st.integers(0, 2**31))
def test_any_clip_becomes_a_stretch_of_the_wanted_length(samples: int, wanted: int, seed: int) -> None:
    changed = stretch(sound(samples / 16000), wanted, RECIPE["augmentation"], np.random.default_rng(seed))
    assert changed.shape == (wanted,)
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()


def test_small_corpora_are_heard_more_often() -> None:
    """With power 0 all corpora are equal, with 1 they are as they are, and no clip comes twice before all came once."""
    source = ["large"] * 90 + ["small"] * 10
    rows, random = np.arange(100), np.random.default_rng(0)
    assert sorted(balanced_rows(rows, source, 1.0, random)) == list(range(100))
    equal = balanced_rows(rows, source, 0.0, random)
    assert Counter(source[row] for row in equal) == {"large": 50, "small": 50}
    assert set(Counter(int(row) for row in equal if row >= 90).values()) == {5}
    assert len({int(row) for row in equal if row < 90}) == 50


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    listed = []
    for number, seconds in enumerate((0.3, 0.8, 0.8, 1.2)):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, sound(seconds, number), 16000, subtype="FLOAT")
        listed.append(Item(path, path.name, "s", "l", "x", (), "train", str(number), "en", seconds, {}))
    return listed


def test_cache_holds_every_clip_and_notices_change(items: list[Item], tmp_path: Path) -> None:
    """A second opening decodes nothing; another list is decoded anew."""
    said: list[str] = []
    clips = open_clips(items, SPEC, tmp_path / "out", report=said.append)
    assert [len(clips.wave(row)) for row in range(4)] == [4800, 12800, 12800, 19200]
    own = sound(0.8, 1)
    np.testing.assert_allclose(clips.wave(1), own / np.abs(own).max(), atol=1e-4)
    first = len(said)
    open_clips(items, SPEC, tmp_path / "out", report=said.append)
    assert len(said) == first
    open_clips(items[:3], SPEC, tmp_path / "out", report=said.append)
    assert len(said) > first


def test_batches_cover_each_clip_once(items: list[Item], tmp_path: Path) -> None:
    """Scoring sees each clip once at its own length; a training epoch is fixed by seed and number."""
    clips = open_clips(items, SPEC, tmp_path / "out", report=lambda _: None)
    rows, source = np.arange(4), ["s"] * 4
    parts = list(own_length_batches(clips, rows, SPEC))
    assert sorted(int(row) for part, _ in parts for row in part) == [0, 1, 2, 3]
    assert [samples.shape for _, samples in parts] == [(1, 8000), (2, 12800), (1, 19200)]
    recipe = RECIPE | {"training": {"batch": 2, "seconds": [0.5], "balance": 1.0}}
    one, again, other = (list(training_batches(clips, rows, source, recipe, epoch)) for epoch in (0, 0, 1))
    assert sorted(int(row) for part, _ in one for row in part) == [0, 1, 2, 3]
    assert all(samples.shape == (2, 8000) for _, samples in one)
    assert all((a[1] == b[1]).all() for a, b in zip(one, again, strict=True))
    assert any((a[1] != b[1]).any() for a, b in zip(one, other, strict=True))


def test_a_broken_clip_is_named(items: list[Item], tmp_path: Path) -> None:
    """A clip that cannot be decoded stops the run with its name."""
    items[2].path.write_bytes(b"not sound")
    with pytest.raises(UsageError, match=r"2\.wav"):
        open_clips(items, SPEC, tmp_path / "out", report=lambda _: None)
