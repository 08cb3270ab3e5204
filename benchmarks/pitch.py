"""Pitch, voicing and single periods of a voice, for the acoustic feature set that benchmarks compare with.

After Boersma 1993, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
sampled sound" (IFA Proceedings 17), with Praat's default costs; periods by waveform matching (Milenkovic 1987, doi
10.1044/jshr.3004.529). Symbols: S samples at 16 kHz, T frames (one per 10 ms), C candidates of a frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE, HOP = 16_000, 160
LOWEST_HZ, HIGHEST_HZ = 55.0, 1000.0
_WINDOW, _FFT = 960, 2048  # 60 ms
_CANDIDATES = 5
_SILENCE, _VOICING, _OCTAVE, _JUMP, _CHANGE = 0.03, 0.45, 0.01, 0.35, 0.14
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pitch:
    """`hz` float64 [T], NaN without voice; `hnr_db` float64 [T], harmonics to noise, NaN likewise; `power` float64
    [T, bins]: the spectrum that they were taken from, `bin_hz` wide each."""

    hz: Floats
    hnr_db: Floats
    power: Floats
    bin_hz: float = RATE / _FFT

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Frames with a pitch [T]."""
        return np.isfinite(self.hz)


def framed(wave: Floats, length: int, hop: int = HOP) -> Floats:
    """Stretches of `length` samples around every `hop`-th sample: [T, length], T = S // hop + 1."""
    padded = np.pad(wave, (length // 2, length))
    return np.lib.stride_tricks.sliding_window_view(padded, length)[: len(wave) + 1 : hop]


def track(wave: Floats) -> Pitch:
    """The smoothest path through the peaks of every frame's autocorrelation."""
    frames = framed(wave, _WINDOW)
    frames = frames - frames.mean(axis=1, keepdims=True)
    loud = np.abs(frames).max(axis=1) / max(float(np.abs(wave).max()), 1e-9)
    window = np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(frames * window, _FFT)) ** 2  # [T, bins]
    lags = int(RATE / LOWEST_HZ) + 2
    own = np.fft.irfft(np.abs(np.fft.rfft(window, _FFT)) ** 2)[:lags]
    correlation = np.fft.irfft(power)[:, :lags]
    correlation = correlation / np.maximum(correlation[:, :1], 1e-12) / (own / own[0])
    hz, strength = _candidates(correlation)
    cost = _OCTAVE * np.log2(np.maximum(hz, LOWEST_HZ) / LOWEST_HZ)
    quiet = np.maximum(0.0, 2.0 - loud / (_SILENCE / (1 + _VOICING)))
    path = _best_path(np.log2(hz), np.column_stack([_VOICING + quiet, strength + cost]))
    rows, chosen = np.arange(len(path)), np.maximum(path - 1, 0)
    clear = np.clip(strength[rows, chosen], 1e-3, 0.9999)
    voiced = path > 0
    found = np.where(voiced, hz[rows, chosen], np.nan)
    return Pitch(found, np.where(voiced, 10 * np.log10(clear / (1 - clear)), np.nan), power)


def periods(wave: Floats, pitch: Pitch) -> tuple[Floats, Floats]:
    """(relative change of length, change of peak-to-peak level in dB) from each period to the next, [periods].

    As in Praat, neighbours whose level differs by more than a factor of 1.6 are no voice: an onset, an end, a click.
    """
    energy = np.concatenate([[0.0], np.cumsum(wave**2)])
    lengths: list[Floats] = []
    levels: list[Floats] = []
    for first, last in runs(pitch.voiced):
        steps, spans = _walk(wave, energy, pitch.hz, first, last)
        if len(steps) > 1:
            change = np.abs(np.diff(20 * np.log10(np.maximum(spans, 1e-6))))
            alike = change <= 20 * np.log10(1.6)
            lengths.append((np.abs(np.diff(steps)) / np.mean(steps))[alike])
            levels.append(change[alike])
    empty = [np.empty(0)]
    return np.concatenate(lengths or empty), np.concatenate(levels or empty)


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, after the last) of every stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _candidates(correlation: Floats) -> tuple[Floats, Floats]:
    """(Hz, height) [T, C] of the highest peaks by parabolas; missing ones at 1 Hz with height -9."""
    left, middle, right = correlation[:, :-2], correlation[:, 1:-1], correlation[:, 2:]
    peak = (middle > left) & (middle >= right) & (middle > 0.1)
    peak[:, : int(RATE / HIGHEST_HZ) - 1] = False
    curve = np.where(peak, left - 2 * middle + right, -1.0)
    shift = np.where(peak, 0.5 * (left - right) / curve, 0.0)
    height = np.where(peak, middle - 0.25 * (left - right) * shift, -9.0)
    lag = np.arange(1, correlation.shape[1] - 1) + shift
    worth = height - _OCTAVE * np.log2(lag)
    best = np.argpartition(-worth, _CANDIDATES, axis=1)[:, :_CANDIDATES]
    chosen = np.take_along_axis(height, best, 1)
    hz = RATE / np.take_along_axis(lag, best, 1)
    return np.where(chosen > 0, hz, 1.0), chosen


def _best_path(octaves: Floats, worth: Floats) -> NDArray[np.int64]:
    """Viterbi over `worth` [T, 1 + C], column 0 without voice: the chosen column of each frame [T]."""
    total, size = worth.shape
    cost = np.full((max(total - 1, 0), size, size), _CHANGE)
    cost[:, 0, 0] = 0.0
    cost[:, 1:, 1:] = _JUMP * np.abs(octaves[:-1, :, None] - octaves[1:, None, :])
    back = np.zeros((total, size), np.int64)
    score = worth[0]
    for t in range(1, total):
        reached = score[:, None] - cost[t - 1]
        back[t] = reached.argmax(axis=0)
        score = reached.max(axis=0) + worth[t]
    path = np.zeros(total, np.int64)
    path[-1] = int(score.argmax())
    for t in range(total - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def _walk(wave: Floats, energy: Floats, hz: Floats, first: int, last: int) -> tuple[Floats, Floats]:
    """Length in samples and peak-to-peak level of one period after the other in the voiced frames first..last - 1."""
    at, end = max(0, first * HOP - HOP // 2), min(len(wave), (last - 1) * HOP + HOP // 2)
    steps: list[float] = []
    spans: list[float] = []
    while True:
        period = RATE / hz[min(max(round(at / HOP), first), last - 1)]
        size, low, high = round(period), int(period * 0.85), int(period * 1.15) + 1
        if at + high + size + 1 > end:
            return np.asarray(steps), np.asarray(spans)
        here, ahead = wave[at : at + size], wave[at + low : at + high + size]
        loud = energy[at + low + size : at + high + size + 1] - energy[at + low : at + high + 1]
        match = np.correlate(ahead, here, "valid") / np.sqrt(loud + 1e-9)
        best = int(match.argmax())
        step = float(low + best)
        if 0 < best < len(match) - 1:
            before, middle, after = match[best - 1 : best + 2]
            step += 0.5 * (before - after) / min(before - 2 * middle + after, -1e-12)
        steps.append(step)
        spans.append(float(np.ptp(here)))
        at += low + best
