"""Growing damage to voices, under which a model is measured again: the robustness curves of its card.

Waves are float32 [samples] at 16 kHz, their peak at 1. Strengths go from mild to severe. Symbols: n clips, d emotions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from emonet.models._card import Metric
from emonet.training._voice_measurement import Heard, macro_metric
from emonet.training._waveform_augmentation import (
    Wave,
    add_noise,
    band_limit,
    change_speed,
    code,
    reverberate,
)


@dataclass(frozen=True, slots=True)
class VoiceDamage:
    """`change(wave, strength, random)` gives the damaged wave; `title` and `unit` are for people."""

    title: str
    unit: str
    strengths: tuple[float, ...]
    change: Callable[[Wave, float, np.random.Generator], Wave]


Scores = Callable[[Sequence[Wave]], NDArray[np.float64]]
"""Waves [n] → relative scores [n, d]."""


def damaged_waves(waves: Iterable[Wave], kind: str, strength: float, *, seed: int) -> list[Wave]:
    """All clips with one kind of damage. A clip meets the same noise and the same room at every strength, so that a
    curve shows the strength and not the draw."""
    change, number = VOICE_DAMAGES[kind].change, crc32(kind.encode())
    return [change(wave, strength, np.random.default_rng([seed, number, i])) for i, wave in enumerate(waves)]


def robustness_metrics(
    heard: Heard,
    waves: Sequence[Wave],
    scores: Scores,
    columns: Sequence[int],
    *,
    seed: int,
    resamples: int,
    kinds: Iterable[str] | None = None,
    report: Callable[[str], None] = print,
) -> list[Metric]:
    """Mean within-corpus AUC of the emotions `columns` at each strength of each damage, with intervals over speakers.

    `heard`: the undamaged clips [n], whose scores are not used; `waves`: their samples [n], in the same order. The
    metric is named `damage_<kind>`; its note starts with strength and unit. Every strength costs one scoring of all
    clips: pass a part of them (`Heard.only`) where time is short.
    """
    data = f"test speakers of {', '.join(sorted(set(heard.corpus)))}"
    metrics = []
    for kind in VOICE_DAMAGES if kinds is None else kinds:
        damage = VOICE_DAMAGES[kind]
        for strength in damage.strengths:
            scored = replace(heard, relative=scores(damaged_waves(waves, kind, strength, seed=seed)))
            found = macro_metric(scored, columns, name=f"damage_{kind}", data=data, seed=seed, resamples=resamples)
            metrics.append(found.model_copy(update={"note": f"{strength:g} {damage.unit}; {found.note}"}))
        report(f"{damage.title}: " + ", ".join(f"{m.value:.3f}" for m in metrics[-len(damage.strengths) :]))
    return metrics


def _hiss(wave: Wave, snr_db: float, random: np.random.Generator) -> Wave:
    return add_noise(wave, snr_db, random, "white")


def _crowd(wave: Wave, snr_db: float, random: np.random.Generator) -> Wave:
    return add_noise(wave, snr_db, random, "speech")


def _opus(wave: Wave, kilobits: float, random: np.random.Generator) -> Wave:
    return code(wave, "opus", compression=1 - (kilobits - 6) / 250)  # as libsndfile maps its level to a bit rate


def _telephone(wave: Wave, highest_hz: float, random: np.random.Generator) -> Wave:
    return band_limit(wave, 300, highest_hz)


def _overdriven(wave: Wave, gain_db: float, random: np.random.Generator) -> Wave:
    return np.clip(wave * np.float32(10 ** (gain_db / 20)), -1, 1)


def _quiet(wave: Wave, below_db: float, random: np.random.Generator) -> Wave:
    gain = np.float32(10 ** (-below_db / 20) * 32767)
    return np.rint(wave * gain) / np.float32(32767)


def _speed(wave: Wave, rate: float, random: np.random.Generator) -> Wave:
    return change_speed(wave, rate)


VOICE_DAMAGES: Mapping[str, VoiceDamage] = {
    "noise": VoiceDamage("white noise", "dB below the voice", (30, 20, 10, 5, 0), _hiss),
    "crowd": VoiceDamage("noise like many voices", "dB below the voice", (30, 20, 10, 5, 0), _crowd),
    "room": VoiceDamage("reverberation", "s until 60 dB lower", (0.2, 0.4, 0.6, 0.8, 1.2), reverberate),
    "opus": VoiceDamage("Opus", "kbit/s", (32, 16, 12, 8, 6), _opus),
    "telephone": VoiceDamage("band from 300 Hz", "Hz highest", (6000, 4500, 3400, 2700, 2000), _telephone),
    "overdriven": VoiceDamage("too loud, clipped", "dB over full scale", (3, 6, 12, 18, 24), _overdriven),
    "quiet": VoiceDamage("quiet in 16 bits", "dB below full scale", (20, 40, 50, 60, 70), _quiet),
    "speed": VoiceDamage("played at another speed", "times as fast", (0.9, 1.1, 0.8, 1.25, 1.5), _speed),
}
