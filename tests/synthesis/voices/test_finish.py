"""Finishing a take: level, silence, and the faults that make it be done again."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pyloudnorm", reason="the extra `synthesis` is not installed")

from emonet.errors import UsageError
from emonet.synthesis.voices import FinishPolicy
from emonet.synthesis.voices._finish import (
    RATE,
    as_mp3,
    clipped_share,
    decoded,
    finish_take,
    loudness,
    trimmed,
    true_peak,
)

LENIENT = FinishPolicy(min_speech=0.0)


def tone(seconds: float, level: float = 0.1, hz: float = 220.0, rate: int = RATE) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def wav(samples: np.ndarray, rate: int = RATE, subtype: str = "FLOAT") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype=subtype)
    return buffer.getvalue()


@given(level=st.floats(0.001, 0.9), seconds=st.floats(1.5, 4.0))
def test_every_level_becomes_the_target_or_is_held_by_its_peak(level: float, seconds: float) -> None:
    done = finish_take(wav(tone(seconds, level)), 6, False, LENIENT)
    assert done.fault == ""
    assert done.peak_dbtp <= -1 + 0.05
    assert abs(done.loudness_lufs + 23) < 0.1
    assert 20 * np.log10(level) + done.gain_db == pytest.approx(20 * np.log10(np.abs(decoded(done.wav)).max()), abs=0.1)


def test_a_peak_between_samples_counts() -> None:
    # A sine at a quarter of the rate, sampled 45 degrees off its crests: samples at -3 dB, the crest at 0 dB.
    samples = np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4).astype(np.float32)
    assert np.abs(samples).max() == pytest.approx(0.7071, abs=1e-3)
    assert true_peak(samples) == pytest.approx(0.0, abs=0.2)


def test_a_sharp_sound_is_held_below_the_peak_and_not_limited() -> None:
    samples = tone(3.0, 0.01)
    samples[RATE : RATE + 3] = [0.5, -0.5, 0.5]
    done = finish_take(wav(samples), 6, False, LENIENT)
    assert done.peak_dbtp == pytest.approx(-1.0, abs=0.1)
    assert done.loudness_lufs < -23


def test_loudness_is_that_of_the_recommendation() -> None:
    # ITU-R BS.1770-4: a full-scale sine of 997 Hz in one channel has -3.01 LKFS.
    assert loudness(tone(4.0, 1.0, 997.0)) == pytest.approx(-3.01, abs=0.1)


def test_silence_at_the_ends_goes_and_inside_stays() -> None:
    silence = np.zeros(RATE, np.float32)
    samples = np.concatenate([silence, tone(1.0), silence, tone(1.0), silence])
    kept = trimmed(samples, 50, 0.1)
    assert len(kept) / RATE == pytest.approx(3.2, abs=0.05)


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 44_100])
def test_any_rate_and_channels_become_24_khz_mono(rate: int) -> None:
    stereo = np.stack([tone(2.0, rate=rate), tone(2.0, rate=rate)], axis=1)
    samples = decoded(wav(stereo, rate))
    assert samples.ndim == 1
    assert len(samples) / RATE == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(
    ("audio", "words", "said"),
    [
        (b"", 5, "no sound file"),
        (b"RIFF....WAVEjunk", 5, "no sound file"),
        (b"<html>429</html>", 5, "no sound file"),
        (wav(np.zeros(0, np.float32)), 5, "silent or empty"),
        (wav(np.zeros(RATE, np.float32)), 5, "silent or empty"),
        (wav(np.full(RATE, np.nan, np.float32)), 5, "silent or empty"),
        (wav(np.clip(tone(2.0, 3.0), -1, 1)), 5, "clipped"),
        (wav(tone(0.5)), 1, "0.5 s long"),
        (wav(tone(31.0)), 60, "31.0 s long"),
        (wav(tone(2.0)), 40, "20.0 words a second"),
        (wav(tone(10.0)), 2, "0.2 words a second"),
    ],
    # Float WAV files hold the time they were written at, so the bytes are no name for a case.
    ids=["nothing", "broken", "web-page", "no-samples", "silent", "nan", "clipped", "short", "long", "fast", "slow"],
)
def test_bad_takes_are_refused_with_the_reason(audio: bytes, words: int, said: str) -> None:
    done = finish_take(audio, words, False, LENIENT)
    assert said in done.fault
    assert done.wav == b""


def test_a_take_without_speech_is_refused_but_a_whisper_is_not() -> None:
    audio = wav(tone(3.0))
    assert "speech in 0.0 of 3.0 s" in finish_take(audio, 8, False, FinishPolicy()).fault
    assert finish_take(audio, 8, True, FinishPolicy()).fault == ""


def test_clipping_is_runs_and_not_single_peaks() -> None:
    samples = tone(1.0)
    samples[100] = 1.0
    assert clipped_share(samples) == 0
    samples[100:110] = 1.0
    assert clipped_share(samples) == pytest.approx(10 / RATE)


def test_the_mp3_is_the_clip() -> None:
    done = finish_take(wav(tone(2.0)), 5, False, LENIENT)
    samples, rate = soundfile.read(io.BytesIO(as_mp3(done.wav)))
    assert rate == RATE
    assert len(samples) / rate == pytest.approx(done.duration_s, abs=0.1)


@pytest.mark.parametrize(
    "options",
    [{"target_lufs": 3.0}, {"peak_dbtp": 1.0}, {"min_s": 5.0, "max_s": 2.0}, {"words_per_s": (6.0, 1.0)},
     {"min_speech": 2}],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="does not fit"):
        FinishPolicy(**options)  # type: ignore[arg-type]
