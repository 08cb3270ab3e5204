"""The acoustic feature set that the voice model is compared with: made-up voices whose figures are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("scipy")

from benchmarks.acoustic_features import cached_table, cepstral_statistics, feature_row, features
from benchmarks.pitch import HOP, RATE, runs, track
from scipy.signal import lfilter

SECONDS = 1.5


def pulses(gaps: np.ndarray, levels: np.ndarray | None = None) -> np.ndarray:
    """Clicks with `gaps` samples between them, through resonances at 700, 1200 and 2600 Hz: a vowel."""
    at = np.cumsum(gaps)
    source = np.zeros(int(at[-1]) + 400)
    source[at] = 1.0 if levels is None else levels
    for hz, width in ((700, 80), (1200, 90), (2600, 120)):
        radius = np.exp(-np.pi * width / RATE)
        source = lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE), radius**2], source)
    return source.astype(np.float32)


def vowel(hz: float) -> np.ndarray:
    return pulses(np.full(round(SECONDS * hz), round(RATE / hz)))


def test_pitch_follows_a_glide() -> None:
    """A voice that rises by an octave is followed to a few per cent, silence before it is not taken for voice."""
    hz = 120 * 2 ** np.linspace(0, 1, 2 * RATE)
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    voice = np.concatenate([np.zeros(RATE), sum(np.sin(k * phase) / k for k in range(1, 12))])
    found = track(voice + 1e-3 * np.random.default_rng(0).standard_normal(len(voice)))
    assert runs(found.voiced) == [(pytest.approx(100, abs=4), pytest.approx(300, abs=4))]
    frames = np.flatnonzero(found.voiced)[3:-3]
    assert found.hz[frames] == pytest.approx(hz[frames * HOP - RATE], rel=0.03)
    assert np.nanmean(found.hnr_db) > 15


def test_formants_of_a_vowel() -> None:
    """The resonances are found, and so is the pitch."""
    found = features(vowel(120))
    assert found["f1_hz_mean"] == pytest.approx(700, rel=0.06)
    assert found["f2_hz_mean"] == pytest.approx(1200, rel=0.06)
    assert found["f3_hz_mean"] == pytest.approx(2600, rel=0.06)
    assert found["f0_semitones_mean"] == pytest.approx(12 * np.log2(120 / 27.5), abs=0.2)


def test_unsteady_voices_have_jitter_and_shimmer() -> None:
    """Periods that differ by 2 per cent and levels that differ by 1 dB are told from steady ones."""
    random = np.random.default_rng(1)
    steady = features(vowel(120))
    gaps = np.rint(RATE / 120 * (1 + 0.02 * random.standard_normal(180))).astype(int)
    rough = features(pulses(gaps))
    uneven = features(pulses(np.full(180, RATE // 120), 10 ** (random.normal(0, 1, 180) / 20)))
    assert steady["jitter_mean"] < 0.001
    assert 0.01 < rough["jitter_mean"] < 0.05
    assert steady["shimmer_db_mean"] < 0.1
    assert 0.5 < uneven["shimmer_db_mean"] < 3


def test_bright_sounds_differ_from_dark_ones() -> None:
    """Alpha ratio and Hammarberg index fall, the spectral slope rises with the treble."""
    noise = np.random.default_rng(2).standard_normal(RATE)
    dark = features(lfilter([1], [1, -0.95], noise).astype(np.float32))
    bright = features(noise.astype(np.float32))
    for name in ("alpha_ratio", "hammarberg"):
        assert dark[f"{name}_unvoiced_mean"] > bright[f"{name}_unvoiced_mean"] + 5
    assert dark["slope_500_1500_unvoiced_mean"] < bright["slope_500_1500_unvoiced_mean"]


def test_rhythm_counts_syllables() -> None:
    """Four vowels of 0.25 s with pauses of 0.25 s."""
    syllable = np.concatenate([vowel(150)[: RATE // 4], np.zeros(RATE // 4, np.float32)])
    found = features(np.tile(syllable, 4))
    assert found["voiced_stretches_per_s"] == pytest.approx(2, abs=0.1)
    assert found["voiced_s_mean"] == pytest.approx(0.25, abs=0.05)
    assert found["unvoiced_s_mean"] == pytest.approx(0.25, abs=0.05)


@settings(max_examples=15, deadline=None)
@given(st.integers(400, 20_000), st.sampled_from(["noise", "silence", "vowel"]), st.sampled_from([0.125, 0.5, 2.0]))
def test_any_clip_has_88_features_whatever_its_level(samples: int, kind: str, gain: float) -> None:
    """No clip breaks the features, and level is no feature of its own."""
    hiss = np.random.default_rng(3).standard_normal(20_000)
    waves = {"noise": hiss, "silence": 0 * hiss, "vowel": vowel(200)}
    wave = waves[kind][:samples].astype(np.float32)
    row = feature_row(wave)
    assert row.shape == (88,)
    assert not np.isinf(row).any()
    assert np.isfinite(cepstral_statistics(wave)).all()
    np.testing.assert_allclose(feature_row(wave * np.float32(gain)), row, rtol=1e-5)


def test_features_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run reads the table; other clips are computed anew."""
    waves = [vowel(hz)[:4000] for hz in (100, 200)]
    first = cached_table(tmp_path / "table.npz", ["a", "b"], waves, cepstral_statistics)
    again = cached_table(tmp_path / "table.npz", ["a", "b"], [], cepstral_statistics)
    np.testing.assert_array_equal(first, again)
    assert len(cached_table(tmp_path / "table.npz", ["a"], waves[:1], cepstral_statistics)) == 1
