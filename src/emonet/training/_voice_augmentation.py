"""Other rooms, microphones and mouths for a clip, made on its mel power spectrogram, where they cost almost nothing.

Symbols: M mel bands, T frames of 10 ms. Spectrograms are natural logarithms of power before standardisation; the
random generator is always an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mel = NDArray[np.float32]


def standardise(log: Mel) -> Mel:
    """The last step of `models/_logmel.clip_log_mel`: [M, T] with each band's mean off and one spread."""
    log = log - log.mean(axis=1, keepdims=True)
    return (log / max(float(log.std()), 1e-3)).astype(np.float32)


def augmented(log: Mel, frames: int, settings: Mapping[str, Any], random: np.random.Generator) -> Mel:
    """A changed copy of `log` [M, T], cut or repeated to [M, frames] and standardised, with masks.

    Source of the masks: SpecAugment, Park et al. 2019 (arXiv 1904.08779).
    """
    log = warped(log, settings, random)
    log = fitted(log, frames, random)
    if random.random() < settings["reverb"]:
        log = reverberated(log, random.uniform(0.1, 0.7))
    if random.random() < settings["noise"]:
        log = noisy(log, random.uniform(*settings["noise_db"]), random)
    if random.random() < settings["band_limit"]:
        log = band_limited(log, random)
    return masked(standardise(log), settings, random)


def warped(log: Mel, settings: Mapping[str, Any], random: np.random.Generator) -> Mel:
    """Slower or faster by up to `stretch`, pitch and formants moved by up to `shift_mels` bands."""
    bands, frames = log.shape
    rate = float(np.exp(random.uniform(-1, 1) * np.log(settings["stretch"])))
    shift = random.uniform(-1, 1) * settings["shift_mels"]
    at = np.clip(np.arange(max(16, round(frames / rate))) * rate, 0, frames - 1.001)
    left = at.astype(np.intp)
    part = (at - left).astype(np.float32)
    right = np.minimum(left + 1, frames - 1)
    log = log[:, left] * (1 - part) + log[:, right] * part
    rows = np.clip(np.arange(bands) + shift, 0, bands - 1.001)
    low = rows.astype(np.intp)
    share = (rows - low).astype(np.float32)[:, None]
    out: Mel = log[low] * (1 - share) + log[low + 1] * share
    return out


def fitted(log: Mel, frames: int, random: np.random.Generator) -> Mel:
    """A random stretch of `frames` frames; a shorter clip is repeated."""
    length = log.shape[1]
    if length > frames:
        start = int(random.integers(0, length - frames + 1))
        return log[:, start : start + frames]
    if length == frames:
        return log
    return log[:, np.arange(int(random.integers(0, length)), frames + length) % length][:, :frames]


def reverberated(log: Mel, seconds: float) -> Mel:
    """Energy that decays by 60 dB in `seconds`, a diffuse room's tail, half as strong as the direct sound."""
    keep = float(10.0 ** (-6.0 / (seconds * 100.0)))
    power = np.exp(log)
    tail = np.empty_like(power)
    held: Mel = np.zeros(len(power), np.float32)
    for frame in range(power.shape[1]):
        held = (held * keep + power[:, frame] * (1 - keep)).astype(np.float32)
        tail[:, frame] = held
    return np.log(power + tail).astype(np.float32)


def noisy(log: Mel, decibel: float, random: np.random.Generator) -> Mel:
    """Stationary noise of a random tilt, `decibel` below the clip's mean power."""
    power = np.exp(log)
    tilt = np.linspace(0, random.uniform(-6, 1), len(log), dtype=np.float32)[:, None]
    bumps = np.repeat(random.normal(0, 0.7, (8, 1)), -(-len(log) // 8), axis=0)[: len(log)].astype(np.float32)
    shape = np.exp(tilt + bumps)
    # Each mel band sums a few Fourier bins, so its power flickers like a gamma variable.
    noise = shape * random.gamma(2.0, 0.5, log.shape).astype(np.float32)
    level = float(power.mean()) / float(noise.mean()) * 10.0 ** (-decibel / 10.0)
    return np.log(power + noise * np.float32(level)).astype(np.float32)


def band_limited(log: Mel, random: np.random.Generator) -> Mel:
    """A telephone or low-rate codec: bands above a random one, and sometimes the lowest, fall to the floor."""
    out = log.copy()
    bands = len(log)
    top = int(random.integers(bands * 5 // 8, bands))
    out[top:] = np.minimum(out[top:], out.min() + random.normal(0, 0.3, out[top:].shape))
    if random.random() < 0.3:
        low = int(random.integers(1, max(2, bands // 12)))
        out[:low] = np.minimum(out[:low], out.min() + random.normal(0, 0.3, out[:low].shape))
    return out


def masked(mel: Mel, settings: Mapping[str, Any], random: np.random.Generator) -> Mel:
    """Up to two bands and two stretches of time set to the mean."""
    bands, frames = mel.shape
    out = mel.copy()
    for _ in range(settings["masks"]):
        width = int(random.integers(0, settings["mask_mels"] + 1))
        start = int(random.integers(0, bands - width + 1))
        out[start : start + width] = 0.0
        length = int(random.integers(0, max(1, int(frames * settings["mask_time"])) + 1))
        start = int(random.integers(0, frames - length + 1))
        out[:, start : start + length] = 0.0
    return out
