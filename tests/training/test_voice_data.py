"""Spectrograms for training are those of the shipped front end, and augmentation keeps them usable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.models._card import AudioPreprocessing
from emonet.models._logmel import log_mel
from emonet.training._manifest import Item
from emonet.training._voice_augmentation import augmented, fitted, standardise
from emonet.training._voice_data import log_power, open_clips, own_length_batches, training_batches

SPEC = AudioPreprocessing(front_end="log-mel", n_mels=64, window_s=30.0, min_s=0.5, peak=0.5)
AUGMENTATION: dict[str, Any] = {
    "stretch": 1.25,
    "shift_mels": 3.0,
    "reverb": 0.5,
    "noise": 0.5,
    "noise_db": [0.0, 30.0],
    "band_limit": 0.5,
    "masks": 2,
    "mask_mels": 10,
    "mask_time": 0.15,
}


def sound(seconds: float, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (0.1 * random.normal(size=round(16000 * seconds))).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 3.0), st.floats(1e-3, 1.0))
def test_training_and_run_time_see_the_same(seconds: float, gain: float) -> None:
    """The cached spectrogram, standardised, is what the bundle's front end gives, for any length and level."""
    samples = (gain * sound(seconds)).astype(np.float32)
    np.testing.assert_allclose(standardise(log_power(samples, SPEC)), log_mel(samples, SPEC), atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.integers(16, 400), st.sampled_from([48, 128, 300]), st.integers(0, 2**31))
def test_augmentation_keeps_shape_and_sense(frames: int, wanted: int, seed: int) -> None:
    """Any clip becomes the wanted number of finite frames, of a standardised size."""
    random = np.random.default_rng(seed)
    log = log_power(sound(frames / 100 + 0.02), SPEC)
    changed = augmented(log, wanted, AUGMENTATION, random)
    assert changed.shape == (64, wanted)
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()
    assert np.abs(changed).max() < 50


def test_a_short_clip_is_repeated() -> None:
    """Cutting and repeating use the clip's own frames, in order."""
    log = np.arange(5, dtype=np.float32)[None].repeat(2, 0)
    long = fitted(log, 12, np.random.default_rng(0))[0]
    assert ((np.diff(long) == 1) | (np.diff(long) == -4)).all()
    assert fitted(log, 3, np.random.default_rng(0)).shape == (2, 3)


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    listed = []
    for number, seconds in enumerate((0.3, 0.8, 0.8, 1.2)):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, sound(seconds, number), 16000, subtype="FLOAT")
        listed.append(Item(path, path.name, "s", "l", "x", (), "train", str(number), "en", seconds, {}))
    return listed


def test_cache_holds_every_clip_and_notices_change(items: list[Item], tmp_path: Path) -> None:
    """A second opening decodes nothing; another list or another front end is decoded anew."""
    said: list[str] = []
    clips = open_clips(items, SPEC, tmp_path / "out", report=said.append)
    assert [clips.frames(row) for row in range(4)] == [50, 80, 80, 120]
    np.testing.assert_allclose(clips.log(1), log_power(sound(0.8, 1), SPEC), atol=0.02)
    first = len(said)
    open_clips(items, SPEC, tmp_path / "out", report=said.append)
    assert len(said) == first
    open_clips(items[:3], SPEC, tmp_path / "out", report=said.append)
    assert len(said) > first


def test_batches_cover_each_clip_once(items: list[Item], tmp_path: Path) -> None:
    """Scoring sees each clip once at its own length; a training epoch is fixed by seed and number."""
    clips = open_clips(items, SPEC, tmp_path / "out", report=lambda _: None)
    rows = np.arange(4)
    parts = list(own_length_batches(clips, rows))
    assert sorted(int(row) for part, _ in parts for row in part) == [0, 1, 2, 3]
    assert [mel.shape for _, mel in parts] == [(1, 64, 50), (2, 64, 80), (1, 64, 120)]
    recipe = {"seed": 1, "training": {"batch": 2, "frames": [64]}, "augmentation": AUGMENTATION}
    one, again, other = (list(training_batches(clips, rows, recipe, epoch)) for epoch in (0, 0, 1))
    assert sorted(int(row) for part, _ in one for row in part) == [0, 1, 2, 3]
    assert all((a[1] == b[1]).all() for a, b in zip(one, again, strict=True))
    assert any((a[1] != b[1]).any() for a, b in zip(one, other, strict=True))


def test_a_broken_clip_is_named(items: list[Item], tmp_path: Path) -> None:
    """A clip that cannot be decoded stops the run with its name."""
    items[2].path.write_bytes(b"not sound")
    with pytest.raises(UsageError, match=r"2\.wav"):
        open_clips(items, SPEC, tmp_path / "out", report=lambda _: None)
