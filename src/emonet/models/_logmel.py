"""What voice encoders read, in numpy: log-mel spectrograms or the samples; the same code in training and at run time.

Shapes: S samples, T frames (hop 160 samples = 10 ms), F = 201 frequency bins, M mel bands.

The Whisper front end follows Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision",
section 2.2, as transformers' WhisperFeatureExtractor computes it; the mel scale is Slaney's (Auditory Toolbox, 1998).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emonet.media import SAMPLE_RATE
from emonet.models._card import AudioPreprocessing

N_FFT = 400
HOP = 160
_FRAMES_AT_ONCE = 1024  # bounds the memory of the Fourier transform


def log_mel(samples: NDArray[np.float32], spec: AudioPreprocessing) -> NDArray[np.float32]:
    """Front end named by `spec.front_end`.

    `samples`: float32 [S], 16 kHz mono. Returns float32 [M, T]; T = 100 * window_s for `whisper`, S // 160 for
    `log-mel`. For `waveform` float32 [S].
    """
    if spec.front_end == "whisper":
        return whisper_log_mel(samples, n_mels=spec.n_mels, window_s=spec.window_s)
    if spec.front_end == "waveform":
        return clip_waveform(samples, window_s=spec.window_s, min_s=spec.min_s, peak=spec.peak)
    return clip_log_mel(samples, n_mels=spec.n_mels, window_s=spec.window_s, min_s=spec.min_s, peak=spec.peak)


def whisper_log_mel(samples: NDArray[np.float32], *, n_mels: int = 80, window_s: float = 30.0) -> NDArray[np.float32]:
    """Whisper's features: float32 [M, 100 * window_s], the clip cut or zero-padded to `window_s` seconds."""
    total = round(window_s * SAMPLE_RATE)
    frames = total // HOP
    clip = samples[:total]
    # Frames that see only padding are all at the floor; computing them would cost most of the time of a short clip.
    heard = min(frames, (len(clip) + N_FFT // 2) // HOP + 1)
    padded = np.zeros(heard * HOP + N_FFT, np.float32)
    padded[N_FFT // 2 : N_FFT // 2 + len(clip)] = clip[: len(padded) - N_FFT // 2]
    head = clip[1 : N_FFT // 2 + 1]
    padded[N_FFT // 2 - len(head) : N_FFT // 2] = head[::-1]  # reflected start
    if len(clip) >= total - N_FFT // 2:  # sound reaches the end of the window, which is reflected as well
        end = np.zeros(N_FFT // 2 + 1, np.float32)
        tail = clip[total - len(end) :]
        end[: len(tail)] = tail
        padded[N_FFT // 2 + total :] = end[-2::-1]
    log = np.full((n_mels, frames), -10.0, np.float32)
    log[:, :heard] = np.log10(np.maximum(_mel_power(padded, heard, n_mels), 1e-10))
    return (np.maximum(log, log.max() - 8.0) + 4.0) / 4.0


def clip_log_mel(
    samples: NDArray[np.float32], *, n_mels: int, window_s: float, min_s: float = 0.0, peak: float | None = None
) -> NDArray[np.float32]:
    """Standardised log-mel of the clip at its own length: float32 [M, T].

    The mean over time is taken off each band, then everything is divided by one standard deviation, so that neither
    the microphone's level nor its tilt is an input.
    """
    log = clip_log_power(samples, n_mels=n_mels, window_s=window_s, min_s=min_s, peak=peak)
    log -= log.mean(axis=1, keepdims=True)
    return (log / max(float(log.std()), 1e-3)).astype(np.float32)


def clip_log_power(
    samples: NDArray[np.float32], *, n_mels: int, window_s: float, min_s: float = 0.0, peak: float | None = None
) -> NDArray[np.float32]:
    """Natural logarithm of the mel power + 1e-6, float32 [M, T]: `clip_log_mel` before it is standardised."""
    clip = _levelled(samples[: round(window_s * SAMPLE_RATE)], peak)
    length = max(len(clip), round(min_s * SAMPLE_RATE), N_FFT)
    frames = length // HOP
    padded = np.zeros(frames * HOP + N_FFT, np.float32)
    padded[N_FFT // 2 : N_FFT // 2 + len(clip)] = clip[: len(padded) - N_FFT // 2]
    return np.log(_mel_power(padded, frames, n_mels) + np.float32(1e-6))


def clip_waveform(
    samples: NDArray[np.float32], *, window_s: float, min_s: float = 0.0, peak: float | None = None
) -> NDArray[np.float32]:
    """The clip's samples float32 [S]: cut to `window_s`, brought to `peak`, padded with zeros to `min_s`."""
    clip = _levelled(samples[: round(window_s * SAMPLE_RATE)], peak)
    return np.pad(clip, (0, max(0, round(min_s * SAMPLE_RATE) - len(clip)))).astype(np.float32, copy=False)


def _levelled(clip: NDArray[np.float32], peak: float | None) -> NDArray[np.float32]:
    """The clip with its largest sample at `peak`; silence stays as it is."""
    if peak is None or not len(clip) or (loudest := float(np.abs(clip).max())) <= 1e-5:
        return clip
    return clip * np.float32(peak / loudest)


def _mel_power(padded: NDArray[np.float32], frames: int, n_mels: int) -> NDArray[np.float32]:
    """Mel power spectrum float32 [M, frames] of a signal with half a window of context on both sides."""
    bank = mel_filterbank(n_mels)  # [F, M]
    hann = _hann()
    view = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP][:frames]  # [T, N_FFT]
    out = np.empty((n_mels, frames), np.float32)
    for start in range(0, frames, _FRAMES_AT_ONCE):
        spectrum = np.fft.rfft(view[start : start + _FRAMES_AT_ONCE] * hann, axis=1)  # [t, F]
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        out[:, start : start + len(power)] = (power @ bank).T
    return out


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float32]:
    """Periodic Hann window, float32 [N_FFT]."""
    return np.hanning(N_FFT + 1)[:-1].astype(np.float32)


@lru_cache(maxsize=4)
def mel_filterbank(n_mels: int, *, top_hz: float = 8000.0) -> NDArray[np.float32]:
    """Slaney-normalised triangular filters, float32 [F, M], from 0 Hz to `top_hz`."""
    bins_hz = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)
    edges_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(top_hz), n_mels + 2))
    width = np.diff(edges_hz)
    slope = edges_hz[None, :] - bins_hz[:, None]  # [F, M + 2]
    rising = -slope[:, :-2] / width[:-1]
    falling = slope[:, 2:] / width[1:]
    bank = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges_hz[2:] - edges_hz[:-2]))
    return bank.astype(np.float32)


# Slaney's scale: linear below 1 kHz (15 mels), logarithmic above (27 mels for a factor of 6.4).
_LINEAR_TOP_HZ, _LINEAR_TOP_MEL, _LOG_STEP = 1000.0, 15.0, np.log(6.4) / 27.0


def _hz_to_mel(hz: float) -> float:
    return float(3 * hz / 200 if hz < _LINEAR_TOP_HZ else _LINEAR_TOP_MEL + np.log(hz / _LINEAR_TOP_HZ) / _LOG_STEP)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(
        mel < _LINEAR_TOP_MEL, 200.0 * mel / 3.0, _LINEAR_TOP_HZ * np.exp(_LOG_STEP * (mel - _LINEAR_TOP_MEL))
    )
