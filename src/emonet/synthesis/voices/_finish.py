"""From a take to a finished clip: silence cut off at the ends, one loudness, and what tells a bad take."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from emonet.errors import UsageError, require
from emonet.media import SAMPLE_RATE, Audio, WindowPolicy, WindowReport, speech_windows

RATE = 24_000
"""Samples per second of every clip, as in the release."""
_FRAME_S = 0.02
_FADE_S = 0.005
_BLOCK_S = 0.4
"""Gating block of ITU-R BS.1770-4; shorter sounds have no integrated loudness."""


@dataclass(frozen=True, slots=True)
class FinishPolicy:
    """How takes are finished and which are refused.

    target_lufs: integrated loudness (EBU R 128: -23). peak_dbtp: highest true peak (EBU R 128: -1); the gain is lowered
    where it would be exceeded, no limiter changes the sound. trim_db: frames so far below the loudest one are silence
    at the ends, of which keep_s seconds stay. min_s, max_s: length of a clip. words_per_s: lowest and highest plausible
    rate over the whole clip. max_clipped: share of samples that may lie in clipped runs. min_speech: share of the clip
    that the speech detector has to find; it is deaf to whispers, which are not asked for it.
    """

    target_lufs: float = -23.0
    peak_dbtp: float = -1.0
    trim_db: float = 50.0
    keep_s: float = 0.15
    min_s: float = 1.0
    max_s: float = 30.0
    words_per_s: tuple[float, float] = (0.7, 6.0)
    max_clipped: float = 0.001
    min_speech: float = 0.4

    def __post_init__(self) -> None:
        rules = (
            (-60 <= self.target_lufs <= -5, "target_lufs", "-60 to -5"),
            (-20 <= self.peak_dbtp <= 0, "peak_dbtp", "-20 to 0"),
            (10 <= self.trim_db <= 100, "trim_db", "10 to 100"),
            (0 <= self.keep_s <= 2, "keep_s", "0 to 2 seconds"),
            (_BLOCK_S <= self.min_s < self.max_s <= 600, "min_s and max_s", f"{_BLOCK_S} <= min_s < max_s <= 600"),
            (0 <= self.words_per_s[0] < self.words_per_s[1], "words_per_s", "two numbers, the lower one first"),
            (0 <= self.max_clipped <= 1, "max_clipped", "a share, 0 to 1"),
            (0 <= self.min_speech <= 1, "min_speech", "a share, 0 to 1"),
        )
        for kept, name, expected in rules:
            if not kept:
                raise UsageError(f"The policy's {name} does not fit; expected {expected}.")


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished take as 16-bit WAV, 24 kHz mono, or why it was refused. `gain_db`: what was applied, so that the
    take's own loudness can be told; other numbers are measured on the finished samples."""

    fault: str = ""
    wav: bytes = b""
    duration_s: float = 0.0
    loudness_lufs: float = 0.0
    peak_dbtp: float = 0.0
    speech_s: float = 0.0
    gain_db: float = 0.0


def finish_take(audio: bytes, words: int, whispered: bool, policy: FinishPolicy) -> Finished:
    """Finish one encoded take of a script with so many words. Faults are told, not raised."""
    try:
        samples = decoded(audio)
    except (soundfile.LibsndfileError, ValueError) as error:
        return Finished(f"no sound file: {error}")
    if not samples.size or not np.isfinite(samples).all() or np.abs(samples).max() < 1e-4:
        return Finished("silent or empty")
    if (share := clipped_share(samples)) > policy.max_clipped:
        return Finished(f"clipped: {share:.2%} of the samples")
    samples = trimmed(samples, policy.trim_db, policy.keep_s)
    seconds = len(samples) / RATE
    if not policy.min_s <= seconds <= policy.max_s:
        return Finished(f"{seconds:.1f} s long; expected {policy.min_s:g} to {policy.max_s:g} s")
    rate, (low, high) = words / seconds, policy.words_per_s
    if not low <= rate <= high:
        return Finished(f"{rate:.1f} words a second; expected {low:g} to {high:g}")
    samples, gain_db = levelled(samples, policy.target_lufs, policy.peak_dbtp)
    samples = _faded(samples)
    speech = _speech_s(samples)
    needed = 0.0 if whispered else policy.min_speech * seconds
    if speech < needed:
        return Finished(f"speech in {speech:.1f} of {seconds:.1f} s; expected {needed:.1f} s or more")
    return Finished(
        wav=_encoded(samples), duration_s=seconds, loudness_lufs=loudness(samples), peak_dbtp=true_peak(samples),
        speech_s=speech, gain_db=gain_db,
    )  # fmt: skip


def decoded(audio: bytes) -> NDArray[np.float32]:
    """Samples [n], mono, 24 kHz, -1..1, of any file that libsndfile reads."""
    samples, rate = soundfile.read(io.BytesIO(audio), dtype="float32", always_2d=True)
    mono = samples.mean(axis=1, dtype=np.float32)
    return mono if rate == RATE else np.asarray(soxr.resample(mono, rate, RATE), np.float32)


def clipped_share(samples: NDArray[np.float32]) -> float:
    """Share of samples that lie in runs of three or more at full scale."""
    full = np.abs(samples) >= 0.9995
    if full.sum() < 3:
        return 0.0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]).astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= 3].sum() / len(samples))


def trimmed(samples: NDArray[np.float32], below_db: float, keep_s: float) -> NDArray[np.float32]:
    """Without the silence at both ends, of which `keep_s` seconds stay. Frames of 20 ms."""
    frame = int(_FRAME_S * RATE)
    count = max(1, len(samples) // frame)
    levels = np.array([float(np.sqrt(np.mean(piece**2))) for piece in np.array_split(samples, count)])
    loud = np.flatnonzero(levels > levels.max() * 10 ** (-below_db / 20))
    bounds = np.linspace(0, len(samples), count + 1)
    keep = int(keep_s * RATE)
    return samples[max(0, int(bounds[loud[0]]) - keep) : int(bounds[loud[-1] + 1]) + keep]


def levelled(samples: NDArray[np.float32], target_lufs: float, peak_dbtp: float) -> tuple[NDArray[np.float32], float]:
    """Samples at the target, or below it where their true peak would exceed the limit, and the gain in dB."""
    gain = min(target_lufs - loudness(samples), peak_dbtp - true_peak(samples))
    return (samples * np.float32(10 ** (gain / 20))).astype(np.float32), gain


def loudness(samples: NDArray[np.float32]) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770-4, gated)."""
    pyloudnorm = require("pyloudnorm", extra="synthesis", feature="Loudness normalisation")
    return float(pyloudnorm.Meter(RATE, block_size=_BLOCK_S).integrated_loudness(samples))


def true_peak(samples: NDArray[np.float32]) -> float:
    """True peak in dBTP: the highest sample of the fourfold oversampled signal (ITU-R BS.1770-4, annex 2)."""
    peak = max(float(np.abs(soxr.resample(samples, RATE, 4 * RATE)).max()), float(np.abs(samples).max()), 1e-9)
    return float(20 * np.log10(peak))


def as_mp3(wav: bytes) -> bytes:
    """The clip as MP3, as the enhanced release has it."""
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="MP3")
    return buffer.getvalue()


def _encoded(samples: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _faded(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Five milliseconds in and out, so that a cut does not click."""
    length = int(_FADE_S * RATE)
    ramp: NDArray[Any] = np.linspace(0, 1, length, dtype=np.float32)
    out = samples.copy()
    out[:length] *= ramp
    out[-length:] *= ramp[::-1]
    return out


def _speech_s(samples: NDArray[np.float32]) -> float:
    """Seconds in which the package's speech detector hears someone."""
    report = WindowReport()
    heard = np.asarray(soxr.resample(samples, RATE, SAMPLE_RATE), np.float32)
    for _ in speech_windows(Audio(heard, "take"), WindowPolicy(join_pause_s=0.3, whole_s=0), report=report):
        pass
    return report.speech_s
