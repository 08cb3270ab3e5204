"""88 acoustic features of a voice after the extended Geneva Minimalistic Acoustic Parameter Set, and cepstral ones.

Eyben et al. 2016, "The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for voice research and affective computing"
(doi 10.1109/TAFFC.2015.2457417), written anew in numpy: the same contours and statistics, not openSMILE's numbers. Two
deliberate differences: spreads of figures that may be 0 or negative (decibels, cepstrum) are not divided by their mean,
and pitch, jitter and harmonicity are Boersma's (see `pitch`). Clips are brought to one peak level first. A figure that
a clip does not have (the pitch of a whisper) is NaN.

Symbols: S samples at 16 kHz, T frames (one per 10 ms).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.fft import dct

from benchmarks.pitch import HOP, RATE, Floats, Pitch, framed, periods, runs, track

_WINDOW, _FFT, _BANDS = 320, 512, 26  # 20 ms
_FLOOR_DB = 50.0
_FORMANT_RATE, _ORDER = 11_000, 11
_MFCC = [f"mfcc{i}" for i in range(1, 5)]
_BALANCE = ("alpha_ratio", "hammarberg", "slope_0_500", "slope_500_1500")


def features(wave: NDArray[np.float32]) -> dict[str, float]:
    """The 88 features of a clip float32 [S]; NaN where it has none."""
    x = wave.astype(np.float64) / max(float(np.abs(wave).max()), 1e-6)
    pitch = track(x)
    voiced = pitch.voiced
    spectral = _spectral(x)
    semitones = 12 * np.log2(pitch.hz[voiced] / 27.5)
    out = _contour("f0_semitones", semitones, [semitones[a:b] for a, b in _within(voiced)])
    out |= _contour("loudness", spectral["loudness"], [spectral["loudness"]])
    jitter, shimmer = periods(x, pitch)
    out |= _spread("jitter", jitter) | _spread("shimmer_db", shimmer) | _spread("hnr_db", pitch.hnr_db[voiced], False)
    for name in ("flux", *_MFCC):
        out |= _spread(name, spectral[name], name == "flux")
        out |= _spread(f"{name}_voiced", spectral[name][voiced], name == "flux")
    for name in _BALANCE:
        out |= _spread(f"{name}_voiced", spectral[name][voiced], False)
    for name in ("flux", *_BALANCE):
        out[f"{name}_unvoiced_mean"] = _mean(spectral[name][~voiced])
    for name, values in _harmonics(x, pitch).items():
        out |= _spread(name, values, name.endswith("hz"))
    return out | _rhythm(voiced, spectral["loudness"]) | {"level_db": float(10 * np.log10((x**2).mean() + 1e-12))}


def cepstral_statistics(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean, spread, least, most and median of 20 cepstral coefficients of 64 mel bands, and of their changes per
    frame: float32 [200]."""
    x = wave.astype(np.float64) / max(float(np.abs(wave).max()), 1e-6)
    cepstrum = dct(np.log(_power(x) @ _mel_bank(64) + 1e-8), norm="ortho")[:, :20]
    parts = (cepstrum, np.diff(cepstrum, axis=0))
    figures = [statistic(part, axis=0) for part in parts for statistic in (np.mean, np.std, np.min, np.max, np.median)]
    return np.concatenate(figures).astype(np.float32)


def cached_table(
    path: Path, keys: Sequence[str], waves: Iterable[NDArray[np.float32]], row: Callable[..., NDArray[np.float32]]
) -> NDArray[np.float32]:
    """`row(wave)` of every clip [n, features], kept in `path` for the next run with the same `keys` [n]."""
    if path.is_file():
        with np.load(path) as kept:
            if kept["keys"].tolist() == list(keys):
                return np.asarray(kept["table"], np.float32)
    rows = []
    for number, wave in enumerate(waves, 1):
        rows.append(row(wave))
        if number % 500 == 0 or number == len(keys):
            print(f"{path.stem}: {number}/{len(keys)} clips", flush=True)
    table = np.stack(rows)
    temporary = path.with_name(f".{path.name}")
    with temporary.open("wb") as file:
        np.savez_compressed(file, keys=np.asarray(keys), table=table)
    os.replace(temporary, path)
    return table


def feature_row(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values of `features`, float32 [88]."""
    return np.asarray(list(features(wave).values()), np.float32)


def _power(x: Floats) -> Floats:
    """Power spectra of 20 ms [T, bins], silence raised to `_FLOOR_DB` below the loudest bin of the clip: what lies
    deeper is the recorder's or the codec's."""
    power = np.abs(np.fft.rfft(framed(x, _WINDOW) * np.hamming(_WINDOW), _FFT)) ** 2
    return np.asarray(np.maximum(power, power.max() * 10 ** (-_FLOOR_DB / 10)))


def _spectral(x: Floats) -> dict[str, Floats]:
    """Contours [T] that need no pitch: loudness, flux, balance of the spectrum, cepstrum."""
    power = _power(x)
    hz = np.asarray(np.fft.rfftfreq(_FFT, 1 / RATE), np.float64)
    level = 10 * np.log10(power + 1e-8)
    bands = power @ _mel_bank()
    magnitude = np.sqrt(power)
    shape = magnitude / np.maximum(magnitude.sum(axis=1, keepdims=True), 1e-6)
    out = {
        "loudness": np.convolve(((bands * _equal_loudness()) ** 0.33).sum(axis=1), np.ones(3) / 3, "same"),
        "flux": np.sqrt((np.diff(shape, axis=0, prepend=shape[:1]) ** 2).sum(axis=1)),
        "alpha_ratio": 10 * np.log10((_sum(power, hz, 50, 1000) + 1e-8) / (_sum(power, hz, 1000, 5000) + 1e-8)),
        "hammarberg": level[:, hz < 2000].max(axis=1) - level[:, (hz >= 2000) & (hz < 5000)].max(axis=1),
        "slope_0_500": _slope(level, hz, 0, 500),
        "slope_500_1500": _slope(level, hz, 500, 1500),
    }
    cepstrum = dct(np.log(bands + 1e-8), norm="ortho")
    return out | {name: cepstrum[:, i] for i, name in enumerate(_MFCC, 1)}


def _harmonics(x: Floats, pitch: Pitch) -> dict[str, Floats]:
    """Of the voiced frames [voiced]: formants, their harmonics' level above the fundamental, H1-H2 and H1-A3 in dB."""
    frames = np.flatnonzero(pitch.voiced)
    hz = pitch.hz[frames]
    centre, width = _formants(x, frames)
    level = 10 * np.log10(pitch.power[frames] + 1e-8)

    def harmonic(number: Floats) -> Floats:
        at = np.clip(np.rint(np.nan_to_num(number) * hz / pitch.bin_hz).astype(int), 1, level.shape[1] - 2)
        near = np.stack([level[np.arange(len(at)), at + i] for i in (-1, 0, 1)])
        return np.where(np.isfinite(number), near.max(axis=0), np.nan)

    first = harmonic(np.ones(len(hz)))
    out = {"h1_h2_db": first - harmonic(np.full(len(hz), 2.0))}
    for i in range(3):
        above = harmonic(np.maximum(np.rint(centre[:, i] / hz), 1)) - first
        out |= {f"f{i + 1}_hz": centre[:, i], f"f{i + 1}_width_hz": width[:, i], f"f{i + 1}_above_f0_db": above}
    return out | {"h1_a3_db": -out["f3_above_f0_db"]}


def _formants(x: Floats, frames: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """(Hz, width in Hz) [frames, 3] of the first three resonances by linear prediction; NaN where fewer are found."""
    found = np.full((2, len(frames), 3), np.nan)
    if not len(frames):
        return found[0], found[1]
    slow = soxr.resample(x, RATE, _FORMANT_RATE)
    slow = np.append(slow[:1], slow[1:] - 0.97 * slow[:-1])
    hop = HOP * _FORMANT_RATE // RATE
    part = framed(slow, 275, hop)
    part = part[np.minimum(frames, len(part) - 1)] * np.hamming(275)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(part, 1024)) ** 2)[:, : _ORDER + 1]
    companion = np.zeros((len(frames), _ORDER, _ORDER))
    companion[:, 0] = -_predictor(correlation)[:, 1:]
    companion[:, np.arange(1, _ORDER), np.arange(_ORDER - 1)] = 1.0
    roots = np.linalg.eigvals(companion)
    hz = np.angle(roots) * _FORMANT_RATE / (2 * np.pi)
    width = -np.log(np.maximum(np.abs(roots), 1e-9)) * _FORMANT_RATE / np.pi
    hz = np.where((hz > 90) & (hz < 5400) & (width < 1000), hz, np.inf)
    order = np.argsort(hz, axis=1)[:, :3]
    hz, width = np.take_along_axis(hz, order, 1), np.take_along_axis(width, order, 1)
    good = np.isfinite(hz)
    found[0][good], found[1][good] = hz[good], width[good]
    return found[0], found[1]


def _predictor(correlation: Floats) -> Floats:
    """Levinson-Durbin: prediction polynomials [n, order + 1] of autocorrelations [n, order + 1]."""
    r = correlation + np.eye(1, correlation.shape[1]) * (1e-6 * correlation[:, :1] + 1e-9)
    a, error = np.zeros_like(r), r[:, 0].copy()
    a[:, 0] = 1.0
    for i in range(1, r.shape[1]):
        reflection = -(a[:, :i] * r[:, i:0:-1]).sum(axis=1) / error
        a[:, 1 : i + 1] += reflection[:, None] * a[:, i - 1 :: -1][:, :i]
        error *= 1 - reflection**2
    return a


def _rhythm(voiced: NDArray[np.bool_], loudness: Floats) -> dict[str, float]:
    """Peaks of loudness and voiced stretches per second, mean and spread of the lengths of both kinds of stretches."""
    seconds = len(voiced) * HOP / RATE
    inner = loudness[1:-1]
    peaks = ((inner > loudness[:-2]) & (inner >= loudness[2:]) & (inner > 0.2 * loudness.max())).sum()
    out = {"loudness_peaks_per_s": peaks / seconds, "voiced_stretches_per_s": len(runs(voiced)) / seconds}
    for name, mask in (("voiced", voiced), ("unvoiced", ~voiced)):
        lengths = np.asarray([(b - a) * HOP / RATE for a, b in runs(mask)] or [0.0])
        out |= {f"{name}_s_mean": float(lengths.mean()), f"{name}_s_std": float(lengths.std())}
    return out


def _contour(name: str, values: Floats, parts: Sequence[Floats]) -> dict[str, float]:
    """Ten statistics of a contour; slopes, per second, over what rises and what falls within each of `parts`."""
    low, middle, high = np.quantile(values, [0.2, 0.5, 0.8]) if len(values) else (np.nan,) * 3
    out = _spread(name, values) | {f"{name}_p20": low, f"{name}_p50": middle, f"{name}_p80": high}
    out[f"{name}_range"] = high - low
    slopes = np.concatenate([np.empty(0), *(_pieces(part) for part in parts)])
    for word, some in (("rise", slopes[slopes > 0]), ("fall", slopes[slopes < 0])):
        out |= {f"{name}_{word}_mean": _mean(some), f"{name}_{word}_std": float(some.std()) if len(some) else np.nan}
    return out


def _pieces(values: Floats) -> Floats:
    """Slope per second from each turning point of a contour to the next."""
    if len(values) < 2:
        return np.empty(0)
    turns = np.flatnonzero(np.diff(np.sign(np.diff(values)))) + 1
    at = np.concatenate([[0], turns, [len(values) - 1]])
    return np.asarray(np.diff(values[at]) / np.diff(at) * (RATE / HOP))


def _within(voiced: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The voiced stretches' places among the voiced frames."""
    ends = np.cumsum([0, *(b - a for a, b in runs(voiced))])
    return [(int(a), int(b)) for a, b in itertools.pairwise(ends)]


def _spread(name: str, values: Floats, positive: bool = True) -> dict[str, float]:
    """Mean and standard deviation, the latter as a share of the mean for figures that are never negative."""
    known = values[np.isfinite(values)]
    if not len(known):
        return {f"{name}_mean": np.nan, f"{name}_std": np.nan}
    mean, std = float(known.mean()), float(known.std())
    return {f"{name}_mean": mean, f"{name}_std": std / max(mean, 1e-6) if positive else std}


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else np.nan


def _sum(power: Floats, hz: Floats, low: float, high: float) -> Floats:
    return np.asarray(power[:, (hz >= low) & (hz < high)].sum(axis=1))


def _slope(level: Floats, hz: Floats, low: float, high: float) -> Floats:
    """Least-squares slope in dB per kHz over the bins from `low` to `high` Hz."""
    used = (hz >= low) & (hz <= high)
    x = (hz[used] - hz[used].mean()) / 1000
    return np.asarray(level[:, used] @ x / (x**2).sum())


@lru_cache(maxsize=2)
def _band_edges(bands: int) -> Floats:
    """Edges in Hz of mel bands from 20 to 8000 Hz [bands + 2]."""
    low, high = (1127 * np.log1p(hz / 700) for hz in (20, 8000))
    return np.asarray(700 * np.expm1(np.linspace(low, high, bands + 2) / 1127))


@lru_cache(maxsize=2)
def _mel_bank(bands: int = _BANDS) -> Floats:
    """Triangular filters [bins, bands]."""
    edges, hz = _band_edges(bands), np.fft.rfftfreq(_FFT, 1 / RATE)[:, None]
    rise = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rise, fall)))


@lru_cache(maxsize=1)
def _equal_loudness() -> Floats:
    """Weight of each band to the ear [26], Hermansky 1990 (doi 10.1121/1.399423), equation 4."""
    w = (2 * np.pi * _band_edges(_BANDS)[1:-1]) ** 2
    return np.asarray((w + 56.8e6) * w**2 / ((w + 6.3e6) ** 2 * (w + 0.38e9)))
