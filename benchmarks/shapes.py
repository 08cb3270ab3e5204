"""Shapes of LAION's suites, and how much there is to compute and to read.

T positions, d width, h hidden units of a transformer layer, L layers. One multiplication and one addition are two
operations. Sources: Whisper-small (Radford et al. 2022) for laion/BUD-E-Whisper; SigLIP2 so400m (Tschannen et al.
2025) patch16-384; heads from LAION's Empathic-Insight releases.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from emonet.taxonomy import ATTRIBUTES, EMOTIONS


@dataclass(frozen=True, slots=True)
class Work:
    """Operations of one item (1e9) by what an 8-bit network computes in 8 bits (`linear`) and what it does not
    (`rest`); `weights`: numbers that must be read at least once per call (1e9)."""

    linear: float
    rest: float
    weights: float


@dataclass(frozen=True, slots=True)
class VoiceShape:
    """Encoder of a voice suite and heads over its whole sequence."""

    name: str = "voice-small"
    layers: int = 12
    width: int = 768
    attention: int = 12
    hidden: int = 3072
    positions: int = 1500
    mels: int = 80
    head_layers: tuple[int, ...] = (64, 64, 32, 16, 1)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The 55 dimensions of a voice suite."""
        attributes = (a.key for a in ATTRIBUTES if a.modality == "voice" and a.kind == "attribute")
        return (*(emotion.key for emotion in EMOTIONS), *attributes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Layer sizes of a head, input first."""
        return (self.positions * self.width, *self.head_layers)

    @property
    def encoder(self) -> Work:
        """One clip."""
        t, d, h = self.positions, self.width, self.hidden
        linear = self.layers * (8 * t * d * d + 4 * t * d * h)
        attention = self.layers * 4 * t * t * d
        convolutions = 2 * self.mels * d * 3 * 2 * t + 2 * d * d * 3 * t
        return Work(linear / 1e9, (attention + convolutions) / 1e9, self.layers * (4 * d * d + 2 * d * h) / 1e9)

    @property
    def heads(self) -> Work:
        """All heads for one clip."""
        numbers = len(self.dimensions) * sum(a * b for a, b in pairwise(self.sizes))
        return Work(2 * numbers / 1e9, 0.0, numbers / 1e9)


@dataclass(frozen=True, slots=True)
class FaceShape:
    """Vision tower of a face suite and heads over its embedding."""

    name: str = "face-large"
    layers: int = 27
    width: int = 1152
    attention: int = 16
    hidden: int = 4304
    side: int = 384
    patch: int = 16
    head_layers: tuple[int, ...] = (1024, 512, 256, 1)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The 40 emotions."""
        return tuple(emotion.key for emotion in EMOTIONS)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Layer sizes of a head, input first."""
        return (self.width, *self.head_layers)

    @property
    def encoder(self) -> Work:
        """One picture. One query pools the positions at the end, of which keys and values are all that counts."""
        t, d, h = (self.side // self.patch) ** 2, self.width, self.hidden
        linear = self.layers * (8 * t * d * d + 4 * t * d * h) + 4 * t * d * d
        rest = self.layers * 4 * t * t * d + 2 * t * 3 * self.patch**2 * d
        return Work(linear / 1e9, rest / 1e9, self.layers * (4 * d * d + 2 * d * h) / 1e9)

    @property
    def heads(self) -> Work:
        """All heads for one picture."""
        numbers = len(self.dimensions) * sum(a * b for a, b in pairwise(self.sizes))
        return Work(2 * numbers / 1e9, 0.0, numbers / 1e9)


VOICE = VoiceShape()
FACE = FaceShape()
QUICK_VOICE = VoiceShape("voice-quick", 2, 32, 2, 64, 100, 80, (8, 8, 8, 8, 1))
QUICK_FACE = FaceShape("face-quick", 2, 32, 2, 64, 64, 16, (16, 8, 1))
