"""What the encoders see equals what transformers' own processors give them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
import transformers
from PIL import Image

from emonet.models import AudioPreprocessing, ImagePreprocessing, log_mel, network_input

WHISPER = AudioPreprocessing(front_end="whisper", n_mels=80, window_s=30.0)


def difference(samples: Any) -> float:
    extractor = transformers.WhisperFeatureExtractor()
    theirs = extractor(samples, sampling_rate=16_000, return_tensors="np")["input_features"][0]
    return float(np.abs(log_mel(samples, WHISPER) - theirs).max())


@pytest.mark.parametrize(
    "length", [1, 150, 199, 200, 201, 400, 16_000, 123_457, 479_700, 479_801, 479_999, 480_000, 480_001, 600_000]
)
def test_log_mel_equals_whispers_extractor_at_any_length(length: int) -> None:
    """From one sample to more than the window: at most 1e-3 apart."""
    t = np.arange(length) / 16_000
    chirp = 0.3 * np.sin(2 * np.pi * (200 + 300 * t) * t)
    noise = np.random.default_rng(length).normal(0, 0.02, length)
    assert difference((chirp + noise).astype(np.float32)) < 1e-3


def test_log_mel_of_silence() -> None:
    """Digital silence sits at the floor everywhere."""
    assert difference(np.zeros(16_000, np.float32)) < 1e-6


@pytest.mark.shared
def test_log_mel_equals_whispers_extractor_on_recordings(shared: Path) -> None:
    """Real voices: at most 1e-3 apart."""
    with (shared / "data" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    paths = [shared / "data" / row["path"] for row in rows if row["modality"] == "voice"]
    assert paths
    for path in paths[:: max(1, len(paths) // 8)]:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        assert difference(soxr.resample(samples.mean(axis=1), rate, 16_000).astype(np.float32)) < 1e-3, path.name


@pytest.mark.parametrize("resample", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("shape", [(500, 333), (384, 384), (64, 900), (1, 1)])
def test_pictures_equal_siglips_processor(resample: Any, shape: tuple[int, int]) -> None:
    """Resizing up, down and not at all: the same numbers as transformers' processor on Pillow."""
    pixels = np.random.default_rng(3).integers(0, 256, (*shape, 3)).astype(np.uint8)
    spec = ImagePreprocessing(height=384, width=384, resample=resample, mean=(0.5,) * 3, std=(0.5,) * 3)
    processor = transformers.SiglipImageProcessorPil(
        size={"height": 384, "width": 384},
        resample=Image.Resampling[resample.upper()],
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )
    theirs = processor(Image.fromarray(pixels), return_tensors="np")["pixel_values"][0]
    assert np.abs(network_input(pixels, spec) - theirs).max() < 1e-6


@pytest.mark.parametrize(("length", "expected"), [(1, 8_000), (8_000, 8_000), (20_001, 20_001), (40_000, 32_000)])
def test_an_encoder_of_samples_gets_them_at_one_level(length: int, expected: int) -> None:
    """Cut to the window, padded to the shortest length, the peak where the card says; silence stays silent."""
    spec = AudioPreprocessing(front_end="waveform", window_s=2.0, min_s=0.5, peak=0.5)
    samples = np.random.default_rng(0).normal(0, 0.01, length).astype(np.float32)
    heard = log_mel(samples, spec)
    assert (heard.shape, heard.dtype) == ((expected,), np.float32)
    assert np.abs(heard).max() == pytest.approx(0.5)
    assert not log_mel(np.zeros(length, np.float32), spec).any()


@pytest.mark.parametrize(("front_end", "bands"), [("waveform", 64), ("log-mel", 0), ("whisper", 0)])
def test_mel_bands_belong_to_spectrograms(front_end: Any, bands: int) -> None:
    with pytest.raises(ValueError, match="mel bands"):
        AudioPreprocessing(front_end=front_end, n_mels=bands)
