"""The curves of a voice model's card: damage grows with its strength, and the figures follow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest

from emonet.training._voice_measurement import Heard
from emonet.training._voice_robustness import VOICE_DAMAGES, damaged_waves, robustness_metrics

RATE = 16_000
SPEAKERS, CORPORA = 6, ("a", "b")


def tone(hz: float, seed: int) -> np.ndarray:
    """Half a second of a tone with a little hiss, its peak at 1."""
    wave = np.sin(2 * np.pi * hz * np.arange(RATE // 2) / RATE)
    wave += 0.01 * np.random.default_rng(seed).standard_normal(len(wave))
    return (wave / np.abs(wave).max()).astype(np.float32)


@pytest.fixture
def clips() -> tuple[Heard, list[np.ndarray]]:
    """Anger sounds at 1500 Hz, fear at 500; one clip of each from every speaker."""
    rows = [(corpus, f"{corpus}{s}", e) for corpus in CORPORA for s in range(SPEAKERS) for e in range(2)]
    corpus, speaker, emotion = zip(*rows, strict=True)
    present = np.eye(2, dtype=np.float32)[list(emotion)]
    waves = [tone((1500, 500)[e], i) for i, e in enumerate(emotion)]
    label = tuple("af"[e] for e in emotion)
    nothing = np.zeros(present.shape)
    return Heard(nothing, present, corpus, label, speaker, ("",) * len(rows), ("anger", "fear")), waves


def by_brightness(waves: Sequence[np.ndarray]) -> np.ndarray:
    """A model that takes bright clips for anger: power above 1 kHz against power below, [n, 2]."""
    scores = []
    for wave in waves:
        power = np.abs(np.fft.rfft(wave)) ** 2
        edge = round(1000 * len(wave) / RATE)
        bright = float(np.log(power[edge:].sum() + 1e-9) - np.log(power[:edge].sum() + 1e-9))
        scores.append([bright, -bright])
    return np.asarray(scores)


measured = partial(robustness_metrics, seed=3, resamples=50, report=lambda line: None)


def test_every_strength_becomes_a_figure_of_the_card(clips: tuple[Heard, list[np.ndarray]]) -> None:
    """One metric per kind and strength, the same again for the same seed; a clear difference survives mild damage."""
    heard, waves = clips
    metrics = measured(heard, waves, by_brightness, [0, 1], kinds=["noise", "quiet"])
    assert [m.name for m in metrics] == ["damage_noise"] * 5 + ["damage_quiet"] * 5
    assert [float(m.note.split()[0]) for m in metrics[:5]] == [30, 20, 10, 5, 0]
    assert metrics[0].value == 1.0
    assert metrics[0].n == len(waves)
    assert "4 pairs of emotion and corpus, 12 speakers" in metrics[0].note
    assert metrics == measured(heard, waves, by_brightness, [0, 1], kinds=["noise", "quiet"])


def test_what_the_damage_takes_away_cannot_be_heard(clips: tuple[Heard, list[np.ndarray]]) -> None:
    """A model that goes by level alone loses it where the recording is so quiet that 16 bits hold nothing."""
    heard, waves = clips
    louder = [wave * (1.0 if heard.label[i] == "a" else 0.5) for i, wave in enumerate(waves)]

    def by_level(some: Sequence[np.ndarray]) -> np.ndarray:
        level = np.asarray([float(np.abs(wave).mean()) for wave in some])
        return np.stack([level, -level], axis=1)

    values = [m.value for m in measured(heard, louder, by_level, [0, 1], kinds=["overdriven"])]
    assert values[0] == 1.0
    silent = [wave * np.float32(1e-3) for wave in louder]
    assert [m.value for m in measured(heard, silent, by_level, [0, 1], kinds=["quiet"])][-1] == 0.5


@pytest.mark.parametrize("kind", sorted(set(VOICE_DAMAGES) - {"room", "speed"}))
def test_damage_grows_with_its_strength(kind: str) -> None:
    """The spectrum of the severest strength is less like the clip's than that of the mildest, which is no copy."""
    clip = tone(440, 0) * np.linspace(0.01, 1, RATE // 2, dtype=np.float32) + 0.3 * tone(3000, 1)
    clip = (clip / np.abs(clip).max()).astype(np.float32)
    strengths = VOICE_DAMAGES[kind].strengths
    mild, severe = (damaged_waves([clip], kind, s, seed=0)[0] for s in (strengths[0], strengths[-1]))
    spectra = [np.abs(np.fft.rfft(wave)) for wave in (clip, mild, severe)]
    likeness = [float(np.corrcoef(spectra[0], one)[0, 1]) for one in spectra[1:]]
    assert likeness[1] < likeness[0] - 1e-4
    assert not np.array_equal(mild, clip)


def test_a_larger_room_rings_longer() -> None:
    """What is left a tenth of a second after a word grows with the room."""
    word = np.concatenate([tone(440, 0), np.zeros(RATE, np.float32)])
    rooms = VOICE_DAMAGES["room"].strengths
    rests = [float(np.abs(damaged_waves([word], "room", s, seed=0)[0][9600:11200]).mean()) for s in rooms]
    assert rests == sorted(rests)
    assert rests[-1] > 10 * rests[0]


def test_speed_is_ordered_from_mild_to_severe() -> None:
    """Each clip is as long as its speed says; later steps of the curve are farther from 1."""
    speeds = VOICE_DAMAGES["speed"].strengths
    lengths = [len(damaged_waves([tone(440, 0)], "speed", s, seed=0)[0]) for s in speeds]
    assert lengths == [pytest.approx(RATE / 2 / s, abs=2) for s in speeds]
    assert np.all(np.diff(np.abs(np.log(speeds)).round(1)) >= 0)


def test_noise_is_the_same_at_every_strength() -> None:
    """Only its level differs, so that a curve shows the strength and not the draw."""
    clip = tone(440, 0)
    mild, severe = (damaged_waves([clip], "noise", s, seed=7)[0].astype(np.float64) - clip for s in (20, 0))
    np.testing.assert_allclose(mild * 10, severe, atol=1e-4)
