"""What captions are made of and what they say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from emonet.taxonomy import Modality

Strength = Literal["none", "slight", "moderate", "strong", "extreme"]
STRENGTHS: tuple[Strength, ...] = ("none", "slight", "moderate", "strong", "extreme")
"""How strongly an emotion is said to be heard or seen, weakest first; "none" is "no trace of it"."""

Word = Literal["extremely", "very", "notably", "somewhat", "average", "absent", "absolute"]
Gate = Literal["open", "capped", "dropped"]
Group = Literal["emotion", "attribute", "quality"]

_STRENGTH_OF: dict[str, Strength] = {
    "extremely": "extreme",
    "very": "strong",
    "notably": "moderate",
    "somewhat": "slight",
    "absent": "none",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One dimension that a caption speaks of.

    `key`: taxonomy key, or VoiceNet code. `z`: deviation from the baseline in its spreads; NaN where only an absolute
    band was needed. `word`: "extremely", "very", "notably" or "somewhat"; "absent" for an emotion below the baseline,
    "average" for an attribute that is always told, "absolute" for age, gender and register, which follow `band`.
    """

    key: str
    z: float
    word: Word
    always: bool = False
    band: int | None = None

    @property
    def strength(self) -> Strength:
        """An emotion's word on the scale of `mentions`; `KeyError` for the words of attributes alone."""
        return _STRENGTH_OF[self.word]


@dataclass(frozen=True, slots=True)
class Caption:
    """A description of one voice or face as it is perceived.

    `emotions` in the order in which the text names them, `attributes` likewise; `bursts`: names of vocal bursts that
    were given and said; `traits`: age, gender, register, tempo, genuineness, bursts, each as said. What is missing was
    not judged, or was held back by a gate.
    """

    text: str
    template: str
    seed: int
    emotions: tuple[Said, ...] = ()
    attributes: tuple[Said, ...] = ()
    bursts: tuple[str, ...] = ()
    traits: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values; a z-score that is not defined is None."""
        return {
            "text": self.text,
            "template": self.template,
            "seed": self.seed,
            "emotions": [_plain(said) | {"strength": said.strength} for said in self.emotions],
            "attributes": [_plain(said) for said in self.attributes],
            "bursts": list(self.bursts),
            "traits": dict(self.traits),
        }


@dataclass(frozen=True, slots=True)
class Statistic:
    """What is usual for one dimension: `n` clips, and where their values lie; `spread` divides the deviation."""

    group: Group
    n: int
    mean: float
    median: float
    std: float
    mad: float
    spread: float
    p10: float
    p90: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual for a model's scores. `scale`: which scores; `model`: id they are of, empty for published heads."""

    name: str
    source: str
    modality: Modality
    scale: Literal["raw", "relative"]
    statistics: Mapping[str, Statistic]
    model: str = ""
    revision: str = ""

    def z(self, key: str, value: float) -> float:
        """(value - median) / (spread + 1e-6); NaN for a dimension that the baseline does not know."""
        known = self.statistics.get(key)
        return math.nan if known is None else (value - known.median) / (known.spread + 1e-6)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be said, before it is put in words. `genuineness`, `blend`: z-scores, None when not given."""

    emotions: tuple[Said, ...]
    attributes: tuple[Said, ...]
    gate: Gate = "open"
    genuineness: float | None = None
    blend: float | None = None
    gender_gated: bool = False

    @property
    def descriptor(self) -> int | None:
        """0..3, how genuine it sounds: z >= 0.5, >= 0, > -1, or less; None when genuineness was not given."""
        z = self.genuineness
        return None if z is None else 3 if z >= 0.5 else 2 if z >= 0 else 1 if z > -1 else 0

    @property
    def blend_said(self) -> bool:
        """Whether vocal bursts are worth a word: |z| >= 0.5."""
        return self.blend is not None and abs(self.blend) >= 0.5


def _plain(said: Said) -> dict[str, Any]:
    return {"key": said.key, "z": round(said.z, 2) if math.isfinite(said.z) else None, "word": said.word}
