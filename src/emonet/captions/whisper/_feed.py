"""Clips to batches: shuffled anew each epoch, with a fresh caption each, and from any step on.

The order, the captions drawn and so the loss follow from the seed, the epoch and the clips alone. Going on after an
interruption skips what was done without reading it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emonet.captions.whisper._clips import Clip, Clips, captions_of, read_shards, sound_of
from emonet.errors import MediaError
from emonet.media import Audio
from emonet.models import AudioPreprocessing, log_mel

PARAPHRASE_STEP = 1_000_003
"""The caption of an epoch is drawn with the seed epoch x this + the clip's number, as LAION's pipeline does."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One clip of an epoch. `features`: float32 [M, T]; `caption`: the text to learn."""

    clip: Clip
    features: NDArray[np.float32]
    caption: str


@dataclass(slots=True)
class Feed:
    """Reads clips as examples. `longest`: seconds that the model hears; `skipped`: reason → clips not used."""

    clips: Clips
    spec: AudioPreprocessing
    caption_fields: tuple[str, ...]
    seed: int
    mix_shards: int
    cache_bytes: int
    skipped: Counter[str] = field(default_factory=Counter)
    _cache: dict[tuple[int, str], tuple[NDArray[np.float32], tuple[str, ...]]] = field(default_factory=dict)
    _cached: int = 0

    def steps(self, size: int) -> int:
        """Groups of `size` clips in an epoch, the last one smaller."""
        return -(-len(self.clips.training) // size)

    def epoch(self, epoch: int, size: int, *, done: int = 0) -> Iterator[list[Example]]:
        """Groups of `size` training clips, without the first `done` groups.

        A clip that cannot be used is missing from its group, so that the others stay where they are.
        """
        group: list[Clip] = []
        skip = done * size
        for mixed in self._mixtures(epoch):
            left = mixed[min(skip, len(mixed)) :]
            skip -= len(mixed) - len(left)
            loaded = self._load(left)
            for clip in left:
                group.append(clip)
                if len(group) == size:
                    yield self._examples(group, loaded, epoch)
                    group = []
            # A group may go on in the next mixture; its clips are small.
            self._carry = {(c.shard, c.key): loaded[c.shard, c.key] for c in group if (c.shard, c.key) in loaded}
        if group:
            yield self._examples(group, self._carry, epoch)

    _carry: dict[tuple[int, str], tuple[NDArray[np.float32], tuple[str, ...]]] = field(default_factory=dict)
