"""Other rooms, microphones, codecs and mouths: what each change does to a clip, and that a seed repeats it."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.training._waveform_augmentation import (
    Codec,
    Colour,
    add_noise,
    augmented_wave,
    band_limit,
    change_speed,
    code,
    masked,
    reverberate,
    soft_clip,
)

RATE = 16_000
ALWAYS: dict[str, Any] = {
    "speed": 1.0,
    "speed_rate": [0.85, 1.15],
    "reverb": 1.0,
    "reverb_s": [0.1, 0.8],
    "noise": 1.0,
    "noise_db": [0.0, 35.0],
    "band_limit": 1.0,
    "clip": 1.0,
    "codec": 0.3,
    "masks": 2,
    "mask_share": 0.1,
}
NEVER = {key: 0.0 if isinstance(value, float) else value for key, value in ALWAYS.items()} | {"masks": 0}
colours = st.sampled_from(get_args(Colour))
lengths = st.integers(400, 20_000)
seeds = st.integers(0, 2**31)


def voice(samples: int, seed: int = 0) -> np.ndarray:
    """A buzz of 150 Hz with breath in it, float32 [samples]."""
    breath = np.random.default_rng(seed).standard_normal(samples)
    buzz = sum(np.sin(2 * np.pi * 150 * k * np.arange(samples) / RATE) / k for k in range(1, 20))
    return (0.2 * buzz + 0.01 * breath).astype(np.float32)


def power(wave: np.ndarray) -> float:
    return float((wave.astype(np.float64) ** 2).mean())


def between(wave: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Energy of the frequencies from `low_hz` to `high_hz`."""
    spectrum = np.abs(np.fft.rfft(wave)) ** 2
    hz = np.fft.rfftfreq(len(wave), 1 / RATE)
    return float(spectrum[(hz >= low_hz) & (hz < high_hz)].sum())


@settings(max_examples=40, deadline=None)
@given(lengths, seeds)
def test_any_clip_stays_a_clip_and_a_seed_repeats_it(samples: int, seed: int) -> None:
    """Finite float32, as long as its speed says, and the same for the same seed."""
    wave = voice(samples)
    before = wave.copy()
    changed, again = (augmented_wave(wave, ALWAYS, np.random.default_rng(seed)) for _ in range(2))
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()
    assert samples / 1.15 - 2 <= len(changed) <= samples / 0.85 + 2
    np.testing.assert_array_equal(changed, again)
    np.testing.assert_array_equal(wave, before)


def test_shares_of_zero_change_nothing() -> None:
    """A recipe without augmentation teaches the clips as they are."""
    np.testing.assert_array_equal(augmented_wave(voice(3000), NEVER, np.random.default_rng(0)), voice(3000))


@settings(max_examples=40, deadline=None)
@given(lengths, st.floats(0, 35), colours, seeds)
def test_noise_has_the_strength_that_was_asked_for(samples: int, snr_db: float, colour: Colour, seed: int) -> None:
    """Of any colour: the noise lies `snr_db` below the clip."""
    wave = voice(samples)
    noise = add_noise(wave, snr_db, np.random.default_rng(seed), colour).astype(np.float64) - wave
    assert 10 * np.log10(power(wave) / power(noise)) == pytest.approx(snr_db, abs=0.05)


def test_colours_differ_in_where_the_noise_lies() -> None:
    """From white to brown the noise sinks; that of speech is loudest where voices are."""
    silent = np.full(RATE, 1e-3, np.float32)
    noises = {c: add_noise(silent, 0, np.random.default_rng(1), c) - silent for c in get_args(Colour)}
    high = {c: between(n, 4000, 8000) / between(n, 0, 8001) for c, n in noises.items()}
    assert high["white"] > high["pink"] > high["brown"]
    speech = noises["speech"]
    assert between(speech, 100, 1000) > 0.8 * between(speech, 0, 8001)


def test_silence_stays_silence() -> None:
    """No change of a digital silence divides by zero."""
    silence = np.zeros(RATE, np.float32)
    changed = augmented_wave(silence, ALWAYS | {"codec": 0.0}, np.random.default_rng(2))
    assert np.abs(changed).max() < 1e-6


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 0.8), seeds)
def test_a_room_rings_after_the_sound_and_never_before(rt60_s: float, seed: int) -> None:
    """A click comes at its time and at its strength; what follows has fallen by 60 dB at `rt60_s`."""
    click = np.zeros(RATE, np.float32)
    click[100] = 1.0
    heard = reverberate(click, rt60_s, np.random.default_rng(seed))
    assert np.abs(heard[:100]).max() < 1e-5
    assert heard[100] == pytest.approx(1.0, abs=1e-4)
    fifth = round(rt60_s * RATE / 5)
    first, last = heard[101 : 101 + fifth], heard[100 + 4 * fifth : 100 + 5 * fifth]
    assert 10 * np.log10(power(first) / power(last)) == pytest.approx(48, abs=2)  # 4 of 5 steps of 12 dB


def test_a_telephone_has_no_bass_and_no_hiss() -> None:
    """Within the band the sound stays, far outside it is gone."""
    hiss = np.random.default_rng(3).standard_normal(RATE).astype(np.float32)
    narrow = band_limit(hiss, 300, 3400)
    assert between(narrow, 600, 2500) == pytest.approx(between(hiss, 600, 2500), rel=0.05)
    assert between(narrow, 0, 100) < 1e-3 * between(hiss, 0, 100)
    assert between(narrow, 6000, 8000) < 1e-2 * between(hiss, 6000, 8000)


@settings(max_examples=20, deadline=None)
@given(lengths, st.floats(0.85, 1.15))
def test_faster_is_shorter_and_higher(samples: int, rate: float) -> None:
    """Length falls and pitch rises by the rate."""
    assert len(change_speed(voice(samples), rate)) == pytest.approx(samples / rate, abs=2)
    tone = np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE).astype(np.float32)
    changed = change_speed(tone, rate)
    peak = np.abs(np.fft.rfft(changed)).argmax() * RATE / len(changed)
    assert peak == pytest.approx(500 * rate, abs=3)


def test_overdrive_flattens_and_keeps_the_peak() -> None:
    """Quiet parts come nearer to the loudest one."""
    wave = voice(4000)
    driven = soft_clip(wave, 4.0)
    assert np.abs(driven).max() == pytest.approx(np.abs(wave).max(), rel=1e-4)
    assert power(driven) > 1.5 * power(wave)


@pytest.mark.parametrize("codec", get_args(Codec))
def test_a_codec_keeps_time_and_level_and_most_of_the_sound(codec: Codec) -> None:
    """The coded clip lies on the clip, and is not the clip."""
    wave = voice(RATE)
    coded = code(wave, codec)
    assert coded.shape == wave.shape
    assert coded.dtype == np.float32
    assert np.corrcoef(coded, wave)[0, 1] > 0.9
    assert 1e-4 < power(coded - wave) / power(wave) < 0.2


def test_fewer_bits_harm_more() -> None:
    """Opus at its fewest bits is farther from the clip than at many."""
    wave = voice(RATE)
    few, many = (power(code(wave, "opus", compression=c) - wave) for c in (0.99, 0.5))
    assert few > 2 * many


def test_masks_are_silent_stretches() -> None:
    """Up to the share that was asked for is silenced, nothing else is touched."""
    wave = voice(10_000)
    out = masked(wave, {"masks": 3, "mask_share": 0.1}, np.random.default_rng(5))
    silent = out == 0
    assert 0 < silent.sum() <= 3000
    np.testing.assert_array_equal(out[~silent], wave[~silent])
