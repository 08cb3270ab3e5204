"""Other rooms, microphones, codecs and mouths for a clip: seeded changes of its samples.

Symbols: S samples at 16 kHz. Waves are float32 [S] within -1..1; the random generator is always an argument. Sources:
noise and reverberation, Ko et al. 2017 (doi 10.1109/ICASSP.2017.7953152); speed, Ko et al. 2015 (Interspeech);
time masks, Park et al. 2019 (arXiv 1904.08779); the long-term spectrum of speech, roughly, Byrne et al. 1994
(doi 10.1121/1.410152).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from emonet.media import SAMPLE_RATE

Wave = NDArray[np.float32]
Colour = Literal["white", "pink", "brown", "speech"]
Codec = Literal["mu-law", "opus", "mp3"]
_LOWEST_HZ = 50.0  # below, pink and brown noise stay level, or most of their power would be inaudible drift
_SLOPE: Mapping[str, float] = {"white": 0.0, "pink": 0.5, "brown": 1.0}  # amplitude falls with this power of frequency


def augmented_wave(wave: Wave, settings: Mapping[str, Any], random: np.random.Generator) -> Wave:
    """A changed copy of `wave`; its length changes with its speed.

    `settings`: the share of clips that each change meets (`speed`, `reverb`, `band_limit`, `noise`, `clip`, `codec`,
    `masks`) and its range (`speed_rate`, `reverb_s`, `noise_db`, `mask_share`).
    """
    if random.random() < settings["speed"]:
        low, high = settings["speed_rate"]
        wave = change_speed(wave, float(np.exp(random.uniform(np.log(low), np.log(high)))))
    if random.random() < settings["reverb"]:
        wave = reverberate(wave, random.uniform(*settings["reverb_s"]), random)
    if random.random() < settings["noise"]:
        colour: Colour = ("white", "pink", "brown")[int(random.integers(3))]
        wave = add_noise(wave, random.uniform(*settings["noise_db"]), random, colour)
    if random.random() < settings["band_limit"]:
        wave = band_limit(wave, random.uniform(20, 400), random.uniform(2800, 7500))
    if random.random() < settings["clip"]:
        wave = soft_clip(wave, random.uniform(1.0, 4.0))
    if random.random() < settings["codec"]:
        wave = code(wave, ("mu-law", "opus", "mp3")[int(random.integers(3))])
    return masked(wave, settings, random)


def change_speed(wave: Wave, rate: float) -> Wave:
    """Played `rate` times as fast, so that pitch and formants move along; float32 [S / rate]."""
    # soxr resamples between whole rates; 1 Hz of 16,000 is finer than anybody hears.
    return soxr.resample(wave, round(SAMPLE_RATE * rate), SAMPLE_RATE, quality="LQ").astype(np.float32)


def reverberate(wave: Wave, rt60_s: float, random: np.random.Generator) -> Wave:
    """A diffuse room whose sound falls by 60 dB in `rt60_s` seconds, half as strong as the direct sound, in time."""
    length = max(2, round(rt60_s * SAMPLE_RATE))
    decay = 10.0 ** (-3.0 * np.arange(length) / length)
    room = (random.standard_normal(length) * decay).astype(np.float32)
    room *= np.float32(0.7 / np.sqrt(float((room**2).sum())))
    room[0] = 1.0
    return fftconvolve(wave, room)[: len(wave)].astype(np.float32)


def add_noise(wave: Wave, snr_db: float, random: np.random.Generator, colour: Colour = "white") -> Wave:
    """Stationary noise `snr_db` below the mean power of the clip.

    `speech`: level from 100 to 500 Hz, then falling by 9 dB per octave, as many voices at once.
    """
    spectrum = np.fft.rfft(random.standard_normal(len(wave)))
    hz = np.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE)
    if colour == "speech":
        spectrum *= np.minimum(hz / 100, 1) ** 2 / np.maximum(hz / 500, 1) ** 1.5
    else:
        spectrum /= np.maximum(hz, _LOWEST_HZ) ** _SLOPE[colour]
    noise = np.fft.irfft(spectrum, len(wave))
    loud = np.sqrt(float((wave.astype(np.float64) ** 2).mean()) / max(float((noise**2).mean()), 1e-20))
    return (wave + noise * loud * 10.0 ** (-snr_db / 20.0)).astype(np.float32)


def band_limit(wave: Wave, low_hz: float, high_hz: float) -> Wave:
    """Only the frequencies from `low_hz` to `high_hz`, as a telephone (300 to 3400) or a cheap microphone gives."""
    filters = butter(4, [low_hz, high_hz], "bandpass", fs=SAMPLE_RATE, output="sos")
    return sosfilt(filters, wave).astype(np.float32)


def soft_clip(wave: Wave, gain: float) -> Wave:
    """An overdriven microphone: `gain` times as loud, bent so that the peak keeps its place."""
    peak = max(float(np.abs(wave).max()), 1e-6)
    return (np.tanh(wave * (gain / peak)) * (peak / np.tanh(gain))).astype(np.float32)


def code(wave: Wave, codec: Codec, *, compression: float = 0.99) -> Wave:
    """Through a codec and back, the same length: 8-bit `mu-law` at 8 kHz, or `opus` or `mp3`.

    `compression`: libsndfile's, 0 for the best quality to 0.99 for about the fewest bits (8 kbit/s of Opus).
    """
    peak = np.float32(max(float(np.abs(wave).max()), 1e-6))
    level = wave / peak
    if codec == "mu-law":
        narrow = soxr.resample(level, SAMPLE_RATE, SAMPLE_RATE // 2)
        steps = np.rint(np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256) * 127) / 127
        back = soxr.resample(np.sign(steps) * (256 ** np.abs(steps) - 1) / 255, SAMPLE_RATE // 2, SAMPLE_RATE)
    else:
        container, subtype = ("OGG", "OPUS") if codec == "opus" else ("MP3", "MPEG_LAYER_III")
        file = io.BytesIO()
        with soundfile.SoundFile(
            file, "w", SAMPLE_RATE, 1, format=container, subtype=subtype, compression_level=compression
        ) as sink:
            sink.write(level)
        file.seek(0)
        back, _ = soundfile.read(file, dtype="float32")
    return np.pad(back, (0, max(0, len(wave) - len(back))))[: len(wave)].astype(np.float32) * peak


def masked(wave: Wave, settings: Mapping[str, Any], random: np.random.Generator) -> Wave:
    """`masks` stretches of up to `mask_share` of the clip each, silenced."""
    out = wave.copy()
    for _ in range(settings["masks"]):
        width = int(random.uniform(0, settings["mask_share"]) * len(out))
        start = int(random.integers(0, len(out) - width + 1))
        out[start : start + width] = 0.0
    return out
